//! The server under test, set up as the corpus asks.

use axum::{Router, routing::get};
use portcullis::{
    Admission, Algorithm, AuthLayer, JwtAuthenticator, KeySet, RequireLayer, Secret, TrustedIssuer,
    clock::UnixTime,
    keys::{AlgorithmSet, KeyErrorKind, SkippedKey, VerifyingKey},
    location::{AuthorizationHeader, QueryParameter},
    policy::Leeway,
    requirement::scope,
    token::UnverifiedToken,
};
use portcullis_test::FixedClock;

use super::corpus::{Config, Requirement};

/// Whether a token may come in the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    HeaderOnly,
    HeaderOrQuery,
}

impl Mode {
    pub(crate) const ALL: [Self; 2] = [Self::HeaderOnly, Self::HeaderOrQuery];

    /// Whether a case with this requirement is one for this mode.
    pub(crate) fn applies(self, requires: Option<Requirement>) -> bool {
        match requires {
            None => true,
            Some(Requirement::QueryOn) => self == Self::HeaderOrQuery,
            Some(Requirement::QueryOff) => self == Self::HeaderOnly,
        }
    }
}

/// `GET /`, behind the layer and a guard for the scope.
pub(crate) fn router(config: &Config, mode: Mode) -> Router {
    assert_is_our_default(config);
    let issuer = TrustedIssuer::new(&config.issuer, keys(config))
        .audience(&config.audience)
        .algorithms(config.algorithms.iter().map(|name| name.parse::<Algorithm>().unwrap()).collect::<AlgorithmSet>())
        .leeway(Leeway::from_secs(config.leeway_seconds).unwrap())
        // as the corpus has it: the proof of a bound token is the matter of something else
        .danger_bound_tokens_as_bearer();
    let clock = FixedClock::at(UnixTime::from_secs(config.clock.now));
    let admission = Admission::new(JwtAuthenticator::new(issuer).unwrap()).clock(clock);

    let layer = AuthLayer::at(AuthorizationHeader::new(), admission.clone());
    let layer = match mode {
        Mode::HeaderOnly => layer,
        Mode::HeaderOrQuery => layer.or_at(QueryParameter::new("access_token").unwrap(), admission).unwrap(),
    };
    let guard = RequireLayer::new(scope(config.required_scope.as_str()));
    Router::new().route("/", get(async || "in")).layer(guard).layer(layer.realm(config.realm.clone()))
}

/// The public keys of the set that can be used, and the secrets, which come from elsewhere.
fn keys(config: &Config) -> KeySet {
    let (published, _) = published_keys(config);
    let secrets = config.secrets.iter().map(|secret| {
        let algorithm = secret.alg.parse().unwrap();
        VerifyingKey::from(Secret::from_base64(secret.kid.as_str(), algorithm, &secret.k).unwrap())
    });
    published.iter().cloned().chain(secrets).collect()
}

/// The public keys, and the unusable keys of the set.
pub(crate) fn published_keys(config: &Config) -> (KeySet, Vec<SkippedKey>) {
    KeySet::from_jwks(&config.jwks.to_string()).unwrap()
}

/// What the corpus asks for and we have no switch for, because it is so anyway.
fn assert_is_our_default(config: &Config) {
    assert_eq!(config.required_claims, ["exp", "iss", "aud"]);
    assert_eq!(config.accepted_typ, [Some("JWT".to_owned()), Some("at+jwt".to_owned()), None]);
    assert_eq!(config.max_token_bytes, UnverifiedToken::MAX_LEN);
    assert!(!config.query_token, "the header is the only location unless another is named");
}

/// The keys of the set that cannot be used, in its order, and why.
pub(crate) const UNUSABLE: [(&str, KeyErrorKind); 18] = [
    ("ml-dsa-b150e9", KeyErrorKind::Unsupported),
    ("unknown-kty-b150e9", KeyErrorKind::Unsupported),
    ("unknown-crv-b150e9", KeyErrorKind::Unsupported),
    ("ec-offcurve-b150e9", KeyErrorKind::Invalid),
    ("ec-no-y-b150e9", KeyErrorKind::Malformed),
    ("ed25519-short-b150e9", KeyErrorKind::Invalid),
    ("rsa-ops-enc-b150e9", KeyErrorKind::WrongUse),
    ("ed25519-long-b150e9", KeyErrorKind::Invalid),
    ("rsa-use-enc-b150e9", KeyErrorKind::WrongUse),
    ("ec-use-enc-b150e9", KeyErrorKind::WrongUse),
    ("ec-shifted-b150e9", KeyErrorKind::Invalid),
    ("ec-wrong-crv-b150e9", KeyErrorKind::Invalid),
    ("rsa-weak-b150e9", KeyErrorKind::Weak),
    ("rsa-e1-b150e9", KeyErrorKind::Weak),
    ("es512-b150e9", KeyErrorKind::Unsupported),
    ("es256k-b150e9", KeyErrorKind::Unsupported),
    ("ed448-b150e9", KeyErrorKind::Unsupported),
    ("x25519-b150e9", KeyErrorKind::WrongUse),
];
