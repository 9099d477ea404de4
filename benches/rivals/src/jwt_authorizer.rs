//! jwt-authorizer: a layer and an extractor for axum 0.7, with the keys at hand.

use axum_07::{Router, body::Body, routing::get};
use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, JwtClaims, Validation};
use portcullis_benches::{Member, requests_with_body};

use crate::trust::{Trust, block_on};

pub const NAME: &str = "jwt-authorizer 0.15";

/// Iterations of the router without authentication, of the same axum.
pub fn bare_requests(tokens: &[String]) -> impl FnMut() + use<> {
    let router: Router = Router::new().route("/", get(|| async { "alice".to_owned() }));
    requests_with_body::<_, Body, _>(router, tokens)
}

/// Iterations of the guarded router.
pub fn requests(trust: &Trust, tokens: &[String]) -> impl FnMut() + use<> {
    async fn handler(JwtClaims(claims): JwtClaims<Member>) -> String {
        claims.sub
    }
    let validation = Validation::new().iss(&[trust.issuer.name()]).aud(&[trust.audience()]).nbf(true);
    let builder = JwtAuthorizer::<Member>::from_jwks_text(&trust.jwks).validation(validation);
    let authorizer: Authorizer<Member> = block_on(builder.build()).expect("an authorizer");
    let router: Router = Router::new().route("/", get(handler)).layer(authorizer.into_layer());
    requests_with_body::<_, Body, _>(router, tokens)
}
