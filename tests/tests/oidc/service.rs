//! The service under test: orders, for callers whom the provider knows.

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use portcullis::{
    AuthLayer, Claims, JwtAuthenticator, RemoteKeys, RequireLayer, TrustedIssuer, policy::Profile, requirement::scope,
};
use serde_json::Value;
use tower::ServiceExt;

use super::provider::Provider;

/// Its first keys are there long before, unless they never come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A router in this process; clones share their keys.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    router: Router,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    text: String,
}

impl Service {
    /// Starts one that trusts this provider, and waits for its keys.
    pub(crate) async fn start(provider: &Provider) -> Self {
        Self::with_profile(provider, Profile::AccessToken).await
    }

    pub(crate) async fn with_profile(provider: &Provider, profile: Profile) -> Self {
        let keys = RemoteKeys::discover(provider.issuer()).start().unwrap();
        keys.require(PATIENCE).await.unwrap();
        Self::new(provider, profile, keys)
    }

    /// Starts one whose keys come later.
    pub(crate) fn start_without_keys(provider: &Provider) -> Self {
        Self::new(provider, Profile::AccessToken, RemoteKeys::discover(provider.issuer()).start().unwrap())
    }

    fn new(provider: &Provider, profile: Profile, keys: RemoteKeys) -> Self {
        let issuer = TrustedIssuer::new(provider.issuer(), keys).audience(provider.audience()).profile(profile);
        let auth = AuthLayer::new(JwtAuthenticator::new(issuer).unwrap());
        let router = Router::new()
            .route("/me", get(me))
            .route("/orders", get(async || "orders").layer(RequireLayer::new(scope("orders:read"))))
            .layer(auth);
        Self { router }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"))).await
    }

    pub(crate) async fn get_without_token(&self, path: &str) -> Answer {
        self.send(Request::get(path)).await
    }

    async fn send(&self, request: http::request::Builder) -> Answer {
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }
}

impl Answer {
    pub(crate) fn is_ok(&self) -> bool {
        self.status == StatusCode::OK
    }

    /// The answer to an admitted caller.
    pub(crate) fn greeting(&self) -> &str {
        assert!(self.is_ok(), "{self:?}");
        &self.text
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        assert!(!self.is_ok(), "{self:?}");
        let problem: Value = serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no problem: {self:?}"));
        (self.status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    }
}

async fn me(claims: Claims) -> String {
    claims.subject().unwrap_or("unknown").to_owned()
}
