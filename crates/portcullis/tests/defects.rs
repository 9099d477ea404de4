//! Tests that the layer refuses every defect of the test kit, with its code and its status.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;

use http::{Request, Response};
use portcullis::{Algorithm, AuthLayer, Code, JwtAuthenticator, error::AuthErrorKind};
use portcullis_test::{Defect, MockIssuer};
use tower::{Layer, ServiceExt, service_fn};

async fn send(layer: &AuthLayer, bearer: &str) -> Response<String> {
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::from("in"))));
    let request = Request::get("/").header("authorization", bearer).body(()).unwrap();
    layer.layer(inner).oneshot(request).await.unwrap()
}

#[tokio::test]
async fn every_defect_is_refused_with_its_code_and_the_correct_token_passes() {
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let issuer = MockIssuer::with_algorithm(algorithm);
        let layer = AuthLayer::new(JwtAuthenticator::new(issuer.trusted()).unwrap()).optional();
        assert_eq!(send(&layer, &issuer.token().bearer()).await.status(), 200, "{algorithm}");
        for defect in Defect::ALL {
            let reply = send(&layer, &issuer.token().defect(*defect).bearer()).await;
            let code = defect.expected_over_http();
            let status = if code.kind() == AuthErrorKind::InvalidRequest { 400 } else { 401 };
            assert_eq!(reply.extensions().get::<Code>(), Some(&code), "{algorithm} {defect}");
            assert_eq!(reply.status(), status, "{algorithm} {defect}");
            assert!(reply.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer error="));
        }
    }
}
