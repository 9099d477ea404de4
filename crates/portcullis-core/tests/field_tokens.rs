//! Tests inputs from the field that caused problems: tokens that a policy accepts or refuses. Each test is named after its row.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{
    Admission, Algorithm, AuthError, Code, JwtAuthenticator, KeyRing, KeySet, Secret, TrustedIssuer,
    keys::{AlgorithmSet, VerifyingKey},
    policy::Profile,
    revocation::{Revocation, ViewWriter},
};
use portcullis_test::{FixedClock, MockIssuer, TokenBuilder};
use serde_json::json;

fn error_of(service: &Admission, token: &str) -> Option<AuthError> {
    service.verify(token).ready().unwrap().err()
}

fn refusal(trusted: TrustedIssuer, token: &TokenBuilder) -> Option<Code> {
    error_of(&Admission::new(JwtAuthenticator::new(trusted).unwrap()), &token.sign()).map(|error| error.code())
}

#[test]
fn row_n1_a_bound_token_is_no_bearer_token() {
    let issuer = MockIssuer::new();
    assert_eq!(refusal(issuer.trusted(), &issuer.token()), None, "the twin without `cnf`");
    for method in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "jwk": { "kty": "OKP" } }),
        json!({ "of-next-year": 1 }),
        json!({}),
        json!(null),
        json!("text"),
        json!([]),
        json!(0),
        json!(false),
    ] {
        let token = issuer.token().claim("cnf", &method);
        assert_eq!(refusal(issuer.trusted(), &token), Some(Code::ProofMissing), "{method}");
        assert_eq!(refusal(issuer.trusted().danger_bound_tokens_as_bearer(), &token), None, "{method}");
    }
}

#[test]
fn row_n1_every_profile_refuses_a_bound_token() {
    let issuer = MockIssuer::new();
    let access = issuer.token().typ("at+jwt").subject("alice").claim("client_id", "c").token_id("t");
    let logout = issuer
        .token()
        .typ("logout+jwt")
        .subject("alice")
        .token_id("t")
        .claim("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    for (profile, token) in
        [(Profile::Jwt, issuer.token()), (Profile::AccessToken, access), (Profile::LogoutToken, logout)]
    {
        assert_eq!(refusal(issuer.trusted().profile(profile), &token), None, "{profile:?}");
        let bound = token.claim("cnf", json!({ "jkt": "x" }));
        assert_eq!(refusal(issuer.trusted().profile(profile), &bound), Some(Code::ProofMissing), "{profile:?}");
    }
}

#[test]
fn row_n1_a_bound_token_is_refused_however_often_it_comes() {
    let issuer = MockIssuer::new();
    let (lenient, strict) = (
        Admission::new(JwtAuthenticator::new(issuer.trusted().danger_bound_tokens_as_bearer()).unwrap()),
        Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap()),
    );
    let token = issuer.token().claim("cnf", json!({ "jkt": "x" })).sign();
    for _ in 0..3 {
        assert!(error_of(&lenient, &token).is_none());
        assert_eq!(error_of(&strict, &token).unwrap().code(), Code::ProofMissing);
    }
}

/// A `cnf` that is nested in another claim, or has a similar name, binds nothing.
#[test]
fn row_n1_only_the_claim_of_that_name_binds() {
    let issuer = MockIssuer::new();
    let token = issuer.token().claim("act", json!({ "cnf": { "jkt": "x" } })).claim("CNF", 1).claim("cnf ", 1);
    assert_eq!(refusal(issuer.trusted(), &token), None);
}

#[test]
fn row_t11_a_hit_never_accepts_more_after_the_clock_was_set_back() {
    const HORIZON: Duration = Duration::from_secs(3600);
    let clock = FixedClock::default();
    let start = FixedClock::DEFAULT;
    let issuer = MockIssuer::new().clock(clock.clone());
    let writer = ViewWriter::builder(HORIZON).danger_accept_without_issued_at().clock(clock.clone()).build();
    let confirm = || writer.confirm(writer.ask());
    confirm();
    let service = issuer.admission().revocations(&writer);
    let token = issuer.token().without("iat").expires_at(start.plus(HORIZON)).sign();
    assert!(error_of(&service, &token).is_none());

    clock.set(start.minus(Duration::from_secs(30)));
    confirm();
    let [cached, uncached] =
        [service.clone(), service.clone().without_cache()].map(|service| error_of(&service, &token));
    assert_eq!(cached.map(|error| error.code()), uncached.map(|error| error.code()));
    let twin = issuer.token().without("iat").expires_at(start.plus(HORIZON).minus(Duration::from_secs(30))).sign();
    assert!(error_of(&service, &twin).is_none(), "within the horizon as the clock stands");

    clock.set(start);
    confirm();
    assert!(error_of(&service, &token).is_none(), "and good again when the clock is right again");
}

