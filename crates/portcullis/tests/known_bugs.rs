//! Tests that known bugs of other libraries in this field do not exist here. DESIGN.md lists the bugs, with reasons.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;

use http::{Request, Response};
use portcullis::{
    Algorithm, AuthError, AuthLayer, Code, JwtAuthenticator, KeySet, TrustedIssuer, rejection::BearerChallenge,
};
use portcullis_test::{Defect, MockIssuer};
use tower::{Layer, ServiceExt, service_fn};

fn layer(issuer: &MockIssuer) -> AuthLayer {
    AuthLayer::new(JwtAuthenticator::new(issuer.trusted()).unwrap())
}

async fn send(layer: &AuthLayer, headers: &[&str]) -> Response<String> {
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::from("in"))));
    let mut request = Request::get("/").body(()).unwrap();
    for value in headers {
        request.headers_mut().append("authorization", value.parse().unwrap());
    }
    layer.layer(inner).oneshot(request).await.unwrap()
}

async fn defect(issuer: &MockIssuer, defect: Defect) -> (u16, Option<Code>) {
    let layer = layer(issuer);
    assert_eq!(send(&layer, &[&issuer.token().bearer()]).await.status(), 200, "the twin passes");
    let reply = send(&layer, &[&issuer.token().defect(defect).bearer()]).await;
    (reply.status().as_u16(), reply.extensions().get().copied())
}

#[tokio::test]
async fn one_bad_jwk_does_not_affect_the_rest_of_the_set() {
    let issuer = MockIssuer::new();
    let good = issuer.jwks();
    let odd = r#"{"keys":[{"kty":"XYZ"},{"kty":"EC","crv":"P-999","x":7},null,{"kty":"RSA","n":"AQ","e":"AQAB"},"#;
    let (keys, skipped) = KeySet::from_jwks(&good.replacen("{\"keys\":[", odd, 1)).unwrap();
    assert_eq!((keys.len(), skipped.len()), (1, 4));
    let trusted = TrustedIssuer::new(issuer.name(), keys).audience(MockIssuer::DEFAULT_AUDIENCE);
    let layer = AuthLayer::new(JwtAuthenticator::new(trusted).unwrap());
    assert_eq!(send(&layer, &[&issuer.token().bearer()]).await.status(), 200);
}

#[tokio::test]
async fn the_key_decides_the_algorithm_not_the_token() {
    let issuer = MockIssuer::with_algorithm(Algorithm::Rs256);
    for confusion in [Defect::HmacWithPublicPem, Defect::HmacWithPublicDer, Defect::HmacWithPublicJwk] {
        assert_eq!(defect(&issuer, confusion).await, (401, Some(Code::KeyUnknown)), "{confusion}");
    }
    assert_eq!(defect(&issuer, Defect::AlgNoneSigned).await, (401, Some(Code::AlgorithmNotAllowed)));
    assert_eq!(defect(&issuer, Defect::AlgOfOtherFamily).await, (401, Some(Code::KeyUnknown)));
}

#[tokio::test]
async fn a_missing_issuer_or_audience_is_refused() {
    let issuer = MockIssuer::new();
    assert_eq!(defect(&issuer, Defect::IssMissing).await, (401, Some(Code::IssuerNotTrusted)));
    assert_eq!(defect(&issuer, Defect::AudMissing).await, (401, Some(Code::ClaimMissing)));
}

#[tokio::test]
async fn an_issuer_in_an_array_is_refused() {
    assert_eq!(defect(&MockIssuer::new(), Defect::IssArray).await, (401, Some(Code::ClaimsMalformed)));
}

#[test]
fn challenges_have_commas_between_their_parameters() {
    let error = AuthError::new(Code::ScopeMissing).with_scopes(["orders:read"]);
    let challenges = BearerChallenge::new().realm("orders").challenges(&error);
    let expected = "Bearer realm=\"orders\", error=\"insufficient_scope\", \
                    error_description=\"the token lacks a scope that this needs\", scope=\"orders:read\"";
    assert_eq!(challenges.len(), 1);
    assert_eq!(challenges[0].to_string(), expected);
}

#[tokio::test]
async fn two_credentials_are_refused() {
    let issuer = MockIssuer::new();
    let (good, bad) = (issuer.token().bearer(), MockIssuer::new().token().bearer());
    let layer = layer(&issuer);
    assert_eq!(send(&layer, &[&good]).await.status(), 200);
    for both in [[&good, &bad], [&bad, &good], [&good, &good]] {
        assert_eq!(send(&layer, &both.map(String::as_str)).await.status(), 400);
    }
    assert_eq!(send(&layer, &[&good, "Basic YTpi"]).await.status(), 400);
}

#[tokio::test]
async fn an_unknown_key_id_is_answered_by_401() {
    assert_eq!(defect(&MockIssuer::new(), Defect::KidUnknown).await, (401, Some(Code::KeyUnknown)));
}

#[test]
fn a_short_ed25519_key_is_an_error() {
    let short = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg"}"#;
    assert!(portcullis::keys::VerifyingKey::from_jwk(short).is_err());
    let whole = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert!(portcullis::keys::VerifyingKey::from_jwk(whole).is_ok());
}
