//! Whatever is minted is read back as the same value.
#![cfg(feature = "mint")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use portcullis_core::UnixTime;
use portcullis_nats::{
    claims::{
        Account, Activation, Export, ExportKind, Import, Limit, Operator, Permission, Permissions, Responses,
        SigningKey, Terms, TimeRange, User,
    },
    mint::Mint,
    nkey::{AccountKey, KeyPair, OperatorKey, Role, UserKey},
    token::Token,
};
use proptest::{collection::vec, option, prelude::*};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn pair(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

fn account_key() -> AccountKey {
    AccountKey::try_from(*pair(Role::Account).public_key()).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("keys in memory sign at once"),
    }
}

fn limit() -> impl Strategy<Value = Limit> {
    let largest = u64::try_from(i64::MAX).unwrap();
    prop_oneof![Just(Limit::Unlimited), Just(Limit::NOTHING), (0..=largest).prop_map(Limit::AtMost)]
}

fn subject() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-zé&<\"\\\\]{1,4}(\\.[a-z*]{1,3}){0,2}", 1 => "[a-z]{1,3}\\.>", 1 => Just("*".to_owned())]
}

prop_compose! {
    fn permission()(allow in option::of(vec(subject(), 0..3)), deny in vec(subject(), 0..3)) -> Permission {
        let mut permission = Permission::default();
        (permission.allow, permission.deny) = (allow, deny);
        permission
    }
}

prop_compose! {
    fn permissions()(publish in permission(), subscribe in permission(), responses in option::of((any::<i64>(), any::<i64>()))) -> Permissions {
        let mut permissions = Permissions::default();
        (permissions.publish, permissions.subscribe) = (publish, subscribe);
        permissions.responses = responses.map(|(max, valid_for)| {
            let mut responses = Responses::default();
            (responses.max, responses.valid_for) = (max, valid_for);
            responses
        });
        permissions
    }
}

prop_compose! {
    fn terms()(
        permissions in permissions(),
        limits in [limit(), limit(), limit()],
        sources in vec((any::<[u8; 4]>(), 0..=32u8), 0..3),
        times in vec((0..24u8, 0..60u8), 0..2),
        types in vec(prop_oneof![Just("HTTP"), Just("STANDARD")], 0..2),
        flags in any::<[bool; 2]>(),
    ) -> Terms {
        let mut terms = Terms::default();
        terms.permissions = permissions;
        [terms.subscriptions, terms.data, terms.payload] = limits;
        terms.sources = sources.iter().map(|([a, b, c, d], len)| format!("{a}.{b}.{c}.{d}/{len}")).collect();
        terms.times = times.iter().map(|(h, m)| TimeRange { start: format!("{h:02}:{m:02}:00"), end: "17:00:00".to_owned() }).collect();
        terms.times_location = if times.is_empty() { String::new() } else { "Europe/Berlin".to_owned() };
        terms.connection_types = types.into_iter().map(str::to_owned).collect();
        [terms.bearer, terms.proxy_required] = flags;
        terms
    }
}

fn name() -> impl Strategy<Value = String> {
    any::<String>()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn users(terms in terms(), name in name(), tags in vec("[a-z:é<]{1,5}", 0..3), with_account in any::<bool>()) {
        let (signer, key, account) = (pair(Role::Account), UserKey::try_from(*pair(Role::User).public_key()).unwrap(), account_key());
        let mut expected = User::default();
        expected.terms = terms.clone();
        let mut draft = Mint::user(key, name.clone()).terms(terms).tags(tags.clone());
        if with_account {
            draft = draft.of(account);
            expected.issuer_account = Some(account);
        }
        let minted = wait(draft.sign(&signer, NOW)).unwrap();
        let read = Token::<User>::read(minted.as_str()).unwrap();
        for tag in tags {
            if !expected.tags.contains(&tag) {
                expected.tags.push(tag);
            }
        }
        prop_assert_eq!(read.nats, expected);
        prop_assert_eq!(read.registered.name, name);
    }

    #[test]
    fn accounts(
        defaults in permissions(),
        templates in vec((terms(), any::<String>()), 0..3),
        limits in [limit(), limit(), limit(), limit(), limit()],
        flags in any::<[bool; 2]>(),
        revoked in vec(0..i64::MAX as u64, 0..3),
        all in option::of(0..i64::MAX as u64),
        description in any::<String>(),
    ) {
        let (operator, id) = (pair(Role::Operator), account_key());
        let mut expected = Account::default();
        expected.default_permissions = defaults;
        expected.signing_keys = templates.into_iter().map(|(terms, role)| SigningKey::scoped(account_key(), role, terms)).collect();
        expected.signing_keys.push(SigningKey::new(account_key()));
        [expected.limits.connections, expected.limits.leaf_nodes, expected.limits.subscriptions, expected.limits.data, expected.limits.payload] = limits;
        [expected.limits.wildcard_exports, expected.limits.disallow_bearer] = flags;
        for until in revoked {
            expected.revocations.revoke(*pair(Role::User).public_key(), UnixTime::from_secs(until));
        }
        if let Some(until) = all {
            expected.revocations.revoke_all(UnixTime::from_secs(until));
        }
        expected.description = description;
        expected.exports = vec![Export::new(ExportKind::Service, "z.*"), Export::new(ExportKind::Stream, "b.>").with_activation()];
        expected.exports[0].account_token_position = 2;
        expected.exports[1].revocations.revoke(*id.public_key(), NOW);
        let exporter = pair(Role::Account);
        let exporter_id = AccountKey::try_from(*exporter.public_key()).unwrap();
        let activation = wait(Mint::activation(id, "a", Activation::new(ExportKind::Stream, "y.>")).sign(&exporter, NOW)).unwrap();
        let mut with_activation = Import::new(ExportKind::Stream, exporter_id, "y.*.x");
        with_activation.activation = Some((activation.as_str().to_owned(), activation.token().clone()));
        with_activation.local_subject = "local.$1".to_owned();
        expected.imports = vec![with_activation, Import::new(ExportKind::Service, exporter_id, "c")];

        let minted = wait(Mint::account(id, "a", expected.clone()).sign(&operator, NOW)).unwrap();
        // As in Go, imports and exports are sorted by subject, and keys by text.
        expected.imports.reverse();
        expected.exports.reverse();
        expected.signing_keys.sort_by_key(|key| key.key);
        prop_assert_eq!(Token::<Account>::read(minted.as_str()).unwrap().nats, expected);
    }

    #[test]
    fn operators(keys in 1..4usize, strict in any::<bool>(), url in "[a-z:/<&]{0,8}", version in option::of([0..9u8, 0..20u8, 0..9u8])) {
        let own = pair(Role::Operator);
        let key = |pair: &KeyPair| OperatorKey::try_from(*pair.public_key()).unwrap();
        let mut expected = Operator::default();
        expected.signing_keys = (0..keys).map(|_| key(&pair(Role::Operator))).collect();
        expected.strict_signing_key_usage = strict;
        expected.system_account = Some(account_key());
        expected.account_server_url = url.clone();
        expected.service_urls = vec![url].into_iter().filter(|url| !url.is_empty()).collect();
        expected.assert_server_version = version.map(|[a, b, c]| format!("{a}.{b}.{c}")).unwrap_or_default();
        let minted = wait(Mint::operator(key(&own), "a", expected.clone()).sign(&own, NOW)).unwrap();
        prop_assert_eq!(Token::<Operator>::read(minted.as_str()).unwrap().nats, expected);
    }
}
