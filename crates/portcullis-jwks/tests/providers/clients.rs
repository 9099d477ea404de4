//! The client of a token, by the claim in which its provider names it, and its revocation.

use std::time::Duration;

use portcullis_core::{
    Admission, Algorithm, Code, ConfigError, JwtAuthenticator, UnixTime,
    revocation::{Revocation, ViewWriter},
};
use portcullis_jwks::provider::{self, Provider};
use serde_json::Value;

use crate::scene::{Scene, judge};

/// A preset, its file, the token there, and the claim of it that names the client.
type Row = (Result<Provider, ConfigError>, &'static str, &'static str, &'static str);

fn identity_providers() -> [Row; 14] {
    let tenant = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
    let (auth0, fusionauth) = (include_str!("auth0.json"), include_str!("fusionauth.json"));
    let (domain, base) = ("tenant.eu.auth0.com", "https://auth.example.com");
    let zitadel = provider::zitadel("https://acme-a1b2c3.zitadel.cloud", "344374183645413380");
    [
        (provider::auth0(domain), auth0, "accepted", "azp"),
        (provider::auth0_rfc9068(domain), auth0, "rfc9068", "client_id"),
        (provider::authentik(base, "orders"), include_str!("authentik.json"), "accepted", "azp"),
        (provider::cloudflare_access("acme"), include_str!("cloudflare.json"), "service", "common_name"),
        (provider::cognito("eu-west-1_AbCdEfGhI"), include_str!("cognito.json"), "accepted", "client_id"),
        (provider::entra(tenant), include_str!("entra.json"), "accepted", "azp"),
        (provider::entra_v1(tenant), include_str!("entra_v1.json"), "accepted", "appid"),
        (provider::fusionauth(base, "acme.com"), fusionauth, "accepted", "applicationId"),
        (provider::fusionauth_entity(base, "acme.com"), fusionauth, "entity", "sub"),
        (Ok(provider::google()), include_str!("google.json"), "accepted", "azp"),
        (provider::keycloak("https://sso.example.com", "shop"), include_str!("keycloak.json"), "accepted", "azp"),
        (provider::logto("https://acme.logto.app"), include_str!("logto.json"), "accepted", "client_id"),
        (provider::okta("acme.okta.com", "default"), include_str!("okta.json"), "accepted", "cid"),
        (zitadel, include_str!("zitadel.json"), "accepted", "client_id"),
    ]
}

#[tokio::test(start_paused = true)]
async fn row_t8_every_identity_provider_names_its_client_and_revoking_it_has_an_effect() {
    for (provider, file, token, claim) in identity_providers() {
        let provider = provider.unwrap();
        let (name, issuer) = (provider.name(), provider.issuer());
        let algorithm = if name == "Logto" { Algorithm::Es384 } else { Algorithm::Rs256 };
        let scene = Scene::new(file, algorithm);
        let claims = &scene.file["tokens"][token]["claims"];
        let audience = [&claims["aud"], &claims["aud"][0], &claims["client_id"]].into_iter().find_map(Value::as_str);
        let audience = if name == "Zitadel" { "344374183645413380" } else { audience.unwrap() };
        let trusted = || match name {
            "Cognito" => scene.trusted(&provider, audience).danger_claim_as_audience("/client_id"), // they have no `aud`
            _ => scene.trusted(&provider, audience),
        };

        let client = claims[claim].as_str().unwrap();
        let token = scene.token(token, |_| {});
        let verified = judge(trusted(), &token).await.unwrap();
        assert_eq!(verified.client_id(), Some(client), "{name}");
        for (revoked, outcome) in [("another", None), (client, Some(Code::TokenRevoked))] {
            let writer = confirmed_view();
            let admission = Admission::new(JwtAuthenticator::new(trusted()).unwrap()).revocations(&writer);
            let revocation = Revocation::client(issuer, revoked, verified.issued_at().unwrap());
            assert_eq!(writer.view().problem_with(&revocation), None, "{name}");
            writer.merge(&[writer.entry(&revocation)]);
            let judged = admission.verify(&token).outcome().await;
            assert_eq!(judged.err().map(|error| error.code()), outcome, "{name}: {revoked}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn row_t8_where_no_token_names_a_client_revoking_one_is_a_problem() {
    let rows = [
        (provider::github_actions("octo-org/octo-repo"), Scene::rs256(include_str!("github.json"))),
        (provider::github_actions_of_owner("octo-org"), Scene::rs256(include_str!("github.json"))),
        (Ok(provider::danger_github_actions_of_anyone()), Scene::rs256(include_str!("github.json"))),
        (
            provider::gitlab_ci("https://gitlab.example.com", "my-group/my-project"),
            Scene::rs256(include_str!("gitlab.json")),
        ),
        (
            provider::kubernetes("https://kubernetes.default.svc.cluster.local", "shop"),
            Scene::rs256(include_str!("kubernetes.json")),
        ),
        (Ok(provider::cloud_iap()), Scene::new(include_str!("cloud_iap.json"), Algorithm::Es256)),
    ];
    for (provider, scene) in rows {
        let provider = provider.unwrap();
        let audience = scene.file["tokens"]["accepted"]["claims"]["aud"].clone();
        let audience = audience.as_str().or(audience[0].as_str()).unwrap().to_owned();
        let trusted = || scene.trusted(&provider, &audience);
        let verified = judge(trusted(), &scene.accepted(|_| {})).await.unwrap();
        assert_eq!(verified.client_id(), None, "{}", provider.name());

        let writer = confirmed_view();
        let _authenticator = Admission::new(JwtAuthenticator::new(trusted()).unwrap()).revocations(&writer);
        let client = Revocation::client(provider.issuer(), "client", UnixTime::from_secs(1));
        assert!(writer.view().problem_with(&client).is_some(), "{}", provider.name());
        let subject = Revocation::subject(provider.issuer(), "subject", UnixTime::from_secs(1));
        assert_eq!(writer.view().problem_with(&subject), None, "{}", provider.name());
    }
}

fn confirmed_view() -> ViewWriter {
    let writer = ViewWriter::builder(Duration::from_secs(86_400)).build();
    writer.confirm(writer.ask());
    writer
}
