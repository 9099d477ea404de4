//! Claims that cannot be used as they are, and configuration that names them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use portcullis_core::{ClaimPlace, Code, Conventions, Facts, JwtAuthenticator, TrustedIssuer, Verified};
use portcullis_test::MockIssuer;

fn verify(issuer: TrustedIssuer, token: &str) -> Result<Verified, Code> {
    let outcome = JwtAuthenticator::new(issuer).unwrap().verify(token).ready();
    outcome.unwrap_or_else(|| Err(Code::KeysUnavailable.into())).map_err(|error| error.code())
}

#[test]
fn row_m_a_text_at_a_place_of_roles_is_one_role() {
    let issuer = MockIssuer::new();
    let token = issuer.token().claim("ad", serde_json::json!({"groups": "Former Admins"})).sign();
    let verified = verify(issuer.trusted().roles_at("/ad/groups"), &token).unwrap();
    assert!(verified.has_role("Former Admins") && !verified.has_role("Admins") && !verified.has_role("Former"));
    assert_eq!(verified.roles_at("/ad/groups").iter().collect::<Vec<_>>(), ["Former Admins"]);

    let delimited = ClaimPlace::new("/ad/groups").delimited_by(' ');
    let verified = verify(issuer.trusted().roles_at(delimited), &token).unwrap();
    assert!(verified.has_role("Admins") && verified.has_role("Former") && !verified.has_role("Former Admins"));
}

#[test]
fn row_e_the_pointer_to_write_is_shown_wherever_an_issuer_takes_one() {
    let issuer = MockIssuer::new();
    for wrong in ["https://ns/roles", "/https://ns/roles"] {
        for trusted in [
            issuer.trusted().roles_at(wrong),
            issuer.trusted().require_claim(wrong),
            issuer.trusted().require_claim_value(wrong, "x"),
        ] {
            let refused = JwtAuthenticator::new(trusted).unwrap_err().to_string();
            assert!(refused.contains("`/https:~1~1ns~1roles`"), "{refused}");
        }
    }
    let token = issuer.token().claim("https://ns/roles", ["admin"]).sign();
    let right = issuer.trusted().roles_at("/https:~1~1ns~1roles").require_claim("/https:~1~1ns~1roles");
    assert!(verify(right, &token).unwrap().has_role("admin"));
    let named = issuer.trusted().roles_at(ClaimPlace::named("https://ns/roles"));
    assert!(verify(named, &token).unwrap().has_role("admin"));
}

#[test]
fn row_e_no_facts_come_from_conventions_with_a_pointer_that_leads_nowhere() {
    let refused = Facts::assertion("{}", Conventions::new("https://issuer.test").roles_at("https://ns/roles"));
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::ServiceMisconfigured);
    assert!(refused.to_string().contains("`/https:~1~1ns~1roles`"), "{refused}");
    let right = Conventions::new("https://issuer.test").roles_at("/https:~1~1ns~1roles");
    assert!(Facts::assertion("{}", right).is_ok());
}
