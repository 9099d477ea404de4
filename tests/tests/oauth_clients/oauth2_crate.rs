//! The Rust crate `oauth2`. It has no `private_key_jwt` and no token exchange.

use std::{convert::Infallible, time::Duration};

use oauth2::{
    AccessToken, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl, EndpointSet,
    HttpRequest, HttpResponse, IntrospectionUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, RevocationUrl, Scope, StandardDeviceAuthorizationResponse, StandardRevocableToken,
    TokenIntrospectionResponse, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse, BasicTokenType},
};
use serde_json::Value;

use crate::{
    wire,
    world::{BILLS, CALLBACK, ORDERS, SECRET, WORKER, World},
};

type Client = BasicClient<EndpointSet, EndpointSet, EndpointSet, EndpointSet, EndpointSet>;
type Got = Result<BasicTokenResponse, RequestTokenError<Infallible, BasicErrorResponse>>;

/// The scopes that a client asks for, and may have.
const BOTH: [&str; 2] = ["orders:read", "orders:write"];

/// A client with this name, and this secret if there is one, which has read the metadata.
async fn client(world: &World, id: &str, secret: Option<&str>) -> Client {
    let url = format!("{}/.well-known/oauth-authorization-server", world.issuer());
    let metadata: Value = serde_json::from_str(&wire::send(http::Request::get(url), "").await.body).unwrap();
    let endpoint = |name: &str| metadata[name].as_str().unwrap().to_owned();
    // The crate sends secrets that are to be revoked only to https, also on this machine.
    let revocation = endpoint("revocation_endpoint").replacen("http:", "https:", 1);
    let client = BasicClient::new(ClientId::new(id.to_owned()))
        .set_auth_uri(AuthUrl::new(endpoint("authorization_endpoint")).unwrap())
        .set_token_uri(TokenUrl::new(endpoint("token_endpoint")).unwrap())
        .set_device_authorization_url(DeviceAuthorizationUrl::new(endpoint("device_authorization_endpoint")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(endpoint("introspection_endpoint")).unwrap())
        .set_revocation_url(RevocationUrl::new(revocation).unwrap())
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap());
    secret.into_iter().fold(client, |client, secret| client.set_client_secret(ClientSecret::new(secret.to_owned())))
}

/// The HTTP client of the crate. It follows no redirect.
async fn http(request: HttpRequest) -> Result<HttpResponse, Infallible> {
    Ok(wire::exchange(request).await)
}

async fn ask(client: &Client) -> (AuthorizationCode, PkceCodeVerifier) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let request = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
    let request = BOTH.into_iter().fold(request, |request, scope| request.add_scope(Scope::new(scope.to_owned())));
    let (url, state) = request.add_extra_param("resource", ORDERS).add_extra_param("resource", BILLS).url();
    let answer = wire::send(http::Request::get(url.as_str()), "").await;
    let location = answer.header("location");
    let parameters: Vec<_> = location.split_once('?').unwrap().1.split('&').map(wire::pair).collect();
    let find = |name: &str| parameters.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!(&find("state"), state.secret());
    (AuthorizationCode::new(find("code")), verifier)
}

async fn redeem(client: &Client, code: AuthorizationCode, verifier: PkceCodeVerifier) -> Got {
    let request = client.exchange_code(code).set_pkce_verifier(verifier).add_extra_param("resource", ORDERS);
    request.request_async(&http).await
}

async fn log_in(client: &Client) -> BasicTokenResponse {
    let (code, verifier) = ask(client).await;
    redeem(client, code, verifier).await.unwrap()
}

async fn refresh(client: &Client, token: &RefreshToken, scopes: &[&str], resource: &'static str) -> Got {
    let request = client.exchange_refresh_token(token).add_extra_param("resource", resource);
    let request = scopes.iter().fold(request, |request, scope| request.add_scope(Scope::new((*scope).to_owned())));
    request.request_async(&http).await
}

fn scopes(tokens: &BasicTokenResponse) -> Vec<&str> {
    assert_eq!((tokens.token_type(), tokens.expires_in().is_some()), (&BasicTokenType::Bearer, true));
    tokens.scopes().unwrap().iter().map(|scope| scope.as_str()).collect()
}

