//! Entra ID, of several tenants: each token is held to the tenant that its issuer names.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use portcullis_core::{Admission, Code, Issuers, JwtAuthenticator};
use portcullis_jwks::{Fetch, FetchError, provider::EntraTenants};
use portcullis_test::MockIssuer;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::scene::Scene;

const AUDIENCE: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
const TENANT: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
const OTHER: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

const THIRD: &str = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";

const ALL_KEYS: &str = "https://login.microsoftonline.com/common/discovery/v2.0/keys";
const OF_ANY_TENANT: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
/// The key that signs the tokens.
const SIGNER: &str = "u4OfNFPHwEBosHjtrauObV84LnY";

/// What Microsoft publishes for all tenants: that key, of which `issuer` is said, and another one that signs for any tenant.
pub(crate) fn scene(issuer: Option<&str>) -> Scene {
    let mut file: Value = serde_json::from_str(include_str!("entra.json")).unwrap();
    let of_tenant = format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys");
    let mut keys = file["documents"][&of_tenant]["keys"].take();
    for key in keys.as_array_mut().unwrap() {
        let issuer = if key["kid"] == SIGNER { issuer } else { Some(OF_ANY_TENANT) };
        match issuer {
            Some(issuer) => key["issuer"] = issuer.into(),
            None => drop(key.as_object_mut().unwrap().remove("issuer")),
        }
    }
    file["documents"] = json!({ ALL_KEYS: { "keys": keys } });
    Scene::rs256(&file.to_string())
}

/// A token of that tenant.
fn token(scene: &Scene, tenant: &str) -> String {
    scene.accepted(|claims| {
        claims["iss"] = format!("https://login.microsoftonline.com/{tenant}/v2.0").into();
        claims["tid"] = tenant.into();
    })
}

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
    let scene = scene(Some(OF_ANY_TENANT));
    let (admission, issuers) = service(&scene, &[TENANT]);
    let verified = admission.verify(&scene.accepted(|_| {})).outcome().await.unwrap();
    assert!(verified.has_scope("Orders.Read") && verified.has_role("Orders.Approve"));
    assert_eq!(issuers.learned(), [verified.issuer()]);

    let id = scene.token("id", |_| {});
    assert_eq!(code(&admission, &id).await, Some(Code::ClaimMissing), "everything else is as with one tenant");
}

#[tokio::test(start_paused = true)]
async fn the_tenant_in_the_claims_is_that_of_the_issuer() {
    let scene = scene(Some(OF_ANY_TENANT));
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
    let scene = scene(Some(OF_ANY_TENANT));
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

#[tokio::test(start_paused = true)]
async fn tenants_share_one_fetch_of_the_keys() {
    let scene = scene(Some(OF_ANY_TENANT));
    let (admission, issuers) = service(&scene, &[TENANT, THIRD]);
    assert_eq!(code(&admission, &token(&scene, TENANT)).await, None);
    let asked = || std::mem::take(&mut *scene.published.asked.lock().unwrap());
    assert_eq!(asked().into_iter().collect::<Vec<_>>(), [ALL_KEYS]);
    assert_eq!(code(&admission, &token(&scene, THIRD)).await, None);
    assert!(asked().is_empty(), "the keys are at hand");
    assert_eq!(issuers.learned().len(), 2);
    assert_eq!(code(&admission, &token(&scene, OTHER)).await, Some(Code::IssuerNotTrusted));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_used_for_the_issuer_that_it_names_and_for_no_other() {
    let personal = format!("https://login.microsoftonline.com/{OTHER}/v2.0");
    let of_tenant = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    for (issuer, of_organization, of_person) in [
        (Some(OF_ANY_TENANT), None, None),
        (Some(&*personal), Some(Code::KeyUnknown), None),
        (Some(&*of_tenant), Some(Code::KeyUnknown), Some(Code::KeyUnknown)),
        (Some("https://login.microsoftonline.us/{tenantid}/v2.0"), Some(Code::KeyUnknown), Some(Code::KeyUnknown)),
        (None, Some(Code::KeyUnknown), Some(Code::KeyUnknown)),
    ] {
        let scene = scene(issuer);
        let (admission, _) = service(&scene, &[TENANT, OTHER]);
        assert_eq!(code(&admission, &token(&scene, TENANT)).await, of_organization, "{issuer:?}");
        assert_eq!(code(&admission, &token(&scene, OTHER)).await, of_person, "{issuer:?}");
    }
}

/// Counts the requests, and has no keys.
#[derive(Clone, Debug, Default)]
struct Counted(Arc<AtomicUsize>);

impl Fetch for Counted {
    async fn fetch(&self, _: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Response::builder().status(400).body(Vec::new()).unwrap())
    }
}

fn invented(signer: &MockIssuer, number: usize) -> String {
    let issuer = format!("https://login.microsoftonline.com/{number:08x}-0000-4000-8000-000000000000/v2.0");
    signer.clone().named(issuer).token().sign()
}

#[tokio::test(start_paused = true)]
async fn invented_tenants_cause_no_fetch_of_their_own() {
    let (count, issuers) = (Counted::default(), Issuers::default());
    let fetch = count.clone();
    let tenants = EntraTenants::new(AUDIENCE).keys(move |keys| keys.fetch(fetch.clone()));
    issuers.on_unknown(EntraTenants::allow(|_| true), tenants).unwrap();
    let admission = Admission::new(JwtAuthenticator::issuers(issuers.clone()));
    let signer = MockIssuer::new();
    for number in 0..1_000 {
        assert_eq!(code(&admission, &invented(&signer, number)).await, Some(Code::KeysUnavailable));
    }
    assert_eq!(count.0.load(Ordering::SeqCst), 2, "of the one source: what tokens may cause at once");
    sleep(Duration::from_secs(60 * 60)).await;
    assert_eq!(count.0.load(Ordering::SeqCst), 3, "and one more for those that asked in vain");
    assert!(issuers.learned().is_empty());
}

#[tokio::test(start_paused = true)]
async fn invented_tenants_push_out_no_customer() {
    let scene = scene(Some(OF_ANY_TENANT));
    let issuers = Issuers::default();
    let published = Arc::clone(&scene.published);
    let tenants = EntraTenants::new(AUDIENCE).keys(move |keys| keys.fetch(Arc::clone(&published)));
    issuers.on_unknown(EntraTenants::allow(|_| true), tenants).unwrap();
    let admission = Admission::new(JwtAuthenticator::issuers(issuers.clone()));
    let customer = admission.verify(&token(&scene, TENANT)).outcome().await.unwrap();
    let signer = MockIssuer::new();
    for number in 0..1_500 {
        assert!(code(&admission, &invented(&signer, number)).await.is_some());
    }
    assert_eq!(issuers.learned(), [customer.issuer()]);
    assert_eq!(code(&admission, &token(&scene, TENANT)).await, None);
}
