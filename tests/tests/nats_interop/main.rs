//! Tokens of the official JavaScript library of NATS verify here, and it reads ours.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../support/libraries.rs"]
mod libraries;
mod ours;

use libraries::NATS_JWT;
use portcullis::clock::{Clock, SystemClock};
use portcullis_nats::{
    chain::{AdmittedUser, Chain, Circumstances, Operators, Policy, RefusalKind},
    claims::{Activation, Operator},
    creds::Creds,
    nkey::{AccountKey, KeyPair},
    token::Token,
};
use serde_json::{Value, json};

/// What the library has minted, and a chain that trusts its operator.
struct Theirs {
    minted: Value,
    chain: Chain,
    at: Circumstances<'static>,
}

impl Theirs {
    async fn mint() -> Option<Self> {
        let now = SystemClock.now();
        let answers = NATS_JWT.ask::<Value>(vec![json!({"mint": {"now": now.as_secs()}})]).await?;
        let minted = answers[0].get("minted").unwrap_or_else(|| panic!("{}", answers[0])).clone();
        let operators = Operators::new().token(minted["operator"].as_str().unwrap()).unwrap();
        let chain = Chain::new(operators, Policy::new().danger_bearer_tokens().danger_unrestricted_users());
        // The library may have taken another second.
        Some(Self { minted, chain, at: Circumstances::at(now.plus(std::time::Duration::from_secs(60))) })
    }

    fn text(&self, name: &str) -> &str {
        self.minted[name].as_str().unwrap_or_else(|| panic!("{name}"))
    }

    fn id(&self, name: &str) -> AccountKey {
        self.minted["keys"][name].as_str().unwrap().parse().unwrap()
    }

    fn admit(&self, user: &str, account: &str, id: &str) -> Result<AdmittedUser, RefusalKind> {
        let admit = || {
            let account = self.chain.account(&self.id(id), self.text(account), &self.at)?;
            self.chain.admit(&self.chain.screen(self.text(user), &self.at)?, &account, &self.at)
        };
        admit().map_err(|refusal| refusal.kind())
    }
}

#[tokio::test]
async fn users_and_accounts_of_the_javascript_library_are_admitted() {
    let Some(theirs) = Theirs::mint().await else { return };
    let admit = |user| theirs.admit(user, "account", "account");
    let user = admit("user").unwrap();
    assert_eq!((user.name.as_str(), user.valid_until.is_some()), ("alice", true));
    assert!(user.permissions.may_publish("a.b") && !user.permissions.may_publish("a.x"));
    let signed = admit("signed").unwrap();
    assert!(signed.permissions.may_subscribe("b.>") && !signed.permissions.may_subscribe("a"));
    let scoped = admit("scoped").unwrap();
    assert_eq!(scoped.scope_role.as_deref(), Some("own"));
    assert!(scoped.permissions.may_publish("own.carol.x") && !scoped.permissions.may_publish("own.dave.x"));
    assert_eq!(admit("old").unwrap().name, "frank");
    assert_eq!(admit("revoked").unwrap_err(), RefusalKind::Revoked);
    // An account that the library is told nothing about has no limits, which is nothing.
    assert_eq!(theirs.admit("imported", "bare", "importer").unwrap_err(), RefusalKind::AccountLocked);
    assert!(theirs.admit("imported", "importer", "importer").is_ok());
}

#[tokio::test]
async fn an_activation_of_the_javascript_library_lets_users_of_another_account_in() {
    let Some(theirs) = Theirs::mint().await else { return };
    let account = |name: &str| theirs.chain.account(&theirs.id(name), theirs.text(name), &theirs.at).unwrap();
    let user = theirs.chain.screen(theirs.text("imported"), &theirs.at).unwrap();
    let exporter = account("account");
    let admitted = theirs.chain.admit_to_service_of(&exporter, &user, &account("importer"), &theirs.at).unwrap();
    assert!(admitted.permissions.may_publish("orders.eu") && !admitted.permissions.may_publish("orders.us"));
    let activation = Token::<Activation>::read(theirs.text("activation")).unwrap();
    assert_eq!(activation.registered.issuer, *exporter.id().public_key());
}

#[tokio::test]
async fn keys_creds_and_operators_of_the_javascript_library_are_read() {
    let Some(theirs) = Theirs::mint().await else { return };
    for name in ["operator", "account", "user"] {
        let key = KeyPair::from_seed(theirs.minted["seeds"][name].as_str().unwrap()).unwrap();
        assert_eq!(key.public_key().as_str(), theirs.minted["keys"][name].as_str().unwrap());
    }
    let creds = Creds::parse(theirs.text("creds")).unwrap();
    assert_eq!(creds.key().public_key().as_str(), theirs.minted["keys"]["user"].as_str().unwrap());
    let operator = Token::<Operator>::read(theirs.text("operator")).unwrap();
    assert_eq!((operator.registered.name.as_str(), operator.nats.signing_keys.len()), ("op", 1));
}
