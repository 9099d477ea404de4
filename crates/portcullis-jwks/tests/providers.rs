//! The presets, against documents and tokens as the providers publish them (see `sources` in `providers/*.json`), times and one
//! public key apart: the key without material in each set is the test's own.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "providers/applications.rs"]
mod applications;
#[path = "providers/arguments.rs"]
mod arguments;
#[path = "providers/authentik.rs"]
mod authentik;
#[path = "providers/clerk.rs"]
mod clerk;
#[path = "providers/clients.rs"]
mod clients;
#[path = "providers/cloud_iap.rs"]
mod cloud_iap;
#[path = "providers/cloudflare.rs"]
mod cloudflare;
#[path = "providers/entra_tenants.rs"]
mod entra_tenants;
#[path = "providers/fusionauth.rs"]
mod fusionauth;
#[path = "providers/github.rs"]
mod github;
#[path = "providers/gitlab.rs"]
mod gitlab;
#[path = "providers/kubernetes.rs"]
mod kubernetes;
#[path = "providers/log_out.rs"]
mod log_out;
#[path = "providers/logto.rs"]
mod logto;
#[path = "providers/scene.rs"]
mod scene;
#[path = "providers/workos.rs"]
mod workos;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use portcullis_core::{Algorithm, Code, KeySet, Secret, policy::Profile};
use portcullis_jwks::provider;
use portcullis_test::MockIssuer;
use scene::{Published, Scene, judge};
use serde_json::json;

