//! Clients are told that sessions have ended (OpenID Connect Back-Channel Logout 1.0).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response};
use portcullis::revocation::BackChannelLogout;
use portcullis_core::{
    Algorithm, KeySet, TrustedIssuer, UnixTime,
    policy::TokenSpec,
    revocation::{Revocation, Revoker},
};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    records::{MemoryRecordStore, RecordGroup, RecordKind, RecordStore},
    refresh::{
        EndReason, LogIn, LogOutDelivery, LogOutEvent, MemoryRefreshStore, RefreshKeys, RefreshPolicy, Sessions, Tokens,
    },
};
use portcullis_jwks::{Fetch, FetchError};
use portcullis_test::FixedClock;
use serde_json::{Value, json};
use support::{ISSUER, SERVICE, T, TestLog, TestSubjects, secs};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tower::ServiceExt;

const URI: &str = "https://app.test/log-out";
const SILENT: &str = "https://silent.test/log-out";

type TestSessions = Sessions<MemoryRefreshStore, TestLog, TestSubjects>;

/// The client's own server: it keeps what it is sent, and answers as it is told.
#[derive(Clone, Debug, Default)]
struct Receiver(Arc<State>);

#[derive(Debug, Default)]
struct State {
    tokens: Mutex<Vec<String>>,
    status: Mutex<u16>,
    is_down: Mutex<bool>,
    /// If it is there, the answer comes when it is notified.
    gate: Mutex<Option<Arc<Notify>>>,
    service: Mutex<Option<Router>>,
    /// The requests to the client that never answers.
    at_silent: Arc<Mutex<AtSilent>>,
    panics: Mutex<bool>,
}

#[derive(Debug, Default)]
struct AtSilent {
    now: usize,
    most: usize,
    all: usize,
}

/// One of these requests, until it is given up.
struct Busy(Arc<Mutex<AtSilent>>);

impl Busy {
    fn begin(state: &Arc<Mutex<AtSilent>>) -> Self {
        let mut at = state.lock().unwrap();
        at.now += 1;
        at.all += 1;
        at.most = at.most.max(at.now);
        Self(Arc::clone(state))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.lock().unwrap().now -= 1;
    }
}

impl Fetch for Receiver {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        assert_eq!(request.method().as_str(), "POST");
        if request.uri() == SILENT {
            let silent = Busy::begin(&self.0.at_silent);
            std::future::pending::<()>().await;
            drop(silent);
        }
        assert_eq!(request.uri(), URI);
        let panics = *self.0.panics.lock().unwrap();
        assert!(!panics, "as the test wants it");
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        let token = String::from_utf8(request.body().clone()).unwrap();
        self.0.tokens.lock().unwrap().push(token.strip_prefix("logout_token=").unwrap().to_owned());
        let (gate, service) = (self.0.gate.lock().unwrap().clone(), self.0.service.lock().unwrap().clone());
        if let Some(gate) = gate {
            gate.notified().await;
        }
        if *self.0.is_down.lock().unwrap() {
            return Err(FetchError::unreachable(io::Error::from(io::ErrorKind::ConnectionRefused)));
        }
        let mut status = *self.0.status.lock().unwrap();
        if let Some(service) = service {
            let (head, body) = request.into_parts();
            status = service.oneshot(Request::from_parts(head, Body::from(body))).await.unwrap().status().as_u16();
        }
        Ok(Response::builder().status(status.max(200)).body(Vec::new()).unwrap())
    }
}

struct Place {
    clock: FixedClock,
    sessions: TestSessions,
    store: MemoryRefreshStore,
    records: MemoryRecordStore,
    log: TestLog,
    subjects: TestSubjects,
    receiver: Receiver,
    events: Arc<Mutex<Vec<LogOutEvent>>>,
    key: SigningKey,
    spec: TokenSpec,
}

