//! The numbers that the documentation promises, each held on both sides: a test here fails when its constant changes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use http::{Request, Response};
use portcullis_core::{
    Algorithm, Code, UnixTime,
    keys::{KeyHint, KeySource, Resolved},
};
use portcullis_jwks::{Fetch, FetchError, FetchErrorKind, Health, MAX_DOCUMENT_LEN, RemoteKeys};
use portcullis_test::{
    Defect, MockIssuer,
    provider::{Behaviour, ScriptedProvider},
};
use support::{MINUTE, Service};
use tokio::time::{Duration, Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);
const INSTANT: Duration = Duration::from_millis(1);

fn just_before(time: Duration) -> Duration {
    time.saturating_sub(INSTANT)
}

/// A service whose keys are fresh for as long as its issuer wants, within bounds.
async fn fresh_for(cache_control: &str) -> Service {
    let provider = ScriptedProvider::new();
    provider.cache_control(cache_control);
    let service = Service::with(provider, |keys| keys);
    service.keys.require(MINUTE).await.unwrap();
    service
}

/// A service whose scheduled refreshes are most of a day away, and that has its two fetches for tokens.
async fn quiet() -> Service {
    let service = fresh_for("max-age=86400").await;
    sleep(5 * MINUTE).await;
    service
}

#[tokio::test(start_paused = true)]
async fn freshness_is_a_minute_to_a_day_and_ten_minutes_by_default() {
    for (cache_control, seconds) in [
        ("max-age=0", 60),
        ("max-age=61", 61),
        ("max-age=86399", 86_399),
        ("max-age=99999999", 86_400),
        ("public", 600),
    ] {
        let service = fresh_for(cache_control).await;
        service.provider.behave(Behaviour::Unreachable);
        advance(Duration::from_secs(seconds)).await;
        assert_eq!(service.keys.health(), Health::Healthy, "{cache_control}");
        advance(INSTANT).await;
        assert!(matches!(service.keys.health(), Health::Degraded { .. }), "{cache_control}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_comes_at_four_fifths_of_freshness_a_tenth_sooner_or_later() {
    let service = fresh_for("max-age=1000").await;
    let mut intervals = Vec::new();
    let (mut last, mut fetches) = (Instant::now(), service.fetches());
    while intervals.len() < 150 {
        sleep(SECOND).await;
        if service.fetches() > fetches {
            intervals.push(last.elapsed().as_secs());
            (last, fetches) = (Instant::now(), service.fetches());
        }
    }
    let (least, most) = (*intervals.iter().min().unwrap(), *intervals.iter().max().unwrap());
    assert!((719..740).contains(&least) && (860..=882).contains(&most), "{least} to {most}");
}

#[tokio::test(start_paused = true)]
async fn tokens_cause_two_fetches_at_once_and_then_one_in_thirty_seconds() {
    let service = quiet().await;
    let before = service.fetches();
    for id in ["one", "two"] {
        assert_eq!(service.code(&service.token_of(id)).await, Some(Code::KeyUnknown));
    }
    let third = service.token_of("three");
    let undecided = service.present(&third).await.unwrap_err();
    assert_eq!((undecided.code(), undecided.retry_after()), (Code::KeysUnavailable, Some(30 * SECOND)));
    advance(just_before(30 * SECOND)).await;
    assert_eq!(service.code(&third).await, Some(Code::KeysUnavailable));
    assert_eq!(service.fetches() - before, 2);
    advance(INSTANT).await;
    assert_eq!(service.code(&third).await, Some(Code::KeyUnknown));
    assert_eq!(service.fetches() - before, 3);
}

#[tokio::test(start_paused = true)]
async fn an_absent_key_is_looked_for_after_thirty_seconds_and_in_the_end_after_five_minutes() {
    for has_id in [true, false] {
        let service = quiet().await;
        let forged = service.provider.issuer().token().without_header("kid").expires_in(20 * MINUTE);
        let token = if has_id { service.token_of("absent") } else { forged.defect(Defect::WrongKey).sign() };
        assert_eq!(intervals(&service, &token).await, [0, 30, 60, 120, 240, 300, 300], "with an id: {has_id}");
    }
}

/// In seconds, between the fetches that a token causes which is presented every second.
async fn intervals(service: &Service, token: &str) -> Vec<u64> {
    let (mut last, mut fetches, mut intervals) = (Instant::now(), service.fetches(), Vec::new());
    while intervals.len() < 7 {
        service.code(token).await;
        if service.fetches() > fetches {
            intervals.push(last.elapsed().as_secs());
            (last, fetches) = (Instant::now(), service.fetches());
        }
        sleep(SECOND).await;
    }
    intervals
}

#[tokio::test(start_paused = true)]
async fn a_bad_signature_under_a_known_key_causes_a_fetch_in_five_minutes() {
    let service = quiet().await;
    let forged = service.provider.issuer().token().defect(Defect::WrongKey).expires_in(20 * MINUTE).sign();
    let before = service.fetches();
    let refuse_after = async |wait: Duration| {
        advance(wait).await;
        assert_eq!(service.code(&forged).await, Some(Code::SignatureInvalid));
        service.fetches() - before
    };
    assert_eq!(refuse_after(Duration::ZERO).await, 1);
    assert_eq!(refuse_after(just_before(5 * MINUTE)).await, 1);
    assert_eq!(refuse_after(INSTANT).await, 2);
}

/// With a cool-down of a second there is an attempt for each of so many names. During a cool-down those that are remembered are
/// refused, and the others not decided about.
#[tokio::test(start_paused = true)]
async fn a_thousand_and_twenty_four_absent_keys_are_remembered() {
    let provider = ScriptedProvider::new();
    provider.cache_control("max-age=86400");
    let service = Service::with(provider, |keys| keys.cool_down(SECOND));
    service.keys.require(MINUTE).await.unwrap();
    let resolve = |id: String| service.keys.resolve(KeyHint::new(Algorithm::Es256, Some(&id)), UnixTime::EPOCH);
    for n in 0..1500 {
        sleep(SECOND).await;
        let Resolved::Waiting(wait) = resolve(format!("absent-{n}")) else { panic!("no attempt for {n}") };
        assert!(matches!(wait.await, Resolved::Unknown));
    }
    let mut n = 0;
    while let Resolved::Waiting(wait) = resolve(format!("last-{n}")) {
        drop(wait.await);
        n += 1;
    }
    for n in 0..20_000 {
        assert!(matches!(resolve(format!("flood-{n}")), Resolved::Fault(_)), "{n}");
    }
    let remembered = (0..1500).filter(|n| matches!(resolve(format!("absent-{n}")), Resolved::Unknown)).count();
    // Those that attempts were made for, and a few of those that were named.
    assert!((1000..1100).contains(&remembered), "{remembered}");
}

#[tokio::test(start_paused = true)]
async fn keys_stay_usable_for_an_hour_past_their_freshness() {
    let service = Service::started().await;
    service.provider.behave(Behaviour::Unreachable);
    let lasts = Duration::from_secs(600 + 3600);
    advance(just_before(lasts)).await;
    assert!(service.accepts_at_once(&service.token()));
    advance(2 * INSTANT).await;
    assert_eq!(service.code(&service.token()).await, Some(Code::KeysUnavailable));
}

/// Publishes this text.
#[derive(Debug)]
struct Text(String);

impl Fetch for Text {
    async fn fetch(&self, _: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        Ok(Response::new(self.0.clone().into_bytes()))
    }
}

async fn reads(text: String) -> Result<usize, FetchErrorKind> {
    let keys = RemoteKeys::from_url("https://issuer.test/jwks.json").fetch(Text(text)).start().unwrap();
    match keys.require(SECOND / 2).await {
        Ok(()) => Ok(keys.keys().len()),
        Err(_) => Err(keys.last_error().unwrap().kind()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_has_at_most_512_kib() {
    let set = MockIssuer::new().jwks();
    let filled = |length: usize| format!("{set}{}", " ".repeat(length - set.len()));
    assert_eq!(MAX_DOCUMENT_LEN, 512 * 1024);
    assert_eq!(reads(filled(512 * 1024)).await, Ok(1));
    assert_eq!(reads(filled(512 * 1024 + 1)).await, Err(FetchErrorKind::TooLarge));
}

#[tokio::test(start_paused = true)]
async fn a_set_has_at_most_100_keys() {
    let issuer = MockIssuer::new();
    while issuer.jwks().matches("\"kty\"").count() < 100 {
        issuer.rotate();
    }
    assert_eq!(reads(issuer.jwks()).await, Ok(100));
    issuer.rotate();
    assert_eq!(reads(issuer.jwks()).await, Err(FetchErrorKind::Malformed));
}

/// A socket whose queue is full drops what comes, as a firewall does.
#[cfg(all(feature = "reqwest", target_os = "linux"))]
#[tokio::test]
async fn a_connection_may_take_two_seconds() {
    use tokio::net::{TcpSocket, TcpStream};
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(Ok(connection)) = tokio::time::timeout(SECOND, TcpStream::connect(address)).await {
        queue.push(connection);
    }
    let client = portcullis_jwks::HttpClient::new().unwrap();
    let request = Request::get(format!("http://{address}/")).body(Vec::new()).unwrap();
    let start = Instant::now();
    let error = client.fetch(request).await.unwrap_err();
    assert_eq!(error.kind(), FetchErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("no connection within 2 s"), "{error}");
    let took = start.elapsed();
    assert!(took >= SECOND * 19 / 10, "{took:?}");
}
