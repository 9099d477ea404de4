//! Work that goes on when its client hangs up, and how much of it there is at once.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use http::{Request, StatusCode};
use portcullis_issuer::{
    api_tokens::{ApiTokenError, ApiTokenState, CreatedApiToken, RevokedReason, Rotation},
    routes::LeakReports,
};
use tokio::{runtime::Handle, sync::Semaphore, task::yield_now};
use tower::ServiceExt;

use crate::house::{House, Service};

const LIMIT: usize = 10;

/// A service of the house with such a limit, and the changes of its store, which wait for permits from now on.
fn with_limit(house: &House, limit: usize) -> (Service, Arc<Semaphore>) {
    let tokens = house.builder().limit_at_once(limit).build().unwrap();
    let changes = Arc::new(Semaphore::new(0));
    *house.store.held_changes.lock().unwrap() = Some(Arc::clone(&changes));
    (tokens, changes)
}

/// Lets a caller ask, and returns the answer if there is one at once. Otherwise it may go on waiting, or hang up.
async fn ask<T>(mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Lets everything go on, and waits until nothing is under way.
async fn go_on(changes: &Semaphore) {
    changes.add_permits(1_000);
    while tasks() > 0 {
        yield_now().await;
    }
}

fn is_too_many<T>(outcome: &Result<T, ApiTokenError>) -> bool {
    matches!(outcome, Err(ApiTokenError::TooManyAtOnce))
}

async fn state(house: &House, created: &CreatedApiToken) -> ApiTokenState {
    house.tokens.find(created.token().id()).await.unwrap().unwrap().state()
}

#[tokio::test]
async fn callers_that_hang_up_leave_no_more_tasks_than_there_may_be_and_what_was_begun_is_done() {
    let house = House::new();
    let (tokens, changes) = with_limit(&house, LIMIT);
    let (mut begun, mut refused) = (Vec::new(), Vec::new());
    for _ in 0..3 * LIMIT {
        let created = house.service_account().await;
        let rotation = Rotation::new(created.secret().expose());
        match ask(pin!(tokens.rotate(created.token().id(), rotation))).await {
            Some(outcome) => {
                assert!(is_too_many(&outcome), "{outcome:?}");
                refused.push(created);
            }
            // It hangs up.
            None => begun.push(created),
        }
        yield_now().await;
        assert!(tasks() <= LIMIT, "{} tasks", tasks());
    }
    assert_eq!((begun.len(), refused.len()), (LIMIT, 2 * LIMIT));
    go_on(&changes).await;
    for created in &begun {
        assert!(matches!(state(&house, created).await, ApiTokenState::Superseded { .. }));
    }
    for created in &refused {
        assert_eq!(state(&house, created).await, ApiTokenState::Active, "what was refused was begun");
    }
    // There is room again.
    tokens.rotate(refused[0].token().id(), Rotation::new([1; 16])).await.unwrap();
}

#[tokio::test]
async fn a_token_is_revoked_while_too_much_else_is_under_way() {
    let house = House::new();
    let (tokens, changes) = with_limit(&house, 1);
    let created = [house.service_account().await, house.service_account().await, house.service_account().await];
    let [first, second, third] = created.each_ref().map(|created| created.token().id());
    let mut rotation = pin!(tokens.rotate(first, Rotation::new([1; 16])));
    assert!(ask(rotation.as_mut()).await.is_none());
    let refused = tokens.rotate(second, Rotation::new([2; 16])).await;
    assert!(is_too_many(&refused) && refused.as_ref().unwrap_err().code() == "too_many_at_once", "{refused:?}");
    assert!(refused.unwrap_err().to_string().ends_with("try again"));
    // Ends have room of their own, which has an end, too.
    let mut revocation = pin!(tokens.revoke(second, RevokedReason::Asked));
    assert!(ask(revocation.as_mut()).await.is_none());
    assert!(is_too_many(&tokens.revoke(third, RevokedReason::Asked).await));
    assert!(is_too_many(&tokens.revoke_all_of(created[0].token().owner(), RevokedReason::Asked).await));
    assert!(is_too_many(&tokens.report_leaks(&["junk"], None).await));
    changes.add_permits(1_000);
    assert!(rotation.await.is_ok() && revocation.await.is_ok());
    assert!(matches!(state(&house, &created[1]).await, ApiTokenState::Revoked { .. }));
    assert_eq!(state(&house, &created[2]).await, ApiTokenState::Active);
    tokens.revoke(third, RevokedReason::Asked).await.unwrap();
}

/// Whatever is in the report: the answer says nothing about it.
#[tokio::test]
async fn reports_of_leaks_leave_no_more_tasks_than_there_may_be() {
    let house = House::new();
    let (tokens, changes) = with_limit(&house, 1);
    let route = LeakReports::new(tokens);
    let report = async |text: &str| {
        let request = Request::post("/").body(format!(r#"{{"tokens": ["{text}"]}}"#)).unwrap();
        route.clone().oneshot(request).await.unwrap().status()
    };
    let (one, other) = (house.service_account().await, house.service_account().await);
    assert_eq!(report(one.secret().expose()).await, StatusCode::ACCEPTED);
    for text in [other.secret().expose(), "junk"] {
        assert_eq!(report(text).await, StatusCode::TOO_MANY_REQUESTS);
    }
    yield_now().await;
    assert_eq!(tasks(), 1);
    go_on(&changes).await;
    assert!(matches!(state(&house, &one).await, ApiTokenState::Revoked { .. }));
    assert_eq!(state(&house, &other).await, ApiTokenState::Active);
    assert_eq!(report(other.secret().expose()).await, StatusCode::ACCEPTED);
    go_on(&changes).await;
    assert!(matches!(state(&house, &other).await, ApiTokenState::Revoked { .. }));
}

/// A revocation outside of a task ends with its caller, and is bounded by its callers.
#[test]
fn without_a_runtime_a_token_is_revoked_by_its_caller() {
    let house = House::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let created = runtime.block_on(house.service_account());
    drop(runtime);
    let revoked = pin!(house.tokens.revoke(created.token().id(), RevokedReason::Asked));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(revoked.poll(&mut context), Poll::Ready(Ok(_))));
}
