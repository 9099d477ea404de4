//! Limits of requests to the endpoints.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_issuer::{
    StoreError,
    server::{AuthorizationServer, Client, ClientList, Clients, Endpoint, EndpointRequest, OAuthErrorCode, RetryAfter},
};
use support::{
    desk::{Desk, SECRET, basic, clients, form},
    secs,
};

/// Clients whose look-ups are counted.
#[derive(Debug)]
struct Counted(ClientList, Arc<AtomicUsize>);

impl Clients for Counted {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.find(client_id).await
    }
}

#[tokio::test]
async fn a_limit_is_asked_before_anything_is_looked_up() {
    let desk = Desk::new();
    let looked_up = Arc::<AtomicUsize>::default();
    let list = Counted(ClientList::new(clients()).unwrap(), Arc::clone(&looked_up));
    let asked = Arc::<Mutex<Vec<_>>>::default();
    let told = Arc::clone(&asked);
    let server = AuthorizationServer::builder(desk.sessions.clone(), desk.key.clone(), desk.records.clone(), list)
        .authorization_endpoint("https://id.test/authorize")
        .rate_limit(move |attempt| {
            let network = attempt.network.map(str::to_owned);
            told.lock().unwrap().push((attempt.endpoint, attempt.client_id.map(str::to_owned), network.clone()));
            if network.is_some() { Err(RetryAfter::new(secs(7))) } else { Ok(()) }
        })
        .build()
        .unwrap();
    let (body, header) = (form(&[("grant_type", "client_credentials"), ("token", "x")]), basic("worker", SECRET));
    let request = EndpointRequest::new(body.as_bytes()).authorization(&header);
    let limited = request.network("192.0.2.1");
    let error = server.token(&limited).await.unwrap_err();
    assert_eq!((error.code(), error.code().status()), (OAuthErrorCode::TooManyRequests, 429));
    assert_eq!(error.retry_after(), Some(secs(7)));
    assert!(error.to_json().contains("\"temporarily_unavailable\""));
    assert_eq!(server.revoke(&limited).await.unwrap_err().code(), OAuthErrorCode::TooManyRequests);
    assert_eq!(looked_up.load(Ordering::Relaxed), 0, "a client was looked up");
    assert!(server.token(&request).await.is_ok());
    // Twice: the client may be deleted while its token is minted.
    assert_eq!(looked_up.load(Ordering::Relaxed), 2);
    // One that names no client, or is malformed, counts as well.
    assert!(server.token(&EndpointRequest::new(b"client_secret=x")).await.is_err());
    let (worker, network) = (Some("worker".to_owned()), Some("192.0.2.1".to_owned()));
    let expected = [
        (Endpoint::Token, worker.clone(), network.clone()),
        (Endpoint::Revocation, worker.clone(), network),
        (Endpoint::Token, worker, None),
        (Endpoint::Token, None, None),
    ];
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[test]
fn a_client_waits_for_a_second_at_least() {
    assert_eq!(RetryAfter::new(secs(0)), RetryAfter::new(secs(1)));
    assert_ne!(RetryAfter::new(secs(2)), RetryAfter::new(secs(1)));
}

#[test]
fn a_wait_is_rounded_up_so_that_the_next_request_is_not_too_early() {
    for (millis, rounded) in [(1, 1), (1000, 1), (1001, 2), (1900, 2), (2000, 2)] {
        assert_eq!(RetryAfter::new(Duration::from_millis(millis)), RetryAfter::new(secs(rounded)), "{millis}");
    }
    assert_eq!(RetryAfter::new(Duration::MAX), RetryAfter::new(secs(u64::MAX)));
}

#[tokio::test]
async fn a_name_that_no_client_can_have_is_none_for_a_limit() {
    let asked = Arc::<Mutex<Vec<_>>>::default();
    let told = Arc::clone(&asked);
    let desk = Desk::with_settings(clients(), |builder| {
        builder.rate_limit(move |attempt| {
            told.lock().unwrap().push(attempt.client_id.map(str::len));
            Ok(())
        })
    });
    for long in [255, 256, 60_000] {
        let body = form(&[("grant_type", "client_credentials"), ("client_id", &"x".repeat(long))]);
        assert!(desk.server.token(&EndpointRequest::new(body.as_bytes())).await.is_err());
    }
    assert_eq!(*asked.lock().unwrap(), [Some(255), None, None]);
}
