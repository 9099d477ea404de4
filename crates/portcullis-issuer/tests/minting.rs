//! Tests that what is minted is what services accept, and that everything else is refused before it is signed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{
    Admission, Algorithm, Code, JwtAuthenticator, KeySet, Principal, UnixTime, Verified, policy::TokenSpec,
    verified::NoCustom,
};
use portcullis_issuer::{AccessToken, ActingParty, MintError, MintErrorKind, Minted, SigningKey, TokenIssuer};
use portcullis_test::FixedClock;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.test";
const ORDERS: &str = "https://orders.test";
const T: UnixTime = UnixTime::from_secs(1_800_000_000);

fn spec() -> TokenSpec {
    TokenSpec::new(ISSUER).audience(ORDERS)
}

/// An issuer, and the key with which it signs.
fn issuer(spec: TokenSpec, algorithm: Algorithm) -> (TokenIssuer, SigningKey) {
    let key = if algorithm.is_symmetric() {
        SigningKey::generate_secret("2026-11", algorithm).unwrap()
    } else {
        SigningKey::generate(algorithm).unwrap()
    };
    (TokenIssuer::new(spec, key.clone()).unwrap().clock(FixedClock::at(T)), key)
}

fn admission(spec: &TokenSpec, audience: &str, key: &SigningKey, now: UnixTime) -> Admission {
    let trusted = spec.trusted_at(audience, KeySet::from(key.verifying_key())).unwrap();
    Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(FixedClock::at(now))
}

async fn mint(spec: TokenSpec, content: &AccessToken) -> Result<Minted, MintError> {
    issuer(spec, Algorithm::Es256).0.mint(content).await
}

