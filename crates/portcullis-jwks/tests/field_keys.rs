//! Keys that are new, that moved, or that are back: rows U, V and W of the field table.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use portcullis_core::{
    Admission, Algorithm, Code, JwtAuthenticator, UnixTime,
    keys::{KeyHint, KeySource, Resolved},
};
use portcullis_jwks::{Fetch, FetchError, Health, RemoteKeys};
use portcullis_test::{
    Defect, MockIssuer,
    provider::{Behaviour, ScriptedProvider},
};
use support::{COOL_DOWN, FRESHNESS, HOUR, MINUTE, Service, until};
use tokio::time::{Duration, Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// 503 with `Retry-After`, at once and without a fetch.
fn is_undecided_at_once(service: &Service, token: &str) -> bool {
    let before = service.fetches();
    let refused = service.admission.verify(token).ready().unwrap().unwrap_err();
    let undecided = refused.code() == Code::KeysUnavailable && refused.retry_after().is_some_and(|at| at <= COOL_DOWN);
    undecided && service.fetches() == before
}

fn refused_at_once(service: &Service, token: &str) -> Code {
    service.admission.verify(token).ready().unwrap().unwrap_err().code()
}

/// The attack of the row: an invented key id uses up what tokens may cause, then the issuer rotates.
async fn cooling_down() -> Service {
    let service = Service::started().await;
    assert_eq!(service.code(&service.token_of("invented")).await, Some(Code::KeyUnknown));
    assert_eq!(service.fetches(), 2);
    service
}

#[tokio::test(start_paused = true)]
async fn row_u_a_valid_token_with_a_new_key_is_undecided_during_a_cool_down() {
    let service = cooling_down().await;
    service.provider.issuer().rotate();
    let (token, start) = (service.token(), Instant::now());
    assert!(is_undecided_at_once(&service, &token));
    let retry_after = service.present(&token).await.unwrap_err().retry_after().unwrap();
    assert_eq!(
        refused_at_once(&service, &service.token_of("invented")),
        Code::KeyUnknown,
        "its twin, for which one looked"
    );
    sleep(retry_after).await;
    assert!(service.accepts(&token).await, "the hint was right");
    assert!(start.elapsed() <= COOL_DOWN);
}

#[tokio::test(start_paused = true)]
async fn row_u_three_rotations_in_five_seconds_refuse_no_valid_token() {
    let service = cooling_down().await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        service.provider.issuer().rotate();
        tokens.push(service.token());
        for token in &tokens {
            assert!(is_undecided_at_once(&service, token));
        }
        sleep(2 * SECOND).await;
    }
    sleep(COOL_DOWN).await;
    for token in &tokens {
        assert!(service.accepts(token).await);
    }
}

#[tokio::test(start_paused = true)]
async fn row_u_a_key_is_refused_once_a_fetch_that_began_after_it_came_up_did_not_bring_it() {
    let service = cooling_down().await;
    let (one, other) = (service.token_of("one"), service.token_of("other"));
    assert!(is_undecided_at_once(&service, &one));
    sleep(COOL_DOWN).await;
    assert_eq!(service.code(&other).await, Some(Code::KeyUnknown), "causes the fetch");
    assert_eq!(refused_at_once(&service, &one), Code::KeyUnknown, "which did not bring this one either");
    assert!(is_undecided_at_once(&service, &service.token_of("third")), "and this one came up after it");
}

/// A key of an earlier set came up long ago, so the fetch that did not bring it any more is enough.
#[tokio::test(start_paused = true)]
async fn row_u_a_key_that_is_no_longer_published_is_refused_during_a_cool_down() {
    let service = Service::started().await;
    let old = service.token();
    service.provider.issuer().rotate();
    service.provider.issuer().retire_old();
    assert!(service.accepts(&service.token()).await);
    assert_eq!(refused_at_once(&service, &old), Code::KeyUnknown);
    assert!(is_undecided_at_once(&service, &service.token_of("other")), "and this one came up after it");
}

#[tokio::test(start_paused = true)]
async fn row_u_a_fetch_that_failed_is_no_reason_to_refuse() {
    let service = cooling_down().await;
    let token = service.token_of("other");
    assert!(is_undecided_at_once(&service, &token));
    sleep(COOL_DOWN).await;
    service.provider.behave(Behaviour::Status(500));
    assert_eq!(service.code(&token).await, Some(Code::KeysUnavailable));
    assert!(is_undecided_at_once(&service, &token));
}

