//! The same router in several guises. Its one handler gives the name of the caller.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{FromRef, State},
    routing::get,
};
use portcullis::{
    Admission, AuthLayer, Claims, FromState, JwtAuthenticator, RequireLayer, TrustedIssuer, location::Cookie,
    metrics::Telemetry, requirement::scope,
};

use crate::Member;

/// Without authentication.
pub fn plain() -> Router {
    Router::new().route("/", get(async || "alice".to_owned()))
}

/// What axum itself asks for a layer that hands an `Arc` to the handler.
pub fn extension() -> Router {
    async fn handler(Extension(name): Extension<Arc<str>>) -> String {
        name.to_string()
    }
    Router::new().route("/", get(handler)).layer(Extension(Arc::<str>::from("alice")))
}

/// What axum itself asks for an extractor that does nothing but hand over an `Arc` of the router's state.
pub fn state() -> Router {
    async fn handler(State(name): State<Arc<str>>) -> String {
        name.to_string()
    }
    Router::new().route("/", get(handler)).with_state(Arc::<str>::from("alice"))
}

/// Portcullis without a layer: the extractor finds its configuration in the router's state.
pub fn with_state(admission: Admission) -> Router {
    async fn handler(FromState(claims): FromState<Claims>) -> String {
        claims.subject().unwrap_or_default().to_owned()
    }
    Router::new().route("/", get(handler)).with_state(App { auth: AuthLayer::new(admission) })
}

/// The same with custom claims of six fields.
pub fn member_with_state(admission: Admission<Member>) -> Router {
    async fn handler(FromState(claims): FromState<Claims<Member>>) -> String {
        claims.custom.sub.clone()
    }
    Router::new().route("/", get(handler)).with_state(App { auth: AuthLayer::new(admission) })
}

/// Portcullis as a layer, and its extractor with custom claims of six fields.
pub fn member_layered(admission: Admission<Member>) -> Router {
    async fn handler(claims: Claims<Member>) -> String {
        claims.custom.sub.clone()
    }
    Router::new().route("/", get(handler)).layer(AuthLayer::new(admission))
}

/// Portcullis as a layer, and its extractor.
pub fn layered(admission: Admission) -> Router {
    Router::new().route("/", get(name)).layer(AuthLayer::new(admission))
}

/// The same, and it counts.
pub fn counted(admission: Admission, telemetry: &Telemetry) -> Router {
    Router::new().route("/", get(name)).layer(AuthLayer::new(admission).telemetry(telemetry, "api"))
}

/// The same without counting, and tokens may be in a cookie as well.
pub fn two_places(admission: Admission) -> Router {
    let cookie = Cookie::new("token").expect("a sound name");
    let layer = AuthLayer::new(&admission).or_at(cookie, admission).expect("another place");
    Router::new().route("/", get(name)).layer(layer)
}

/// A layer, the extractor, and a guard that wants a scope.
pub fn guarded(admission: Admission) -> Router {
    Router::new().route("/", get(name).layer(RequireLayer::new(scope("orders:read")))).layer(AuthLayer::new(admission))
}

/// Trusts `issuer`, with everything else as it is by default.
pub fn admission(issuer: TrustedIssuer) -> Admission {
    Admission::new(JwtAuthenticator::new(issuer).expect("a sound configuration"))
}

/// Every token is verified in full, seen before or not.
///
/// The one place that switches off the cache of verified tokens.
pub fn uncached<C: Send + Sync + 'static>(admission: Admission<C>) -> Admission<C> {
    admission.without_cache()
}

#[derive(Clone, FromRef)]
struct App {
    auth: AuthLayer,
}

async fn name(claims: Claims) -> String {
    claims.subject().unwrap_or_default().to_owned()
}
