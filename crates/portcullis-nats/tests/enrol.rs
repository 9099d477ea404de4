//! Authenticated callers get short users of NATS, for keys that their clients hold.
#![cfg(feature = "mint")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use portcullis_core::{
    AuthError, Code, UnixTime,
    authenticator::{Channel, Header, RequestView},
    verified::{Conventions, CredentialKind, Facts},
};
use portcullis_nats::{
    claims::{Account, Permissions, SigningKey, Terms},
    enrol::{ApiTokens, Applications, Enrolment, EnrolmentPolicy, EnrolmentRequest, tag},
    mint::Mint,
    nkey::{AccountKey, KeyPair, Role, UserKey},
    proof::{Proof, ProofVerifier, RequestId, Signed},
    token::Token,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ORIGIN: &str = "https://api.example.com";
const CREDENTIAL: &str = "the.callers.token";

fn pair(role: Role) -> KeyPair {
    KeyPair::generate(role).unwrap()
}

fn account_key(pair: &KeyPair) -> AccountKey {
    AccountKey::try_from(*pair.public_key()).unwrap()
}

/// A request with these headers.
#[derive(Debug, Default)]
struct Request {
    headers: BTreeMap<&'static str, String>,
}

impl RequestView for Request {
    fn method(&self) -> &'static str {
        "POST"
    }

    fn target(&self) -> &'static str {
        "/nats/users"
    }

    fn header(&self, name: &str) -> Header<'_> {
        self.headers.get(name).map_or(Header::Absent, |value| Header::One(value.as_bytes()))
    }

    fn channel(&self) -> Channel<'_> {
        Channel::default()
    }
}

struct World {
    account: Token<Account>,
    reader: KeyPair,
    writer: KeyPair,
    plain: KeyPair,
    proofs: ProofVerifier,
    client: KeyPair,
}

impl World {
    async fn new() -> Self {
        let (operator, account) = (pair(Role::Operator), pair(Role::Account));
        let (reader, writer, plain) = (pair(Role::Account), pair(Role::Account), pair(Role::Account));
        let scope = |key: &KeyPair, role: &str, subject: &str| {
            let mut terms = Terms::default();
            terms.permissions = Permissions::default().publish([subject]);
            SigningKey::scoped(account_key(key), role, terms)
        };
        let mut claims = Account::default();
        claims.signing_keys = vec![
            scope(&reader, "reader", "orders.{{name()}}.read"),
            scope(&writer, "writer", "orders.{{name()}}.>"),
            SigningKey::new(account_key(&plain)),
        ];
        let account = Mint::account(account_key(&account), "orders", claims).sign(&operator, NOW).await.unwrap();
        let proofs = ProofVerifier::new(ORIGIN).unwrap();
        Self { account: account.token().clone(), reader, writer, plain, proofs, client: pair(Role::User) }
    }

    fn policy(&self) -> EnrolmentPolicy {
        let policy = EnrolmentPolicy::new(self.account.clone()).unwrap();
        let policy = policy.rule(|facts| facts.has_scope("orders:write"), self.writer.clone()).unwrap();
        policy.rule(|facts| facts.has_scope("orders:read"), self.reader.clone()).unwrap()
    }

    fn enrolment(&self) -> Enrolment {
        Enrolment::new(self.policy(), self.proofs.clone())
    }

    /// A request with a proof, by this key, of this enrolment.
    fn request(&self, signer: &KeyPair, credential: &str, key: &str) -> Request {
        let id = RequestId::random().unwrap();
        let nonce = self.proofs.nonce_issuer().issue(ORIGIN, NOW);
        let signed = Signed::new(ORIGIN, "POST", "/nats/users", NOW, id.as_str()).with_nonce(nonce.as_str());
        let proof = Proof::new(&signed, signer.sign(&signed.octets_of_enrolment(credential, key)));
        Request { headers: BTreeMap::from([("Nats-Proof", proof.to_string())]) }
    }

    fn good(&self) -> Request {
        self.request(&self.client, CREDENTIAL, self.key())
    }

    fn key(&self) -> &str {
        self.client.public_key().as_str()
    }

    async fn enrol(&self, caller: &Facts, request: &Request) -> Result<portcullis_nats::enrol::Enrolled, AuthError> {
        self.enrolment().enrol(EnrolmentRequest::new(caller, CREDENTIAL, self.key(), request), NOW).await
    }
}