impl Place {
    fn new() -> Self {
        let clock = FixedClock::at(T);
        let (spec, key) = (TokenSpec::new(ISSUER).audience(SERVICE), SigningKey::generate(Algorithm::EdDsa).unwrap());
        let issuer = TokenIssuer::new(spec.clone(), key.clone()).unwrap().clock(clock.clone());
        let (log, subjects) = (TestLog::new(&clock, &Arc::default()), TestSubjects::default());
        let (store, records) =
            (MemoryRefreshStore::with_clock(clock.clone()), MemoryRecordStore::with_clock(clock.clone()));
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let sessions = Sessions::new(issuer, store.clone(), keys, log.clone(), subjects.clone());
        let sessions = sessions.revocations(log.view()).unwrap().tell_clients(records.clone()).unwrap();
        let (receiver, events) = (Receiver::default(), Arc::default());
        Self { clock, sessions, store, records, log, subjects, receiver, events, key, spec }
    }

    fn worker(&self) -> LogOutDelivery<MemoryRefreshStore, TestLog, TestSubjects, Receiver> {
        let events = Arc::clone(&self.events);
        let listener = move |event: &LogOutEvent| events.lock().unwrap().push(event.clone());
        self.sessions.log_out_delivery(self.receiver.clone(), listener).unwrap()
    }

    async fn log_in(&self) -> Tokens {
        let log_in = LogIn::new("alice", "app").version(1).back_channel_logout_uri(URI);
        self.log.confirm();
        self.sessions.log_in(log_in, &RefreshPolicy::new()).await.unwrap()
    }

    async fn refresh(&self, tokens: &Tokens) -> Result<Tokens, portcullis_issuer::refresh::RefreshError> {
        self.log.confirm();
        self.sessions.refresh(tokens.refresh_token(), "app", &RefreshPolicy::new()).await
    }

    async fn waiting(&self) -> usize {
        self.records.list(&RecordGroup::new(RecordKind::LogOut, "waiting").unwrap()).await.unwrap().len()
    }

    fn tokens(&self) -> Vec<Value> {
        let tokens = self.receiver.0.tokens.lock().unwrap();
        let part = |token: &str, at: usize| URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap();
        let read = |token: &String| {
            let (header, claims): (Value, Value) =
                (serde_json::from_slice(&part(token, 0)).unwrap(), serde_json::from_slice(&part(token, 1)).unwrap());
            json!({ "typ": header["typ"], "claims": claims })
        };
        tokens.iter().map(read).collect()
    }
}

#[tokio::test]
async fn a_client_is_told_by_a_token_of_its_own() {
    let place = Place::new();
    let tokens = place.log_in().await;
    assert_eq!(place.worker().deliver_due().await.unwrap(), 0);
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1);
    let token = &place.tokens()[0];
    let claims = &token["claims"];
    assert_eq!(token["typ"], "logout+jwt");
    assert_eq!((&claims["iss"], &claims["aud"], &claims["sub"]), (&json!(ISSUER), &json!("app"), &json!("alice")));
    assert_eq!(claims["sid"], json!(tokens.session().id.session_id()));
    assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 120);
    assert!(claims.get("nonce").is_none() && claims["jti"].is_string());
    // It is told once, also if the session is ended again.
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    assert_eq!((place.worker().deliver_due().await.unwrap(), place.waiting().await), (0, 0));
}

#[tokio::test]
async fn every_way_in_which_a_session_ends_is_told() {
    let everywhere = async |place: &Place, _: &Tokens| place.sessions.log_out_everywhere("alice").await.unwrap();
    let place = Place::new();
    let tokens = place.log_in().await;
    everywhere(&place, &tokens).await;
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "log-out everywhere");

    let place = Place::new();
    place.log_in().await;
    place.sessions.raise_version("alice", 2).await.unwrap();
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "a raised version");

    let place = Place::new();
    let (tokens, keep) = (place.log_in().await, place.log_in().await);
    place.sessions.end_others("alice", keep.session().id, EndReason::Revoked).await.unwrap();
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "the others");
    assert_eq!(place.tokens()[0]["claims"]["sid"], json!(tokens.session().id.session_id()));

    let place = Place::new();
    let tokens = place.log_in().await;
    assert!(place.sessions.end_by_token(tokens.refresh_token(), "app").await.unwrap());
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "RFC 7009");
}

