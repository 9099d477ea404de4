//! From where and when a user may come.

use portcullis_core::Code;
use serde_json::json;

use crate::{
    Service, code, secs,
    world::{TestRequest, merged, usual},
};

#[tokio::test]
async fn the_address_matters_for_each_request() {
    let service = Service::new();
    let token = service.world.user_token(merged(usual(), json!({"src": ["192.0.2.0/24"]})));
    for _ in 0..2 {
        assert!(service.admit(&token, &service.request(&token).from("192.0.2.7")).await.is_ok());
        assert!(service.admit(&token, &service.request(&token).from("::ffff:192.0.2.7")).await.is_ok());
        assert_eq!(
            code(service.admit(&token, &service.request(&token).from("192.0.3.7")).await),
            Code::ConditionNotMet
        );
        assert_eq!(
            code(service.admit(&token, &service.request(&token)).await),
            Code::ConditionNotMet,
            "it is not known"
        );
    }
}

#[tokio::test]
async fn what_an_http_header_says_about_the_address_does_not_count() {
    let service = Service::new();
    let token = service.world.user_token(merged(usual(), json!({"src": ["192.0.2.0/24"]})));
    let request = service.request(&token).with("X-Forwarded-For", "192.0.2.7").from("198.51.100.1");
    assert_eq!(code(service.admit(&token, &request).await), Code::ConditionNotMet);
}

#[tokio::test]
async fn a_known_user_is_refused_when_the_range_of_times_ends() {
    let service = Service::new();
    // 1 800 000 000 is 2027-01-15, 08:00:00 UTC.
    let times = json!({"times": [{"start": "07:00:00", "end": "08:00:30"}], "times_location": "UTC"});
    let token = service.world.user_token(merged(usual(), times));
    let user = service.admit_fresh(&token).await.unwrap();
    assert_eq!(user.expires_at(), Some(service.now().plus(secs(30))), "a stream ends with the range");
    service.clock.advance(secs(29));
    assert!(service.admit_fresh(&token).await.is_ok());
    service.clock.advance(secs(1));
    assert_eq!(code(service.admit_fresh(&token).await), Code::ConditionNotMet);
}

#[tokio::test]
async fn a_token_for_other_kinds_of_connection_is_refused() {
    let service = Service::new();
    let token = |types: &[&str]| service.world.user_token(merged(usual(), json!({"allowed_connection_types": types})));
    for good in [&["HTTP"][..], &["http", "MQTT"], &[]] {
        assert!(service.admit_fresh(&token(good)).await.is_ok(), "{good:?}");
    }
    for bad in [&["STANDARD"][..], &["MQTT", "WEBSOCKET"], &["GOPHER"]] {
        assert_eq!(code(service.admit_fresh(&token(bad)).await), Code::ConditionNotMet, "{bad:?}");
    }
}

#[tokio::test]
async fn a_user_who_must_come_through_a_proxy_is_refused() {
    let service = Service::new();
    let token = service.world.user_token(merged(usual(), json!({"proxy_required": true})));
    assert_eq!(code(service.admit(&token, &TestRequest::new("GET", "/")).await), Code::ConditionNotMet);
}
