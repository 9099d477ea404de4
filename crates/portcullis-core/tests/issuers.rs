//! Tests policies: several trusted issuers, audiences, kinds of tokens, required claims, roles and scope rules.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{
    Admission, Algorithm, Code, JwtAuthenticator, TrustedIssuer, UnixTime, Verified,
    authenticator::Attempt,
    claims::ClaimRef,
    keys::{AlgorithmSet, KeyHint, KeySource, Resolved},
    policy::Profile,
    verified::Identity,
};
use portcullis_test::MockIssuer;

fn verify(trusted: impl IntoIterator<Item = TrustedIssuer>, token: &str) -> Result<Verified, Code> {
    match Admission::new(JwtAuthenticator::trusting(trusted).unwrap()).verify(token) {
        Attempt::Done(outcome) => outcome.map_err(|error| error.code()),
        _ => unreachable!("the keys are at hand"),
    }
}

#[test]
fn each_issuer_has_its_own_keys_and_audience() {
    let one = MockIssuer::new().named("https://one.test").audience("orders");
    let two = MockIssuer::new().named("https://two.test").audience("bills");
    let both = || [one.trusted(), two.trusted()];
    let verified = verify(both(), &two.token().subject("alice").sign()).unwrap();
    assert_eq!(verified.identity(), Some(Identity::new("https://two.test", "alice")));
    assert_eq!(verified.audience(), Some("bills"));

    let posing = MockIssuer::new().named("https://one.test").audience("orders");
    assert_eq!(verify(both(), &two.token().audience("orders").sign()).unwrap_err(), Code::AudienceMismatch);
    assert_eq!(
        verify(both(), &two.token().claim("iss", "https://one.test").sign()).unwrap_err(),
        Code::SignatureInvalid
    );
    assert_eq!(verify(both(), &posing.token().sign()).unwrap_err(), Code::SignatureInvalid);
    assert_eq!(verify([two.trusted()], &one.token().sign()).unwrap_err(), Code::IssuerNotTrusted);
}

#[test]
fn the_same_subject_at_two_issuers_is_two_identities() {
    let (one, two) = (MockIssuer::new().named("https://one.test"), MockIssuer::new().named("https://two.test"));
    let both = || [one.trusted(), two.trusted()];
    let first = verify(both(), &one.token().subject("alice").sign()).unwrap();
    let second = verify(both(), &two.token().subject("alice").sign()).unwrap();
    assert_eq!(first.subject(), second.subject());
    assert_ne!(first.identity(), second.identity());
}

/// A key source that must not be asked, because the token can be refused without it.
#[derive(Debug)]
struct Untouchable;

impl KeySource for Untouchable {
    fn resolve(&self, _: KeyHint<'_>, _: UnixTime) -> Resolved {
        unreachable!("a key was looked up for a token that is refused anyway")
    }
}

#[test]
fn cheap_refusals_look_up_no_key() {
    let issuer = MockIssuer::new();
    let trusted =
        || TrustedIssuer::new(issuer.name(), Untouchable).audience("https://service.test").algorithms(Algorithm::Rs256);
    for (token, code) in [
        (issuer.token().claim("iss", "https://other.test"), Code::IssuerNotTrusted),
        (issuer.token().without("iss"), Code::IssuerNotTrusted),
        (issuer.token().typ("dpop+jwt"), Code::TypeNotAccepted),
        (issuer.token(), Code::AlgorithmNotAllowed),
        (issuer.token().header("crit", ["exp"]), Code::ExtensionNotUnderstood),
        (issuer.token().claim("exp", "soon"), Code::ClaimsMalformed),
    ] {
        assert_eq!(verify([trusted()], &token.sign()).unwrap_err(), code);
    }
}

#[test]
fn any_of_the_configured_audiences_is_accepted() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().audience("orders");
    for audiences in [&["orders"][..], &["x", "orders"], &["https://service.test"]] {
        assert!(verify([trusted()], &issuer.token().audiences(audiences).sign()).is_ok(), "{audiences:?}");
    }
    for audiences in [&[][..], &["x"], &["Orders"], &["orders/"]] {
        let refused = verify([trusted()], &issuer.token().audiences(audiences).sign());
        assert_eq!(refused.unwrap_err(), Code::AudienceMismatch, "{audiences:?}");
    }
}

