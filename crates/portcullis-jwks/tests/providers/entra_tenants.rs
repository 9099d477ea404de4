//! Entra ID, of several tenants: each token is held to the tenant that its issuer names.

use std::sync::Arc;

use portcullis_core::{Admission, Code, Issuers, JwtAuthenticator};
use portcullis_jwks::provider::EntraTenants;

use super::scene::Scene;

const AUDIENCE: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
const TENANT: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
const OTHER: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A service that lets in these tenants, and the list of those that it has met.
fn service(scene: &Scene, admitted: &'static [&str]) -> (Admission, Issuers) {
    let issuers = Issuers::default();
    let published = Arc::clone(&scene.published);
    let tenants = EntraTenants::new(AUDIENCE).keys(move |keys| keys.fetch(Arc::clone(&published)));
    issuers.on_unknown(EntraTenants::allow(|tenant| admitted.contains(&tenant)), tenants).unwrap();
    (Admission::new(JwtAuthenticator::issuers(issuers.clone())), issuers)
}

async fn code(admission: &Admission, token: &str) -> Option<Code> {
    admission.verify(token).outcome().await.err().map(|error| error.code())
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_is_admitted_is_met_with_its_first_token() {
    let scene = Scene::rs256(include_str!("entra.json"));
    let (admission, issuers) = service(&scene, &[TENANT]);
    let verified = admission.verify(&scene.accepted(|_| {})).outcome().await.unwrap();
    assert!(verified.has_scope("Orders.Read") && verified.has_role("Orders.Approve"));
    assert_eq!(issuers.learned(), [verified.issuer()]);

    let id = scene.token("id", |_| {});
    assert_eq!(code(&admission, &id).await, Some(Code::ClaimMissing), "everything else is as with one tenant");
}

#[tokio::test(start_paused = true)]
async fn the_tenant_in_the_claims_is_that_of_the_issuer() {
    let scene = Scene::rs256(include_str!("entra.json"));
    let (admission, _) = service(&scene, &[TENANT, OTHER]);
    assert_eq!(code(&admission, &scene.accepted(|_| {})).await, None);
    for tenant in [OTHER.into(), TENANT.to_uppercase().into(), serde_json::Value::Null, serde_json::json!([TENANT])] {
        let token = scene.accepted(|claims| claims["tid"] = tenant);
        assert_eq!(code(&admission, &token).await, Some(Code::ClaimMissing));
    }
    let without = scene.accepted(|claims| drop(claims.as_object_mut().unwrap().remove("tid")));
    assert_eq!(code(&admission, &without).await, Some(Code::ClaimMissing));
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_is_not_admitted_is_refused_and_nothing_is_fetched() {
    let scene = Scene::rs256(include_str!("entra.json"));
    let (admission, issuers) = service(&scene, &[OTHER]);
    assert_eq!(code(&admission, &scene.accepted(|_| {})).await, Some(Code::IssuerNotTrusted));
    for issuer in [
        "https://login.microsoftonline.com/common/v2.0".to_owned(),
        format!("https://login.microsoftonline.com/{OTHER}/v2.0/"),
        format!("https://login.microsoftonline.com.evil.com/{OTHER}/v2.0"),
        format!("https://sts.windows.net/{OTHER}/"),
    ] {
        let token = scene.accepted(|claims| claims["iss"] = issuer.into());
        assert_eq!(code(&admission, &token).await, Some(Code::IssuerNotTrusted));
    }
    assert!(scene.published.asked.lock().unwrap().is_empty() && issuers.learned().is_empty());
}
