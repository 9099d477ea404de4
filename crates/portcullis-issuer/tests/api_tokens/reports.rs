//! Leaked tokens are reported, and end.

use http::{Request, StatusCode};
use portcullis_core::Code;
use portcullis_issuer::{
    api_tokens::{ApiTokenError, ApiTokenEvent, ApiTokenState, CreatedApiToken, RevokedReason, Rotation},
    routes::{LeakReports, PeerAddress},
};
use tower::ServiceExt;

use crate::house::{House, code, secs};

async fn state(house: &House, created: &CreatedApiToken) -> ApiTokenState {
    house.tokens.find(created.token().id()).await.unwrap().unwrap().state()
}

fn leaked(house: &House) -> usize {
    house.take_events().into_iter().filter(|event| matches!(event, ApiTokenEvent::Leaked { .. })).count()
}

#[tokio::test]
async fn a_reported_token_ends_and_its_prefix_or_ending_is_not_enough() {
    let house = House::new();
    let (reported, other) = (house.service_account().await, house.service_account().await);
    let text = other.secret().expose();
    let near = [&text[..47], &text[1..], &text[..12], &text[44..], "", "acme_s_1"];
    house.tokens.report_leaks(&near, None).await.unwrap();
    assert_eq!((leaked(&house), house.code(&other).await), (0, None));
    let texts = [near[0], reported.secret().expose(), "junk"];
    house.tokens.report_leaks(&texts, Some("https://git.test/x")).await.unwrap();
    let id = reported.token().id();
    let expected = ApiTokenEvent::Leaked { id, successor: None, source: Some("https://git.test/x".to_owned()) };
    assert!(house.take_events().contains(&expected));
    assert!(matches!(state(&house, &reported).await, ApiTokenState::Revoked { reason: RevokedReason::Leaked, .. }));
    assert_eq!((house.code(&reported).await, house.code(&other).await), (Some(Code::TokenRevoked), None));
    // Again, without another event.
    house.tokens.report_leaks(&texts, None).await.unwrap();
    assert_eq!(leaked(&house), 0);
}

/// A thief who has the token rotates it, and has one that the owner has never seen.
#[tokio::test]
async fn a_report_of_a_replaced_token_ends_its_successor() {
    let house = House::new();
    let rotate = |created: &CreatedApiToken| house.tokens.rotate(created.token().id(), Rotation::new([1; 16]));
    let first = house.service_account().await;
    let second = rotate(&first).await.unwrap();
    let third = rotate(&second).await.unwrap();
    let (other, successor) = (house.service_account().await, second.token().id());
    let later = rotate(&other).await.unwrap();
    assert_eq!(house.tokens.preview_revocation(first.token().id()).await.unwrap().successor, Some(successor));
    let (_, elsewhere) = house.other_instance();
    assert_eq!(code(&elsewhere, third.secret().expose()).await, None);
    house.tokens.report_leaks(&[first.secret().expose()], None).await.unwrap();
    let id = first.token().id();
    assert!(house.take_events().contains(&ApiTokenEvent::Leaked { id, successor: Some(successor), source: None }));
    for ended in [&first, &second, &third] {
        assert_eq!(house.code(ended).await, Some(Code::TokenRevoked));
        assert_eq!(code(&elsewhere, ended.secret().expose()).await, Some(Code::TokenRevoked));
    }
    for live in [&other, &later] {
        assert_eq!(house.code(live).await, None, "another token");
    }
    // A report of a successor leaves what was before: the thief has had that one only.
    house.tokens.report_leaks(&[later.secret().expose()], None).await.unwrap();
    assert_eq!((house.code(&later).await, house.code(&other).await), (Some(Code::TokenRevoked), None));
}

/// The report is made again after an outage, when the first token is revoked already.
#[tokio::test]
async fn a_report_that_is_made_again_ends_the_successor_of_a_revoked_token() {
    let house = House::new();
    let first = house.service_account().await;
    let second = house.tokens.rotate(first.token().id(), Rotation::new([1; 16])).await.unwrap();
    house.tokens.revoke(first.token().id(), RevokedReason::Leaked).await.unwrap();
    assert_eq!(house.code(&second).await, None, "one that is revoked and not reported");
    house.tokens.report_leaks(&[first.secret().expose()], None).await.unwrap();
    assert_eq!(house.code(&second).await, Some(Code::TokenRevoked));
}

#[tokio::test]
async fn a_revoked_token_still_says_what_replaced_it() {
    let house = House::new();
    let (first, other) = (house.service_account().await, house.service_account().await);
    let second = house.tokens.rotate(first.token().id(), Rotation::new([1; 16])).await.unwrap();
    for created in [&first, &other] {
        let revoked = house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap();
        assert!(matches!(revoked.state(), ApiTokenState::Revoked { .. }));
        let replaced_by = (created.token().id() == first.token().id()).then(|| second.token().id());
        assert_eq!(revoked.superseded_by(), replaced_by);
    }
}

#[tokio::test]
async fn a_report_of_more_than_a_hundred_texts_or_64_kib_is_refused() {
    let house = House::new();
    let text = "x".repeat(650);
    assert!(house.tokens.report_leaks(&vec![text.as_str(); 100], None).await.is_ok());
    for texts in [vec!["x"; 101], vec![&*"x".repeat(1_000).leak(); 66]] {
        let error = house.tokens.report_leaks(&texts, None).await.unwrap_err();
        assert!(matches!(error, ApiTokenError::Invalid(_)), "{error}");
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_looked_up_is_told_to_the_operator() {
    let house = House::new();
    let created = house.service_account().await;
    house.store.down(true);
    let error = house.tokens.report_leaks(&[created.secret().expose()], None).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::Unavailable(_)), "{error}");
    assert!(house.take_events().contains(&ApiTokenEvent::ReportFailed));
}

