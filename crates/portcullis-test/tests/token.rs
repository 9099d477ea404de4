//! What the token builder writes.

mod support;

use std::time::Duration;

use portcullis_core::{Code, UnixTime, claims::ClaimRef};
use portcullis_test::{FixedClock, MockIssuer};
use serde_json::json;
use support::verify;

#[test]
fn the_usual_token_has_everything_that_an_access_token_needs() {
    let issuer = MockIssuer::new().clock(FixedClock::default());
    let verified = verify(&issuer.admission(), &issuer.token().sign()).unwrap();
    assert_eq!(verified.issuer(), MockIssuer::DEFAULT_NAME);
    assert_eq!(verified.audience(), Some(MockIssuer::DEFAULT_AUDIENCE));
    assert_eq!(verified.subject(), Some("test-user"));
    assert_eq!(verified.client_id(), Some("test-client"));
    assert_eq!(verified.issued_at(), Some(FixedClock::DEFAULT));
    assert_eq!(verified.expires_at(), Some(FixedClock::DEFAULT.plus(Duration::from_secs(600))));
    assert_eq!(verified.token_id().map(str::len), Some(22));
    assert_eq!(verified.key_id(), Some("es256-1"));
    assert!(verified.scopes().is_empty());
}

#[test]
fn every_claim_can_be_chosen() {
    let issuer = MockIssuer::new().audience("orders").clock(FixedClock::default());
    let at = UnixTime::from_secs;
    let token = issuer
        .token()
        .subject("alice")
        .audiences(["other", "orders"])
        .scope("orders:read")
        .scope("orders:write profile")
        .role("admin")
        .role("auditor")
        .issued_at(at(1_799_999_000))
        .not_before(at(1_799_999_001))
        .expires_at(at(1_800_000_500))
        .authenticated_at(at(1_799_998_000))
        .token_id("t-1")
        .session_id("s-1")
        .claim("tenant", json!({ "name": "acme", "plans": [1, 2] }))
        .sign();
    let verified = verify(&issuer.admission(), &token).unwrap();
    assert_eq!(verified.subject(), Some("alice"));
    assert_eq!(verified.audience(), Some("orders"));
    assert_eq!(verified.scopes().iter().collect::<Vec<_>>(), ["orders:read", "orders:write", "profile"]);
    assert!(verified.has_role("admin") && verified.has_role("auditor") && !verified.has_role("owner"));
    assert_eq!(verified.issued_at(), Some(at(1_799_999_000)));
    assert_eq!(verified.not_before(), Some(at(1_799_999_001)));
    assert_eq!(verified.expires_at(), Some(at(1_800_000_500)));
    assert_eq!(verified.authenticated_at(), Some(at(1_799_998_000)));
    assert_eq!(verified.token_id(), Some("t-1"));
    assert_eq!(verified.session_id(), Some("s-1"));
    assert_eq!(verified.claim("/tenant/plans/1").and_then(ClaimRef::as_u64), Some(2));
}

#[test]
fn two_tokens_have_two_ids() {
    let issuer = MockIssuer::new();
    let admission = issuer.admission();
    let id = || verify(&admission, &issuer.token().sign()).unwrap().token_id().map(str::to_owned);
    assert_ne!(id(), id());
}

#[test]
fn roles_are_written_where_the_issuer_has_them() {
    let issuer = MockIssuer::new().roles_at("/resource~1access/orders/roles");
    let token = issuer.token().role("admin").role("auditor").sign();
    let verified = verify(&issuer.admission(), &token).unwrap();
    assert!(verified.has_role("admin") && verified.has_role("auditor"));
    assert!(verified.claim("/roles").is_none());
}

#[test]
#[should_panic(expected = "roles cannot be written to: /tenant")]
fn roles_do_not_replace_a_claim() {
    let _ = MockIssuer::new().roles_at("/tenant").token().claim("tenant", "acme").role("admin");
}

#[test]
fn the_header_can_be_changed_without_changing_the_key() {
    let issuer = MockIssuer::new();
    let admission = issuer.admission();
    assert!(verify(&admission, &issuer.token().without_header("kid").sign()).is_ok());
    assert!(verify(&admission, &issuer.token().typ("application/jwt").sign()).is_ok());
    let refused = verify(&admission, &issuer.token().header("kid", "other").sign());
    assert_eq!(refused.err(), Some(Code::KeyUnknown));
}

#[test]
fn any_text_can_be_signed() {
    let issuer = MockIssuer::new();
    let admission = issuer.admission();
    let good = issuer.token();
    let header = format!(r#"{{ "alg" : "ES256", "kid": "{}" }}"#, issuer.key_id());
    assert!(verify(&admission, &good.clone().raw_header(header).sign()).is_ok());
    let refused = verify(&admission, &good.clone().raw_header("[]").sign());
    assert_eq!(refused.err(), Some(Code::HeaderMalformed));
    let refused = verify(&admission, &good.raw_claims([0xff]).sign());
    assert_eq!(refused.err(), Some(Code::ClaimsMalformed));
}

#[test]
#[should_panic(expected = "raw text or a defect, not both")]
fn raw_text_takes_no_defect() {
    MockIssuer::new().token().raw_claims("{}").defect(portcullis_test::Defect::SubNumber).sign();
}

#[test]
fn bearer_is_the_value_of_the_http_header() {
    let builder = MockIssuer::with_algorithm(portcullis_core::Algorithm::EdDsa).token();
    assert_eq!(builder.bearer(), format!("Bearer {}", builder.sign()));
}

#[test]
fn expiry_follows_the_clock() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let admission = issuer.admission();
    let token = issuer.token().expires_in(Duration::from_secs(60)).sign();
    clock.advance(Duration::from_secs(89)); // leeway: 30 s
    assert!(verify(&admission, &token).is_ok());
    clock.advance(Duration::from_secs(1));
    assert_eq!(verify(&admission, &token).err(), Some(Code::TokenExpired));
    clock.set(FixedClock::DEFAULT.minus(Duration::from_secs(31)));
    assert_eq!(verify(&admission, &token).err(), Some(Code::TokenIssuedInFuture));
}
