//! Where the keys of an issuer are looked for, by two standards.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use portcullis_jwks::{Fetch, FetchError, FetchErrorKind, RemoteKeys};
use portcullis_test::MockIssuer;
use support::MINUTE;

const OIDC: &str = "/b/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server/b";

/// Answers for `https://issuer.test/b` with these statuses, and with metadata where that is 200.
#[derive(Debug)]
struct Issuer {
    oidc: u16,
    oauth: u16,
    jwks: String,
    asked: Mutex<Vec<String>>,
}

impl Fetch for Issuer {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let path = request.uri().path().to_owned();
        let metadata = r#"{"issuer":"https://issuer.test/b","jwks_uri":"https://issuer.test/b/keys"}"#;
        let (status, body) = match path.as_str() {
            OIDC => (self.oidc, metadata),
            OAUTH => (self.oauth, metadata),
            _ => (200, self.jwks.as_str()),
        };
        self.asked.lock().unwrap().push(path);
        Ok(Response::builder().status(status).body(body.into()).unwrap())
    }
}

/// What was asked for in the first attempt, and what that came to.
async fn first_attempt(oidc: u16, oauth: u16) -> (Vec<String>, Option<FetchError>) {
    let issuer = Issuer { oidc, oauth, jwks: MockIssuer::new().jwks(), asked: Mutex::default() };
    let issuer = Arc::new(issuer);
    let keys = RemoteKeys::discover("https://issuer.test/b").fetch(Arc::clone(&issuer)).start().unwrap();
    let outcome = keys.require(MINUTE / 120).await;
    assert_eq!(outcome.is_ok(), keys.last_error().is_none());
    (issuer.asked.lock().unwrap().clone(), keys.last_error())
}

#[tokio::test(start_paused = true)]
async fn openid_connect_comes_first_and_suffices() {
    assert_eq!(first_attempt(200, 200).await.0, [OIDC, "/b/keys"]);
}

/// A gateway may forbid what is not there, and storage behind a content network does.
#[tokio::test(start_paused = true)]
async fn an_issuer_without_an_openid_document_is_discovered_by_rfc_8414() {
    for status in [404, 410, 400, 401, 403, 405] {
        let (asked, error) = first_attempt(status, 200).await;
        assert_eq!(asked, [OIDC, OAUTH, "/b/keys"], "{status}");
        assert!(error.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_is_not_asked_at_the_other_place() {
    for status in [500, 503, 408, 429, 302] {
        let (asked, error) = first_attempt(status, 200).await;
        assert_eq!(asked, [OIDC], "{status}");
        let error = error.unwrap();
        assert_eq!((error.kind(), error.status_code().map(|it| it.as_u16())), (FetchErrorKind::Status, Some(status)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_without_either_document_gets_an_error_with_both_urls() {
    let (asked, error) = first_attempt(404, 404).await;
    assert_eq!(asked, [OIDC, OAUTH]);
    let error = error.unwrap().to_string();
    assert!(error.contains(OIDC) && error.contains(OAUTH) && error.contains("404"), "{error}");
    let (_, error) = first_attempt(404, 503).await;
    let error = error.unwrap();
    assert!(error.url().unwrap().ends_with(OAUTH) && error.to_string().contains("503"), "{error}");
}
