//! [`AccountResolverContract`]: the rules that every resolver of accounts of NATS has to follow.

mod place;

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_nats::{
    accounts::AccountResolver,
    nkey::{AccountKey, KeyPair, Role},
};
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};

pub use self::place::{AccountPlace, AccountSwitch};
use super::impossible::Impossible;
use crate::must::must;

/// How long one look-up may take. It only ends a test that would hang: the application gives up after 1.9 s.
const LIMIT: Duration = Duration::from_secs(60);

/// The contract of [`AccountResolver`](portcullis_nats::accounts::AccountResolver), for a place where accounts are.
///
/// ```
/// use portcullis_test::contract::{AccountPlace, AccountResolverContract, AccountSwitch};
///
/// async fn holds_at(place: impl AccountPlace) {
///     let contract = AccountResolverContract::new(place);
///     contract.without(AccountSwitch::CutOff, "it is in memory").check().await;
/// }
/// ```
#[derive(Debug)]
pub struct AccountResolverContract<P> {
    place: P,
    /// Which faults cannot happen to this place, and why.
    impossible: Impossible<AccountSwitch>,
    issued: u64,
}

impl<P: AccountPlace> AccountResolverContract<P> {
    /// Returns the contract for this place, where no accounts are yet, except of the operator itself.
    pub fn new(place: P) -> Self {
        Self { place, impossible: Impossible::none(), issued: 1_700_000_000 }
    }

    /// Declares that this cannot happen there, and why.
    #[must_use]
    pub fn without(mut self, switch: AccountSwitch, why: &'static str) -> Self {
        self.impossible.declare(switch, why);
        self
    }

    /// Checks all rules.
    ///
    /// # Panics
    ///
    /// If the resolver breaks one. The message says which.
    pub async fn check(mut self) {
        self.an_account_that_is_not_there_is_none().await;
        self.an_account_comes_as_it_is_and_changes_are_seen().await;
        self.many_look_ups_at_once_get_their_own_accounts().await;
        self.a_look_up_that_is_given_up_harms_no_other().await;
        self.an_account_that_is_removed_is_none().await;
        self.a_place_that_cannot_be_reached_is_an_error().await;
        self.impossible.print("the place");
    }

    async fn an_account_that_is_not_there_is_none(&self) {
        let resolver = self.place.open().await;
        assert!(resolver.has_accounts(), "the resolver says that it has no accounts");
        for _ in 0..3 {
            assert_eq!(fetch(&resolver, &made_up()).await, None, "an account is found that was never there");
        }
    }

    async fn an_account_comes_as_it_is_and_changes_are_seen(&mut self) {
        let (resolver, ids) = (self.place.open().await, [made_up(), made_up()]);
        for _ in 0..2 {
            for id in &ids {
                let token = self.put(id).await;
                for resolver in [&resolver, &self.place.open().await] {
                    assert_eq!(fetch(resolver, id).await, Some(token.clone()), "the newest token of an account");
                }
            }
        }
        assert_ne!(fetch(&resolver, &ids[0]).await, fetch(&resolver, &ids[1]).await, "an account is taken for another");
    }

    async fn many_look_ups_at_once_get_their_own_accounts(&mut self) {
        let resolver = Arc::new(self.place.open().await);
        let mut tokens = Vec::new();
        for id in (0..16).map(|_| made_up()) {
            tokens.push((id, self.put(&id).await));
        }
        let mut look_ups = JoinSet::new();
        for (id, token) in tokens {
            let resolver = Arc::clone(&resolver);
            look_ups.spawn(async move {
                let found = (fetch(&*resolver, &id).await, fetch(&*resolver, &made_up()).await);
                assert_eq!(found, (Some(token), None), "one of many look-ups at once gets something else");
            });
        }
        look_ups.join_all().await;
    }

    async fn a_look_up_that_is_given_up_harms_no_other(&mut self) {
        let (resolver, id) = (self.place.open().await, made_up());
        let token = self.put(&id).await;
        for _ in 0..3 {
            drop(resolver.fetch(&id));
            let _ = timeout(Duration::ZERO, resolver.fetch(&id)).await;
            assert_eq!(fetch(&resolver, &id).await.as_ref(), Some(&token), "after a look-up that was given up");
        }
    }

    async fn an_account_that_is_removed_is_none(&mut self) {
        let (resolver, [id, kept]) = (self.place.open().await, [made_up(), made_up()]);
        let (_, token) = (self.put(&id).await, self.put(&kept).await);
        let removed = self.place.remove(&id).await;
        if self.impossible.has_happened(AccountSwitch::Remove, removed) {
            assert_eq!(fetch(&resolver, &id).await, None, "an account is found that was removed");
        }
        assert_eq!(fetch(&resolver, &kept).await, Some(token), "another account was removed");
    }

    async fn a_place_that_cannot_be_reached_is_an_error(&mut self) {
        let (resolver, id) = (self.place.open().await, made_up());
        let token = self.put(&id).await;
        assert_eq!(fetch(&resolver, &id).await.as_ref(), Some(&token));
        let cut = self.place.cut_off().await;
        if !self.impossible.has_happened(AccountSwitch::CutOff, cut) {
            return;
        }
        for id in [&id, &made_up()] {
            let fetched = timeout(LIMIT, resolver.fetch(id)).await;
            assert!(!matches!(fetched, Ok(Ok(_))), "a place that cannot be reached gives an answer");
        }
        self.place.reconnect().await;
        assert_eq!(fetch(&self.place.open().await, &id).await, Some(token), "after an outage");
    }

    /// Puts a token of the account there, which is newer than all before.
    async fn put(&mut self, id: &AccountKey) -> String {
        self.issued += 1;
        let token = token(self.place.operator(), id, self.issued);
        self.place.put(id, &token).await;
        token
    }
}

async fn fetch(resolver: &impl AccountResolver, id: &AccountKey) -> Option<String> {
    let fetched = must(timeout(LIMIT, resolver.fetch(id)).await, "a look-up does not end");
    must(fetched, "an account cannot be looked up").map(|token| token.trim().to_owned())
}

/// The id of an account that no one has made before.
fn made_up() -> AccountKey {
    let key = must(KeyPair::generate(Role::Account), "no key can be made");
    must(AccountKey::try_from(*key.public_key()), "a key of an account is none")
}

/// A token of an account that a nats-server accepts.
fn token(operator: &KeyPair, id: &AccountKey, issued_at: u64) -> String {
    let claims = json!({
        "jti": format!("CONTRACT-{issued_at}"), "iat": issued_at, "iss": operator.public_key().as_str(), "sub": id.as_str(),
        "name": "contract",
        "nats": {
            "type": "account", "version": 2,
            "limits": {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1},
            "default_permissions": {"pub": {}, "sub": {}},
        },
    });
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let input = format!("{header}.{}", encode(claims.to_string().as_bytes()));
    let signature = encode(&operator.sign(input.as_bytes()));
    format!("{input}.{signature}")
}