fn refused(got: Got) -> BasicErrorResponseType {
    match got {
        Err(RequestTokenError::ServerResponse(response)) => response.error().clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn oauth2_gets_tokens_by_a_code_and_refreshes_them() {
    let world = World::start().await;
    for (id, secret) in [("page", None), ("server", Some(SECRET))] {
        let client = client(&world, id, secret).await;
        let first = log_in(&client).await;
        assert_eq!(scopes(&first), BOTH);
        let token = first.refresh_token().unwrap();
        let less = refresh(&client, token, &BOTH[..1], BILLS).await.unwrap();
        assert_eq!(scopes(&less), BOTH[..1]);
        let token = less.refresh_token().unwrap_or(token);
        assert_eq!(scopes(&refresh(&client, token, &[], ORDERS).await.unwrap()), BOTH);
    }
}

#[tokio::test]
async fn oauth2_is_told_why_a_code_is_refused() {
    let world = World::start().await;
    let client = client(&world, "page", None).await;
    let (code, verifier) = ask(&client).await;
    let (_, other) = PkceCodeChallenge::new_random_sha256();
    assert_eq!(refused(redeem(&client, code.clone(), other).await), BasicErrorResponseType::InvalidGrant);
    let again = PkceCodeVerifier::new(verifier.secret().clone());
    let tokens = redeem(&client, code.clone(), verifier).await.unwrap();
    assert_eq!(refused(redeem(&client, code, again).await), BasicErrorResponseType::InvalidGrant);
    let token = tokens.refresh_token().unwrap();
    assert_eq!(refused(refresh(&client, token, &[], ORDERS).await), BasicErrorResponseType::InvalidGrant);
}

#[tokio::test]
async fn oauth2_gets_tokens_for_itself() {
    let world = World::start().await;
    let own = async |secret: &str| {
        let client = client(&world, WORKER, Some(secret)).await;
        let request = client.exchange_client_credentials().add_scope(Scope::new("orders:read".to_owned()));
        request.add_extra_param("resource", ORDERS).request_async(&http).await
    };
    let tokens = own(SECRET).await.unwrap();
    assert_eq!((scopes(&tokens), tokens.refresh_token().is_none()), (vec!["orders:read"], true));
    assert_eq!(refused(own("another secret").await), BasicErrorResponseType::InvalidClient);
}

async fn is_active(world: &World, token: &AccessToken) -> bool {
    let service = client(world, "orders", Some(SECRET)).await;
    let told = service.introspect(token).request_async(&http).await.unwrap();
    let facts = (told.sub(), told.client_id().map(|id| id.as_str()), told.aud().map(Vec::as_slice));
    let expected = (Some("alice"), Some("page"), Some(&[ORDERS.to_owned()][..]));
    assert_eq!(facts, if told.active() { expected } else { (None, None, None) });
    told.active()
}

#[tokio::test]
async fn oauth2_revokes_and_introspects() {
    let world = World::start().await;
    let client = client(&world, "page", None).await;
    let revoke = async |token: StandardRevocableToken| {
        client.revoke_token(token).unwrap().request_async(&http).await.unwrap();
    };
    let tokens = log_in(&client).await;
    assert!(is_active(&world, tokens.access_token()).await);
    revoke(tokens.access_token().into()).await;
    assert!(!is_active(&world, tokens.access_token()).await);
    let next = refresh(&client, tokens.refresh_token().unwrap(), &[], ORDERS).await.unwrap();
    assert!(is_active(&world, next.access_token()).await);
    revoke(next.refresh_token().unwrap().into()).await;
    assert!(!is_active(&world, next.access_token()).await, "the end of a session ends its tokens");
    let token = next.refresh_token().unwrap();
    assert_eq!(refused(refresh(&client, token, &[], ORDERS).await), BasicErrorResponseType::InvalidGrant);
}

#[tokio::test]
async fn oauth2_gets_tokens_for_a_device() {
    let world = World::start().await;
    let client = client(&world, "cli", None).await;
    for says in ["yes", "no"] {
        let request = client.exchange_device_code().add_scope(Scope::new("orders:read".to_owned()));
        let code: StandardDeviceAuthorizationResponse =
            request.add_extra_param("resource", ORDERS).request_async(&http).await.unwrap();
        let page = format!("{}&says={says}", code.verification_uri_complete().unwrap().secret());
        // It waits for the first time when the server has said that the user has not decided yet. The user decides meanwhile.
        let wait = async |interval: Duration| {
            assert_eq!(interval, Duration::from_secs(5));
            assert_eq!(wire::send(http::Request::get(&page), "").await.status, 200);
        };
        let request = client.exchange_device_access_token(&code);
        let got = request.request_async(&http, wait, Some(Duration::from_secs(60))).await;
        match got {
            Ok(tokens) => assert_eq!((says, scopes(&tokens)), ("yes", vec!["orders:read"])),
            Err(RequestTokenError::ServerResponse(response)) => {
                assert_eq!((says, response.error().to_string()), ("no", "access_denied".to_owned()));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}