#[test]
fn the_access_token_profile_requires_its_type_and_claims() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().profile(Profile::AccessToken);
    assert!(verify([trusted()], &issuer.token().sign()).is_ok());
    for typ in ["JWT", "id_token+jwt"] {
        assert_eq!(verify([trusted()], &issuer.token().typ(typ).sign()).unwrap_err(), Code::TypeNotAccepted);
    }
    assert_eq!(verify([trusted()], &issuer.token().without_header("typ").sign()).unwrap_err(), Code::TypeNotAccepted);
    for claim in ["sub", "client_id", "iat", "jti"] {
        let token = issuer.token().without(claim);
        assert_eq!(verify([trusted()], &token.sign()).unwrap_err(), Code::ClaimMissing, "{claim}");
        assert!(verify([issuer.trusted()], &token.sign()).is_ok(), "{claim}");
    }
}

#[test]
fn only_algorithms_that_are_listed_by_name_are_accepted() {
    let issuer = MockIssuer::with_algorithm(Algorithm::EdDsa);
    let allow = |algorithms: &[Algorithm]| issuer.trusted().algorithms(AlgorithmSet::of(algorithms));
    let token = issuer.token().sign();
    assert!(verify([allow(&[Algorithm::Es256, Algorithm::EdDsa])], &token).is_ok());
    assert_eq!(verify([allow(&[Algorithm::Ed25519])], &token).unwrap_err(), Code::AlgorithmNotAllowed);
}

#[test]
fn required_claims_may_have_any_value_except_null() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().require_claim("/tenant").require_claim("/address/country");
    let token = || issuer.token().claim("tenant", 0).claim("address", serde_json::json!({"country": ""}));
    assert!(verify([trusted()], &token().sign()).is_ok());
    for lacking in [
        token().without("tenant"),
        token().claim("tenant", serde_json::Value::Null),
        token().claim("address", serde_json::json!({})),
    ] {
        assert_eq!(verify([trusted()], &lacking.sign()).unwrap_err(), Code::ClaimMissing);
    }
}

#[test]
fn a_required_value_must_be_exactly_that_string() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().require_claim_value("/token_use", "access").require_claim("/sub");
    let token = |value: serde_json::Value| issuer.token().claim("token_use", value);
    assert!(verify([trusted()], &token("access".into()).sign()).is_ok());
    for other in [
        serde_json::json!("id"),
        serde_json::json!("Access"),
        serde_json::json!("access "),
        serde_json::json!(""),
        serde_json::json!(["access"]),
        serde_json::json!({"access": true}),
        serde_json::json!(true),
        serde_json::Value::Null,
    ] {
        assert_eq!(verify([trusted()], &token(other).sign()).unwrap_err(), Code::ClaimMissing);
    }
    assert_eq!(verify([trusted()], &issuer.token().sign()).unwrap_err(), Code::ClaimMissing);
    assert!(verify([issuer.trusted()], &token("id".into()).sign()).is_ok(), "nothing is required unasked");
}

#[test]
fn a_value_that_is_required_if_present_may_be_absent_but_not_different() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().access_token_claim_value_if_present("/sts", "active");
    let token = |value: serde_json::Value| issuer.token().claim("sts", value);
    for good in [issuer.token(), token("active".into()), token(serde_json::Value::Null)] {
        assert!(verify([trusted()], &good.sign()).is_ok());
    }
    for other in
        [serde_json::json!("pending"), serde_json::json!(""), serde_json::json!(["active"]), serde_json::json!(true)]
    {
        assert_eq!(verify([trusted()], &token(other).sign()).unwrap_err(), Code::ClaimMissing);
    }
}

#[test]
fn a_refusal_names_the_required_value_and_not_the_one_that_was_found() {
    let issuer = MockIssuer::new();
    let admission =
        Admission::new(JwtAuthenticator::new(issuer.trusted().require_claim_value("/plan", "gold")).unwrap());
    let token = issuer.token().claim("plan", "secret-plan").sign();
    let refused = admission.verify(&token).ready().unwrap().unwrap_err().to_string();
    assert!(refused.contains("`/plan` is not `gold`") && !refused.contains("secret-plan"), "{refused}");
}

#[test]
fn roles_are_found_where_and_how_issuers_write_them() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().roles_at("/realm_access/roles").roles_at("/urn:zitadel:roles");
    for (claim, value) in [
        ("realm_access", serde_json::json!({"roles": ["admin", "x"]})),
        ("realm_access", serde_json::json!({"roles": "admin"})),
        ("urn:zitadel:roles", serde_json::json!({"admin": {"1": "acme"}})),
    ] {
        let verified = verify([trusted()], &issuer.token().claim(claim, value).sign()).unwrap();
        assert!(verified.has_role("admin") && !verified.has_role("adm") && !verified.has_role("owner"));
    }
    let elsewhere = verify([trusted()], &issuer.token().claim("roles", ["admin"]).sign()).unwrap();
    assert!(!elsewhere.has_role("admin"), "`/roles` counts only where no other place is named");
    assert!(verify([issuer.trusted()], &issuer.token().claim("roles", ["admin"]).sign()).unwrap().has_role("admin"));
}