fn claims(minted: &Minted) -> Value {
    let text = minted.token().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn alice() -> AccessToken {
    AccessToken::for_user("alice", "web")
}

#[tokio::test]
async fn services_accept_what_is_minted_whatever_the_algorithm() {
    for &algorithm in Algorithm::ALL {
        let (issuer, key) = issuer(spec(), algorithm);
        let content = alice().scope("orders:read orders:write").role("clerk").session("s-17").version(3);
        let minted = issuer.mint(&content.authenticated_at(T).acr("mfa")).await.unwrap();
        let verified = admission(&spec(), ORDERS, &key, T).verify(minted.token()).outcome().await.unwrap();
        assert_eq!((verified.issuer(), verified.subject()), (ISSUER, Some("alice")), "{algorithm}");
        assert_eq!((verified.client_id(), verified.audience()), (Some("web"), Some(ORDERS)));
        assert!(verified.has_scope("orders:write") && verified.has_role("clerk"));
        assert_eq!((verified.session_id(), verified.version()), (Some("s-17"), Some(3)));
        assert_eq!((verified.authenticated_at(), verified.acr()), (Some(T), Some("mfa")));
        assert_eq!((verified.token_id(), verified.expires_at()), (Some(minted.token_id()), Some(minted.expires_at())));
        assert_eq!(verified.expires_at(), Some(T.plus(Duration::from_secs(600))));
        assert_eq!(verified.key_id(), Some(key.id()));
        // Two signatures of ECDSA and PSS over the same text differ, but not the text.
        let other_key = self::issuer(spec(), algorithm).1;
        let refused = admission(&spec(), ORDERS, &other_key, T).verify(minted.token()).outcome().await;
        assert!(refused.is_err(), "{algorithm}");
    }
}

#[tokio::test]
async fn another_implementation_accepts_it_too() {
    for algorithm in [Algorithm::Rs256, Algorithm::Ps512, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let (issuer, key) = issuer(spec(), algorithm);
        let minted = issuer.mint(&alice()).await.unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
        let mut validation = jsonwebtoken::Validation::new(algorithm.name().parse().unwrap());
        validation.set_audience(&[ORDERS]);
        validation.validate_exp = false;
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let data = jsonwebtoken::decode::<Value>(minted.token(), &decoding, &validation).unwrap();
        assert_eq!(data.claims["sub"], "alice", "{algorithm}");
        assert_eq!(data.header.typ.as_deref(), Some("at+jwt"));
    }
}

#[tokio::test]
async fn an_application_acts_for_itself() {
    let (issuer, key) = issuer(spec(), Algorithm::EdDsa);
    let minted = issuer.mint(&AccessToken::for_application("nightly")).await.unwrap();
    let verified: Verified<NoCustom> =
        admission(&spec(), ORDERS, &key, T).verify(minted.token()).outcome().await.unwrap();
    assert!(matches!(verified.principal(), Principal::Application(_)), "{:?}", verified.principal());
}

#[tokio::test]
async fn the_acting_party_and_those_before_it_are_in_act() {
    let agent = ActingParty::new("agent").on_behalf_of(ActingParty::new("desk").of_issuer("https://other.test"));
    let minted = mint(spec(), &alice().actor(agent)).await.unwrap();
    let expected = json!({ "sub": "agent", "act": { "sub": "desk", "iss": "https://other.test" } });
    assert_eq!(claims(&minted)["act"], expected);

    for nameless in [
        ActingParty::new(""),
        ActingParty::new("a").of_issuer(""),
        ActingParty::new("a").on_behalf_of(ActingParty::new("")),
    ] {
        assert_eq!(mint(spec(), &alice().actor(nameless)).await.unwrap_err().kind(), MintErrorKind::Content);
    }
    let chain = |parties: usize| {
        (1..parties).fold(ActingParty::new("0"), |before, n| ActingParty::new(n.to_string()).on_behalf_of(before))
    };
    assert!(mint(spec(), &alice().actor(chain(ActingParty::MOST))).await.is_ok());
    let refused = mint(spec(), &alice().actor(chain(ActingParty::MOST + 1))).await.unwrap_err();
    assert_eq!(refused.kind(), MintErrorKind::Content);
}

#[tokio::test]
async fn a_token_ends_with_its_session_or_earlier() {
    let end = |content: AccessToken| async move { mint(spec(), &content).await.map(|minted| minted.expires_at()) };
    let secs = |secs| T.plus(Duration::from_secs(secs));
    assert_eq!(end(alice()).await.unwrap(), secs(600));
    assert_eq!(end(alice().lifetime(Duration::from_secs(60))).await.unwrap(), secs(60));
    assert_eq!(
        end(alice().lifetime(Duration::from_secs(86_400))).await.unwrap(),
        secs(600),
        "never longer than the specification"
    );
    assert_eq!(end(alice().ends_by(secs(599))).await.unwrap(), secs(599));
    assert_eq!(end(alice().ends_by(secs(601))).await.unwrap(), secs(600));
    assert_eq!(end(alice().ends_by(secs(5)).ends_by(secs(9))).await.unwrap(), secs(5), "the earliest of several");
    assert_eq!(end(alice().ends_by(secs(1))).await.unwrap(), secs(1));
    for over in [alice().ends_by(T), alice().ends_by(T.minus(Duration::from_secs(1))), alice().lifetime(Duration::ZERO)]
    {
        assert_eq!(end(over).await.unwrap_err().kind(), MintErrorKind::Ended);
    }
}

#[tokio::test]
async fn the_audience_is_one_of_the_specification() {
    let two = || spec().audience("https://billing.test");
    let audience = |spec, content: AccessToken| async move {
        mint(spec, &content).await.map(|minted| claims(&minted)["aud"].clone())
    };
    assert_eq!(audience(spec(), alice()).await.unwrap(), ORDERS);
    assert_eq!(audience(two(), alice().audience(ORDERS)).await.unwrap(), ORDERS);
    assert_eq!(
        audience(two(), alice().audience(ORDERS).audience("https://billing.test")).await.unwrap(),
        json!([ORDERS, "https://billing.test"])
    );
    let unsaid = audience(two(), alice()).await.unwrap_err();
    assert!(unsaid.to_string().contains("AccessToken::audience"), "{unsaid}");
    let unknown = audience(spec(), alice().audience("https://other.test")).await.unwrap_err();
    assert!(
        unknown.kind() == MintErrorKind::Content && unknown.to_string().contains("https://other.test"),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_token_for_one_service_is_refused_by_another() {
    let two = spec().audience("https://billing.test");
    let (issuer, key) = issuer(two.clone(), Algorithm::Es256);
    let minted = issuer.mint(&alice().audience(ORDERS)).await.unwrap();
    let code = |audience: &'static str| {
        let admission = admission(&two, audience, &key, T);
        admission.verify(minted.token()).ready().unwrap().err().map(|error| error.code())
    };
    assert_eq!(code(ORDERS), None);
    assert_eq!(code("https://billing.test"), Some(Code::AudienceMismatch));
    let unknown = two.trusted_at("https://other.test", KeySet::from(key.verifying_key())).unwrap_err();
    assert!(unknown.to_string().contains("https://other.test"), "{unknown}");
}

#[tokio::test]
async fn custom_claims_become_claims_but_never_registered_ones() {
    let (issuer, key) = issuer(spec(), Algorithm::Es256);
    let minted = issuer.mint(&alice().custom(json!({ "tenant": "acme", "n": 7 }))).await.unwrap();
    let verified = admission(&spec(), ORDERS, &key, T).verify(minted.token()).outcome().await.unwrap();
    assert_eq!(verified.claim("/tenant").and_then(|claim| claim.as_str().map(str::to_owned)).as_deref(), Some("acme"));
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "client_id",
        "scope",
        "scp",
        "roles",
        "sid",
        "ver",
        "act",
        "cnf",
        "events",
        "nonce",
    ] {
        let refused = issuer.mint(&alice().custom(json!({ name: "x" }))).await.unwrap_err();
        assert!(refused.to_string().contains(&format!("`{name}`")), "{refused}");
    }
    assert!(issuer.mint(&alice().custom(json!({ "Sub": "x" }))).await.is_ok(), "names of claims are case-sensitive");
    for no_object in [json!([1]), json!("x"), json!(1)] {
        assert_eq!(issuer.mint(&alice().custom(no_object)).await.unwrap_err().kind(), MintErrorKind::Content);
    }
    let not_json = BTreeMap::from([(vec![1_u8], 1)]);
    assert_eq!(issuer.mint(&alice().custom(not_json)).await.unwrap_err().kind(), MintErrorKind::Content);
}

#[tokio::test]
async fn names_and_scopes_that_services_would_not_read_are_refused() {
    for content in [
        AccessToken::for_user("", "web"),
        AccessToken::for_user("alice", ""),
        alice().session(""),
        alice().scope("a\\b"),
        alice().scope("ü"),
        alice().scope("a\tb"),
    ] {
        assert_eq!(mint(spec(), &content).await.unwrap_err().kind(), MintErrorKind::Content);
    }
    assert_eq!(claims(&mint(spec(), &alice().scope(" a  b ")).await.unwrap())["scope"], "a b");
    assert_eq!(claims(&mint(spec(), &alice().scope("")).await.unwrap()).get("scope"), None);
}

#[tokio::test]
async fn a_token_beyond_the_budget_is_refused_and_its_largest_claim_named() {
    let groups = |count: usize| alice().custom(json!({ "groups": vec!["0123456789"; count], "name": "x".repeat(50) }));
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        let (issuer, _) = issuer(spec(), algorithm);
        let (mut fits, mut too_many) = (0, 1000);
        while fits + 1 < too_many {
            let middle = usize::midpoint(fits, too_many);
            match issuer.mint(&groups(middle)).await {
                Ok(minted) => {
                    assert!(minted.token().len() <= TokenSpec::DEFAULT_MAX_TOKEN_BYTES);
                    fits = middle;
                }
                Err(error) => {
                    assert_eq!(error.kind(), MintErrorKind::TooLong);
                    assert!(error.to_string().contains("`groups`"), "{error}");
                    too_many = middle;
                }
            }
        }
        let length = issuer.mint(&groups(fits)).await.unwrap().token().len();
        assert!(length + 20 > TokenSpec::DEFAULT_MAX_TOKEN_BYTES, "the budget is used: {length}");
    }
}

#[test]
fn a_specification_that_cannot_be_used_is_refused_with_all_its_problems() {
    let key = || SigningKey::generate(Algorithm::Es256).unwrap();
    let bad = TokenSpec::new(" ").audience("a\u{feff}b").lifetime(Duration::ZERO).algorithms(Algorithm::Rs256);
    let error = TokenIssuer::new(bad, key()).unwrap_err();
    assert_eq!(error.problems().count(), 4, "{error}");
    assert!(TokenIssuer::new(TokenSpec::new(ISSUER), key()).unwrap_err().to_string().contains("audience"));
    assert!(TokenIssuer::new(spec().algorithms(Algorithm::Es256), key()).is_ok());
}

#[tokio::test]
async fn debug_shows_no_token_and_no_claims() {
    let (issuer, key) = issuer(spec(), Algorithm::Es256);
    let content = alice().session("s-17").custom(json!({ "tenant": "acme" }));
    let minted = issuer.mint(&content).await.unwrap();
    let shown = format!("{issuer:?} {key:?} {content:?} {minted:?}");
    let pem = key.to_pem().unwrap();
    for secret in [minted.token().split('.').nth(1).unwrap(), "alice", "s-17", "acme", pem.lines().nth(1).unwrap()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
