//! What is minted is read back as it was meant, and what a server would refuse is not minted.
#![cfg(feature = "mint")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{
    Algorithm, UnixTime,
    signing::{SignError, SignErrorKind, Signature, Signer, Signing},
};
use portcullis_nats::{
    claims::{
        Account, Activation, Export, ExportKind, Import, Limit, Operator, Permissions, Scope, SigningKey, Terms,
        TimeRange,
    },
    mint::{AccountEdit, Mint, MintErrorKind, staple},
    nkey::{AccountKey, KeyPair, OperatorKey, Role, UserKey},
    token::{Token, TokenErrorKind},
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn pair(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

fn operator_key(pair: &KeyPair) -> OperatorKey {
    OperatorKey::try_from(*pair.public_key()).unwrap()
}

fn account_key(pair: &KeyPair) -> AccountKey {
    AccountKey::try_from(*pair.public_key()).unwrap()
}

fn user_key(pair: &KeyPair) -> UserKey {
    UserKey::try_from(*pair.public_key()).unwrap()
}

fn any_user() -> UserKey {
    user_key(&pair(Role::User))
}

fn any_account() -> AccountKey {
    account_key(&pair(Role::Account))
}

/// A strict operator, and an account of it with a signing key with a scope, and one without.
struct World {
    operator: Token<Operator>,
    operator_signing: KeyPair,
    account: KeyPair,
    scoped: KeyPair,
    plain: KeyPair,
    account_token: Token<Account>,
    account_text: String,
}

async fn world() -> World {
    let (own, operator_signing) = (pair(Role::Operator), pair(Role::Operator));
    let (account, scoped, plain) = (pair(Role::Account), pair(Role::Account), pair(Role::Account));
    let mut claims = Operator::default();
    claims.signing_keys = vec![operator_key(&operator_signing)];
    claims.strict_signing_key_usage = true;
    let operator = Mint::operator(operator_key(&own), "acme", claims).sign(&own, NOW).await.unwrap();
    let mut claims = Account::default();
    claims.signing_keys =
        vec![SigningKey::scoped(account_key(&scoped), "reader", reading()), SigningKey::new(account_key(&plain))];
    claims.exports = vec![Export::new(ExportKind::Service, "orders.*.read").with_activation()];
    let minted = Mint::account(account_key(&account), "orders", claims)
        .under(operator.token())
        .sign(&operator_signing, NOW)
        .await
        .unwrap();
    World {
        operator: operator.token().clone(),
        operator_signing,
        account,
        scoped,
        plain,
        account_token: minted.token().clone(),
        account_text: minted.into_string(),
    }
}

fn reading() -> Terms {
    let mut terms = Terms::default();
    terms.permissions = Permissions::default().publish(["orders.{{name()}}.read"]).subscribe(["_INBOX.>"]);
    terms
}

#[tokio::test]
async fn a_user_has_the_terms_times_and_tags_that_were_set() {
    let account = pair(Role::Account);
    let mut terms = Terms::default();
    terms.permissions = Permissions::default().publish(["orders.*.read"]);
    terms.payload = Limit::AtMost(1024);
    terms.sources = vec!["10.0.0.0/8".to_owned()];
    let key = any_user();
    let minted = Mint::user(key, "alice")
        .terms(terms.clone())
        .tags(["Team:Payments", " team:payments "])
        .expires_in(Duration::from_secs(60));
    let minted = minted.not_before(NOW).sign(&account, NOW).await.unwrap();
    let token = Token::<portcullis_nats::claims::User>::read(minted.as_str()).unwrap();
    assert_eq!(&token, minted.token());
    assert_eq!(token.nats.terms, terms);
    assert_eq!(token.nats.tags, ["team:payments"]);
    assert_eq!((token.registered.subject, token.registered.issuer), (key.into(), *account.public_key()));
    assert_eq!(
        (token.registered.issued_at, token.registered.expires_at),
        (NOW, Some(NOW.plus(Duration::from_secs(60))))
    );
    assert_eq!(token.registered.id.len(), 52);
    assert!(!format!("{minted:?}").contains(minted.as_str()));
}

#[tokio::test]
async fn only_a_key_of_the_right_role_signs() {
    let (operator, account, user) = (pair(Role::Operator), pair(Role::Account), pair(Role::User));
    let kind = |error: portcullis_nats::mint::MintError| error.kind();
    for wrong in [&operator, &user] {
        assert_eq!(
            Mint::user(any_user(), "a").sign(wrong, NOW).await.map_err(kind).unwrap_err(),
            MintErrorKind::SigningKey
        );
    }
    for wrong in [&account, &user] {
        let draft = Mint::account(any_account(), "a", Account::default());
        assert_eq!(draft.sign(wrong, NOW).await.map_err(kind).unwrap_err(), MintErrorKind::SigningKey);
    }
    let activation = || Mint::activation(any_account(), "a", Activation::new(ExportKind::Stream, "a.b"));
    assert_eq!(activation().sign(&operator, NOW).await.map_err(kind).unwrap_err(), MintErrorKind::SigningKey);
    assert!(Mint::user(any_user(), "a").sign(&account, NOW).await.is_ok());
    assert!(Mint::account(any_account(), "a", Account::default()).sign(&operator, NOW).await.is_ok());
    assert!(activation().sign(&account, NOW).await.is_ok());
}

#[tokio::test]
async fn an_operator_is_signed_by_its_own_key() {
    let (own, other) = (pair(Role::Operator), pair(Role::Operator));
    let draft = || Mint::operator(operator_key(&own), "acme", Operator::default());
    assert_eq!(draft().sign(&other, NOW).await.unwrap_err().kind(), MintErrorKind::NotAllowed);
    assert!(draft().sign(&own, NOW).await.is_ok());
}

#[tokio::test]
async fn where_only_signing_keys_sign_there_have_to_be_some() {
    let own = pair(Role::Operator);
    let mut strict = Operator::default();
    strict.strict_signing_key_usage = true;
    let refused = Mint::operator(operator_key(&own), "acme", strict).sign(&own, NOW).await.unwrap_err();
    assert_eq!(refused.kind(), MintErrorKind::Claims(TokenErrorKind::Invalid));

    let world = world().await;
    let without = || Mint::account(any_account(), "a", Account::default());
    let refused = without().under(&world.operator).sign(&world.operator_signing, NOW).await.unwrap_err();
    assert_eq!(refused.kind(), MintErrorKind::Claims(TokenErrorKind::Invalid));
    let mut claims = Account::default();
    claims.signing_keys = vec![SigningKey::new(any_account())];
    let with = Mint::account(any_account(), "a", claims).under(&world.operator);
    assert!(with.clone().sign(&world.operator_signing, NOW).await.is_ok());
    // Another operator's key, and the own one of this operator, which is strict.
    assert_eq!(with.sign(&own, NOW).await.unwrap_err().kind(), MintErrorKind::NotAllowed);
    assert!(without().sign(&own, NOW).await.is_ok());
}

#[tokio::test]
async fn a_scoped_signing_key_signs_only_users_without_terms() {
    let world = world().await;
    let id = account_key(&world.account);
    let own = || Mint::user(any_user(), "alice").within(&world.account_token);
    let scoped = || Mint::scoped_user(any_user(), "alice", id).within(&world.account_token);
    assert_eq!(own().sign(&world.scoped, NOW).await.unwrap_err().kind(), MintErrorKind::Scope);
    assert_eq!(scoped().sign(&world.plain, NOW).await.unwrap_err().kind(), MintErrorKind::Scope);
    assert_eq!(scoped().sign(&world.account, NOW).await.unwrap_err().kind(), MintErrorKind::Scope);
    assert_eq!(scoped().sign(&pair(Role::Account), NOW).await.unwrap_err().kind(), MintErrorKind::NotAllowed);
    let minted = scoped().sign(&world.scoped, NOW).await.unwrap();
    assert_eq!(minted.token().nats.issuer_account, Some(id));
    assert_eq!(own().sign(&world.plain, NOW).await.unwrap().token().nats.issuer_account, Some(id));
    assert_eq!(own().sign(&world.account, NOW).await.unwrap().token().nats.issuer_account, None);
    let other = Mint::user(any_user(), "alice").of(any_account()).within(&world.account_token);
    assert_eq!(other.sign(&world.plain, NOW).await.unwrap_err().kind(), MintErrorKind::NotAllowed);
}

type Change = Box<dyn Fn(&mut Terms)>;

#[tokio::test]
async fn terms_with_which_no_user_gets_in_are_refused() {
    let account = pair(Role::Account);
    let range = |start: &str| vec![TimeRange { start: start.to_owned(), end: "17:00:00".to_owned() }];
    let cases: [(Change, Change); 5] = [
        (
            Box::new(|terms| terms.sources = vec!["10.0.0.0".to_owned()]),
            Box::new(|terms| terms.sources = vec!["10.0.0.0/8".to_owned()]),
        ),
        (Box::new(move |terms| terms.times = range("8:60:00")), Box::new(move |terms| terms.times = range("08:00:00"))),
        (
            Box::new(|terms| terms.times_location = "Europe/Nowhere".to_owned()),
            Box::new(|terms| terms.times_location = "Europe/Berlin".to_owned()),
        ),
        (
            Box::new(|terms| terms.connection_types = vec!["HTTPS".to_owned()]),
            Box::new(|terms| terms.connection_types = vec!["HTTP".to_owned()]),
        ),
        (
            Box::new(|terms| terms.permissions = Permissions::default().publish(["a..b"])),
            Box::new(|terms| terms.permissions = Permissions::default().publish(["a.b"])),
        ),
    ];
    for (at, (wrong, right)) in cases.iter().enumerate() {
        let with = |change: &Change| {
            let mut terms = Terms::default();
            change(&mut terms);
            terms
        };
        let user = |terms| Mint::user(any_user(), "a").terms(terms);
        let refused = user(with(wrong)).sign(&account, NOW).await.unwrap_err();
        assert!(matches!(refused.kind(), MintErrorKind::Claims(_)), "{at}: {refused}");
        assert!(user(with(right)).sign(&account, NOW).await.is_ok(), "{at}");
    }
}

#[tokio::test]
async fn a_template_with_an_unknown_function_is_refused() {
    let operator = pair(Role::Operator);
    let account = |subject: &str| {
        let mut terms = Terms::default();
        terms.permissions = Permissions::default().publish([subject]);
        let mut claims = Account::default();
        let mut key = SigningKey::new(any_account());
        key.scope = Some(Scope::new("role", terms));
        claims.signing_keys = vec![key];
        Mint::account(any_account(), "a", claims)
    };
    assert!(account("own.{{nothing()}}").sign(&operator, NOW).await.is_err());
    for right in
        ["own.{{Name()}}", "{{tag(team)}}.{{account-tag(x)}}", "{{subject()}}.{{account-name()}}.{{account-subject()}}"]
    {
        assert!(account(right).sign(&operator, NOW).await.is_ok(), "{right}");
    }
}

#[tokio::test]
async fn an_import_needs_an_activation_that_fits() {
    let (operator, exporter) = (pair(Role::Operator), pair(Role::Account));
    let (importer, other) = (any_account(), any_account());
    let activation = |to: AccountKey, subject: &'static str| {
        Mint::activation(to, "a", Activation::new(ExportKind::Service, subject))
    };
    for (to, subject, is_right) in
        [(importer, "orders.>", true), (other, "orders.>", false), (importer, "invoices.>", false)]
    {
        let activation = activation(to, subject).sign(&exporter, NOW).await.unwrap();
        let mut import = Import::new(ExportKind::Service, account_key(&exporter), "orders.1.read");
        import.activation = Some((activation.as_str().to_owned(), activation.token().clone()));
        let mut claims = Account::default();
        claims.imports = vec![import];
        assert_eq!(Mint::account(importer, "a", claims).sign(&operator, NOW).await.is_ok(), is_right, "{subject}");
    }
}

#[tokio::test]
async fn a_token_that_is_over_before_it_begins_is_refused() {
    let account = pair(Role::Account);
    let (second, draft) = (Duration::from_secs(1), || Mint::user(any_user(), "a"));
    for refused in [
        draft().expires_at(NOW),
        draft().expires_in(Duration::ZERO),
        draft().expires_in(second).not_before(NOW.plus(second)),
    ] {
        assert_eq!(refused.sign(&account, NOW).await.unwrap_err().kind(), MintErrorKind::Time);
    }
    assert!(draft().expires_in(second).not_before(NOW).sign(&account, NOW).await.is_ok());
}

#[tokio::test]
async fn a_token_is_not_longer_than_one_mebibyte() {
    let account = pair(Role::Account);
    let with = |len: usize| {
        let mut terms = Terms::default();
        terms.permissions = Permissions::default().publish(["a".repeat(len)]);
        Mint::user(any_user(), "a").terms(terms)
    };
    let refused = with(800_000).sign(&account, NOW).await.unwrap_err();
    assert_eq!(refused.kind(), MintErrorKind::Claims(TokenErrorKind::TooLong));
    assert!(with(700_000).sign(&account, NOW).await.is_ok());
}

/// A key that is elsewhere, and makes the signature of another key, or of another length.
#[derive(Debug)]
struct Elsewhere {
    id: String,
    algorithm: Algorithm,
    key: KeyPair,
    cut: usize,
}

impl Signer for Elsewhere {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn key_id(&self) -> &str {
        &self.id
    }

    fn sign(&self, input: &[u8]) -> Signing {
        let signature = self.key.sign(input)[self.cut..].to_vec();
        Signing::waiting(async move {
            tokio::task::yield_now().await;
            if signature.is_empty() {
                Err(SignError::new(SignErrorKind::Unavailable, "the vault"))
            } else {
                Ok(Signature::new(signature))
            }
        })
    }
}

#[tokio::test]
async fn a_wrong_signature_makes_no_token() {
    let (key, other) = (pair(Role::Account), pair(Role::Account));
    let elsewhere =
        |id: &str, algorithm, key: &KeyPair, cut| Elsewhere { id: id.to_owned(), algorithm, key: key.clone(), cut };
    let id = key.public_key().as_str();
    let cases = [
        (elsewhere(id, Algorithm::EdDsa, &key, 0), None),
        (elsewhere(id, Algorithm::Ed25519, &key, 0), None),
        (elsewhere(id, Algorithm::Es256, &key, 0), Some(MintErrorKind::SigningKey)),
        (elsewhere("my-key", Algorithm::EdDsa, &key, 0), Some(MintErrorKind::SigningKey)),
        (elsewhere(id, Algorithm::EdDsa, &other, 0), Some(MintErrorKind::Signing)),
        (elsewhere(id, Algorithm::EdDsa, &key, 1), Some(MintErrorKind::Signing)),
        (elsewhere(id, Algorithm::EdDsa, &key, 64), Some(MintErrorKind::Signing)),
    ];
    for (at, (signer, expected)) in cases.into_iter().enumerate() {
        let minted = Mint::user(any_user(), "a").sign(&signer, NOW).await;
        assert_eq!(minted.err().map(|error| error.kind()), expected, "{at}");
    }
}

#[tokio::test]
async fn each_change_of_an_account_is_younger_than_the_last() {
    let world = world().await;
    let first = staple(&world.account_text, &world.operator_signing, NOW).await.unwrap();
    assert_eq!(first.token().registered.issued_at, NOW.plus(Duration::from_secs(1)));
    let later = staple(first.as_str(), &world.operator_signing, NOW.plus(Duration::from_secs(60))).await.unwrap();
    assert_eq!(later.token().registered.issued_at, NOW.plus(Duration::from_secs(60)));
    assert_ne!(later.token().registered.id, first.token().registered.id);
    assert_eq!(later.token().nats, world.account_token.nats);
    // It would have to be from the future.
    let clock_is_wrong = UnixTime::from_secs(NOW.as_secs() - 600);
    assert_eq!(
        staple(later.as_str(), &world.operator_signing, clock_is_wrong).await.unwrap_err().kind(),
        MintErrorKind::Time
    );
}

#[tokio::test]
async fn forgetting_a_revocation_removes_only_the_entry_of_that_user_and_instant() {
    let world = world().await;
    let (user, other) = (any_user(), any_user());
    let revoked =
        AccountEdit::read(&world.account_text).unwrap().revoke(user, NOW).unwrap().revoke(other, NOW).unwrap();
    let left = async |edit: AccountEdit| {
        let token = edit.sign(&world.operator_signing, NOW).await.unwrap();
        let covers = |user: &UserKey| token.token().nats.revocations.covers(user.public_key(), NOW);
        (covers(&user), covers(&other))
    };
    assert_eq!(left(revoked.clone()).await, (true, true));
    assert_eq!(left(revoked.clone().forget_revocation(user, NOW).unwrap()).await, (false, true));
    let earlier = UnixTime::from_secs(NOW.as_secs() - 1);
    assert_eq!(left(revoked.forget_revocation(user, earlier).unwrap()).await, (true, true), "another entry");
}

#[tokio::test]
async fn a_revocation_covers_what_was_issued_before_and_an_earlier_one_does_not_replace_it() {
    let world = world().await;
    let (user, other) = (any_user(), any_user());
    let sign = |edit: AccountEdit| async { edit.sign(&world.operator_signing, NOW).await.unwrap() };
    let revoked = sign(AccountEdit::read(&world.account_text).unwrap().revoke(user, NOW).unwrap()).await;
    let covers = |token: &Token<Account>, user: &UserKey, at: u64| {
        token.nats.revocations.covers(user.public_key(), UnixTime::from_secs(at))
    };
    let now = NOW.as_secs();
    assert!(
        covers(revoked.token(), &user, now)
            && !covers(revoked.token(), &user, now + 1)
            && !covers(revoked.token(), &other, now)
    );
    let earlier = AccountEdit::read(revoked.as_str()).unwrap().revoke(user, UnixTime::from_secs(now - 100)).unwrap();
    assert!(covers(sign(earlier).await.token(), &user, now));
    let all = sign(AccountEdit::read(revoked.as_str()).unwrap().revoke_all(NOW).unwrap()).await;
    assert!(covers(all.token(), &other, now) && covers(all.token(), &user, now));

    let edit = || AccountEdit::read(&world.account_text).unwrap();
    let importer = any_account();
    let activation = sign(edit().revoke_activation(ExportKind::Service, "orders.*.read", importer, NOW).unwrap()).await;
    assert!(activation.token().nats.exports[0].revocations.covers(importer.public_key(), NOW));
    assert!(activation.token().nats.exports[0].needs_activation);
    assert!(edit().revoke_activation(ExportKind::Stream, "orders.*.read", importer, NOW).is_err());
}

#[tokio::test]
async fn an_account_is_locked_and_unlocked_and_its_keys_change() {
    let world = world().await;
    let edit = || AccountEdit::read(&world.account_text).unwrap();
    let locked = edit().lock().unwrap().sign(&world.operator_signing, NOW).await.unwrap();
    assert_eq!(locked.token().nats.limits.connections, Limit::NOTHING);
    let open = AccountEdit::read(locked.as_str()).unwrap().connections(Limit::AtMost(7)).unwrap();
    assert_eq!(
        open.sign(&world.operator_signing, NOW).await.unwrap().token().nats.limits.connections,
        Limit::AtMost(7)
    );

    let new = SigningKey::scoped(any_account(), "writer", reading());
    let changed = edit().add_signing_key(&new).unwrap().remove_signing_key(account_key(&world.plain)).unwrap();
    let changed = changed.sign(&world.operator_signing, NOW).await.unwrap();
    let nats = &changed.token().nats;
    assert_eq!(nats.signing_keys.len(), 2);
    assert_eq!(nats.signing_key(new.key.public_key()), Some(&new));
    assert!(
        nats.signing_key(world.scoped.public_key()).is_some() && nats.signing_key(world.plain.public_key()).is_none()
    );

    // A strict operator's account needs one.
    let none = edit()
        .remove_signing_key(account_key(&world.plain))
        .unwrap()
        .remove_signing_key(account_key(&world.scoped))
        .unwrap();
    assert!(none.clone().sign(&world.operator_signing, NOW).await.is_ok());
    assert!(none.under(&world.operator).sign(&world.operator_signing, NOW).await.is_err());
}

#[tokio::test]
async fn another_key_signs_an_account_only_if_the_operator_lets_it() {
    let world = world().await;
    let edit = || AccountEdit::read(&world.account_text).unwrap();
    let other = pair(Role::Operator);
    let minted = edit().sign(&other, NOW).await.unwrap();
    assert_eq!(minted.token().registered.issuer, *other.public_key());
    assert_eq!(edit().under(&world.operator).sign(&other, NOW).await.unwrap_err().kind(), MintErrorKind::NotAllowed);
    assert_eq!(edit().sign(&world.account, NOW).await.unwrap_err().kind(), MintErrorKind::SigningKey);
}

/// Signs claims as they are, as another tool would write them.
fn signed_by(key: &KeyPair, claims: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn claims_of(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_not_modelled_stays_in_a_changed_account() {
    let (operator, account) = (pair(Role::Operator), pair(Role::Account));
    let nats = |conn: &str, revocations: &str| {
        format!(
            r#"{{"zeta":[1.50,{{"a":null}}],"limits":{{"disk_storage":-1,"conn":{conn},"subs":-1,"big":1e3}},"mappings":{{"a.b":[{{"subject":"c.d"}}]}}{revocations},"type":"account","version":2,"later":"\u003c"}}"#
        )
    };
    let claims = |iss: &KeyPair, iat: u64, jti: &str, nats: &str| {
        format!(
            r#"{{"x":"kept","jti":"{jti}","iat":{iat},"iss":"{}","name":"a","sub":"{}","nats":{nats}}}"#,
            iss.public_key(),
            account.public_key()
        )
    };
    let before = signed_by(&operator, &claims(&operator, 1_700_000_000, "old", &nats("-1", "")));
    let user = any_user();
    let changed = AccountEdit::read(&before)
        .unwrap()
        .lock()
        .unwrap()
        .revoke(user, NOW)
        .unwrap()
        .sign(&operator, NOW)
        .await
        .unwrap();
    let id = &changed.token().registered.id;
    let mut expected = nats("0", "").trim_end_matches('}').to_owned();
    expected = format!(r#"{expected},"revocations":{{"{user}":{}}}}}"#, NOW.as_secs());
    assert_eq!(claims_of(changed.as_str()), claims(&operator, NOW.as_secs(), id, &expected));
}

#[tokio::test]
async fn an_account_that_has_expired_is_signed_again_only_with_a_new_end() {
    let (operator, day) = (pair(Role::Operator), Duration::from_secs(86_400));
    let minted =
        Mint::account(any_account(), "a", Account::default()).expires_in(day).sign(&operator, NOW).await.unwrap();
    let later = NOW.plus(2 * day);
    let edit = || AccountEdit::read(minted.as_str()).unwrap();
    assert_eq!(edit().sign(&operator, later).await.unwrap_err().kind(), MintErrorKind::Time);
    let renewed = edit().expires_in(day).sign(&operator, later).await.unwrap();
    assert_eq!(renewed.token().registered.expires_at, Some(later.plus(day)));
    assert_eq!(edit().without_expiry().sign(&operator, later).await.unwrap().token().registered.expires_at, None);
}

#[test]
fn only_an_account_of_version_2_is_changed() {
    assert!(matches!(AccountEdit::read("e30.e30.e30").unwrap_err().kind(), MintErrorKind::Unreadable(_)));
    let text = include_str!("../../../tests/vectors/nats-rules.json");
    let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut old = 0;
    for case in vectors["cases"].as_array().unwrap() {
        for account in case["accounts"].as_object().unwrap().values().filter_map(|account| account.as_str()) {
            let Ok(token) = Token::<Account>::read(account) else { continue };
            let is_old = token.version == portcullis_nats::token::Version::V1;
            old += usize::from(is_old);
            assert_eq!(AccountEdit::read(account).is_err(), is_old);
        }
    }
    assert!(old > 0);
}
