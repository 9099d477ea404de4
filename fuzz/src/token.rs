//! Arbitrary text in the place of a token, without a valid signature.

use std::{collections::HashSet, sync::LazyLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{
    Admission, Algorithm, AuthError, Code, JwtAuthenticator, KeySet, Secret, TrustedIssuer,
    clock::UnixTime,
    keys::{AlgorithmSet, VerifyingKey},
    policy::Leeway,
    token::UnverifiedToken,
};
use portcullis_test::FixedClock;
use serde_json::Value;

use super::scene;

/// Whatever is accepted has been signed by a key of the corpus: up to its signature it is one of the tokens there. And
/// what is base64url and what is not, a slower decoder says as well.
pub fn check(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else { return };
    let verdict = scene::verify_by(&CORPUS.service, text);
    let code = verdict.as_ref().err().map(AuthError::code);
    let parts: Vec<&str> = text.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return assert!(matches!(code, Some(Code::TokenMalformed | Code::TokenTooLong)), "{} parts", parts.len());
    };
    if text.len() > UnverifiedToken::MAX_LEN {
        return assert_eq!(code, Some(Code::TokenTooLong));
    }
    let is_malformed = code == Some(Code::TokenMalformed);
    match UnverifiedToken::parse(text) {
        Err(error) => assert_eq!(error.code() == Code::TokenMalformed, parts.contains(&"") || !is_base64url(header)),
        Ok(_) if !is_base64url(claims) => assert!(is_malformed, "claims are read that are not base64url"),
        Ok(_) if is_malformed => assert!(!is_signature(signature), "malformed, and nothing is wrong with it"),
        Ok(token) => assert!(!format!("{token:?}").contains(text)),
    }
    if let Ok(verified) = verdict {
        let (signed, _) = text.rsplit_once('.').unwrap();
        assert!(CORPUS.signed.contains(signed) && is_signature(signature), "accepted without a valid signature");
        assert_eq!(URL_SAFE_NO_PAD.encode(verified.claims_json()), claims);
    }
}

/// The one spelling of whatever it is.
fn is_base64url(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|octets| URL_SAFE_NO_PAD.encode(octets) == text)
}

/// The same, no longer than the signature of the longest RSA key.
fn is_signature(text: &str) -> bool {
    is_base64url(text) && text.len() * 3 / 4 <= 1024
}

static CORPUS: LazyLock<Corpus> = LazyLock::new(Corpus::load);

struct Corpus {
    service: Admission,
    /// What stands before the signature of every good token.
    signed: HashSet<String>,
}

impl Corpus {
    fn load() -> Self {
        let corpus: Value = serde_json::from_str(include_str!("../../tests/vectors/http-corpus.json")).unwrap();
        let service = service(&corpus["config"]);
        let good = corpus["cases"].as_array().unwrap().iter().filter(|case| is_good(case)).filter_map(token_of);
        let signed = good.map(|token| {
            assert!(scene::verify_by(&service, token).is_ok(), "refused: {token}");
            token.rsplit_once('.').unwrap().0.to_owned()
        });
        Self { signed: signed.collect(), service }
    }
}

/// Accepted, though perhaps not granted the scope that the corpus asks for.
fn is_good(case: &Value) -> bool {
    matches!(case["expect"]["status"].as_u64(), Some(200 | 403))
}

/// The token in a case's first `Authorization`, if it is there.
fn token_of(case: &Value) -> Option<&str> {
    let headers = case["headers"].as_array().unwrap();
    let is_authorization = |header: &&Value| header[0].as_str().unwrap().eq_ignore_ascii_case("authorization");
    let (_scheme, token) = headers.iter().find(is_authorization)?[1].as_str()?.split_once(' ')?;
    Some(token.trim())
}

fn service(config: &Value) -> Admission {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (published, _) = KeySet::from_jwks(&config["jwks"].to_string()).unwrap();
    let secrets = config["secrets"].as_array().unwrap().iter().map(|secret| {
        let algorithm = secret["alg"].as_str().unwrap().parse().unwrap();
        VerifyingKey::from(Secret::from_base64(text(&secret["kid"]), algorithm, &text(&secret["k"])).unwrap())
    });
    let keys: KeySet = published.iter().cloned().chain(secrets).collect();
    let leeway = Leeway::from_secs(config["leeway_seconds"].as_u64().unwrap()).unwrap();
    let algorithms = config["algorithms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap().parse::<Algorithm>().unwrap());
    let issuer = TrustedIssuer::new(text(&config["issuer"]), keys)
        .audience(text(&config["audience"]))
        .algorithms(algorithms.collect::<AlgorithmSet>())
        .leeway(leeway)
        .danger_bound_tokens_as_bearer();
    let now = UnixTime::from_secs(config["clock"]["now"].as_u64().unwrap());
    Admission::new(JwtAuthenticator::new(issuer).unwrap()).clock(FixedClock::at(now))
}
