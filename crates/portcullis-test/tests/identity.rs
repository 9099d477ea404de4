//! Identities without cryptography are the ones that the token would have proved.

mod support;

use portcullis_core::verified::{AnyVerified, NoCustom};
use portcullis_test::{Defect, FixedClock, MockIssuer};
use serde::Deserialize;
use support::verify;

#[derive(Debug, Deserialize, PartialEq)]
struct Tenant {
    tenant: String,
}

#[test]
fn an_injected_identity_says_what_the_verified_token_says() {
    let issuer = MockIssuer::new()
        .clock(FixedClock::default())
        .roles_at("/realm_access/roles")
        .scope_rule(|granted, needed| needed.strip_prefix(granted).is_some_and(|rest| rest.starts_with(':')));
    let token = issuer.token().subject("alice").scope("orders").role("admin").claim("tenant", "acme").claim("ver", 3);
    let proved = verify(&issuer.admission(), &token.sign()).unwrap();
    let injected = token.verified::<Tenant>();

    assert_eq!(injected.claims_json(), proved.claims_json());
    assert_eq!(injected.identity(), proved.identity());
    assert_eq!(injected.audience(), proved.audience());
    assert_eq!(injected.expires_at(), proved.expires_at());
    assert_eq!(injected.version(), Some(3));
    assert_eq!(injected.custom, Tenant { tenant: "acme".to_owned() });
    for facts in [&**proved, &**injected] {
        assert!(facts.has_role("admin") && !facts.has_role("owner"));
        assert!(facts.has_scope("orders") && facts.has_scope("orders:read") && !facts.has_scope("invoices"));
    }
    assert_eq!((injected.algorithm(), injected.key_id()), (None, None));
}

#[test]
fn an_erased_identity_keeps_its_facts() {
    let token = MockIssuer::new().token().subject("alice").claim("tenant", "acme");
    let erased = token.any_verified();
    assert_eq!(erased.subject(), Some("alice"));
    assert!(erased.downcast::<NoCustom>().is_some() && erased.downcast::<Tenant>().is_none());
    assert!(AnyVerified::from(token.verified::<Tenant>()).downcast::<Tenant>().is_some());
}

#[test]
#[should_panic(expected = "the claims do not have the form of the custom type: missing field `tenant`")]
fn an_identity_without_its_custom_claims_ends_the_test() {
    MockIssuer::new().token().verified::<Tenant>();
}

#[test]
#[should_panic(expected = "there is no such identity")]
fn malformed_claims_prove_nobody() {
    MockIssuer::new().token().claim("sub", 7).any_verified();
}

#[test]
#[should_panic(expected = "a token with a defect proves no identity")]
fn a_token_with_a_defect_proves_nobody() {
    MockIssuer::new().token().defect(Defect::WrongKey).any_verified();
}