/// Returns the same signature in its other form: (r, n - s) for (r, s), where n is the order of P-256 (SEC 2 section 2.4.2).
fn other_form(token: &str) -> String {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&ORDER[2 * at..2 * at + 2], 16).unwrap()).collect();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = false;
    for (digit, order) in signature[32..].iter_mut().zip(order).rev() {
        let (difference, first) = order.overflowing_sub(*digit);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (difference, first || second);
    }
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The holder of a token can write it in a second form, so neither revocation nor a cache hit may depend on its text alone.
#[test]
fn row_t15_both_forms_of_an_es256_signature_are_one_token() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::with_algorithm(Algorithm::Es256).clock(clock.clone());
    let writer = ViewWriter::builder(Duration::from_secs(86_400)).clock(clock.clone()).build();
    writer.confirm(writer.ask());
    let service = issuer.admission().revocations(&writer);
    let token = issuer.token().subject("alice").token_id("t-1").sign();
    let forms = [token.clone(), other_form(&token)];
    assert_ne!(forms[0], forms[1]);
    let codes = || forms.each_ref().map(|form| error_of(&service, form).map(|error| error.code()));
    assert_eq!(codes(), [None, None], "RFC 7518 section 3.4 allows both");
    assert_eq!(codes(), [None, None], "and from the cache");
    let tampered = other_form(&issuer.token().subject("mallory").sign());
    let tampered = format!("{}.{}", token.rsplit_once('.').unwrap().0, tampered.rsplit_once('.').unwrap().1);
    assert_eq!(error_of(&service, &tampered).unwrap().code(), Code::SignatureInvalid);

    writer.merge(&[writer.entry(&Revocation::token(
        issuer.name(),
        "t-1",
        FixedClock::DEFAULT.plus(Duration::from_secs(3600)),
    ))]);
    assert_eq!(codes(), [Some(Code::TokenRevoked); 2]);
}

const CLIENT: &str = "client-of-ours";

/// A token as Clerk, `WorkOS` and Kinde write it.
fn for_a_client(issuer: &MockIssuer) -> TokenBuilder {
    issuer.token().without("aud").claim("azp", CLIENT)
}

fn trusting_azp(issuer: &MockIssuer) -> TrustedIssuer {
    issuer.trusted().audience(CLIENT).danger_claim_as_audience("/azp")
}

#[test]
fn row_f9_a_named_claim_stands_in_for_an_absent_audience() {
    let issuer = MockIssuer::new();
    let service: Admission = Admission::new(JwtAuthenticator::new(trusting_azp(&issuer)).unwrap());
    let token = for_a_client(&issuer).sign();
    for _ in 0..2 {
        assert_eq!(service.verify(&token).ready().unwrap().unwrap().audience(), Some(CLIENT), "cold and warm");
    }
    assert_eq!(refusal(issuer.trusted().audience(CLIENT), &for_a_client(&issuer)), Some(Code::ClaimMissing), "unasked");
    for other in ["other", "Client-of-ours", "client-of-ours ", "client-of-ours2"] {
        let token = for_a_client(&issuer).claim("azp", other);
        assert_eq!(refusal(trusting_azp(&issuer), &token), Some(Code::AudienceMismatch), "{other}");
    }
    assert_eq!(refusal(trusting_azp(&issuer), &for_a_client(&issuer).without("azp")), Some(Code::ClaimMissing));
}

#[test]
fn row_f9_a_claim_of_another_type_stands_in_for_nothing() {
    let issuer = MockIssuer::new();
    for value in [json!([CLIENT]), json!({ CLIENT: true }), json!(7), json!(true)] {
        let token = for_a_client(&issuer).claim("azp", &value);
        assert_eq!(refusal(trusting_azp(&issuer), &token), Some(Code::AudienceMismatch), "{value}");
    }
    assert_eq!(refusal(trusting_azp(&issuer), &for_a_client(&issuer).claim("azp", ())), Some(Code::ClaimMissing));
}

