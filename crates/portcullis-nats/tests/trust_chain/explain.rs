//! What an operator is shown about a user.

use portcullis_core::{
    Admission,
    authenticator::{Presented, Scheme},
};
use portcullis_test::FixedClock;

use crate::{
    Service,
    world::{NOW, TestRequest},
};

async fn explained(service: &Service, token: &str, request: &TestRequest) -> String {
    let admission = Admission::explainable(service.chain.clone()).clock(FixedClock::at(NOW));
    let presented = Presented::bearer(token.as_bytes()).with_scheme(Scheme::Other("NatsUser")).with_request(request);
    admission.explain(presented).await.to_string()
}

#[tokio::test]
async fn a_user_who_is_let_in_is_explained_with_account_and_signer() {
    let service = Service::new();
    let token = service.world.usual_user();
    let text = explained(&service, &token, &service.request(&token)).await;
    assert!(text.contains(service.world.account_id().as_str()), "{text}");
    assert!(text.contains(service.world.operator_key().as_str()), "{text}");
    assert!(text.contains("publish: 1 allowed and 1 denied"), "{text}");
    assert!(service.admit(&token, &service.request(&token)).await.is_ok(), "explaining uses nothing up");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let service = Service::new();
    let token = service.world.usual_user();
    let text = explained(&service, &token, &TestRequest::new("GET", "/")).await;
    assert!(text.contains("proof_missing"), "{text}");
    service.accounts.remove(&service.world.account_id());
    let text = explained(&service, &token, &service.request(&token)).await;
    assert!(text.contains("issuer_not_trusted"), "{text}");
    let text = explained(&service, "a.b.c", &service.request(&token)).await;
    assert!(text.contains("header_malformed") || text.contains("token_malformed"), "{text}");
}
