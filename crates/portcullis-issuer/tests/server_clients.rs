//! How clients prove who they are, and what they may use.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use portcullis_core::{Algorithm, UnixTime};
use portcullis_issuer::{
    SigningKey, StoreError,
    documents::GrantType,
    refresh::{RefreshPolicy, Rotation},
    server::{
        AuthorizationServer, AuthorizationServerBuilder, Client, ClientList, ClientSecret, Clients, EndpointRequest,
        OAuthErrorCode, ServerEvent,
    },
};
use serde_json::json;
use support::{
    T,
    desk::{BILLS, CALLBACK, Desk, ORDERS, SECRET, basic, claims, clients, form},
    secs,
};

const FOR_ITSELF: [(&str, &str); 1] = [("grant_type", "client_credentials")];

#[tokio::test]
async fn a_program_gets_a_token_for_itself() {
    let desk = Desk::new();
    let response = desk.token_as("worker", SECRET, &FOR_ITSELF).await.unwrap();
    assert!(desk.accepts(&response) && response.refresh_token().is_none());
    let claims = claims(&response);
    assert_eq!(
        (&claims["sub"], &claims["client_id"], &claims["sid"]),
        (&json!("worker"), &json!("worker"), &json!(null))
    );
    assert_eq!(claims["scope"], json!("orders:read orders:write"));
    let narrow = [("grant_type", "client_credentials"), ("scope", "orders:read")];
    assert_eq!(desk.token_as("worker", SECRET, &narrow).await.unwrap().access().scope(), Some("orders:read"));
    for (name, value, code) in
        [("scope", "admin", OAuthErrorCode::InvalidScope), ("resource", BILLS, OAuthErrorCode::InvalidTarget)]
    {
        let more = [("grant_type", "client_credentials"), (name, value)];
        assert_eq!(desk.token_as("worker", SECRET, &more).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn a_client_that_does_not_prove_who_it_is_is_refused_in_the_same_words_as_an_unknown_one() {
    let desk = Desk::new();
    let wrong = desk.token_as("worker", "1".repeat(32).as_str(), &FOR_ITSELF).await.unwrap_err();
    let unknown = desk.token_as("unknown", SECRET, &FOR_ITSELF).await.unwrap_err();
    assert_eq!(
        (wrong.code(), wrong.to_json(), wrong.challenge()),
        (unknown.code(), unknown.to_json(), unknown.challenge())
    );
    assert_eq!((wrong.code().status(), wrong.challenge().is_some()), (401, true));
    // A name alone, a secret in the body, a public client with a secret, another scheme.
    let by_name = [("grant_type", "client_credentials"), ("client_id", "worker")];
    assert_eq!(desk.token(&by_name).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    let in_body = [("grant_type", "client_credentials"), ("client_id", "worker"), ("client_secret", SECRET)];
    assert_eq!(desk.token(&in_body).await.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
    assert_eq!(desk.token_as("page", SECRET, &FOR_ITSELF).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    for header in ["Bearer x", "Basic", "Basic !", "Basic d29ya2Vy", ""] {
        let body = form(&FOR_ITSELF);
        let refused = desk.server.token(&EndpointRequest::new(body.as_bytes()).authorization(header)).await;
        assert_eq!(refused.unwrap_err().code(), OAuthErrorCode::InvalidClient, "{header:?}");
    }
    assert!(desk.token_as("worker", SECRET, &FOR_ITSELF).await.is_ok());
    let known = desk.events(|event| match event {
        ServerEvent::ClientRefused { client_id } => client_id.clone(),
        _ => None,
    });
    assert_eq!(known, ["worker", "worker", "page"]);
}

#[tokio::test]
async fn two_clients_in_one_request_are_none() {
    let desk = Desk::new();
    let body = form(&[("grant_type", "client_credentials"), ("client_id", "server")]);
    let header = basic("worker", SECRET);
    let refused = desk.server.token(&EndpointRequest::new(body.as_bytes()).authorization(&header)).await;
    assert_eq!(refused.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
    let body = form(&[("grant_type", "client_credentials"), ("client_id", "worker")]);
    assert!(desk.server.token(&EndpointRequest::new(body.as_bytes()).authorization(&header)).await.is_ok());
}

#[tokio::test]
async fn a_secret_that_was_replaced_holds_until_its_end() {
    let (old, new) = ("old-0123456789abcdef0123456789abcdef", "new-0123456789abcdef0123456789abcdef");
    let until = UnixTime::from_secs(T.as_secs() + 60);
    let client = Client::confidential("worker", ClientSecret::from_secret(old).unwrap().until(until))
        .secret(ClientSecret::from_secret(new).unwrap())
        .grants([GrantType::ClientCredentials])
        .resource(ORDERS);
    let desk = Desk::with(vec![client]);
    assert!(desk.token_as("worker", old, &FOR_ITSELF).await.is_ok());
    desk.clock.advance(secs(60));
    assert!(desk.token_as("worker", old, &FOR_ITSELF).await.is_err());
    assert!(desk.token_as("worker", new, &FOR_ITSELF).await.is_ok());
}

#[tokio::test]
async fn a_client_uses_only_the_grants_that_it_has() {
    let desk = Desk::new();
    for (grant, code) in [
        ("client_credentials", OAuthErrorCode::UnauthorizedClient),
        ("password", OAuthErrorCode::UnsupportedGrantType),
        ("implicit", OAuthErrorCode::UnsupportedGrantType),
    ] {
        let refused = desk.token(&[("grant_type", grant), ("client_id", "page")]).await;
        assert_eq!(refused.unwrap_err().code(), code, "{grant}");
    }
}

#[test]
fn clients_that_cannot_work_are_refused_at_start() {
    let secret = || ClientSecret::from_secret(SECRET).unwrap();
    let page = || Client::public("page").redirect_uri(CALLBACK).resource(ORDERS);
    assert!(ClientList::new([page()]).is_ok());
    for (client, why) in [
        (Client::public("").redirect_uri(CALLBACK).resource(ORDERS), "has no id"),
        (Client::public("page").redirect_uri(CALLBACK), "may use no service"),
        (Client::public("page").resource(ORDERS), "has no redirect URI"),
        (page().grants([]), "may use no grant"),
        (page().grants([GrantType::ClientCredentials]), "without proving who it is"),
        (page().redirect_uri("http://app.test/"), "is not an https URL"),
        (page().refresh_policy(RefreshPolicy::new().rotation(Rotation::Never)), "danger_public_client_keeps_its_token"),
        (
            Client::confidential("s", secret())
                .secret(secret())
                .secret(secret())
                .grants([GrantType::ClientCredentials])
                .resource(ORDERS),
            "more than two secrets",
        ),
    ] {
        let error = ClientList::new([client]).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(
        ClientList::new([page().refresh_policy(RefreshPolicy::new().danger_public_client_keeps_its_token())]).is_ok()
    );
    assert!(ClientList::new([page(), page()]).unwrap_err().to_string().contains("two clients"));
    assert!(ClientSecret::from_secret("short").is_err());
    let (kept, text) = ClientSecret::generate().unwrap();
    assert_eq!(ClientSecret::from_secret(&text).unwrap(), kept);
}

#[test]
fn a_secret_and_its_digest_are_not_taken_for_each_other() {
    let (kept, text) = ClientSecret::generate().unwrap();
    let ending = kept.clone().until(UnixTime::from_secs(2_000_000_000));
    for secret in [&kept, &ending] {
        let digest = secret.digest();
        assert_eq!(&ClientSecret::from_digest(&digest).unwrap(), secret);
        assert!(ClientSecret::from_secret(&digest).unwrap_err().to_string().contains("from_digest"));
        assert!(!format!("{secret:?}").contains(digest.trim_start_matches("sha256:")));
    }
    assert!(ending.digest().ends_with(";until=2000000000"));
    for other in [&*text, "", "sha256:", &kept.digest()[7..], &format!("{};until=", kept.digest())] {
        assert!(ClientSecret::from_digest(other).is_err(), "{other}");
    }
}

/// A registry of the application's own, which checks nothing.
#[derive(Clone, Debug)]
struct Unchecked(Client);

impl Clients for Unchecked {
    async fn find(&self, _: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(Some(Arc::new(self.0.clone())))
    }
}

#[tokio::test]
async fn a_client_of_any_registry_is_checked() {
    let desk = Desk::new();
    let body = form(&[("grant_type", "client_credentials"), ("client_id", "x")]);
    let token = async |client| {
        let server = desk.server_of(Unchecked(client));
        server.token(&EndpointRequest::new(body.as_bytes())).await.map_err(|error| error.code())
    };
    let open = Client::public("x").grants([GrantType::ClientCredentials]).resource(ORDERS);
    // Trying again does not help.
    assert_eq!(token(open).await.unwrap_err(), OAuthErrorCode::ServerError);
    // Another client than the one that was asked for is none, and a good one goes as far as its grants.
    let page = Client::public("y").redirect_uri(CALLBACK).resource(ORDERS);
    assert_eq!(token(page).await.unwrap_err(), OAuthErrorCode::InvalidClient);
    let page = Client::public("x").redirect_uri(CALLBACK).resource(ORDERS);
    assert_eq!(token(page).await.unwrap_err(), OAuthErrorCode::UnauthorizedClient);
    let elsewhere = Client::public("x").redirect_uri(CALLBACK).resource("https://elsewhere.test");
    assert_eq!(token(elsewhere).await.unwrap_err(), OAuthErrorCode::ServerError);
}

#[test]
fn a_server_whose_clients_name_a_service_that_it_does_not_have_is_not_made() {
    let desk = Desk::new();
    let built = |resource: &str| {
        let list = ClientList::new([Client::public("page").redirect_uri(CALLBACK).resource(resource)]).unwrap();
        let (sessions, key, records) = (desk.sessions.clone(), desk.key.clone(), desk.records.clone());
        let clients = ClientList::default().or(Arc::new(list));
        AuthorizationServer::builder(sessions, key, records, clients).build()
    };
    let error = built("https://order.test").unwrap_err().to_string();
    assert!(error.contains("\"page\" may use \"https://order.test\", which is no audience"), "{error}");
    assert!(built(ORDERS).is_ok());
}

#[test]
fn a_server_with_other_keys_than_those_of_its_issuer_is_not_made() {
    let desk = Desk::new();
    let built = |key: SigningKey| {
        let list = ClientList::new(clients()).unwrap();
        AuthorizationServer::builder(desk.sessions.clone(), key, desk.records.clone(), list).build()
    };
    let other = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let error = built(other).unwrap_err().to_string();
    assert!(error.contains("which the server's keys do not have"), "{error}");
    assert!(built(desk.key.clone()).is_ok());
}

#[tokio::test]
async fn a_client_that_does_not_encode_its_secret_is_understood_and_a_public_one_may_send_an_empty_secret() {
    let secret = "a+b%c=d&e:f-0123456789abcdef0123456789";
    let client = Client::confidential("worker", ClientSecret::from_secret(secret).unwrap());
    let client = client.grants([GrantType::ClientCredentials]).resource(ORDERS);
    let page = Client::public("page").redirect_uri(CALLBACK).resource(ORDERS);
    let desk = Desk::with(vec![client, page]);
    assert!(desk.token_as("worker", secret, &FOR_ITSELF).await.is_ok());
    let encoded = form(&[("", secret)]);
    assert!(desk.token_as("worker", encoded.trim_start_matches('='), &FOR_ITSELF).await.is_ok());
    assert!(desk.token_as("worker", "a b%c=d&e:f-0123456789abcdef0123456789", &FOR_ITSELF).await.is_err());
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    assert_eq!(desk.token_as("page", "", &refresh).await.unwrap_err().code(), OAuthErrorCode::InvalidGrant);
    assert_eq!(desk.token_as("page", "x", &refresh).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
}

#[tokio::test]
async fn a_secret_in_the_body_is_taken_only_by_a_server_that_says_so() {
    let in_body = [("grant_type", "client_credentials"), ("client_id", "worker"), ("client_secret", SECRET)];
    let desk = Desk::with_settings(clients(), AuthorizationServerBuilder::danger_secrets_in_bodies);
    assert!(desk.token(&in_body).await.is_ok());
    assert!(desk.server.metadata().body().contains("client_secret_post"));
    let wrong = [("grant_type", "client_credentials"), ("client_id", "worker"), ("client_secret", "x")];
    assert_eq!(desk.token(&wrong).await.unwrap_err().code(), OAuthErrorCode::InvalidClient);
    assert_eq!(desk.token_as("worker", SECRET, &in_body).await.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
    let desk = Desk::new();
    assert_eq!(desk.token(&in_body).await.unwrap_err().code(), OAuthErrorCode::InvalidRequest);
    assert!(!desk.server.metadata().body().contains("client_secret_post"));
}