#[test]
fn row_f9_the_claim_may_lie_deeper_and_be_written_with_escapes() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().audience("für \"uns\"").danger_claim_as_audience("/https:~1~1ns~1client/id");
    let token =
        |id: &str| issuer.token().without("aud").claim("https://ns/client", json!({ "id": id })).subject("älice\"");
    let service: Admission = Admission::new(JwtAuthenticator::new(trusted()).unwrap());
    let verified = service.verify(&token("für \"uns\"").sign()).ready().unwrap().unwrap();
    assert_eq!((verified.audience(), verified.subject()), (Some("für \"uns\""), Some("älice\"")));
    assert_eq!(refusal(trusted(), &token("für uns")), Some(Code::AudienceMismatch));
}

#[test]
fn row_f10_a_named_claim_stands_in_for_an_empty_audience_and_for_no_other() {
    let issuer = MockIssuer::new();
    let empty = || for_a_client(&issuer).audiences::<&str>([]);
    assert_eq!(refusal(trusting_azp(&issuer), &empty()), None);
    assert_eq!(refusal(issuer.trusted().audience(CLIENT), &empty()), Some(Code::AudienceMismatch), "unasked");
    for present in [json!("https://other.test"), json!(["https://other.test"]), json!(""), json!([""])] {
        let token = for_a_client(&issuer).claim("aud", &present);
        assert_eq!(refusal(trusting_azp(&issuer), &token), Some(Code::AudienceMismatch), "{present}: it decides");
    }
    let of_another = issuer.token().claim("azp", "other");
    assert_eq!(refusal(trusting_azp(&issuer), &of_another), None, "its `aud` is ours, whatever its client");
}

#[test]
fn row_f10_nothing_stands_in_for_the_audience_of_a_logout_token() {
    let issuer = MockIssuer::new();
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let token =
        issuer.token().typ("logout+jwt").subject("alice").token_id("t").claim("events", event).claim("azp", CLIENT);
    let trusted = || trusting_azp(&issuer).profile(Profile::LogoutToken);
    assert_eq!(refusal(trusted(), &token), None);
    assert_eq!(refusal(trusted(), &token.without("aud")), Some(Code::ClaimMissing));
}

#[test]
fn row_f13_an_issuers_own_type_can_be_named_for_it() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().token_type("vnd.example+jwt").token_type("JOSE");
    for typ in
        ["vnd.example+jwt", "VND.Example+JWT", "application/vnd.example+jwt", "Application/VND.EXAMPLE+jwt", "jose"]
    {
        let token = issuer.token().typ(typ);
        assert_eq!(refusal(trusted(), &token), None, "{typ}");
        assert_eq!(refusal(issuer.trusted(), &token), Some(Code::TypeNotAccepted), "{typ}, unasked");
    }
    for typ in ["JWT", "at+jwt"] {
        assert_eq!(refusal(trusted(), &issuer.token().typ(typ)), None, "{typ}");
    }
    let other = "v".repeat(9_000);
    for typ in ["vnd.example", "vnd.example+jwt2", "text/vnd.example+jwt", "dpop+jwt", "logout+jwt", "", &other] {
        assert_eq!(refusal(trusted(), &issuer.token().typ(typ)), Some(Code::TypeNotAccepted), "{typ}");
    }
}

#[test]
fn row_f13_the_profile_stays_as_strict_as_it_is() {
    let issuer = MockIssuer::new();
    let trusted = |profile| issuer.trusted().token_type("vnd.example+jwt").profile(profile);
    let token = issuer.token().typ("vnd.example+jwt").subject("alice").claim("client_id", "c").token_id("t");
    assert_eq!(refusal(trusted(Profile::AccessToken), &token), None);
    assert_eq!(refusal(trusted(Profile::AccessToken), &token.clone().without("client_id")), Some(Code::ClaimMissing));
    assert_eq!(refusal(trusted(Profile::AccessToken), &token.clone().typ("JWT")), Some(Code::TypeNotAccepted));
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let logout = token.claim("events", event);
    assert_eq!(refusal(trusted(Profile::LogoutToken), &logout), Some(Code::TypeNotAccepted));
    assert_eq!(refusal(trusted(Profile::LogoutToken), &logout.typ("logout+jwt")), None);
}

