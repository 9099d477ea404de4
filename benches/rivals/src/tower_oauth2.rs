//! tower-oauth2-resource-server: a layer, with the keys at hand.

use axum::{Extension, Router, routing::get};
use portcullis_benches::Member;
use tower_oauth2_resource_server::{
    server::OAuth2ResourceServer, tenant::TenantConfiguration, validation::ClaimsValidationSpec,
};

use crate::trust::{Trust, block_on};

pub fn router(trust: &Trust) -> Router {
    async fn handler(Extension(claims): Extension<Member>) -> String {
        claims.sub
    }
    // by default it does not check the `iss` of a tenant whose keys are given; where it checks `nbf` it demands one
    let audience = vec![trust.audience().to_owned()];
    let claims = ClaimsValidationSpec::new().exp(true).iss(trust.issuer.name()).aud(&audience);
    let tenant = TenantConfiguration::static_builder(&trust.jwks).claims_validation(claims).build();
    let tenant = tenant.expect("a tenant");
    let server = block_on(OAuth2ResourceServer::<Member>::builder().add_tenant(tenant).build()).expect("a server");
    Router::new().route("/", get(handler)).layer(server.into_layer())
}
