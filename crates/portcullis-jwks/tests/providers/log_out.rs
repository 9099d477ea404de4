//! Back-channel logouts over the presets. What makes an access token of a provider, the presets must not ask of a logout token.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, StatusCode};
use portcullis::revocation::BackChannelLogout;
use portcullis_core::{
    Algorithm, Code, TrustedIssuer,
    revocation::{Cursor, LogError, Page, Revocation, Revoker},
};
use portcullis_jwks::{
    RemoteKeys,
    provider::{self, Provider},
};
use serde_json::{Value, json};
use tower_service::Service;

use crate::scene::{Scene, judge};

/// Keeps what was revoked.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<Revocation>>>);

impl Revoker for Recorder {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        self.0.lock().unwrap().extend(revocations);
        Ok(())
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Ok(Page::empty(Cursor::new(0, 0)))
    }
}

/// Posts the token; gives the status, the reason if there is one, and what was revoked.
async fn log_out(issuer: TrustedIssuer, token: &str) -> (StatusCode, Option<Code>, Vec<Revocation>) {
    let recorder = Recorder::default();
    let mut endpoint = BackChannelLogout::new(issuer, recorder.clone()).unwrap();
    let request = Request::post("/logout/back-channel").header("content-type", "application/x-www-form-urlencoded");
    let response = endpoint.call(request.body(format!("logout_token={token}")).unwrap()).await.unwrap();
    let revoked = recorder.0.lock().unwrap().clone();
    (response.status(), response.extensions().get::<Code>().copied(), revoked)
}

/// A logout token of the provider's own shape ends the session that it names; its near twins end nothing.
async fn ends_the_session(scene: &Scene, provider: &Provider, client: &str) {
    let claims = &scene.file["tokens"]["logout"]["claims"];
    let (issuer, session) = (provider.issuer(), claims["sid"].as_str().unwrap());
    let (status, code, revoked) = log_out(scene.trusted(provider, client), &scene.token("logout", |_| {})).await;
    assert_eq!((status, code), (StatusCode::OK, None), "{}", provider.name());
    assert_eq!(revoked, [Revocation::session(issuer, session)]);

    let without_event = scene.token("logout", |claims| claims["events"] = json!({}));
    let with_nonce = scene.token("logout", |claims| claims["nonce"] = "n".into());
    let for_another = scene.token("logout", |claims| claims["aud"] = "another".into());
    for token in [without_event, with_nonce, for_another, scene.token("id", |_| {}), scene.accepted(|_| {})] {
        let (status, code, revoked) = log_out(scene.trusted(provider, client), &token).await;
        assert_eq!((status, revoked), (StatusCode::BAD_REQUEST, Vec::new()), "{}: {code:?}", provider.name());
    }
    let as_access = judge(scene.trusted(provider, client), &scene.token("logout", |_| {})).await;
    assert!(as_access.is_err(), "{}: a logout token opens the service", provider.name());
}

#[tokio::test(start_paused = true)]
async fn row_t7_keycloaks_log_out_token_ends_its_session() {
    let scene = Scene::rs256(include_str!("keycloak.json"));
    let keycloak = provider::keycloak("https://sso.example.com", "shop").unwrap();
    ends_the_session(&scene, &keycloak, "shop-frontend").await;
}

#[tokio::test(start_paused = true)]
async fn row_t7_auth0s_log_out_token_ends_its_session() {
    let scene = Scene::rs256(include_str!("auth0.json"));
    ends_the_session(&scene, &provider::auth0("tenant.eu.auth0.com").unwrap(), "my_client_id").await;
}

#[tokio::test(start_paused = true)]
async fn row_t7_authentiks_log_out_token_ends_its_session() {
    let scene = Scene::rs256(include_str!("authentik.json"));
    let authentik = provider::authentik("https://auth.example.com", "orders").unwrap();
    ends_the_session(&scene, &authentik, "wXyZ0123456789abcdefghijklmnopqrstuvwxyz").await;
}

#[tokio::test(start_paused = true)]
async fn row_t7_logtos_log_out_token_ends_its_session() {
    let scene = Scene::new(include_str!("logto.json"), Algorithm::Es384);
    ends_the_session(&scene, &provider::logto("https://acme.logto.app").unwrap(), "cli3ntId0123456789abc").await;
}

#[tokio::test(start_paused = true)]
async fn row_t7_zitadels_log_out_token_ends_its_session() {
    let scene = Scene::rs256(include_str!("zitadel.json"));
    let zitadel = provider::zitadel("https://acme-a1b2c3.zitadel.cloud", "344374183645413380").unwrap();
    ends_the_session(&scene, &zitadel, "344374999999999999").await;
}

