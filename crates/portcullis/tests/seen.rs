//! Tests that the layer's rules also hold for cached tokens, which take a shorter path.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::convert::Infallible;

use http::{HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use portcullis::{
    Admission, AuthContext, AuthLayer,
    location::{Cookie, Found, HttpHeader, RequestHead, TokenLocation},
};
use portcullis_test::MockIssuer;
use tower::{Layer, ServiceExt, service_fn};

/// What the inner service saw: the caller, the token's text if it was kept, and whether the header was marked as sensitive.
type Seen = (Option<String>, Option<String>, Option<bool>);

async fn send(layer: &AuthLayer, request: Request<()>) -> Result<Seen, StatusCode> {
    let inner = service_fn(async |request: Request<()>| {
        let context = request.extensions().get::<AuthContext>().unwrap();
        let subject = context.verified().and_then(|verified| verified.subject()).map(str::to_owned);
        let sensitive = request.headers().get(AUTHORIZATION).map(HeaderValue::is_sensitive);
        let mut response = Response::new(String::new());
        response.extensions_mut().insert((subject, context.token().map(str::to_owned), sensitive));
        Ok::<_, Infallible>(response)
    });
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    response.extensions().get::<Seen>().cloned().ok_or(response.status())
}

fn with(headers: &[(&str, &str)]) -> Request<()> {
    let request = Request::get("/");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}

fn who(outcome: &Result<Seen, StatusCode>) -> Option<&str> {
    outcome.as_ref().ok()?.0.as_deref()
}

#[tokio::test]
async fn a_cached_token_is_answered_like_the_first_time() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::new(issuer.admission());
    let bearer = issuer.token().subject("alice").bearer();
    let first = send(&layer, with(&[("authorization", &bearer)])).await;
    assert_eq!(who(&first), Some("alice"));
    assert_eq!(send(&layer, with(&[("authorization", &bearer)])).await, first);
    assert_eq!(first.unwrap().2, Some(true), "marked as sensitive");
    for spelling in [bearer.replacen("Bearer", "bEARER", 1), bearer.replacen(' ', "  ", 1), format!(" {bearer} ")] {
        assert_eq!(who(&send(&layer, with(&[("authorization", &spelling)])).await), Some("alice"), "{spelling}");
    }
}

#[tokio::test]
async fn a_second_credential_is_refused_even_if_the_first_is_cached() {
    let issuer = MockIssuer::new();
    let (bearer, token) = (issuer.token().bearer(), issuer.token().sign());
    let cookie = format!("token={token}");
    let header = AuthLayer::new(issuer.admission());
    let both = AuthLayer::new(issuer.admission()).or_at(Cookie::new("token").unwrap(), issuer.admission()).unwrap();
    for layer in [&header, &both] {
        assert!(send(layer, with(&[("authorization", &bearer)])).await.is_ok());
        let twice = with(&[("authorization", &bearer), ("authorization", &bearer)]);
        assert_eq!(send(layer, twice).await, Err(StatusCode::BAD_REQUEST));
    }
    assert!(send(&both, with(&[("cookie", &cookie)])).await.is_ok());
    let two_places = || with(&[("authorization", &bearer), ("cookie", &cookie)]);
    assert_eq!(send(&both, two_places()).await, Err(StatusCode::BAD_REQUEST));
    assert!(send(&header, two_places()).await.is_ok(), "a cookie is none of this layer's business");
}

#[tokio::test]
async fn locations_with_their_own_admission_share_no_cache() {
    let (users, keys) = (MockIssuer::new(), MockIssuer::new().named("https://keys.test"));
    let api_key = HttpHeader::new("x-api-key").unwrap();
    let layer = AuthLayer::new(users.admission()).or_at(api_key, keys.admission()).unwrap();
    let (user, key) = (users.token().subject("alice").sign(), keys.token().subject("robot").sign());
    for _ in 0..2 {
        let bearer = format!("Bearer {user}");
        assert_eq!(who(&send(&layer, with(&[("authorization", &bearer)])).await), Some("alice"));
        assert_eq!(who(&send(&layer, with(&[("x-api-key", &key)])).await), Some("robot"));
        assert_eq!(send(&layer, with(&[("x-api-key", &user)])).await, Err(StatusCode::UNAUTHORIZED));
        let bearer = format!("Bearer {key}");
        assert_eq!(send(&layer, with(&[("authorization", &bearer)])).await, Err(StatusCode::UNAUTHORIZED));
    }
}

#[tokio::test]
async fn a_token_that_is_kept_is_kept_every_time() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::new(issuer.admission()).keep_token();
    let token = issuer.token().sign();
    for _ in 0..2 {
        let seen = send(&layer, with(&[("authorization", &format!("Bearer {token}"))])).await.unwrap();
        assert_eq!(seen.1.as_ref(), Some(&token));
    }
}

#[tokio::test]
async fn a_cached_token_followed_by_more_text_is_refused() {
    let issuer = MockIssuer::new();
    let layer = AuthLayer::new(issuer.admission());
    let bearer = issuer.token().bearer();
    assert!(send(&layer, with(&[("authorization", &bearer)])).await.is_ok());
    for (value, status) in [
        (format!("{bearer} x"), StatusCode::BAD_REQUEST),
        (format!("{bearer}, {bearer}"), StatusCode::BAD_REQUEST),
        (format!("{bearer}="), StatusCode::UNAUTHORIZED),
        (bearer.replacen(' ', "\t", 1), StatusCode::BAD_REQUEST),
        (bearer.replacen("Bearer ", "Bearer", 1), StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(send(&layer, with(&[("authorization", &value)])).await, Err(status), "{value}");
    }
}

/// A custom location.
#[derive(Debug)]
struct Own;

impl TokenLocation for Own {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        let value = head.headers.get("x-own");
        value.map_or(Found::Absent, |value| Found::Token(value.as_bytes().into()))
    }
}

#[tokio::test]
async fn tokens_of_a_custom_location_are_cached_too() {
    let issuer = MockIssuer::new();
    let admission: Admission = issuer.admission();
    let layer = AuthLayer::at(Own, admission.clone());
    let token = issuer.token().subject("alice").sign();
    for _ in 0..2 {
        assert_eq!(who(&send(&layer, with(&[("x-own", &token)])).await), Some("alice"));
    }
    let Some(Ok(verified)) = admission.verify(&token).ready() else { panic!("refused") };
    let Some(Ok(again)) = admission.verify(&token).ready() else { panic!("refused") };
    assert!(std::ptr::eq(verified.claims_json(), again.claims_json()));
}