#[test]
fn a_role_whose_value_is_false_is_not_granted() {
    let issuer = MockIssuer::new();
    let roles = serde_json::json!({
        "yes": true, "some": {"1": "acme"}, "listed": ["x"], "named": "x",
        "no": false, "null": null, "zero": 0, "empty": {}, "none": [], "blank": ""
    });
    let verified = verify([issuer.trusted()], &issuer.token().claim("roles", roles).sign()).unwrap();
    assert!(["yes", "some", "listed", "named"].iter().all(|role| verified.has_role(role)));
    assert!(!["no", "null", "zero", "empty", "none", "blank"].iter().any(|role| verified.has_role(role)));
}

#[test]
fn a_users_own_object_can_neither_hide_nor_forge_other_claims() {
    let issuer = MockIssuer::new();
    let token = |profile| issuer.token().claim("suspended", true).claim("profile", profile).sign();
    let plain = verify([issuer.trusted()], &token(serde_json::json!({"nickname": "al"}))).unwrap();
    assert_eq!(plain.claim("/suspended").and_then(ClaimRef::as_bool), Some(true));
    for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        for text in ["x", "{\"verified\":true}"] {
            let hiding = token(serde_json::Value::Object([(name.to_owned(), text.into())].into_iter().collect()));
            assert_eq!(verify([issuer.trusted()], &hiding).unwrap_err(), Code::ClaimsMalformed, "{name} {text}");
        }
    }
}

#[test]
fn missing_custom_claims_are_named_without_their_values() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its form counts")]
    struct Tenant {
        tenant: u64,
    }
    let issuer = MockIssuer::new();
    let admission = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap().claims::<Tenant>());
    let refused = |token: &str| admission.verify(token).ready().unwrap().unwrap_err().to_string();
    assert!(admission.verify(&issuer.token().claim("tenant", 7).sign()).ready().unwrap().is_ok());
    assert!(refused(&issuer.token().sign()).contains("there is no `tenant`"));
    let other = refused(&issuer.token().claim("tenant", "acme-corp").sign());
    assert!(
        other.contains("claim `tenant`: a string was found, u64 is expected") && !other.contains("acme"),
        "{other}"
    );
}

#[test]
fn scopes_are_literal_unless_a_rule_says_otherwise() {
    let issuer = MockIssuer::new();
    let token = issuer.token().scope("orders").sign();
    let literal = verify([issuer.trusted()], &token).unwrap();
    assert!(literal.has_scope("orders") && !literal.has_scope("orders:read") && !literal.has_scope("Orders"));

    let rule = |granted: &str, needed: &str| needed.split_once(':').is_some_and(|(whole, _)| whole == granted);
    let ruled = verify([issuer.trusted().scope_rule(rule)], &token).unwrap();
    assert!(ruled.has_scope("orders") && ruled.has_scope("orders:read") && !ruled.has_scope("bills:read"));
}

#[test]
fn an_unusable_configuration_is_refused_with_all_its_problems() {
    let issuer = MockIssuer::new();
    let keys = || issuer.keys();
    let error = JwtAuthenticator::trusting([
        TrustedIssuer::new("", keys()).audience("orders"),
        TrustedIssuer::new("https://a.test", keys()).audience("").algorithms(AlgorithmSet::EMPTY),
        TrustedIssuer::new("https://a.test", keys()).audience("orders").require_claim("tenant").roles_at("roles"),
        TrustedIssuer::new("https://b.test", keys()).audience("orders").require_claim_value("token_use", "access"),
        TrustedIssuer::new("https://c.test", keys()),
    ])
    .unwrap_err();
    assert_eq!(error.problems().len(), 8, "{error}");
    for part in [
        "empty name",
        "an audience is empty",
        "`https://c.test`: no audience is given",
        "no algorithm",
        "`tenant`",
        "`token_use`",
        "`roles`",
        "listed twice",
    ] {
        assert!(error.to_string().contains(part), "{part} in: {error}");
    }
    let empty = TrustedIssuer::new("https://a.test", portcullis_core::KeySet::new([] as [portcullis_core::Secret; 0]))
        .audience("orders");
    assert!(JwtAuthenticator::new(empty).unwrap_err().to_string().contains("no usable key"));
    assert!(JwtAuthenticator::trusting([]).unwrap_err().to_string().contains("no issuer is trusted"));
    assert!(JwtAuthenticator::new(issuer.trusted().max_age(Duration::from_secs(60))).is_ok());
}