/// A token that joins a fetch which began before its key was published, when there may be no second one.
#[tokio::test(start_paused = true)]
async fn row_u_a_fetch_under_way_when_the_key_comes_up_does_not_count() {
    let service = Service::started().await;
    service.provider.freeze();
    service.provider.behave_once([Behaviour::Slow(SECOND)]);
    let invented = service.admission.verify(&service.token_of("invented"));
    sleep(SECOND / 10).await;
    service.provider.thaw();
    service.provider.issuer().rotate();
    let fresh = service.admission.verify(&service.token());
    assert_eq!(fresh.outcome().await.unwrap_err().code(), Code::KeysUnavailable);
    assert_eq!(invented.outcome().await.unwrap_err().code(), Code::KeyUnknown);
}

#[tokio::test(start_paused = true)]
async fn row_u_a_flood_of_invented_keys_delays_and_refuses_no_known_one() {
    let service = cooling_down().await;
    let (known, before, start) = (service.token(), service.fetches(), Instant::now());
    let uncached = service.admission.clone().without_cache();
    let resolve = |id: &str| service.keys.resolve(KeyHint::new(Algorithm::Es256, Some(id)), UnixTime::EPOCH);
    for n in 0..200_000 {
        assert!(matches!(resolve(&format!("flood-{n}")), Resolved::Fault(_)), "{n}");
        if n % 1_000 == 0 {
            assert!(uncached.verify(&known).ready().is_some_and(|outcome| outcome.is_ok()), "{n}");
        }
    }
    assert_eq!(service.fetches(), before, "no fetch");
    assert!(start.elapsed() < SECOND, "no wait");
    assert_eq!(
        refused_at_once(&service, &service.token_of("invented")),
        Code::KeyUnknown,
        "what was found out is kept"
    );
    service.provider.issuer().rotate();
    let fresh = service.token();
    let admitted_after = until(|| {
        drop(resolve("one more"));
        service.accepts_at_once(&fresh)
    });
    assert!(admitted_after.await <= COOL_DOWN + SECOND);
}

/// Sibling: a token without a key id names no key at all, so the one that signed it may be new as well.
#[tokio::test(start_paused = true)]
async fn row_u_a_token_without_a_key_id_is_undecided_during_a_cool_down() {
    let service = Service::started().await;
    let unnamed = || service.provider.issuer().token().without_header("kid");
    assert_eq!(service.code(&unnamed().defect(Defect::WrongKey).sign()).await, Some(Code::SignatureInvalid));
    service.provider.issuer().rotate();
    let token = unnamed().sign();
    assert!(is_undecided_at_once(&service, &token));
    sleep(COOL_DOWN).await;
    assert!(service.accepts(&token).await, "a forged one does not keep it out for five minutes");
    service.provider.behave(Behaviour::Status(500));
    sleep(2 * COOL_DOWN).await;
    service.provider.issuer().rotate();
    assert_eq!(service.code(&unnamed().sign()).await, Some(Code::KeysUnavailable), "nor is it refused in an outage");
}

/// The near twin: a token that names a key of the set, which did not sign it, is forged. That is a verdict.
#[tokio::test(start_paused = true)]
async fn row_u_a_bad_signature_under_a_known_key_is_refused_also_during_a_cool_down() {
    let service = cooling_down().await;
    let forged = service.provider.issuer().token().defect(Defect::WrongKey).sign();
    assert_eq!(refused_at_once(&service, &forged), Code::SignatureInvalid);
    assert!(service.accepts_at_once(&service.token()));
}

const NAME: &str = "https://issuer.test";

/// An issuer that publishes its keys somewhere else from some day on, while a copy of the old ones stays where it was.
#[derive(Clone, Debug)]
struct Moving {
    issuer: MockIssuer,
    clock: portcullis_test::provider::VirtualClock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    old_keys: String,
    /// Whether the metadata name the new place.
    announced: bool,
    metadata_status: Option<StatusCode>,
    metadata_fetches: usize,
    fetches: Vec<&'static str>,
}

impl Moving {
    fn new() -> Self {
        let provider = ScriptedProvider::of(MockIssuer::new().named(NAME));
        let state = State { old_keys: provider.issuer().jwks(), ..State::default() };
        Self { issuer: provider.issuer().clone(), clock: provider.clock(), state: Arc::new(Mutex::new(state)) }
    }