/// Presets of identity providers that send no logout token of this kind in 2026: Entra ID and Okta log out by the browser, FusionAuth
/// by webhooks, the others not at all. The presets stand in no way of a token of the specification's own shape.
fn presets_without_a_log_out_token() -> Vec<(Provider, Scene)> {
    let tenant = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
    let rs256 = [
        (provider::entra(tenant), include_str!("entra.json")),
        (provider::entra_v1(tenant), include_str!("entra_v1.json")),
        (provider::okta("acme.okta.com", "default"), include_str!("okta.json")),
        (provider::cognito("eu-west-1_AbCdEfGhI"), include_str!("cognito.json")),
        (provider::google_workspace("example.com"), include_str!("google.json")),
        (provider::fusionauth("https://auth.example.com", "acme.com"), include_str!("fusionauth.json")),
        (provider::cloudflare_access("acme"), include_str!("cloudflare.json")),
        (provider::gitlab_ci("https://gitlab.example.com", "my-group/my-project"), include_str!("gitlab.json")),
        (provider::github_actions("octo-org/octo-repo"), include_str!("github.json")),
        (provider::kubernetes("https://kubernetes.default.svc.cluster.local", "shop"), include_str!("kubernetes.json")),
    ];
    let es256 = [
        (provider::supabase("abcdefghijklmnopqrst"), include_str!("supabase.json")),
        (Ok(provider::cloud_iap()), include_str!("cloud_iap.json")),
    ];
    let rs256 = rs256.map(|(provider, file)| (provider.unwrap(), Scene::rs256(file)));
    let es256 = es256.map(|(provider, file)| (provider.unwrap(), Scene::new(file, Algorithm::Es256)));
    rs256.into_iter().chain(es256).collect()
}

#[tokio::test(start_paused = true)]
async fn row_t7_every_other_preset_accepts_a_log_out_token_of_the_specification() {
    for (provider, mut scene) in presets_without_a_log_out_token() {
        let name = provider.name();
        let mut header = scene.file["tokens"]["accepted"]["header"].clone();
        header["typ"] = "logout+jwt".into();
        let claims = json!({
            "iss": provider.issuer(), "sub": "248289761001", "aud": "s6BhdRkqt3", "iat": 1_471_566_154, "exp": 1_471_569_754,
            "jti": "bWJq", "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        scene.file["tokens"]["logout"] = json!({"header": header, "claims": claims});
        let trusted = || scene.trusted(&provider, "s6BhdRkqt3");

        let (status, code, revoked) = log_out(trusted(), &scene.token("logout", |_| {})).await;
        assert_eq!((status, code), (StatusCode::OK, None), "{name}");
        assert_eq!(revoked, [Revocation::session(provider.issuer(), "08a5019c-17e1-4977-8f42-65a12843ea02")], "{name}");

        let without_event = scene.token("logout", |claims| claims["events"] = Value::Null);
        let (status, _, revoked) = log_out(trusted(), &without_event).await;
        assert_eq!((status, revoked), (StatusCode::BAD_REQUEST, Vec::new()), "{name}");
        assert!(judge(trusted(), &scene.token("logout", |_| {})).await.is_err(), "{name}");
    }
}

/// Ory Hydra has no preset: its access tokens are opaque unless configured otherwise.
#[tokio::test(start_paused = true)]
async fn row_f28_ory_hydras_log_out_token_without_expiry_is_accepted_for_as_long_as_was_said() {
    let scene = Scene::rs256(include_str!("ory.json"));
    let issuer = "https://hydra.example.com";
    let trusted = || {
        let keys = RemoteKeys::discover(issuer).fetch(Arc::clone(&scene.published)).start().unwrap();
        TrustedIssuer::new(issuer, keys).audience("8d14540d-55b7-4d55-8eaf-cf1392dbbcd9")
    };
    let five_minutes = || trusted().danger_logout_tokens_without_expiry(Duration::from_secs(300));
    let token = scene.token("logout", |_| {});
    let (status, code, _) = log_out(trusted(), &token).await;
    assert_eq!((status, code), (StatusCode::BAD_REQUEST, Some(Code::ClaimMissing)), "nothing was said");
    let (status, code, revoked) = log_out(five_minutes(), &token).await;
    assert_eq!((status, code), (StatusCode::OK, None));
    assert_eq!(revoked, [Revocation::session(issuer, "955e98f4-a313-4c7f-9057-ed3435bd96ad")]);

    let old = scene.token("logout", |claims| claims["iat"] = (claims["iat"].as_u64().unwrap() - 400).into());
    let (status, code, _) = log_out(five_minutes(), &old).await;
    assert_eq!((status, code), (StatusCode::BAD_REQUEST, Some(Code::TokenExpired)));
    assert_eq!(judge(five_minutes(), &token).await.unwrap_err(), Code::ClaimMissing, "no access token lacks `exp`");
}