async fn post(
    reports: &LeakReports<crate::house::Watched, crate::house::Users, crate::house::Log>,
    body: String,
) -> (StatusCode, String) {
    let request = Request::post("/token-reports").body(axum::body::Body::from(body)).unwrap();
    let response = reports.clone().oneshot(request).await.unwrap();
    (response.status(), format!("{:?} {:?}", response.headers(), response.body()))
}

#[tokio::test]
async fn every_report_gets_the_same_answer() {
    let house = House::new();
    let reports = LeakReports::new(house.tokens.clone());
    let (one, two) = (house.service_account().await, house.service_account().await);
    let junk = post(&reports, r#"{"tokens": ["junk"]}"#.to_owned()).await;
    assert_eq!(junk.0, StatusCode::ACCEPTED);
    let own = format!(r#"{{"tokens": ["{}"], "source": "here"}}"#, one.secret().expose());
    assert_eq!(post(&reports, own).await, junk);
    let github = format!(r#"[{{"token": "{}", "type": "acme", "url": "https://git.test"}}]"#, two.secret().expose());
    assert_eq!(post(&reports, github).await, junk);
    house.store.down(true);
    assert_eq!(post(&reports, r#"{"tokens": ["junk"]}"#.to_owned()).await, junk);
    house.store.down(false);
    // They are looked up after the answer.
    while leaked_so_far(&house) < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!((house.code(&one).await, house.code(&two).await), (Some(Code::TokenRevoked), Some(Code::TokenRevoked)));
    for (wrong, status) in [
        ("no JSON".to_owned(), StatusCode::BAD_REQUEST),
        (format!(r#"{{"tokens": [{}]}}"#, vec!["\"x\""; 101].join(",")), StatusCode::BAD_REQUEST),
        (format!(r#"{{"tokens": ["{}"]}}"#, "x".repeat(65_536)), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(post(&reports, wrong).await.0, status);
    }
}

fn leaked_so_far(house: &House) -> usize {
    house.events.lock().unwrap().iter().filter(|event| matches!(event, ApiTokenEvent::Leaked { .. })).count()
}

#[tokio::test]
async fn there_are_sixty_reports_a_minute() {
    let house = House::new();
    let reports = LeakReports::new(house.tokens.clone());
    let junk = || r#"{"tokens": []}"#.to_owned();
    for _ in 0..60 {
        assert_eq!(post(&reports, junk()).await.0, StatusCode::ACCEPTED);
    }
    assert_eq!(post(&reports, junk()).await.0, StatusCode::TOO_MANY_REQUESTS);
    house.clock.advance(secs(60));
    assert_eq!(post(&reports, junk()).await.0, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn each_network_has_sixty_reports_a_minute() {
    let house = House::new();
    let reports = LeakReports::new(house.tokens.clone());
    let post_from = async |address: Option<[u8; 4]>| {
        let mut request = Request::post("/").body(axum::body::Body::from(r#"{"tokens": []}"#)).unwrap();
        if let Some(address) = address {
            request.extensions_mut().insert(PeerAddress::new(address.into()));
        }
        reports.clone().oneshot(request).await.unwrap().status()
    };
    for _ in 0..60 {
        assert_eq!(post_from(Some([192, 0, 2, 1])).await, StatusCode::ACCEPTED);
    }
    assert_eq!(post_from(Some([192, 0, 2, 1])).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(post_from(Some([192, 0, 2, 2])).await, StatusCode::ACCEPTED, "another network");
    assert_eq!(post_from(None).await, StatusCode::ACCEPTED, "an unknown one");
}

#[tokio::test]
async fn unsigned_reports_do_not_use_up_the_limit_of_signed_ones() {
    let house = House::new();
    let reports = LeakReports::new(house.tokens.clone()).verify(|headers, _| headers.contains_key("signature"));
    let signed = async || {
        let request = Request::post("/").header("signature", "x").body(axum::body::Body::from(r#"{"tokens": []}"#));
        reports.clone().oneshot(request.unwrap()).await.unwrap().status()
    };
    for _ in 0..60 {
        assert_eq!(post(&reports, r#"{"tokens": []}"#.to_owned()).await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(post(&reports, r#"{"tokens": []}"#.to_owned()).await.0, StatusCode::TOO_MANY_REQUESTS);
    for _ in 0..60 {
        assert_eq!(signed().await, StatusCode::ACCEPTED);
    }
    assert_eq!(signed().await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_report_that_its_sender_has_not_signed_is_not_read() {
    let house = House::new();
    let reports = LeakReports::new(house.tokens.clone())
        .verify(|headers, body| headers.get("signature").is_some_and(|value| value.as_bytes() == body));
    let created = house.service_account().await;
    let body = format!(r#"{{"tokens": ["{}"]}}"#, created.secret().expose());
    assert_eq!(post(&reports, body.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(house.code(&created).await, None);
    let signed = Request::post("/").header("signature", &body).body(axum::body::Body::from(body)).unwrap();
    assert_eq!(reports.clone().oneshot(signed).await.unwrap().status(), StatusCode::ACCEPTED);
}