#[test]
fn what_cannot_be_right_is_refused_with_what_to_give() {
    for (outcome, give) in [
        (provider::auth0("https://tenant.eu.auth0.com/"), "`tenant.eu.auth0.com`"),
        (provider::auth0("tenant.eu.auth0.com/"), "`tenant.eu.auth0.com`"),
        (provider::auth0(""), "the tenant's domain alone"),
        (provider::entra("common"), "the id of one tenant"),
        (provider::entra_v1("contoso.onmicrosoft.com"), "the id of one tenant"),
        (provider::keycloak("sso.example.com", "shop"), "`https://sso.example.com`"),
        (provider::keycloak("https://sso.example.com", "realms/shop"), "the realm's name"),
        (provider::cognito("AbCdEfGhI"), "`eu-west-1_AbCdEfGhI`"),
        (provider::cognito_updated("eu-west-1"), "`eu-west-1_AbCdEfGhI`"),
        (provider::okta("https://acme.okta.com", "default"), "`acme.okta.com`"),
        (provider::okta("acme.okta.com", ""), "the authorization server's id"),
        (provider::google_workspace("@example.com"), "`example.com`"),
        (provider::supabase("https://abcdefghijklmnopqrst.supabase.co"), "the project's reference alone"),
        (provider::zitadel("acme.zitadel.cloud", "344374183645413380"), "the instance's URL"),
        (provider::zitadel("https://acme.zitadel.cloud", "a/b"), "the project's id"),
    ] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(give), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn auth0() {
    let scene = Scene::rs256(include_str!("providers/auth0.json"));
    let auth0 = provider::auth0("tenant.eu.auth0.com").unwrap();
    let audience = "https://orders.example.com";
    let verified = scene.common(&auth0, audience).await;
    assert_eq!(verified.subject(), Some("auth0|123456"));
    assert!(verified.has_role("approve:orders") && !verified.has_role("read:bills"));
    assert!(verified.has_scope("read:orders") && !verified.has_scope("approve:orders"));

    let profile = || scene.trusted(&auth0, audience).profile(Profile::AccessToken);
    assert!(judge(profile(), &scene.token("rfc9068", |_| {})).await.is_ok());
    assert_eq!(judge(profile(), &scene.accepted(|_| {})).await.unwrap_err(), Code::TypeNotAccepted);
    assert!(judge(scene.trusted(&auth0, audience), &scene.token("rfc9068", |_| {})).await.is_ok());
    let id = judge(scene.trusted(&auth0, audience), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::AudienceMismatch);
}

#[tokio::test(start_paused = true)]
async fn entra() {
    let scene = Scene::rs256(include_str!("providers/entra.json"));
    let entra = provider::entra("8eaef023-2b34-4da1-9baa-8bc8c9d6a490").unwrap();
    let audience = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    let verified = scene.common(&entra, audience).await;
    assert_eq!(verified.subject(), Some("HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ"));
    assert!(verified.has_scope("Orders.Read") && verified.has_scope("Orders.Write") && !verified.has_scope("Orders"));
    assert!(verified.has_role("Orders.Approve"));

    let application = judge(scene.trusted(&entra, audience), &scene.token("application", |_| {})).await.unwrap();
    assert!(application.has_role("API.Writer") && application.scopes().iter().next().is_none());

    // Front end and API share a registration: everything but `azp` is the same.
    let id = judge(scene.trusted(&entra, audience), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);

    let other_tenant = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
    let token = scene.accepted(|claims| claims["iss"] = other_tenant.into());
    assert_eq!(judge(scene.trusted(&entra, audience), &token).await.unwrap_err(), Code::IssuerNotTrusted);
}

#[tokio::test(start_paused = true)]
async fn entra_v1() {
    let scene = Scene::rs256(include_str!("providers/entra_v1.json"));
    let entra = provider::entra_v1("8EAEF023-2B34-4DA1-9BAA-8BC8C9D6A490").unwrap();
    let audience = "api://6e74172b-be56-4843-9ff4-e66a39bb12e3";
    let verified = scene.common(&entra, audience).await;
    assert!(verified.has_scope("Orders.Read") && verified.has_role("Orders.Approve"));

    let by_id = scene.accepted(|claims| claims["aud"] = "6e74172b-be56-4843-9ff4-e66a39bb12e3".into());
    assert_eq!(judge(scene.trusted(&entra, audience), &by_id).await.unwrap_err(), Code::AudienceMismatch);
    let both = scene.trusted(&entra, audience).audience("6e74172b-be56-4843-9ff4-e66a39bb12e3");
    assert!(judge(both, &by_id).await.is_ok());
    let id = judge(scene.trusted(&entra, audience), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn keycloak() {
    let scene = Scene::rs256(include_str!("providers/keycloak.json"));
    let keycloak = provider::keycloak("https://sso.example.com/", "shop").unwrap();
    let verified = scene.common(&keycloak, "orders").await;
    assert_eq!(verified.subject(), Some("8f3b2c1a-4d5e-6f70-8192-a3b4c5d6e7f8"));
    assert!(verified.has_scope("orders:read"));
    assert!(verified.has_role("clerk") && !verified.has_role("approver") && !verified.has_role("view-profile"));

    let of_clients = scene.trusted(&keycloak, "orders").roles_at("/resource_access/orders/roles");
    let of_clients = of_clients.roles_at("/resource_access/https:~1~1bills.example.com~1~0eu/roles"); // RFC 6901 section 3
    let verified = judge(of_clients, &scene.accepted(|_| {})).await.unwrap();
    assert!(["clerk", "approver", "payer"].iter().all(|role| verified.has_role(role)));
    assert!(!verified.has_role("view-profile"), "a role of a client that was not named");

    let id = judge(scene.trusted(&keycloak, "orders"), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);
    let untyped = scene.accepted(|claims| drop(claims.as_object_mut().unwrap().remove("typ")));
    assert_eq!(judge(scene.trusted(&keycloak, "orders"), &untyped).await.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn cognito() {
    let scene = Scene::rs256(include_str!("providers/cognito.json"));
    let cognito = provider::cognito("eu-west-1_AbCdEfGhI").unwrap();
    let client = "57cbishk4j24pabc1234567890";
    let refused = judge(scene.trusted(&cognito, client), &scene.accepted(|_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing, "no audience, and the developer has not allowed this");
    let trusted = || scene.trusted(&cognito, client).danger_claim_as_audience("/client_id");
    let verified = scene.common_where(&cognito, client, |trusted| trusted.danger_claim_as_audience("/client_id")).await;
    assert_eq!(verified.subject(), Some("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"));
    assert!(verified.has_role("clerks") && verified.has_scope("orders/read"));

    // For the same client, and told apart by `token_use` alone.
    let id = judge(trusted(), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);
    let of_another = scene.accepted(|claims| claims["client_id"] = "another".into());
    assert_eq!(judge(trusted(), &of_another).await.unwrap_err(), Code::AudienceMismatch);

    let bound = scene.accepted(|claims| claims["aud"] = "https://orders.example.com".into());
    assert_eq!(judge(trusted(), &bound).await.unwrap_err(), Code::AudienceMismatch);
    let for_resource = scene.trusted(&cognito, "https://orders.example.com");
    assert!(judge(for_resource, &bound).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn okta() {
    let scene = Scene::rs256(include_str!("providers/okta.json"));
    let okta = provider::okta("acme.okta.com", "default").unwrap();
    let verified = scene.common(&okta, "api://default").await;
    assert_eq!(verified.subject(), Some("jane@example.com"));
    assert!(verified.has_scope("orders:read") && !verified.has_scope("openid orders:read"));
    assert!(verified.has_role("Clerks") && !verified.has_role("clerks"));

    let id = judge(scene.trusted(&okta, "api://default"), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::AudienceMismatch);
    // A client id as audience is a mistake, and no way in.
    let id = judge(scene.trusted(&okta, "nmdP1fcyvdVO11AL7ECm"), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);
    let of_organization = scene.accepted(|claims| claims["iss"] = "https://acme.okta.com".into());
    let refused = judge(scene.trusted(&okta, "api://default"), &of_organization).await;
    assert_eq!(refused.unwrap_err(), Code::IssuerNotTrusted);
}

#[tokio::test(start_paused = true)]
async fn google() {
    let scene = Scene::rs256(include_str!("providers/google.json"));
    let client = "1008719970978-hb24n2dstb40o45d4feuo2ukqmcc6381.apps.googleusercontent.com";
    let verified = scene.common(&provider::google(), client).await;
    assert_eq!(verified.subject(), Some("110169484474386276334"));
    assert!(verified.scopes().iter().next().is_none());

    let workspace = provider::google_workspace("Example.com").unwrap();
    assert!(judge(scene.trusted(&workspace, client), &scene.accepted(|_| {})).await.is_ok());
    let other = scene.accepted(|claims| claims["hd"] = "other.example.com".into());
    let none = scene.accepted(|claims| drop(claims.as_object_mut().unwrap().remove("hd")));
    for token in [other, none] {
        assert!(judge(scene.trusted(&provider::google(), client), &token).await.is_ok());
        assert_eq!(judge(scene.trusted(&workspace, client), &token).await.unwrap_err(), Code::ClaimMissing);
    }
    let of_old = scene.accepted(|claims| claims["iss"] = "accounts.google.com".into());
    let refused = judge(scene.trusted(&provider::google(), client), &of_old).await;
    assert_eq!(refused.unwrap_err(), Code::IssuerNotTrusted);
}

#[tokio::test(start_paused = true)]
async fn supabase() {
    let scene = Scene::new(include_str!("providers/supabase.json"), Algorithm::Es256);
    let supabase = provider::supabase("abcdefghijklmnopqrst").unwrap();
    let verified = scene.common(&supabase, "authenticated").await;
    assert_eq!(verified.subject(), Some("123e4567-e89b-12d3-a456-426614174000"));
    assert!(verified.has_role("authenticated") && !verified.has_role("clerk"));

    let own_roles = scene.trusted(&supabase, "authenticated").roles_at("/app_metadata/roles");
    let verified = judge(own_roles, &scene.accepted(|_| {})).await.unwrap();
    assert!(verified.has_role("clerk") && !verified.has_role("admin") && !verified.has_role("service_role"));
}

#[tokio::test(start_paused = true)]
async fn supabase_with_the_legacy_secret() {
    let secret = "a secret of at least 32 bytes, ok";
    let supabase = provider::supabase("abcdefghijklmnopqrst").unwrap();
    let mut scene = Scene::new(include_str!("providers/supabase.json"), Algorithm::Es256);
    let url = format!("{}/.well-known/jwks.json", supabase.issuer());
    let documents = BTreeMap::from([(url, r#"{"keys":[]}"#.to_owned())]);
    scene.published = Arc::new(Published { documents, asked: Mutex::default() });
    scene.signer = MockIssuer::with_secret("legacy", Algorithm::Hs256, secret);
    scene.file["tokens"]["accepted"]["header"] = json!({"alg": "HS256", "kid": "legacy", "typ": "JWT"});

    let token = scene.accepted(|_| {});
    assert_eq!(judge(scene.trusted(&supabase, "authenticated"), &token).await.unwrap_err(), Code::KeyUnknown);
    let keys = KeySet::from(Secret::new("legacy", Algorithm::Hs256, secret).unwrap());
    let verified = judge(supabase.trust_with("authenticated", keys), &token).await.unwrap();
    assert!(verified.has_role("authenticated"));
}

#[tokio::test(start_paused = true)]
async fn zitadel() {
    let scene = Scene::rs256(include_str!("providers/zitadel.json"));
    let project = "344374183645413380";
    let zitadel = provider::zitadel("https://acme-a1b2c3.zitadel.cloud/", project).unwrap();
    let verified = scene.common(&zitadel, project).await;
    assert_eq!(verified.subject(), Some("345377791925026818"));
    assert!(verified.has_role("clerk"));
    assert!(!verified.has_role("admin"), "a role of the client's own project");
    assert!(verified.scopes().iter().next().is_none());

    let id = judge(scene.trusted(&zitadel, project), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);
}
