//! Which of the provider's tokens are accepted.

use portcullis::policy::Profile;

use super::{
    grants::{authorization_code, client_credentials},
    provider::Provider,
    service::{Answer, Service},
};

const READ: &str = "orders:read";

#[tokio::test]
async fn a_machine_is_let_in_whichever_algorithm_signs() {
    let Some(provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    for client in ["machine", "machine-es256"] {
        let token = client_credentials(&provider, client, provider.audience(), READ).await;
        assert_eq!(service.get("/me", &token).await.greeting(), client);
        assert_eq!(service.get("/orders", &token).await.greeting(), "orders");
    }
}

#[tokio::test]
async fn a_person_who_logged_in_is_known_by_name() {
    let Some(provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let tokens = authorization_code(&provider, Some(provider.audience()), "openid orders:read").await;
    assert_eq!(service.get("/me", &tokens.access).await.greeting(), "alice");
    assert_eq!(service.get("/orders", &tokens.access).await.greeting(), "orders");
}

#[tokio::test]
async fn the_id_token_of_the_same_login_is_no_access_token() {
    let Some(provider) = Provider::start().await else { return };
    let tokens = authorization_code(&provider, Some(provider.audience()), "openid orders:read").await;

    let strict = Service::start(&provider).await;
    assert_eq!(strict.get("/me", &tokens.access).await.greeting(), "alice");
    refused(&strict.get("/me", &tokens.id).await, 401, "type_not_accepted");

    // Without the profile its type passes, and it is refused all the same: it is for the client.
    let lenient = Service::with_profile(&provider, Profile::Jwt).await;
    assert_eq!(lenient.get("/me", &tokens.access).await.greeting(), "alice");
    refused(&lenient.get("/me", &tokens.id).await, 401, "audience_mismatch");
}

#[tokio::test]
async fn a_token_for_another_service_is_refused() {
    let Some(provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let elsewhere = client_credentials(&provider, "machine", "https://billing.test", "billing:read").await;
    refused(&service.get("/me", &elsewhere).await, 401, "audience_mismatch");
    let here = client_credentials(&provider, "machine", provider.audience(), READ).await;
    assert_eq!(service.get("/me", &here).await.greeting(), "machine");
}

#[tokio::test]
async fn a_token_that_is_no_jwt_is_refused() {
    let Some(provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let tokens = authorization_code(&provider, None, "openid").await;
    refused(&service.get("/me", &tokens.access).await, 401, "token_malformed");
}

#[tokio::test]
async fn a_token_of_another_provider_is_refused() {
    let (Some(provider), Some(other)) = (Provider::start().await, Provider::start().await) else { return };
    let service = Service::start(&provider).await;
    let token = client_credentials(&other, "machine", other.audience(), READ).await;
    refused(&service.get("/me", &token).await, 401, "issuer_not_trusted");
    assert_eq!(Service::start(&other).await.get("/me", &token).await.greeting(), "machine");
}

#[tokio::test]
async fn a_scope_that_was_not_granted_is_asked_for() {
    let Some(provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    let token = client_credentials(&provider, "machine", provider.audience(), "orders:write").await;
    assert_eq!(service.get("/me", &token).await.greeting(), "machine");
    let answer = service.get("/orders", &token).await;
    refused(&answer, 403, "scope_missing");
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"scope="orders:read""#), "{challenge}");
}

#[tokio::test]
async fn nobody_is_asked_to_log_in() {
    let Some(provider) = Provider::start().await else { return };
    let service = Service::start(&provider).await;
    refused(&service.get_without_token("/me").await, 401, "credential_missing");
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.refusal(), (status, code.to_owned()));
}