fn caller(claims: &str) -> Facts {
    let conventions = Arc::new(Conventions::new("https://login.example.com"));
    Facts::assertion(claims, conventions).unwrap().with_credential(CredentialKind::Jwt)
}

fn alice() -> Facts {
    caller(r#"{"sub":"Alice","sid":"S1","jti":"J1","scope":"orders:read","exp":1800000600}"#)
}

#[tokio::test]
async fn a_caller_gets_a_user_of_the_scope_that_its_rule_names() {
    let world = World::new().await;
    let enrolled = world.enrol(&alice(), &world.good()).await.unwrap();
    let token = enrolled.user.token();
    assert_eq!(token.registered.subject, *world.client.public_key());
    assert_eq!(token.registered.issuer, *world.reader.public_key());
    assert_eq!(token.nats.issuer_account.unwrap().public_key(), &world.account.registered.subject);
    assert_eq!((&*enrolled.role, enrolled.expires_at), ("reader", UnixTime::from_secs(1_800_000_600)));
    assert_eq!(token.registered.expires_at, Some(enrolled.expires_at));
    let tags = [tag("iss", "https://login.example.com"), tag("sub", "Alice"), tag("sid", "S1"), tag("jti", "J1")];
    assert_eq!(token.nats.tags, tags);
    assert_ne!(tag("sub", "Alice"), tag("sub", "alice"));

    let both = caller(r#"{"sub":"bob","scope":"orders:read orders:write","exp":1800000600}"#);
    let bob = world.enrol(&both, &world.good()).await.unwrap();
    assert_eq!(bob.role, "writer");
    assert_ne!(bob.user.token().registered.name, token.registered.name, "each caller has a name of its own");
    assert_eq!(world.enrol(&alice(), &world.good()).await.unwrap().user.token().registered.name, token.registered.name);
}

#[tokio::test]
async fn a_user_expires_with_the_caller_and_after_the_longest_time_at_the_latest() {
    let world = World::new().await;
    let exp = |claims: &str| {
        let caller = caller(claims);
        async {
            (world.enrol(&{ caller }, &world.good()).await)
                .map(|enrolled| enrolled.expires_at.as_secs() - NOW.as_secs())
        }
    };
    assert_eq!(exp(r#"{"sub":"a","scope":"orders:read","exp":1800000060}"#).await.unwrap(), 60);
    assert_eq!(exp(r#"{"sub":"a","scope":"orders:read","exp":1900000000}"#).await.unwrap(), 3600);
    assert_eq!(exp(r#"{"sub":"a","scope":"orders:read"}"#).await.unwrap(), 3600);
    assert_eq!(
        exp(r#"{"sub":"a","scope":"orders:read","exp":1800000000}"#).await.unwrap_err().code(),
        Code::TokenExpired
    );
    let short = Enrolment::new(world.policy().longest(Duration::from_secs(5)), world.proofs.clone());
    let (alice, request) = (alice(), world.good());
    let request = EnrolmentRequest::new(&alice, CREDENTIAL, world.key(), &request);
    assert_eq!(short.enrol(request, NOW).await.unwrap().expires_at, NOW.plus(Duration::from_secs(5)));
}

#[tokio::test]
async fn a_client_that_does_not_hold_the_key_gets_nothing() {
    let world = World::new().await;
    let (key, other) = (world.key(), pair(Role::User));
    let code =
        async |request: Request| world.enrol(&self::alice(), &request).await.map(drop).map_err(|error| error.code());
    assert_eq!(code(Request::default()).await, Err(Code::ProofMissing));
    assert_eq!(code(world.request(&other, CREDENTIAL, key)).await, Err(Code::ProofMismatch));
    assert_eq!(code(world.request(&world.client, "another.callers.token", key)).await, Err(Code::ProofMismatch));
    assert_eq!(
        code(world.request(&world.client, CREDENTIAL, other.public_key().as_str())).await,
        Err(Code::ProofMismatch)
    );
    // A proof that another caller has made, presented with this caller's credential.
    let (alice, good) = (alice(), world.good());
    let stolen = EnrolmentRequest::new(&alice, "another.callers.token", key, &good);
    let refused = world.enrolment().enrol(stolen, NOW).await.map(drop).map_err(|error| error.code());
    assert_eq!(refused, Err(Code::ProofMismatch));
    // The proof of an ordinary request is none of an enrolment.
    let id = RequestId::random().unwrap();
    let nonce = world.proofs.nonce_issuer().issue(ORIGIN, NOW);
    let signed = Signed::new(ORIGIN, "POST", "/nats/users", NOW, id.as_str()).with_nonce(nonce.as_str());
    let proof = Proof::new(&signed, world.client.sign(&signed.octets(CREDENTIAL)));
    let ordinary = Request { headers: BTreeMap::from([("Nats-Proof", proof.to_string())]) };
    assert_eq!(code(ordinary).await, Err(Code::ProofMismatch));
    assert_eq!(code(world.good()).await, Ok(()));
}

#[tokio::test]
async fn a_proof_enrols_once() {
    let world = World::new().await;
    let (enrolment, alice, request) = (world.enrolment(), alice(), world.good());
    let request = EnrolmentRequest::new(&alice, CREDENTIAL, world.key(), &request);
    assert!(enrolment.enrol(request, NOW).await.is_ok());
    assert_eq!(enrolment.enrol(request, NOW).await.unwrap_err().code(), Code::ProofReplayed);
    // With a new proof, the same key again.
    let again = world.good();
    assert!(enrolment.enrol(EnrolmentRequest::new(&alice, CREDENTIAL, world.key(), &again), NOW).await.is_ok());
}

#[tokio::test]
async fn only_a_public_key_of_a_user_is_enrolled() {
    let world = World::new().await;
    let alice = alice();
    for wrong in
        [pair(Role::Account).public_key().to_string(), world.client.seed().reveal().to_owned(), "alice".to_owned()]
    {
        let request = world.request(&world.client, CREDENTIAL, &wrong);
        let refused = world
            .enrolment()
            .enrol(EnrolmentRequest::new(&alice, CREDENTIAL, &wrong, &request), NOW)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::ProofMalformed);
        assert!(!format!("{refused:?}").contains(world.client.seed().reveal()));
    }
    let request = world.good();
    let request = EnrolmentRequest::new(&alice, CREDENTIAL, world.key(), &request);
    assert!(!format!("{request:?}").contains(CREDENTIAL));
    assert_eq!(
        world.enrolment().enrol(request, NOW).await.unwrap().key,
        UserKey::try_from(*world.client.public_key()).unwrap()
    );
}

#[tokio::test]
async fn callers_without_a_rule_and_callers_that_are_no_users_get_nothing() {
    let world = World::new().await;
    let code = async |policy: EnrolmentPolicy, caller: Facts| {
        let request = world.good();
        let request = EnrolmentRequest::new(&caller, CREDENTIAL, world.key(), &request);
        Enrolment::new(policy, world.proofs.clone()).enrol(request, NOW).await.map(drop).map_err(|error| error.code())
    };
    let refused = Err(Code::RequirementNotMet);
    let exp = r#""scope":"orders:read","exp":1800000600"#;
    assert_eq!(code(world.policy(), caller(r#"{"sub":"a","scope":"other","exp":1800000600}"#)).await, refused);
    let application = || caller(&format!(r#"{{"sub":"app","client_id":"app",{exp}}}"#));
    let actor = || caller(&format!(r#"{{"sub":"a","act":{{"sub":"helpdesk"}},{exp}}}"#));
    let token = |kind| caller(&format!(r#"{{"sub":"a",{exp}}}"#)).with_credential(kind);
    for caller in [application(), actor(), token(CredentialKind::ApiToken), token(CredentialKind::NatsUser)] {
        assert_eq!(code(world.policy(), caller).await, refused);
    }
    for caller in [application(), actor()] {
        assert_eq!(code(world.policy().applications(Applications::Accept), caller).await, Ok(()));
    }
    assert_eq!(code(world.policy().api_tokens(ApiTokens::Accept), token(CredentialKind::ApiToken)).await, Ok(()));
    assert_eq!(code(world.policy().api_tokens(ApiTokens::Accept), token(CredentialKind::NatsUser)).await, refused);
    assert_eq!(code(world.policy(), token(CredentialKind::Session)).await, Ok(()));
}

#[tokio::test]
async fn a_rule_needs_a_signing_key_with_a_scope() {
    let world = World::new().await;
    let rule = |key: &KeyPair| EnrolmentPolicy::new(world.account.clone()).unwrap().rule(|_| true, key.clone());
    assert!(rule(&world.reader).is_ok());
    for wrong in [&world.plain, &pair(Role::Account), &world.client] {
        assert!(rule(wrong).unwrap_err().to_string().contains("with a scope"));
    }
}
