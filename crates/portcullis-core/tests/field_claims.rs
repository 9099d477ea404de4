//! Tests inputs from the field: claims that cannot be used as they are, and configuration that names claims.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{
    Admission, Code, JwtAuthenticator, TrustedIssuer, UnixTime, Verified,
    claims::{ClaimPlace, ClaimRef, LenientClaim},
    policy::Profile,
    revocation::{Revocation, Verdict, ViewWriter},
    verified::{Conventions, Facts},
};
use portcullis_test::{FixedClock, MockIssuer};

fn verify(issuer: TrustedIssuer, token: &str) -> Result<Verified, Code> {
    let outcome = Admission::new(JwtAuthenticator::new(issuer).unwrap()).verify(token).ready();
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

// ----- T1: claims that are nested too deep

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Returns a token with one member, given as text.
fn token_with(issuer: &MockIssuer, name: &str, value: &str) -> String {
    let (iss, aud) = (MockIssuer::DEFAULT_NAME, MockIssuer::DEFAULT_AUDIENCE);
    let claims = format!(r#"{{"iss":"{iss}","aud":"{aud}","exp":4000000000,"banned":true,"{name}":{value}}}"#);
    issuer.token().raw_claims(claims).sign()
}

#[test]
fn row_t1_every_claim_is_refused_that_nests_too_deep() {
    let issuer = MockIssuer::new();
    let lists = ["scope", "scp", "jti", "sid", "client_id", "ver", "auth_time", "acr", "other"];
    for name in lists {
        let deepest = verify(issuer.trusted(), &token_with(&issuer, name, &nested(31))).expect(name);
        assert_eq!(deepest.claim("/banned").and_then(ClaimRef::as_bool), Some(true), "{name}");
        assert!(!deepest.has_unreadable_claims());
        let deeper = verify(issuer.trusted(), &token_with(&issuer, name, &nested(32)));
        assert_eq!(deeper.unwrap_err(), Code::ClaimsMalformed, "{name}");
    }
    for name in lists {
        for (inner, outer) in [("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            let levels = |levels| format!("{}1{}", inner.repeat(levels), outer.repeat(levels));
            let most = 31 / inner.matches(['[', '{']).count();
            assert!(verify(issuer.trusted(), &token_with(&issuer, name, &levels(most))).is_ok(), "{name}");
            let deeper = verify(issuer.trusted(), &token_with(&issuer, name, &levels(most + 1)));
            assert_eq!(deeper.unwrap_err(), Code::ClaimsMalformed, "{name}");
        }
    }
}

#[test]
fn row_t1_every_claim_is_refused_that_has_a_member_twice() {
    let issuer = MockIssuer::new();
    for name in ["scope", "scp", "jti", "sid", "client_id", "ver", "auth_time", "acr", "other"] {
        for twice in [r#"{"a":1,"a":2}"#, r#"[{"a":1,"a":2}]"#, r#"[[{"b":{"a":1,"a":2}}]]"#] {
            let once = twice.replacen(r#","a":2"#, "", 1);
            assert!(verify(issuer.trusted(), &token_with(&issuer, name, &once)).is_ok(), "{name} {once}");
            let refused = verify(issuer.trusted(), &token_with(&issuer, name, twice));
            assert_eq!(refused.unwrap_err(), Code::ClaimsMalformed, "{name} {twice}");
        }
    }
}

// ----- A and T17: types that matter only to the rules that read them

const ODD: [&str; 9] = ["7", "-1", "5.0", "null", "true", "[]", r#"["x"]"#, r#"{"a":1}"#, "1795323002000"];

#[test]
fn row_a_a_claim_that_no_rule_reads_refuses_no_token() {
    let issuer = MockIssuer::new();
    for name in ["auth_time", "acr", "sid", "client_id", "ver", "jti"] {
        for value in ODD.into_iter().chain([r#""2026-11-29T10:00:00Z""#, r#""""#]) {
            let verified = verify(issuer.trusted(), &token_with(&issuer, name, value)).expect(name);
            assert!(verified.claim(&format!("/{name}")).is_some(), "it is still there to be asked for");
        }
    }
}

#[test]
fn row_a_a_claim_of_another_type_is_none() {
    let issuer = MockIssuer::new();
    for value in ODD {
        let facts = |name| verify(issuer.trusted(), &token_with(&issuer, name, value)).unwrap();
        assert_eq!(facts("jti").token_id(), None, "{value}");
        assert_eq!(facts("sid").session_id(), None, "{value}");
        assert_eq!(facts("client_id").client_id(), None, "{value}");
        assert_eq!(facts("acr").acr(), None, "{value}");
    }
    for value in ["null", "true", "[]", r#""2026-11-29T10:00:00Z""#, "1795323002000", "-1"] {
        assert_eq!(
            verify(issuer.trusted(), &token_with(&issuer, "auth_time", value)).unwrap().authenticated_at(),
            None
        );
    }
    let dated = verify(issuer.trusted(), &token_with(&issuer, "auth_time", "1795323002.5")).unwrap();
    assert_eq!(dated.authenticated_at(), Some(UnixTime::from_secs(1_795_323_002)));
}

#[test]
fn row_a_the_claims_that_every_token_is_judged_by_have_their_types() {
    let issuer = MockIssuer::new();
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat"] {
        for value in [serde_json::Value::Null, true.into(), serde_json::json!({"a": 1}), serde_json::json!([1])] {
            let refused = verify(issuer.trusted(), &issuer.token().claim(name, value).sign());
            assert_eq!(refused.unwrap_err(), Code::ClaimsMalformed, "{name}");
        }
    }
    assert!(verify(issuer.trusted(), &issuer.token().sign()).is_ok());
}

#[test]
fn row_a_a_profile_refuses_the_claims_that_it_reads() {
    let issuer = MockIssuer::new();
    for name in ["jti", "client_id"] {
        for value in [serde_json::Value::Null, 7.into(), serde_json::json!(["x"])] {
            let token = issuer.token().claim(name, value).sign();
            let refused = verify(issuer.trusted().profile(Profile::AccessToken), &token);
            assert_eq!(refused.unwrap_err(), Code::ClaimsMalformed, "{name}");
            assert!(verify(issuer.trusted(), &token).is_ok(), "{name}");
        }
    }
    let unread = issuer.token().claim("sid", 7).claim("ver", "2.0").claim("auth_time", "now").sign();
    assert!(verify(issuer.trusted().profile(Profile::AccessToken), &unread).is_ok());
}

#[test]
fn row_a_a_logout_token_is_refused_whose_session_cannot_be_read() {
    let issuer = MockIssuer::new();
    let events = serde_json::json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let logout = || issuer.token().typ("logout+jwt").claim("events", &events);
    let receiver = || issuer.trusted().profile(Profile::LogoutToken);
    assert!(verify(receiver(), &logout().claim("sid", "7").sign()).is_ok());
    for name in ["sid", "jti"] {
        let refused = verify(receiver(), &logout().claim(name, 7).sign());
        assert_eq!(refused.unwrap_err(), Code::ClaimsMalformed, "{name}");
    }
}

struct Revoking {
    issuer: MockIssuer,
    writer: ViewWriter,
    admission: Admission,
}

fn revoking() -> Revoking {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let writer = ViewWriter::builder(Duration::from_secs(86_400)).clock(clock).build();
    writer.confirm(writer.ask());
    let admission = issuer.admission().revocations(&writer);
    Revoking { issuer, writer, admission }
}

impl Revoking {
    fn outcome(&self, token: &portcullis_test::TokenBuilder) -> Result<(), Code> {
        let outcome = self.admission.verify(&token.sign()).ready().unwrap();
        outcome.map(drop).map_err(|error| error.code())
    }

    fn revoke(&self, revocation: &Revocation) {
        self.writer.merge(&[self.writer.entry(revocation)]);
    }
}

#[test]
fn row_a_revocation_refuses_names_that_cannot_be_read() {
    let scene = revoking();
    for name in ["jti", "sid", "client_id"] {
        for value in [serde_json::Value::Null, 7.into(), serde_json::json!(["x"]), serde_json::json!({})] {
            let token = scene.issuer.token().claim(name, value);
            assert_eq!(scene.outcome(&token), Err(Code::ClaimsMalformed), "{name}");
        }
        assert_eq!(scene.outcome(&scene.issuer.token().claim(name, "7")), Ok(()), "{name}");
    }
    let refused = scene.admission.verify(&scene.issuer.token().claim("sid", 4711).sign()).ready().unwrap();
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("`sid` is a number") && !refused.contains("4711"), "{refused}");
    for unread in ["auth_time", "acr", "ver"] {
        assert_eq!(scene.outcome(&scene.issuer.token().claim(unread, serde_json::json!([]))), Ok(()), "{unread}");
    }
}

#[test]
fn row_a_a_view_that_is_asked_says_that_a_name_cannot_be_read() {
    let scene = revoking();
    let facts = |claims: &str| Facts::assertion(claims, Conventions::new("https://issuer.test")).unwrap();
    let now = FixedClock::DEFAULT.as_secs();
    let verdict = |sid| {
        scene.writer.view().check(&facts(&format!(r#"{{"iat":{now},"exp":{now},"sid":{sid}}}"#)), FixedClock::DEFAULT)
    };
    assert_eq!(verdict("7"), Verdict::Malformed(LenientClaim::SessionId));
    assert_eq!(verdict(r#""7""#), Verdict::Live);
}

#[test]
fn row_t17_what_is_no_whole_number_is_no_version() {
    let issuer = MockIssuer::new();
    for value in ["5.0", "5e0", "-1", "null", "true", "[]", "[5]", "{}", r#""5""#, "18446744073709551616"] {
        let verified = verify(issuer.trusted(), &token_with(&issuer, "ver", value)).expect(value);
        assert_eq!(verified.version(), None, "{value}");
    }
    assert_eq!(verify(issuer.trusted(), &token_with(&issuer, "ver", "5")).unwrap().version(), Some(5));
    let pretended = r#"{"$serde_json::private::Number":"5"}"#;
    assert_eq!(verify(issuer.trusted(), &token_with(&issuer, "ver", pretended)).unwrap_err(), Code::ClaimsMalformed);
}

#[test]
fn row_t17_no_object_counts_as_a_number() {
    let issuer = MockIssuer::new();
    for pretended in [
        r#"{"$serde_json::private::Number":"5"}"#,
        r#"[{"$serde_json::private::Number":"5"}]"#,
        r#"{"\u0024serde_json::private::Number":"5"}"#,
    ] {
        for name in ["level", "scope", "scp", "jti", "auth_time"] {
            let refused = verify(issuer.trusted(), &token_with(&issuer, name, pretended));
            assert_eq!(refused.unwrap_err(), Code::ClaimsMalformed, "{name}: {pretended}");
        }
        let honest = pretended.replace("private", "public");
        let verified = verify(issuer.trusted(), &token_with(&issuer, "level", &honest)).unwrap();
        assert_eq!(verified.claim("/level").and_then(ClaimRef::as_u64), None);
    }
}

#[test]
fn row_t17_a_token_without_a_usable_version_is_hit_by_a_revocation_of_versions() {
    let scene = revoking();
    let token = |subject: &str| scene.issuer.token().subject(subject);
    scene.revoke(&Revocation::version(scene.issuer.name(), "alice", 5));
    assert_eq!(scene.outcome(&token("alice").claim("ver", 5)), Ok(()));
    assert_eq!(scene.outcome(&token("alice").claim("ver", 4)), Err(Code::TokenRevoked));
    for value in [serde_json::json!(5.0), (-1).into(), ().into(), true.into(), serde_json::json!([]), "5".into()] {
        assert_eq!(scene.outcome(&token("alice").claim("ver", &value)), Err(Code::TokenRevoked), "{value}");
        assert_eq!(scene.outcome(&token("bob").claim("ver", &value)), Ok(()), "{value}");
    }
}

// ----- B: scopes in an array

#[test]
fn row_b_each_text_in_an_array_of_scopes_grants_itself() {
    let issuer = MockIssuer::new();
    for name in ["scope", "scp"] {
        let granted = |value: serde_json::Value| {
            let verified = verify(issuer.trusted(), &issuer.token().claim(name, value).sign()).unwrap();
            verified.scopes().iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(granted(serde_json::json!(["openid", "orders:read"])), ["openid", "orders:read"]);
        assert_eq!(granted(serde_json::json!(["openid", 7, null, ["orders:read"], {"a": 1}, true, ""])), ["openid"]);
        assert_eq!(granted(serde_json::json!(["openid orders:read"])), ["openid orders:read"], "literally");
        assert_eq!(granted(serde_json::json!("openid orders:read")), ["openid", "orders:read"]);
        assert!(granted(serde_json::json!([])).is_empty() && granted(serde_json::json!({"openid": true})).is_empty());
    }
    let both = issuer.token().claim("scope", ["a"]).claim("scp", ["b"]).sign();
    let both = verify(issuer.trusted(), &both).unwrap();
    assert!(both.has_scope("a") && !both.has_scope("b"));
    let literal = verify(issuer.trusted(), &issuer.token().claim("scope", ["openid orders:read"]).sign()).unwrap();
    assert!(!literal.has_scope("openid") && !literal.has_scope("orders:read"));
}

// ----- D: empty names

#[test]
fn row_d_an_empty_name_is_absent() {
    let issuer = MockIssuer::new();
    let empty = issuer.token().subject("").token_id("").claim("sid", "").claim("client_id", "");
    let verified = verify(issuer.trusted(), &empty.sign()).unwrap();
    assert_eq!((verified.subject(), verified.identity()), (None, None));
    assert_eq!((verified.token_id(), verified.session_id(), verified.client_id()), (None, None, None));
    let named = verify(issuer.trusted(), &issuer.token().subject("alice").sign()).unwrap();
    assert_eq!(named.identity().map(|identity| identity.subject), Some("alice"));
}

#[test]
fn row_d_an_asserted_empty_subject_is_no_user() {
    let issuer = MockIssuer::new();
    assert_eq!(issuer.token().subject("").verified::<portcullis_core::verified::NoCustom>().identity(), None);
    assert!(issuer.token().subject("alice").verified::<portcullis_core::verified::NoCustom>().identity().is_some());
    let conventions = Conventions::new("https://issuer.test");
    let facts = Facts::assertion(r#"{"sub":"","jti":"","sid":"","client_id":""}"#, conventions).unwrap();
    assert_eq!((facts.subject(), facts.token_id(), facts.session_id(), facts.client_id()), (None, None, None, None));
}

#[test]
fn row_d_what_requires_a_name_refuses_an_empty_one() {
    let issuer = MockIssuer::new();
    for name in ["sub", "jti", "client_id"] {
        let empty = issuer.token().claim(name, "").sign();
        let refused = verify(issuer.trusted().profile(Profile::AccessToken), &empty);
        assert_eq!(refused.unwrap_err(), Code::ClaimMissing, "{name}");
        let refused = verify(issuer.trusted().require_claim(format!("/{name}")), &empty);
        assert_eq!(refused.unwrap_err(), Code::ClaimMissing, "{name}");
        let named = issuer.token().claim(name, "x").sign();
        assert!(verify(issuer.trusted().profile(Profile::AccessToken), &named).is_ok(), "{name}");
        assert!(verify(issuer.trusted().require_claim(format!("/{name}")), &named).is_ok(), "{name}");
    }
    let events = serde_json::json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let logout = issuer.token().typ("logout+jwt").claim("events", events).claim("sid", "");
    let receiver = || issuer.trusted().profile(Profile::LogoutToken);
    assert_eq!(verify(receiver(), &logout.clone().subject("").sign()).unwrap_err(), Code::ClaimMissing);
    assert!(verify(receiver(), &logout.subject("alice").sign()).is_ok());
}

#[test]
fn row_d_revoking_an_empty_name_revokes_no_token() {
    let scene = revoking();
    let (issuer, now) = (scene.issuer.name(), FixedClock::DEFAULT);
    for revocation in [
        Revocation::subject(issuer, "", now),
        Revocation::version(issuer, "", 9),
        Revocation::session(issuer, ""),
        Revocation::token(issuer, "", now.plus(Duration::from_secs(600))),
        Revocation::client(issuer, "", now),
        Revocation::key(issuer, ""),
    ] {
        assert!(revocation.hits_nothing());
        scene.revoke(&revocation);
    }
    assert!(!Revocation::issuer(issuer, now).hits_nothing() && !Revocation::session(issuer, "s").hits_nothing());
    let token = |name| scene.issuer.token().claim("ver", 1).claim(name, "");
    for name in ["sub", "sid", "jti", "client_id"] {
        assert_eq!(scene.outcome(&token(name)), Ok(()), "{name}");
        assert_eq!(scene.outcome(&token("other").without(name)), Ok(()), "{name}");
    }
    scene.revoke(&Revocation::subject(issuer, "test-user", now));
    assert_eq!(scene.outcome(&token("sub")), Ok(()), "it has no subject");
    assert_eq!(scene.outcome(&token("sid")), Err(Code::TokenRevoked), "its subject is revoked");
}

// ----- C: refusals name the claim and the problem

fn explanation(token: &str) -> String {
    let issuer = MockIssuer::new();
    let outcome = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap()).verify(token).ready().unwrap();
    outcome.unwrap_err().to_string()
}

#[test]
fn row_c_a_refusal_names_the_claim_and_what_is_wrong_with_it() {
    let issuer = MockIssuer::new();
    let wrong_type = explanation(&issuer.token().claim("sub", 1234).sign());
    assert!(wrong_type.contains("claim `sub` is a number: it has to be a string"), "{wrong_type}");
    assert!(!wrong_type.contains("1234"), "{wrong_type}");
    let twice = explanation(&issuer.token().raw_claims(r#"{"iss":"i","tenant":"secret","tenant":"b"}"#).sign());
    assert!(twice.contains("claim `tenant` stands twice") && !twice.contains("secret"), "{twice}");
    let deep = explanation(&token_with(&issuer, "scp", &nested(40)));
    assert!(deep.contains("claim `scp`: it nests too deep"), "{deep}");
    assert!([wrong_type, twice, deep].iter().all(|text| text.starts_with("claims_malformed: ")));
}

#[derive(Debug, serde::Deserialize)]
#[expect(dead_code, reason = "only its form counts")]
struct Own {
    email_verified: bool,
    #[serde(default)]
    address: Option<Address>,
    #[serde(default)]
    grants: std::collections::BTreeMap<String, Vec<u8>>,
    #[serde(default)]
    plan: Option<Plan>,
}
#[derive(Debug, serde::Deserialize)]
#[expect(dead_code, reason = "only its form counts")]
struct Address {
    zip: u32,
}
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Plan {
    Gold,
}

#[test]
fn row_c_a_claim_of_a_type_of_ones_own_is_named_and_its_value_is_not() {
    let issuer = MockIssuer::new();
    let admission = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap().claims::<Own>());
    let read = |name: &str, value: serde_json::Value| {
        let token = issuer.token().claim("email_verified", true).claim(name, value).sign();
        admission.verify(&token).ready().unwrap().map(drop).map_err(|error| error.to_string())
    };
    for (name, value, explanation) in [
        ("email_verified", "true".into(), "claim `email_verified`: a string was found, a boolean is expected"),
        ("address", serde_json::json!({"zip": "secret"}), "claim `address.zip`: a string was found, u32 is expected"),
        ("address", serde_json::json!({}), "claim `address`: there is no `zip`"),
        (
            "grants",
            serde_json::json!({"secret": [1, 700]}),
            "claim `grants.*.1`: a number of another value was found, u8 is expected",
        ),
        ("plan", "secret".into(), "claim `plan`: it is none of the variants"),
        ("plan", serde_json::json!(["secret"]), "claim `plan`: an array was found, a variant is expected"),
    ] {
        let refused = read(name, value).unwrap_err();
        assert!(refused.contains(explanation) && !refused.contains("secret"), "{refused}");
    }
    assert_eq!(read("plan", "gold".into()), Ok(()));
    let missing = admission.verify(&issuer.token().sign()).ready().unwrap().unwrap_err().to_string();
    assert!(missing.contains("there is no `email_verified`"), "{missing}");
}