#[tokio::test]
async fn a_session_that_ends_by_itself_is_told() {
    let place = Place::new();
    let first = place.log_in().await;
    let second = place.refresh(&first).await.unwrap();
    place.clock.advance(secs(61));
    place.refresh(&second).await.unwrap();
    assert!(place.refresh(&first).await.is_err());
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "reuse");

    let place = Place::new();
    let tokens = place.log_in().await;
    place.subjects.refuse("alice");
    assert!(place.refresh(&tokens).await.is_err());
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "a subject that may not go on");

    let place = Place::new();
    let (tokens, other) = (place.log_in().await, place.log_in().await);
    let revoke = portcullis_core::revocation::Revocation::session(ISSUER, &tokens.session().id.session_id());
    portcullis_core::revocation::Revoker::revoke_all(&place.log, vec![revoke]).await.unwrap();
    assert!(place.refresh(&tokens).await.is_err() && place.refresh(&other).await.is_ok());
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "revoked in the log");
}

/// What ends a session by the log alone, with a twin that ends nothing.
fn revocations(session: &str) -> [(&'static str, Revocation, Revocation); 5] {
    let after = T.plus(secs(30));
    let before = UnixTime::from_secs(T.as_secs() - 3600);
    [
        ("session", Revocation::session(ISSUER, session), Revocation::session(ISSUER, "another")),
        ("subject", Revocation::subject(ISSUER, "alice", after), Revocation::subject(ISSUER, "alice", before)),
        ("version", Revocation::version(ISSUER, "alice", 2), Revocation::version(ISSUER, "alice", 1)),
        ("client", Revocation::client(ISSUER, "app", after), Revocation::client(ISSUER, "application", after)),
        ("issuer", Revocation::issuer(ISSUER, after), Revocation::issuer("https://other.test", after)),
    ]
}

#[tokio::test]
async fn a_session_that_the_log_names_is_told_when_it_is_refreshed_and_once() {
    let session = |tokens: &Tokens| tokens.session().id.session_id();
    for at in 0..5 {
        let place = Place::new();
        let first = place.log_in().await;
        let (level, revocation, twin) = revocations(&session(&first))[at].clone();
        place.clock.advance(secs(61));
        place.log.revoke_all(vec![twin]).await.unwrap();
        let tokens = place.refresh(&first).await.unwrap();
        assert_eq!((place.waiting().await, place.worker().deliver_due().await.unwrap()), (0, 0), "{level}");
        place.log.revoke_all(vec![revocation]).await.unwrap();
        assert_eq!(place.worker().deliver_due().await.unwrap(), 0, "{level}: not before it is found");
        assert!(place.refresh(&tokens).await.is_err(), "{level}");
        assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "{level}");
        assert_eq!(place.tokens()[0]["claims"]["sid"], json!(session(&first)), "{level}");
        assert!(place.refresh(&tokens).await.is_err());
        assert_eq!(place.worker().deliver_due().await.unwrap(), 0, "{level}: told again");
    }
}

#[tokio::test]
async fn sessions_that_the_log_names_can_be_ended_and_told_without_a_refresh() {
    for at in 0..5 {
        let place = Place::new();
        let tokens = place.log_in().await;
        let (level, revocation, twin) = revocations(&tokens.session().id.session_id())[at].clone();
        place.log.revoke_all(vec![twin]).await.unwrap();
        place.log.confirm();
        assert_eq!(place.sessions.end_revoked("alice").await.unwrap(), 0, "{level}");
        place.log.revoke_all(vec![revocation]).await.unwrap();
        place.log.confirm();
        assert_eq!(place.sessions.end_revoked("bob").await.unwrap(), 0, "{level}");
        assert_eq!(place.sessions.end_revoked("alice").await.unwrap(), 1, "{level}");
        assert_eq!(place.sessions.end_revoked("alice").await.unwrap(), 0, "{level}");
        assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "{level}");
        let ended = place.sessions.find(tokens.session().id).await.unwrap().unwrap().ended;
        assert_eq!(ended, Some(EndReason::Revoked), "{level}");
    }
}

#[tokio::test]
async fn a_view_that_is_not_confirmed_ends_no_session_and_says_so() {
    let place = Place::new();
    let tokens = place.log_in().await;
    place.clock.advance(secs(3600));
    assert!(place.sessions.end_revoked("alice").await.is_err());
    assert!(place.sessions.find(tokens.session().id).await.unwrap().unwrap().ended.is_none());
    place.log.confirm();
    assert_eq!(place.sessions.end_revoked("alice").await.unwrap(), 0);
}