fn problems(trusted: TrustedIssuer) -> String {
    JwtAuthenticator::new(trusted).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn row_f13_the_types_of_other_kinds_of_token_cannot_be_named() {
    let issuer = MockIssuer::new();
    for name in ["vnd.example+jwt", "JOSE", "application/x", "text/x"] {
        assert_eq!(problems(issuer.trusted().token_type(name)), "", "{name}");
    }
    for name in [
        "dpop+jwt",
        "DPoP+JWT",
        "application/logout+jwt",
        "secevent+jwt",
        "statuslist+jwt",
        "kb+jwt",
        "id+jwt",
        "id_token+jwt",
        "rt+jwt",
        "oauth-authz-req+jwt",
        "JWT",
        "at+jwt",
        "",
        "application/",
        " vnd.example+jwt",
        "vnd.example+jwt\n",
        "vnd example",
        "vnd\u{feff}",
    ] {
        assert!(problems(issuer.trusted().token_type(name)).contains("token type"), "{name}");
    }
}

#[test]
fn row_f17_the_limit_of_a_tokens_length_can_be_raised() {
    let issuer = MockIssuer::new();
    let of_length = |bytes: usize| {
        let bare = issuer.token().claim("groups", "").sign().len();
        let fill = |count: usize| issuer.token().claim("groups", "g".repeat(count)).sign();
        let token = fill((bytes - bare) / 4 * 3);
        assert!(token.len() <= bytes && token.len() + 8 > bytes, "{} for {bytes}", token.len());
        token
    };
    let (kib, code) = (1024, |service: &Admission, token: &str| error_of(service, token).map(|error| error.code()));
    let ordinary = issuer.admission();
    let of_limit = |limit| JwtAuthenticator::new(issuer.trusted()).unwrap().max_token_bytes(limit);
    let raised = |limit| Admission::new(of_limit(limit).unwrap());
    for (service, fits, too_long) in [
        (ordinary.clone(), 16 * kib, 17 * kib),
        (raised(30 * kib), 30 * kib, 31 * kib),
        (raised(64 * kib), 64 * kib, 65 * kib),
        (raised(kib), kib, 2 * kib),
    ] {
        for _ in 0..2 {
            assert_eq!(code(&service, &of_length(fits)), None);
            assert_eq!(code(&service, &of_length(too_long)), Some(Code::TokenTooLong));
        }
        let (header, _) =
            issuer.token().sign().split_once('.').map(|(header, rest)| (header.to_owned(), rest.to_owned())).unwrap();
        let unsigned = format!("{header}.{}.AA", "A".repeat(fits));
        assert_eq!(code(&service, &unsigned), Some(Code::TokenTooLong));
    }
    for limit in [0, 1023, 64 * kib + 1, usize::MAX] {
        assert!(of_limit(limit).is_err(), "{limit}");
    }
    let long = of_length(30 * kib);
    let service = raised(64 * kib);
    let [first, again] = [(); 2].map(|()| service.verify(&long).ready().unwrap().unwrap());
    assert!(std::ptr::eq(first.claims_json(), again.claims_json()), "and it is remembered");
}

#[test]
fn row_f_a_name_that_could_never_match_is_a_configuration_error() {
    let issuer = MockIssuer::new();
    let named = |name: &str| problems(TrustedIssuer::new(name, issuer.keys()).audience("orders"));
    let for_audience = |name: &str| problems(TrustedIssuer::new("https://a.test", issuer.keys()).audience(name));
    for good in ["https://login.example.com", "accounts.google.com", "Orders API", "api://0f1e", "für-uns"] {
        assert_eq!((named(good), for_audience(good)), (String::new(), String::new()));
    }
    for (bad, shown) in [
        ("https://login.example.com\n", r#""https://login.example.com\n""#),
        (" orders", r#"" orders""#),
        ("orders\t", r#""orders\t""#),
        ("or\tders", r#""or\tders""#),
        ("orders\u{a0}", r#""orders\u{a0}""#),
        ("or\u{a0}ders", r#""or\u{a0}ders""#),
        ("\u{feff}orders", r#""\u{feff}orders""#),
        ("ord\u{200b}ers", r#""ord\u{200b}ers""#),
        ("ord\u{202e}ers", r#""ord\u{202e}ers""#),
        ("orders\r", r#""orders\r""#),
        (" ", r#"" ""#),
        ("", r#""""#),
    ] {
        for problem in [named(bad), for_audience(bad), problems(issuer.trusted().audience(bad))] {
            assert!(problem.contains(shown), "{bad:?}: {problem}");
            assert!(!problem.contains(['\n', '\t', '\u{a0}', '\u{feff}', '\u{200b}', '\u{202e}']), "{problem}");
        }
    }
    assert!(for_audience("a,b").contains(r#""a,b""#));
    for place in ["/tenant\n", " /tenant", "/ten\u{200b}ant", "tenant"] {
        assert_ne!(problems(issuer.trusted().require_claim(place)), "", "{place:?}");
        assert_ne!(problems(issuer.trusted().danger_claim_as_audience(place)), "", "{place:?}");
    }
    assert_eq!(problems(issuer.trusted().require_claim("/tenant").danger_claim_as_audience("/azp")), "");
    assert!(problems(issuer.trusted().require_claim_value("/use", "access\n")).contains(r#""access\n""#));
}

fn explanation(trusted: impl IntoIterator<Item = TrustedIssuer>, token: &TokenBuilder) -> String {
    let service = Admission::new(JwtAuthenticator::trusting(trusted).unwrap());
    error_of(&service, &token.sign()).unwrap().explanation().unwrap_or_default().to_owned()
}

#[test]
fn row_g_the_log_says_who_is_trusted_and_how_the_tokens_issuer_differs() {
    let issuer = MockIssuer::new().named("https://login.example.com/realms/Shop");
    for (theirs, told) in [
        ("https://login.example.com/realms/Shop/", "by a slash at the end"),
        ("https://login.example.com/realms/shop", "by case"),
        ("http://login.example.com/realms/Shop", "by http instead of https"),
    ] {
        let told = format!(
            "trusted here: `https://login.example.com/realms/Shop`; the token's `iss` differs from \
             `https://login.example.com/realms/Shop` {told}"
        );
        assert_eq!(explanation([issuer.trusted()], &issuer.token().claim("iss", theirs)), told);
    }
    let far = explanation([issuer.trusted()], &issuer.token().claim("iss", "https://attacker.test"));
    assert_eq!(far, "trusted here: `https://login.example.com/realms/Shop`");
    let none = explanation([issuer.trusted()], &issuer.token().without("iss"));
    assert_eq!(none, "trusted here: `https://login.example.com/realms/Shop`; the token has no `iss`");
}

#[test]
fn row_g_of_five_thousand_issuers_a_few_are_named_and_the_near_one_is_found() {
    let issuer = MockIssuer::new();
    let trusted =
        (0..5_000).map(|n| TrustedIssuer::new(format!("https://{n}.example.com"), issuer.keys()).audience("orders"));
    let service = Admission::new(JwtAuthenticator::trusting(trusted).unwrap());
    let token = issuer.token().claim("iss", "https://4321.example.com/").sign();
    let refused = || error_of(&service, &token).unwrap();
    let told = refused().explanation().unwrap().to_owned();
    assert!(told.len() < 400 && told.contains("and 4997 more"), "{told}");
    assert!(told.ends_with("differs from `https://4321.example.com` by a slash at the end"), "{told}");
    // The work is the same as for one issuer, because nothing is allocated for each of them.
    let made = allocation_counter::measure(|| drop(refused())).count_total;
    assert!(made < 60, "{made} allocations");
}

#[test]
fn row_g_the_log_says_how_the_audience_differs() {
    let issuer = MockIssuer::new().audience("https://orders.example.com");
    let of = |aud: &str| explanation([issuer.trusted().audience("orders")], &issuer.token().audience(aud));
    let expected = "expected here: `https://orders.example.com`, `orders`";
    assert_eq!(of("bills"), expected);
    assert_eq!(of("Orders"), format!("{expected}; an `aud` of the token differs from `orders` by case"));
    let slash = "; an `aud` of the token differs from `https://orders.example.com` by a slash at the end";
    assert_eq!(of("https://orders.example.com/"), format!("{expected}{slash}"));
}

#[test]
fn row_g_the_log_says_which_type_algorithm_and_keys_would_do() {
    let issuer = MockIssuer::with_secret("2026-11", Algorithm::Hs256, [7; 32]);
    let of = |trusted: TrustedIssuer, token: TokenBuilder| explanation([trusted], &token);
    let typ = of(issuer.trusted().profile(Profile::AccessToken), issuer.token().typ("JWT"));
    assert_eq!(typ, "typ has to be at+jwt (Profile::AccessToken)");
    let typ = of(issuer.trusted().token_type("vnd.a+jwt"), issuer.token().typ("x+jwt"));
    assert_eq!(typ, "typ has to be absent, JWT or at+jwt (Profile::Jwt) or, by TrustedIssuer::token_type, `vnd.a+jwt`");
    let algorithms = of(issuer.trusted().algorithms(Algorithm::Rs256), issuer.token());
    assert_eq!(algorithms, "allowed here (TrustedIssuer::algorithms): RS256");
    let kid = |kid: &str| of(issuer.trusted(), issuer.token().header("kid", kid));
    assert_eq!(kid("unheard-of"), "keys here: 2026-11 (HS256)");
    assert_eq!(
        kid("2026-11 "),
        "keys here: 2026-11 (HS256); the token's `kid` differs from that of 2026-11 (HS256) by white space around it"
    );
    let other = MockIssuer::with_algorithm(Algorithm::Es256).named(issuer.name());
    let token = other.token().header("kid", "2026-11");
    let told = "keys here: 2026-11 (HS256); the token's `kid` is that of 2026-11 (HS256), which cannot do the token's algorithm";
    assert_eq!(of(issuer.trusted(), token), told);
}

/// The log never shows a token's values, whatever is wrong with it.
#[test]
fn row_g_no_explanation_has_a_value_of_the_token_in_it() {
    let issuer = MockIssuer::new();
    let value = "s3cr3t-value";
    for token in [
        issuer.token().claim("iss", value),
        issuer.token().audience(value),
        issuer.token().typ(value),
        issuer.token().header("kid", value),
        issuer.token().without("aud").claim("azp", value),
        issuer.token().claim("cnf", value),
        issuer.token().claim("exp", value),
    ] {
        let service = Admission::new(JwtAuthenticator::new(trusting_azp(&issuer)).unwrap());
        let error = error_of(&service, &token.sign()).unwrap();
        assert!(!format!("{error} {error:?}").contains(value), "{error}");
    }
}

#[test]
fn row_x_algorithms_that_no_key_can_do_are_a_configuration_error() {
    let secret = || Secret::new("2026-11", Algorithm::Hs256, [7; 32]).unwrap();
    let public = || VerifyingKey::from_jwk(JWK).unwrap();
    let with = |keys: Box<dyn Fn() -> TrustedIssuer>, algorithms: AlgorithmSet| problems(keys().algorithms(algorithms));
    let trusted = |keys: KeySet| move || TrustedIssuer::new("https://a.test", keys.clone()).audience("orders");
    let ring = || TrustedIssuer::new("https://a.test", KeyRing::new(secret()).unwrap()).audience("orders");
    let (rsa, hmac) = (Algorithm::Rs256.into(), Algorithm::Hs256.into());
    let refused = "its keys work with HS256, and only RS256 is allowed";
    assert!(with(Box::new(trusted(secret().into())), rsa).contains(refused));
    assert!(with(Box::new(ring), rsa).contains(refused));
    assert!(with(Box::new(trusted(public().into())), hmac).contains("only HS256 is allowed"));
    assert!(with(Box::new(trusted(secret().into())), AlgorithmSet::EMPTY).contains("no algorithm is allowed"));
    assert!(with(Box::new(trusted(KeySet::default())), hmac).contains("no usable key"));
    for (keys, algorithms) in [
        (Box::new(trusted(secret().into())) as Box<dyn Fn() -> TrustedIssuer>, hmac),
        (Box::new(ring), AlgorithmSet::of(&[Algorithm::Rs256, Algorithm::Hs256])),
        (Box::new(trusted(public().into())), AlgorithmSet::ASYMMETRIC),
    ] {
        assert_eq!(with(keys, algorithms), "");
    }
}

const JWK: &str =
    r#"{ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }"#;
