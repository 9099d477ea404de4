//! What the log says of keys that are fetched.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use portcullis_jwks::RemoteKeys;
use portcullis_test::provider::{Behaviour, ScriptedProvider};
use support::{FRESHNESS, HOUR, MINUTE, Service};
use tokio::time::sleep;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::set_default,
};

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// The events of this crate, on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, Fields)>>>);

impl Log {
    /// Those that came since: level and message.
    fn take(&self) -> Vec<(Level, String)> {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        events.into_iter().map(|(level, fields)| (level, fields.0["message"].clone())).collect()
    }

    fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "portcullis_jwks"
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push((*event.metadata().level(), fields));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_once_and_an_unchanged_set_not_at_all() {
    let log = Log::default();
    let _guard = set_default(log.clone());
    let service = Service::started().await;
    assert_eq!(log.take(), [(Level::INFO, "key set swapped".to_owned())]);
    sleep(HOUR).await;
    assert_eq!(log.take(), []);
    service.provider.issuer().rotate();
    sleep(FRESHNESS).await;
    assert_eq!(log.take(), [(Level::INFO, "key set swapped".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn an_odd_key_is_told_with_the_reason() {
    let log = Log::default();
    let _guard = set_default(log.clone());
    let provider = ScriptedProvider::new();
    provider.behave(Behaviour::OddKey);
    let service = Service::with(provider, |keys| keys);
    service.keys.require(MINUTE).await.unwrap();
    assert!(log.text().contains("odd") && log.text().contains("secp256k1"), "{}", log.text());
    assert!(log.take().iter().any(|(level, _)| *level == Level::WARN));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_with_every_cause_and_louder_when_it_hurts() {
    let log = Log::default();
    let _guard = set_default(log.clone());
    let service = Service::started().await;
    log.take();
    service.provider.behave(Behaviour::Unreachable);
    sleep(FRESHNESS).await;
    let text = log.text();
    assert!(text.contains("https://issuer.test") && text.contains("refused"), "{text}");
    assert!(log.take().iter().all(|(level, message)| *level == Level::WARN && message.contains("stay")));
    sleep(HOUR + MINUTE).await;
    assert!(log.take().iter().any(|(level, message)| *level == Level::ERROR && message.contains("too old")));
    sleep(MINUTE).await;
    assert!(log.take().iter().all(|(level, message)| *level == Level::ERROR && message.contains("none can be used")));
    service.provider.behave(Behaviour::Normal);
    sleep(MINUTE).await;
    assert_eq!(log.take(), [(Level::INFO, "keys could be fetched again".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_everybody_has_is_told_by_its_name() {
    let log = Log::default();
    let service = Service::started().await;
    let id = service.keys.keys().iter().next().unwrap().id().unwrap().to_owned();
    let _guard = set_default(log.clone());
    service.provider.behave(Behaviour::PrivateKeys);
    sleep(FRESHNESS).await;
    assert!(log.text().contains(&id), "{}", log.text());
    let events = log.take();
    let dropped = |(level, message): &&(Level, String)| *level == Level::ERROR && message.contains("private half");
    assert_eq!(events.iter().filter(dropped).count(), 1, "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn tokens_leave_no_trace() {
    let log = Log::default();
    let _guard = set_default(log.clone());
    let service = Service::settled().await;
    service.code(&service.token_of("a-hostile-name")).await;
    service.provider.behave(Behaviour::Status(500));
    sleep(HOUR).await;
    service.code(&service.token_of("another-hostile-name")).await;
    assert!(!log.text().contains("hostile"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn queries_of_urls_are_not_shown() {
    let log = Log::default();
    let _guard = set_default(log.clone());
    let provider = ScriptedProvider::new();
    provider.behave(Behaviour::Status(500));
    let builder = RemoteKeys::from_url("https://issuer.test/jwks.json?key=hunter2").fetch(provider.clone());
    let builder = format!("{builder:?}");
    let keys =
        RemoteKeys::from_url("https://issuer.test/jwks.json?key=hunter2").fetch(provider.clone()).start().unwrap();
    let fault = keys.require(MINUTE).await.unwrap_err();
    let shown = format!("{} {fault:?} {keys:?} {:?} {builder}", log.text(), keys.last_error());
    assert!(shown.contains("https://issuer.test/jwks.json") && !shown.contains("hunter2"), "{shown}");

    provider.behave(Behaviour::Normal);
    keys.require(MINUTE).await.unwrap();
    let snapshot = keys.snapshot().unwrap();
    assert!(!format!("{snapshot:?}").contains("hunter2"), "{snapshot:?}");
    let mistake = RemoteKeys::from_url("https://user:hunter2@issuer.test/").fetch(provider).start().unwrap_err();
    assert!(mistake.to_string().contains("user name") && !mistake.to_string().contains("hunter2"), "{mistake}");
}

#[test]
fn a_task_that_ends_while_it_is_needed_is_reported() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let log = Log::default();
    let _guard = set_default(log.clone());
    let (first, second) = (runtime(), runtime());
    let service = first.block_on(Service::started());
    log.take();
    drop(first);
    assert!(matches!(log.take().as_slice(), [(Level::ERROR, message)] if message.contains("has ended")));
    drop(service);

    let service = second.block_on(Service::started());
    log.take();
    second.block_on(async {
        drop(service);
        sleep(MINUTE).await;
    });
    drop(second);
    assert_eq!(log.take(), [], "it is no longer needed");
}

/// Publishes what it is told to.
#[derive(Clone, Debug)]
struct Hostile {
    issuer: String,
    keys: String,
}

impl portcullis_jwks::Fetch for Hostile {
    async fn fetch(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, portcullis_jwks::FetchError> {
        let metadata =
            || serde_json::json!({"issuer": self.issuer, "jwks_uri": "https://issuer.test/keys"}).to_string();
        let body = if request.uri().path() == "/keys" { self.keys.clone() } else { metadata() };
        Ok(http::Response::new(body.into_bytes()))
    }
}

const HOSTILE: &str = "a\u{202e}b\u{2028}c\nd\u{1b}[31me\u{2066}f\u{85}g";

/// Whether a text could break, reorder or colour a line of a log.
fn is_plain(text: &str) -> bool {
    !text.chars().any(|char| {
        char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    })
}

#[tokio::test(start_paused = true)]
async fn row_t18_what_a_hostile_issuer_writes_is_escaped() {
    let good = portcullis_test::MockIssuer::new().jwks();
    let odd = serde_json::json!({"kty": "EC", "crv": HOSTILE, "kid": HOSTILE, "x": "AAAA", "y": "AAAA"}).to_string();
    let private = good.replace("\"kty\":", "\"d\":\"AAECAwQFBgc\",\"kty\":");
    let mut named: serde_json::Value = serde_json::from_str(&private).unwrap();
    named["keys"][0]["kid"] = HOSTILE.into();
    for (issuer, keys) in [
        (HOSTILE, good.clone()),
        ("https://issuer.test", good.replacen('[', &format!("[{odd},"), 1)),
        ("https://issuer.test", format!("{{\"keys\":[{odd}]}}")),
        ("https://issuer.test", named.to_string()),
    ] {
        let log = Log::default();
        let _guard = set_default(log.clone());
        let hostile = Hostile { issuer: issuer.to_owned(), keys };
        let keys = RemoteKeys::discover("https://issuer.test").fetch(hostile).start().unwrap();
        let outcome = keys.require(MINUTE / 60).await;
        let events = std::mem::take(&mut *log.0.lock().unwrap());
        assert!(!events.is_empty());
        for (_, fields) in &events {
            assert!(fields.0.values().all(|text| is_plain(text)), "{fields:?}");
        }
        let shown = format!(
            "{:?} {}",
            outcome.map_err(|error| error.to_string()),
            keys.last_error().map_or(String::new(), |it| it.to_string())
        );
        assert!(is_plain(&shown), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_t18_however_many_odd_keys_there_are_a_change_is_told_in_two_lines() {
    let log = Log::default();
    let _guard = set_default(log.clone());
    let odd = r#"{"kty":"EC","crv":"secp256k1","kid":"odd","x":"AAAA","y":"AAAA"},"#.repeat(99);
    let keys = portcullis_test::MockIssuer::new().jwks().replacen('[', &format!("[{odd}"), 1);
    let keys = RemoteKeys::from_url("https://issuer.test/keys")
        .fetch(Hostile { issuer: String::new(), keys })
        .start()
        .unwrap();
    keys.require(MINUTE).await.unwrap();
    assert!(log.text().contains("98"), "how many more is told: {}", log.text());
    assert_eq!(log.take().len(), 2);
}

/// A flood is the clients' doing, and no change of any state.
#[tokio::test(start_paused = true)]
async fn row_t18_a_flood_of_unknown_keys_is_not_told() {
    let service = Service::settled().await;
    let log = Log::default();
    let _guard = set_default(log.clone());
    for n in 0..1_000 {
        service.code(&service.token_of(&n.to_string())).await;
    }
    assert_eq!(log.take(), []);
}

#[tokio::test(start_paused = true)]
async fn row_t18_failures_are_told_once_a_second() {
    let service = Service::settled().await;
    let log = Log::default();
    let _guard = set_default(log.clone());
    service.provider.behave(Behaviour::Status(500));
    for id in ["one", "two"] {
        service.code(&service.token_of(id)).await;
    }
    assert!(service.provider.metadata_fetches() > 1, "there were two attempts");
    assert_eq!(log.take().len(), 1);
    sleep(MINUTE).await;
    assert!(log.take().len() > 1, "and it is told again as long as it lasts");
}
