//! An application that enables both of jsonwebtoken's backends does not panic because of us.
#![cfg(test)]

use std::panic::catch_unwind;

use axum::{Router, body::Body, http::Request, routing::get};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use portcullis::{Algorithm, AuthLayer, RequireLayer, requirement::scope};
use portcullis_test::{Defect, MockIssuer};
use tower::ServiceExt;

/// Without this the rest would prove nothing: if the features were not unified, there would be no panic anyway.
#[test]
fn jsonwebtoken_alone_panics_here() {
    let secret = [7; 32];
    let signed = catch_unwind(|| {
        jsonwebtoken::encode(&Header::default(), &serde_json::json!({}), &EncodingKey::from_secret(&secret).unwrap())
    });
    assert!(signed.is_err(), "signing works: are both backends enabled?");
    let token = "eyJhbGciOiJIUzI1NiJ9.e30.AA";
    let verified = catch_unwind(|| {
        jsonwebtoken::decode::<serde_json::Value>(
            token,
            &DecodingKey::from_secret(&secret).unwrap(),
            &Validation::default(),
        )
    });
    assert!(verified.is_err(), "verifying works: are both backends enabled?");
}

#[tokio::test]
async fn a_token_is_minted_and_accepted_with_every_algorithm() {
    for &algorithm in Algorithm::ALL {
        let issuer = MockIssuer::with_algorithm(algorithm);
        let token = issuer.token().scope("orders:read");
        assert_eq!(status(&issuer, &token.bearer()).await, 200, "{algorithm}");
        assert_eq!(status(&issuer, &token.defect(Defect::Expired).bearer()).await, 401, "{algorithm}");
        assert_eq!(status(&issuer, &issuer.token().bearer()).await, 403, "{algorithm}");
    }
}

#[tokio::test]
async fn nothing_wrong_with_a_token_makes_us_panic() {
    let issuer = MockIssuer::new();
    for &defect in Defect::ALL {
        let token = issuer.token().scope("orders:read").defect(defect).bearer();
        let status = status(&issuer, &token).await;
        assert!([400, 401].contains(&status), "{defect:?}: {status}");
    }
}

async fn status(issuer: &MockIssuer, authorization: &str) -> u16 {
    let app = Router::new()
        .route("/", get(async || "in"))
        .layer(RequireLayer::new(scope("orders:read")))
        .layer(AuthLayer::new(issuer.admission()));
    let request = Request::get("/").header("authorization", authorization).body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap().status().as_u16()
}