#[tokio::test]
async fn a_session_that_is_over_by_its_time_is_not_told() {
    let idle = RefreshPolicy::new().idle(secs(600));
    let absolute = RefreshPolicy::new().absolute(secs(600));
    for policy in [idle, absolute] {
        for after in [secs(599), secs(600)] {
            let place = Place::new();
            place.log.confirm();
            let log_in = LogIn::new("alice", "app").version(1).back_channel_logout_uri(URI);
            let tokens = place.sessions.log_in(log_in, &policy).await.unwrap();
            place.clock.advance(after);
            place.log.confirm();
            let is_over = place.sessions.refresh(tokens.refresh_token(), "app", &policy).await.is_err();
            assert_eq!(is_over, after == secs(600));
            place.sessions.forget_ended().await.unwrap();
            assert_eq!((place.waiting().await, place.worker().deliver_due().await.unwrap()), (0, 0));
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_want_to_be_told_is_not() {
    let place = Place::new();
    place.log.confirm();
    let tokens = place.sessions.log_in(LogIn::new("alice", "web").version(1), &RefreshPolicy::new()).await.unwrap();
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    assert_eq!((place.waiting().await, place.worker().deliver_due().await.unwrap()), (0, 0));
}

#[tokio::test]
async fn our_own_receiver_accepts_what_is_delivered() {
    let place = Place::new();
    let at_client = TestLog::new(&place.clock, &Arc::default());
    let keys = KeySet::from(place.key.verifying_key());
    let trusted = TrustedIssuer::new(place.spec.issuer(), keys).audience("app");
    let service = BackChannelLogout::new(trusted, at_client.clone()).unwrap().clock(place.clock.clone());
    *place.receiver.0.service.lock().unwrap() = Some(Router::new().route_service("/log-out", service));
    let tokens = place.log_in().await;
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1, "{:?}", place.events.lock().unwrap());
    let keys = KeySet::from(place.key.verifying_key());
    let trusted = place.spec.trusted_at(SERVICE, keys).unwrap();
    let admission = portcullis_core::Admission::new(portcullis_core::JwtAuthenticator::new(trusted).unwrap());
    let admission = admission.clock(place.clock.clone()).revocations(at_client.view());
    at_client.confirm();
    assert!(
        admission.verify(tokens.access().token()).ready().unwrap().is_err(),
        "the client's service still accepts it"
    );
    // A token for another client is not accepted, so that the test would notice.
    let other = Place::new();
    *other.receiver.0.service.lock().unwrap() = place.receiver.0.service.lock().unwrap().clone();
    let tokens = other.log_in().await;
    other.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    assert_eq!(other.worker().deliver_due().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_running_worker_tells_the_client_at_once_when_a_session_ends_on_its_instance() {
    let place = Place::new();
    let worker = place.worker();
    let many_end = async {
        for everywhere in [false, true] {
            let (tokens, sent) = (place.log_in().await, place.tokens().len());
            // The worker has looked before, and waits.
            sleep(Duration::from_millis(100)).await;
            let ended = Instant::now();
            if everywhere {
                place.sessions.log_out_everywhere("alice").await.unwrap();
            } else {
                place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
            }
            while place.tokens().len() == sent {
                sleep(Duration::from_millis(5)).await;
            }
            assert!(ended.elapsed() <= Duration::from_millis(60), "{:?}", ended.elapsed());
            place.clock.advance(secs(1));
        }
    };
    tokio::select! { () = worker.run() => panic!("it has ended"), () = many_end => {} }
}

#[tokio::test]
async fn an_attempt_that_fails_is_repeated_with_another_token() {
    let place = Place::new();
    let tokens = place.log_in().await;
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    let worker = place.worker();
    *place.receiver.0.is_down.lock().unwrap() = true;
    for wait in [1, 2, 4, 8] {
        assert_eq!(worker.deliver_due().await.unwrap(), 0);
        let sent = place.tokens().len();
        place.clock.advance(secs(wait - 1));
        assert_eq!(worker.deliver_due().await.unwrap(), 0);
        assert_eq!(place.tokens().len(), sent, "it was repeated before {wait} s");
        place.clock.advance(secs(1));
    }
    *place.receiver.0.is_down.lock().unwrap() = false;
    *place.receiver.0.status.lock().unwrap() = 400;
    assert_eq!(worker.deliver_due().await.unwrap(), 0);
    place.clock.advance(secs(16));
    *place.receiver.0.status.lock().unwrap() = 204;
    assert_eq!(worker.deliver_due().await.unwrap(), 1);
    let ids: std::collections::HashSet<_> =
        place.tokens().iter().map(|token| token["claims"]["jti"].to_string()).collect();
    assert_eq!(ids.len(), 6);
    assert!(matches!(place.events.lock().unwrap().last(), Some(LogOutEvent::Told { attempts: 6, .. })));
}

#[tokio::test]
async fn a_client_that_cannot_be_told_for_a_day_is_given_up_and_the_operator_knows() {
    let place = Place::new();
    let tokens = place.log_in().await;
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    *place.receiver.0.is_down.lock().unwrap() = true;
    let worker = place.worker();
    let mut hours = 0;
    while place.waiting().await > 0 {
        worker.deliver_due().await.unwrap();
        place.clock.advance(secs(3600));
        hours += 1;
    }
    assert!((23..=25).contains(&hours), "{hours}");
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    assert_eq!(place.waiting().await, 0, "it begins again");
    let events = place.events.lock().unwrap();
    assert!(matches!(events.last(), Some(LogOutEvent::GivenUp { .. })));
    assert_eq!(events.iter().filter(|event| matches!(event, LogOutEvent::GivenUp { .. })).count(), 1);
}

#[tokio::test]
async fn two_workers_never_tell_a_client_at_the_same_time() {
    let place = Place::new();
    let tokens = place.log_in().await;
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    let gate = Arc::new(Notify::new());
    *place.receiver.0.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let (one, two) = (place.worker(), place.worker());
    let mut first = Box::pin(one.deliver_due());
    // The first worker is at the client. (It never gets an answer in this poll.)
    while place.tokens().is_empty() {
        tokio::select! { biased; _ = &mut first => panic!("there is no answer yet"), () = tokio::task::yield_now() => {} }
    }
    place.clock.advance(secs(29));
    assert_eq!(two.deliver_due().await.unwrap(), 0);
    assert_eq!(place.tokens().len(), 1, "two workers are at the client");
    gate.notify_one();
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!((two.deliver_due().await.unwrap(), place.tokens().len()), (0, 1));
}

#[tokio::test]
async fn what_a_worker_leaves_behind_is_taken_over_after_its_lease() {
    let place = Place::new();
    let tokens = place.log_in().await;
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    *place.receiver.0.gate.lock().unwrap() = Some(Arc::default());
    let worker = place.worker();
    {
        let mut first = Box::pin(worker.deliver_due());
        while place.tokens().is_empty() {
            tokio::select! { biased; _ = &mut first => panic!("there is no answer yet"), () = tokio::task::yield_now() => {} }
        }
    }
    *place.receiver.0.gate.lock().unwrap() = None;
    assert_eq!(worker.deliver_due().await.unwrap(), 0);
    place.clock.advance(secs(30));
    assert_eq!((worker.deliver_due().await.unwrap(), place.tokens().len()), (1, 2));
}

#[tokio::test]
async fn a_crash_between_the_notice_and_the_end_loses_neither() {
    let place = Place::new();
    let tokens = place.log_in().await;
    let before = place.store.dump();
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    // As if the program had crashed before the session ended in the store.
    place.store.restore(before);
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1);
    assert_eq!(place.store.dump()[0].ended, Some(EndReason::LoggedOut));
    assert!(place.refresh(&tokens).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_has_five_seconds() {
    let place = Place::new();
    let tokens = place.log_in().await;
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    *place.receiver.0.gate.lock().unwrap() = Some(Arc::default());
    let began = tokio::time::Instant::now();
    assert_eq!(place.worker().deliver_due().await.unwrap(), 0);
    assert_eq!(began.elapsed(), secs(5));
    assert!(matches!(place.events.lock().unwrap().last(), Some(LogOutEvent::Failed { .. })));
}

#[tokio::test]
async fn a_notice_that_could_not_be_kept_is_kept_at_the_next_attempt() {
    let place = Place::new();
    let tokens = place.log_in().await;
    place.sessions.end(tokens.session().id, EndReason::Reuse).await.unwrap();
    let ended = place.store.dump();
    // As if the notice had failed, and the end had not.
    let other = Place::new();
    other.store.restore(ended);
    assert_eq!(other.waiting().await, 0);
    assert!(other.refresh(&tokens).await.is_err());
    assert_eq!((other.waiting().await, other.worker().deliver_due().await.unwrap()), (1, 1));
    assert!(other.refresh(&tokens).await.is_err());
    assert_eq!(other.waiting().await, 0, "each attempt with an old token is a request to the client");
}

/// Opens and ends sessions of a client that never answers.
async fn end_many_of_the_silent_client(place: &Place, many: usize) {
    for at in 0..many {
        place.log.confirm();
        let log_in = LogIn::new(format!("user{at}"), "silent").version(1).back_channel_logout_uri(SILENT);
        let tokens = place.sessions.log_in(log_in, &RefreshPolicy::new()).await.unwrap();
        place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    }
}

/// Ends a session of the other client. Returns how long it takes until that client is told.
async fn told_after(place: &Place) -> Duration {
    let (tokens, sent) = (place.log_in().await, place.tokens().len());
    let began = Instant::now();
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    while place.tokens().len() == sent {
        sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_does_not_delay_the_log_outs_of_another() {
    for many in [0, 100] {
        let place = Place::new();
        end_many_of_the_silent_client(&place, many).await;
        let worker = place.worker();
        let other = async {
            for _ in 0..30 {
                sleep(Duration::from_millis(700)).await;
                place.clock.advance(secs(1));
                let waited = told_after(&place).await;
                assert!(waited <= Duration::from_millis(70), "{waited:?}");
            }
        };
        tokio::select! { () = worker.run() => panic!("it has ended"), () = other => {} }
        let at = place.receiver.0.at_silent.lock().unwrap();
        assert_eq!(at.most, many.min(2), "at once");
        // Five seconds each, after 0 s, 1 s, 2 s, 4 s.
        assert!(at.all <= 5, "{}", at.all);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_is_attempted_once_in_a_round_after_it_was_not_answered() {
    let place = Place::new();
    end_many_of_the_silent_client(&place, 10).await;
    let tokens = place.log_in().await;
    place.sessions.end(tokens.session().id, EndReason::LoggedOut).await.unwrap();
    assert_eq!(place.worker().deliver_due().await.unwrap(), 1);
    assert_eq!(place.receiver.0.at_silent.lock().unwrap().all, 2);
    assert_eq!(place.waiting().await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_does_not_end_the_worker() {
    let place = Place::new();
    let worker = place.sessions.log_out_delivery(place.receiver.clone(), |event| panic!("{event:?}")).unwrap();
    let other = async {
        for _ in 0..3 {
            told_after(&place).await;
        }
        sleep(Duration::from_secs(1)).await;
        assert_eq!(place.waiting().await, 0, "what was told is told again");
    };
    tokio::select! { () = worker.run() => panic!("it has ended"), () = other => {} }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_panics_is_an_event_and_ends_nothing() {
    let place = Place::new();
    *place.receiver.0.panics.lock().unwrap() = true;
    let (worker, first) = (place.worker(), place.log_in().await);
    place.sessions.end(first.session().id, EndReason::LoggedOut).await.unwrap();
    let other = async {
        let is_told = |event: &LogOutEvent| matches!(event, LogOutEvent::Unavailable { .. });
        while !place.events.lock().unwrap().iter().any(is_told) {
            sleep(Duration::from_millis(5)).await;
        }
        *place.receiver.0.panics.lock().unwrap() = false;
        told_after(&place).await;
        // The first one is told when its lease is over.
        place.clock.advance(secs(30));
        while place.waiting().await > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! { () = worker.run() => panic!("it has ended"), () = other => {} }
}
