//! What users, clients and the operator learn when the server fails.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use portcullis_issuer::{
    StoreError,
    server::{
        Client, ClientList, Clients, Decision, Endpoint, OAuthError, OAuthErrorCode, PageLogIn, ResourceServer,
        RetryAfter, ServerEvent,
    },
};
use support::{
    desk::{CALLBACK, Desk, ORDERS, SECRET, basic, clients, form, query},
    secs,
};
use tower::ServiceExt;

/// What no client and no user may see.
const WHY: &str = "the disk is full";

/// Clients in a store that can be down.
#[derive(Clone, Debug)]
struct InStore(Arc<(ClientList, AtomicBool)>);

impl Clients for InStore {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let (list, is_down) = &*self.0;
        if is_down.load(Ordering::SeqCst) { Err(StoreError::new(WHY)) } else { list.find(client_id).await }
    }
}

fn desk() -> (Desk, InStore) {
    let page = Client::public("dashboard").redirect_uri(CALLBACK).scope("orders:read").resource(ORDERS);
    let list = ClientList::new(clients().into_iter().chain([page])).unwrap();
    let clients = InStore(Arc::new((list, AtomicBool::new(false))));
    let desk = Desk::of(clients.clone(), |builder| builder);
    (desk, clients)
}

impl InStore {
    fn go_down(&self) {
        self.0.1.store(true, Ordering::SeqCst);
    }
}

/// The endpoints that have failed, and whether it is said why.
fn failures(desk: &Desk) -> Vec<(&'static str, bool)> {
    desk.events(|event| match event {
        ServerEvent::Failed { endpoint, error } => Some((*endpoint, error.source().unwrap().to_string().contains(WHY))),
        _ => None,
    })
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn the_operator_learns_why_a_request_has_failed_and_the_client_does_not() {
    for is_down in [false, true] {
        let (desk, clients) = desk();
        desk.confirm();
        if is_down {
            clients.go_down();
        }
        for endpoint in [Endpoint::Token, Endpoint::Revocation, Endpoint::DeviceAuthorization] {
            let body =
                form(&[("client_id", "cli"), ("grant_type", "refresh_token"), ("token", "x"), ("refresh_token", "x")]);
            let request = Request::post(desk.server.path(endpoint));
            let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let response = desk.server.routes().oneshot(request.body(body).unwrap()).await.unwrap();
            assert_eq!(response.status() == StatusCode::SERVICE_UNAVAILABLE, is_down, "{endpoint:?}");
            assert!(!response.body().contains(WHY), "{}", response.body());
            let error = response.extensions().get::<OAuthError>();
            assert_eq!(
                error.and_then(Error::source).is_some_and(|source| source.to_string().contains(WHY)),
                is_down,
                "{endpoint:?}"
            );
        }
        let expected = ["token", "revoke", "device_authorization"].map(|name| (name, true));
        assert_eq!(failures(&desk), if is_down { expected.to_vec() } else { Vec::new() });
    }
}

#[tokio::test]
async fn the_operator_learns_why_a_page_has_failed() {
    let (desk, clients) = desk();
    desk.confirm();
    let (request, browser) = (desk.ask("house", &[]).await, desk.server.browser("house").await.unwrap());
    let Decision::Grant(permitted) = request.decide(Some(&desk.alice())).await.unwrap() else { panic!("a question") };
    assert!(failures(&desk).is_empty());
    clients.go_down();
    let alice = desk.alice();
    assert!(request.decide(Some(&alice)).await.is_err());
    assert!(permitted.grant().await.is_err());
    assert!(desk.server.resume_request(&request.ticket()).await.is_err());
    let headers =
        [("sec-fetch-site", "same-origin")].map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let answer = browser.log_in(&headers.into_iter().collect(), PageLogIn::new("alice")).await;
    assert_eq!(answer.status(), 503);
    let expected = ["authorization", "authorization", "authorization", "session"];
    assert_eq!(failures(&desk), expected.map(|name| (name, true)));
}

#[tokio::test]
async fn a_service_that_introspects_is_not_told_why_either() {
    let orders =
        ResourceServer::with_secret(ORDERS, portcullis_issuer::server::ClientSecret::from_secret(SECRET).unwrap())
            .id("orders");
    let desk = Desk::with_settings(clients(), |builder| builder.resource_server(orders));
    let token = desk.token_as("worker", SECRET, &[("grant_type", "client_credentials")]).await.unwrap();
    // The view of revocations is an hour old.
    desk.clock.advance(secs(300));
    let body = form(&[("token", token.access().token())]);
    let request = Request::post(desk.server.path(Endpoint::Introspection));
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header(header::AUTHORIZATION, basic("orders", SECRET));
    let response = desk.server.routes().oneshot(request.body(body).unwrap()).await.unwrap();
    assert_eq!(response.status(), 503, "{}", response.body());
    assert_eq!(failures(&desk).len(), 1);
}

#[tokio::test]
async fn a_user_is_told_that_the_service_is_down_and_not_that_the_application_is_wrong() {
    let (desk, clients) = desk();
    let wrong = desk.server.authorization_request(&query("no-such-client", &[])).await.unwrap_err().into_response();
    assert_eq!((wrong.status().as_u16(), wrong.headers().contains_key(header::RETRY_AFTER)), (400, false));
    let wrong = text(wrong).await;
    assert!(wrong.contains("has made a mistake") && !wrong.contains("temporarily"), "{wrong}");
    clients.go_down();
    let down = desk.server.authorization_request(&query("page", &[])).await.unwrap_err().into_response();
    assert_eq!((down.status().as_u16(), &down.headers()[header::RETRY_AFTER]), (503, &"1".parse().unwrap()));
    let down = text(down).await;
    assert!(down.contains("This service is temporarily unavailable") && down.contains("Try again"), "{down}");
    assert!(
        down.contains("Nothing was allowed") && !down.contains("has made a mistake") && !down.contains(WHY),
        "{down}"
    );
}

#[tokio::test]
async fn the_routes_of_the_page_ask_the_limit() {
    let page = Client::public("dashboard").redirect_uri(CALLBACK).resource(ORDERS);
    let desk = Desk::with_settings(vec![page], |builder| {
        builder.rate_limit(|attempt| match (attempt.endpoint, attempt.client_id) {
            (Endpoint::Revocation, Some("dashboard")) => Err(RetryAfter::new(secs(7))),
            (Endpoint::Token, Some("dashboard")) => Ok(()),
            other => panic!("{other:?}"),
        })
    });
    desk.confirm();
    for (path, status) in [("/refresh", 400), ("/log_out", 429), ("/log_out_everywhere", 429)] {
        let request = Request::post(format!("/session{path}")).header("sec-fetch-site", "same-origin");
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header(header::COOKIE, "__Host-session=x").body(Body::empty()).unwrap();
        let answer = desk.server.browser("dashboard").await.unwrap().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let wait = answer.headers().get(header::RETRY_AFTER).map(|wait| wait.to_str().unwrap());
        assert_eq!(wait, (status == 429).then_some("7"), "{path}");
        assert_eq!(
            answer.extensions().get::<OAuthError>().unwrap().code() == OAuthErrorCode::TooManyRequests,
            status == 429
        );
    }
}