    fn service(&self) -> (RemoteKeys, Admission) {
        let keys = RemoteKeys::discover(NAME).fetch(self.clone()).start().unwrap();
        let trusted = self.issuer.trusted_with(keys.clone());
        (keys, Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(self.clock.clone()))
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn metadata_fetches(&self) -> usize {
        self.state.lock().unwrap().metadata_fetches
    }
}

impl Fetch for Moving {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let mut state = self.state.lock().unwrap();
        let body = match request.uri().path() {
            "/old" => {
                state.fetches.push("old");
                state.old_keys.clone()
            }
            "/new" => {
                state.fetches.push("new");
                self.issuer.jwks()
            }
            _ => {
                state.metadata_fetches += 1;
                let place = if state.announced { "new" } else { "old" };
                format!(r#"{{"issuer":"{NAME}","jwks_uri":"{NAME}/{place}"}}"#)
            }
        };
        let is_metadata = body.contains("jwks_uri");
        let mut response = Response::new(body.into_bytes());
        if let (true, Some(status)) = (is_metadata, state.metadata_status) {
            *response.status_mut() = status;
        }
        Ok(response)
    }
}

async fn code(service: &Admission, token: &str) -> Option<Code> {
    service.verify(token).outcome().await.err().map(|error| error.code())
}

#[tokio::test(start_paused = true)]
async fn row_v_keys_that_moved_are_found_with_the_second_attempt() {
    let issuer = Moving::new();
    let (keys, service) = issuer.service();
    keys.require(MINUTE).await.unwrap();
    sleep(2 * COOL_DOWN).await;
    issuer.set(|state| state.announced = true);
    issuer.issuer.rotate();
    let token = issuer.issuer.token().sign();
    assert_eq!(code(&service, &token).await, Some(Code::KeyUnknown), "the old place still answers");
    assert_eq!(issuer.metadata_fetches(), 1);
    sleep(COOL_DOWN).await;
    assert_eq!(code(&service, &token).await, None);
    assert_eq!(issuer.metadata_fetches(), 2);
    sleep(20 * HOUR).await;
    assert_eq!(
        issuer.metadata_fetches(),
        2,
        "nothing is missed any more, so the metadata are believed for a day again"
    );
}

#[tokio::test(start_paused = true)]
async fn row_v_a_scheduled_refresh_after_a_missed_key_begins_with_the_metadata() {
    let issuer = Moving::new();
    let (keys, service) = issuer.service();
    keys.require(MINUTE).await.unwrap();
    sleep(2 * COOL_DOWN).await;
    issuer.set(|state| state.announced = true);
    issuer.issuer.rotate();
    let token = issuer.issuer.token().sign();
    assert_eq!(code(&service, &token).await, Some(Code::KeyUnknown));
    sleep(FRESHNESS).await; // and no token comes
    assert_eq!(keys.keys().len(), 2);
    assert_eq!(issuer.state.lock().unwrap().fetches, ["old", "old", "new"]);
}

#[tokio::test(start_paused = true)]
async fn row_v_a_newer_key_under_the_same_id_is_found_where_the_keys_are_now() {
    let issuer = Moving::new();
    let (keys, service) = issuer.service();
    keys.require(MINUTE).await.unwrap();
    sleep(2 * COOL_DOWN).await;
    issuer.set(|state| state.announced = true);
    issuer.issuer.replace_key();
    assert_eq!(code(&service, &issuer.issuer.token().sign()).await, Some(Code::SignatureInvalid));
    sleep(FRESHNESS).await;
    assert_eq!(code(&service, &issuer.issuer.token().sign()).await, None);
    assert_eq!(issuer.metadata_fetches(), 2);
}

/// Metadata may come from a cache, too: they are asked for again as long as a key is missing.
#[tokio::test(start_paused = true)]
async fn row_v_metadata_that_are_older_than_the_move_are_asked_for_again() {
    let issuer = Moving::new();
    let (keys, service) = issuer.service();
    keys.require(MINUTE).await.unwrap();
    sleep(2 * COOL_DOWN).await;
    issuer.issuer.rotate();
    let token = issuer.issuer.token().sign();
    for _ in 0..2 {
        assert_eq!(code(&service, &token).await, Some(Code::KeyUnknown));
        sleep(2 * COOL_DOWN).await;
    }
    assert_eq!(issuer.metadata_fetches(), 2, "the second attempt asked, and was led to the old place");
    issuer.set(|state| state.announced = true);
    let found = until(|| {
        drop(service.verify(&issuer.issuer.token().sign()));
        keys.keys().len() == 2
    });
    assert!(found.await <= 2 * MINUTE);
}

/// Any token can make an attempt begin with the metadata, so that must not cost the keys.
#[tokio::test(start_paused = true)]
async fn row_v_metadata_that_cannot_be_read_do_not_keep_keys_from_being_refreshed() {
    let issuer = Moving::new();
    let (keys, service) = issuer.service();
    keys.require(MINUTE).await.unwrap();
    sleep(2 * COOL_DOWN).await;
    issuer.set(|state| state.metadata_status = Some(StatusCode::BAD_GATEWAY));
    let invented = issuer.issuer.token().header("kid", "invented").sign();
    for _ in 0..60 {
        assert!(code(&service, &invented).await.is_some());
        sleep(MINUTE).await;
        assert_eq!(keys.health(), Health::Healthy);
    }
    issuer.issuer.rotate();
    issuer.set(|state| state.old_keys = issuer.issuer.jwks());
    sleep(COOL_DOWN).await;
    assert_eq!(code(&service, &issuer.issuer.token().sign()).await, None);
}

/// How long it takes from the provider's return until keys can be used.
async fn recovery(service: &Service) -> Duration {
    assert_eq!(service.keys.health(), Health::Down);
    service.provider.behave(Behaviour::Normal);
    until(|| service.keys.health() == Health::Healthy).await
}

/// The longest wait and its jitter, and a step of the test's own.
const SOON: Duration = Duration::from_millis(6_500);

#[tokio::test(start_paused = true)]
async fn row_w_recovery_after_a_long_outage_takes_five_seconds() {
    for offset in 0..4 {
        let service = Service::started().await;
        service.provider.behave(Behaviour::Unreachable);
        sleep(3 * HOUR + offset * 1_700 * SECOND / 1_000).await;
        let took = recovery(&service).await;
        assert!(took <= SOON, "{took:?}");
        assert!(service.accepts_at_once(&service.token()));
    }
}

#[tokio::test(start_paused = true)]
async fn row_w_so_does_a_start_during_an_outage() {
    for lazy in [false, true] {
        let provider = ScriptedProvider::new();
        provider.behave(Behaviour::Status(503));
        let service = Service::with(provider, |keys| if lazy { keys.lazy() } else { keys });
        assert_eq!(service.code(&service.token()).await, Some(Code::KeysUnavailable));
        sleep(HOUR).await;
        let took = recovery(&service).await;
        assert!(took <= SOON, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_w_and_so_does_the_return_after_every_key_was_exposed() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::PrivateKeys);
    sleep(HOUR).await;
    service.provider.issuer().rotate();
    let took = recovery(&service).await;
    assert!(took <= SOON, "{took:?}");
}

/// The wait under way was chosen while there were keys to use.
#[tokio::test(start_paused = true)]
async fn row_w_keys_that_become_too_old_shorten_the_wait_under_way() {
    for _ in 0..3 {
        let service = Service::started().await;
        service.provider.behave(Behaviour::Unreachable);
        until(|| service.keys.health() == Health::Down).await;
        let took = recovery(&service).await;
        assert!(took <= SOON, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_w_retries_leave_tokens_their_fetches() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::Unreachable);
    sleep(3 * HOUR).await;
    recovery(&service).await;
    for _ in 0..2 {
        service.provider.issuer().rotate();
        assert!(service.accepts(&service.token()).await, "a new key right after the outage");
    }
}

/// Its twin: while the keys from before can be used, no request waits, and the issuer is left alone for longer.
#[tokio::test(start_paused = true)]
async fn row_w_while_keys_can_be_used_retries_are_half_a_minute_apart() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::Status(503));
    sleep(FRESHNESS + 5 * MINUTE).await;
    let before = service.provider.metadata_fetches();
    sleep(20 * MINUTE).await;
    let asked = service.provider.metadata_fetches() - before;
    assert!((33..=51).contains(&asked), "{asked}");
}
