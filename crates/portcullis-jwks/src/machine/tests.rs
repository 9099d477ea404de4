//! Tests the machine with tables of events: no runtime, no network, and time is an argument.

use portcullis_core::{
    Algorithm,
    keys::{KeyHint, KeySource, Resolved, TokenHashKey},
};

use super::*;
use crate::{
    key_document::KeyDocument,
    url::{DocumentUrl, NamedHosts},
};

const SECOND: Duration = Duration::from_secs(1);
const FRESHNESS: Duration = Duration::from_secs(10 * 60);
const OUTAGE: Duration = Duration::from_secs(60 * 60);
const COOL_DOWN: Duration = Duration::from_secs(30);
const SETTINGS: Settings = Settings { cool_down: COOL_DOWN, outage: OUTAGE };

/// Public keys of RFC 8032 section 7.1.
const ONE: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const OTHER: &str = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";

fn set(keys: &[(&str, &str)]) -> String {
    let jwk = |(id, x): &(&str, &str)| format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"{x}"}}"#);
    format!(r#"{{"keys":[{}]}}"#, keys.iter().map(jwk).collect::<Vec<_>>().join(","))
}

fn url() -> DocumentUrl {
    DocumentUrl::parse("https://issuer.test/keys", &NamedHosts::default()).unwrap()
}

/// The result of an attempt that was made at this instant.
type Outcome = fn(Instant) -> Result<FetchedKeys, FetchError>;

const ONE_KEY: Outcome = |at| of_text(set(&[("a", ONE)]), at);
const TWO_KEYS: Outcome = |at| of_text(set(&[("a", ONE), ("b", OTHER)]), at);
const NO_KEYS: Outcome = |at| of_text(set(&[]), at);
const UNCHANGED: Outcome = |at| answer(Content::NotModified, at);
const FAILURE: Outcome = |_| failed();

fn of_text(text: String, at: Instant) -> Result<FetchedKeys, FetchError> {
    answer(Content::Read { keys: KeyDocument::read(&text), text, etag: None }, at)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where an attempt may have failed")]
fn answer(content: Content, at: Instant) -> Result<FetchedKeys, FetchError> {
    Ok(FetchedKeys { url: url(), learned_at: at, freshness: FRESHNESS, content })
}

fn failed() -> Result<FetchedKeys, FetchError> {
    Err(FetchError::timed_out(SECOND))
}

/// Makes the scene of a row.
type Make = fn() -> Scene;

/// A machine with its time.
struct Scene {
    machine: Machine,
    now: Instant,
}

impl Scene {
    /// Without keys; the first attempt is due.
    fn starting_with_seed(seed: u64) -> Self {
        let now = Instant::now();
        let mut machine = Machine::new(SETTINGS, fastrand::Rng::with_seed(seed), now);
        machine.fetch_at(now);
        Self { machine, now }
    }

    /// With the key `a`, fetched now.
    fn started_with_seed(seed: u64) -> Self {
        let mut scene = Self::starting_with_seed(seed);
        scene.on(Event::Time);
        scene.over(of_text(set(&[("a", ONE)]), scene.now));
        scene
    }

    fn started() -> Self {
        Self::started_with_seed(1)
    }

    /// Long enough after a fetch that tokens may trigger two.
    fn settled() -> Self {
        let mut scene = Self::started();
        scene.now += 2 * COOL_DOWN;
        scene
    }

    /// After two tokens with unknown keys.
    fn cooling_down() -> Self {
        let mut scene = Self::settled();
        for id in ["invented-1", "invented-2"] {
            assert!(scene.look_for(&named(id)).starts_with("wait"));
            scene.over(of_text(set(&[("a", ONE)]), scene.now));
        }
        scene
    }

    fn on(&mut self, event: Event) -> Vec<String> {
        self.machine.on(event, self.now).iter().map(shown).collect()
    }

    /// Finishes the attempt to be made, with this result.
    fn over(&mut self, outcome: Result<FetchedKeys, FetchError>) -> Vec<String> {
        assert!(self.machine.take_up_attempt(self.now).is_some(), "there is none to be made");
        self.on(Event::AttemptOver { outcome: Box::new(outcome), calendar: UnixTime::from_secs(1_000_000) })
    }

    /// Lets time pass until there is something to do, and returns how long that took.
    fn pass(&mut self) -> Duration {
        let at = self.machine.wakes_at().unwrap();
        let passed = at.saturating_duration_since(self.now);
        self.now = self.now.max(at);
        passed
    }

    fn look_for(&mut self, name: &Name) -> String {
        said(&self.machine.look_for(name, self.now))
    }

    fn tried(&mut self, name: &Name) -> portcullis_core::keys::KeyMatch {
        match self.machine.published().usable(self.now).unwrap().resolve(name.hint(), UnixTime::EPOCH) {
            Resolved::Keys(keys) => keys,
            other => panic!("{other:?}"),
        }
    }

    fn doubt(&mut self, name: &Name) -> String {
        let tried = self.tried(name);
        said(&self.machine.doubt(name, &tried, self.now))
    }
}

fn named(id: &str) -> Name {
    Name::of_key(KeyHint::new(Algorithm::EdDsa, Some(id)), &TokenHashKey::random())
}

/// The name of a token without a key id, by its text.
fn unnamed(token: &str, key: &TokenHashKey) -> Name {
    Name::of_signer(KeyHint::new(Algorithm::EdDsa, None).with_token(token), key)
}

fn shown(action: &Action) -> String {
    match action {
        Action::Publish(published) => match published.usable(Instant::now()) {
            Some(keys) => format!("publish {}", keys.len()),
            None => format!("publish {:?}", published.usability(Instant::now())),
        },
        Action::Tell(notice) => {
            let notice = format!("{notice:?}");
            format!("tell {}", notice.split([' ', '(']).next().unwrap_or_default())
        }
        Action::Wake(number) => format!("wake {number}"),
    }
}

fn said(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Wait(wait) => format!("wait for {}", wait.attempt),
        Lookup::Answer(Resolved::Keys(_)) => "keys".to_owned(),
        Lookup::Answer(Resolved::Unknown) => "unknown".to_owned(),
        Lookup::Answer(Resolved::Fault(fault)) => {
            format!("fault, again after {} s", fault.retry_after().unwrap().as_secs())
        }
        Lookup::Answer(other) => format!("{other:?}"),
    }
}

#[test]
fn the_end_of_an_attempt() {
    let private = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}"#;
    let rows: [(&str, Make, &str, Outcome, &[&str]); 10] = [
        ("no keys", starting, "a set", ONE_KEY, &["publish 1", "tell KeysSwapped", "wake 1"]),
        ("no keys", starting, "word that nothing changed", UNCHANGED, &["tell FetchFailed", "wake 1"]),
        ("no keys", starting, "an empty set", NO_KEYS, &["tell FetchFailed", "wake 1"]),
        ("no keys", starting, "a failure", FAILURE, &["tell FetchFailed", "wake 1"]),
        ("keys", due, "the same set", ONE_KEY, &["publish 1", "wake 2"]),
        ("keys", due, "word that nothing changed", UNCHANGED, &["publish 1", "wake 2"]),
        ("keys", due, "another set", TWO_KEYS, &["publish 2", "tell KeysSwapped", "wake 2"]),
        ("keys", due, "an empty set", NO_KEYS, &["tell FetchFailed", "wake 2"]),
        ("keys", due, "a failure", FAILURE, &["tell FetchFailed", "wake 2"]),
        ("a failure", failing, "the same set", ONE_KEY, &["tell Recovered", "publish 1", "wake 3"]),
    ];
    for (state, scene, event, outcome, expected) in rows {
        let mut scene = scene();
        let outcome = outcome(scene.now);
        assert_eq!(scene.over(outcome), expected, "{state}, then {event}");
    }
    let mut scene = due();
    let actions = scene.over(of_text(private.to_owned(), scene.now));
    assert_eq!(actions, ["publish Nothing", "tell ExposedKeysDropped", "tell FetchFailed", "wake 2"]);
}

fn starting() -> Scene {
    let mut scene = Scene::starting_with_seed(1);
    assert!(scene.on(Event::Time).is_empty());
    scene
}

/// With keys; the scheduled attempt has to be made.
fn due() -> Scene {
    let mut scene = Scene::started();
    scene.pass();
    assert!(scene.on(Event::Time).is_empty());
    scene
}

/// With keys; the retry after a failure has to be made.
fn failing() -> Scene {
    let mut scene = due();
    scene.over(failed());
    scene.pass();
    assert!(scene.on(Event::Time).is_empty());
    scene
}

#[test]
fn an_attempt_is_given_out_once_and_there_is_one_at_a_time() {
    let mut scene = starting();
    assert!(scene.machine.take_up_attempt(scene.now).is_some());
    assert!(scene.machine.take_up_attempt(scene.now).is_none());
    scene.on(Event::Time);
    scene.on(Event::KeysWanted);
    assert!(scene.machine.take_up_attempt(scene.now).is_none());
    assert_eq!(scene.machine.wakes_at(), None, "nothing is due while one is under way");
}

#[test]
fn a_lazy_source_begins_when_keys_are_wanted_or_a_token_comes() {
    let now = Instant::now();
    let lazy = || Scene { machine: Machine::new(SETTINGS, fastrand::Rng::with_seed(1), now), now };
    let mut idle = lazy();
    assert!(idle.on(Event::Time).is_empty());
    assert!(idle.machine.take_up_attempt(now).is_none() && idle.machine.health(now) == Health::Idle);
    let mut wanted = lazy();
    wanted.on(Event::KeysWanted);
    assert!(wanted.machine.take_up_attempt(now).is_some() && wanted.machine.health(now) == Health::Down);
    let mut asked = lazy();
    assert_eq!(asked.look_for(&named("a")), "wait for 1");
    assert!(asked.machine.take_up_attempt(now).is_some());
}

#[test]
fn a_source_that_may_not_exist_is_tried_again_only_for_a_token_that_asks() {
    let now = Instant::now();
    let mut scene = Scene { machine: Machine::new(SETTINGS, fastrand::Rng::with_seed(1), now), now };
    scene.machine.only_when_asked();
    for number in 1..=2 {
        assert_eq!(scene.look_for(&named("a")), format!("wait for {number}"));
        scene.over(failed());
        assert_eq!((scene.machine.wakes_at(), scene.machine.health(scene.now)), (None, Health::Down));
    }
    for _ in 0..4 {
        assert!(scene.look_for(&named("a")).starts_with("fault"), "tokens may cause no attempt so soon");
        assert!(scene.pass() <= 6 * SECOND, "but the next one is due");
        scene.on(Event::Time);
        scene.over(failed());
        assert_eq!(scene.machine.wakes_at(), None, "and none after it");
    }
    scene.on(Event::KeysWanted);
    scene.pass();
    scene.on(Event::Time);
    scene.over(ONE_KEY(scene.now));
    scene.pass();
    scene.on(Event::Time);
    scene.over(failed());
    assert!(scene.machine.wakes_at().is_some(), "keys that it has, it keeps fresh");
}

#[test]
fn keys_are_refreshed_at_four_fifths_of_their_freshness_a_tenth_sooner_or_later() {
    let waits: Vec<_> = (0..500).map(|seed| Scene::started_with_seed(seed).pass().as_secs_f64()).collect();
    assert!(waits.iter().all(|wait| (432.0..=528.0).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait < 440.0) && waits.iter().any(|wait| *wait > 520.0));
}

#[test]
fn retries_are_twice_as_far_apart_each_time_up_to_a_limit() {
    for (with_keys, scene, limit) in [(true, due as Make, 30.0_f64), (false, starting, 5.0)] {
        let mut scene = scene();
        for expected in [1.0_f64, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0] {
            scene.over(failed());
            let (wait, expected) = (scene.pass().as_secs_f64(), expected.min(limit));
            assert!((0.8 * expected..=1.2 * expected).contains(&wait), "{wait} for {expected}, with keys: {with_keys}");
            scene.on(Event::Time);
        }
    }
}

#[test]
fn an_issuer_is_left_alone_for_as_long_as_it_asks_up_to_five_minutes() {
    for (asked, least, most) in [(0, 0.8, 1.2), (100, 100.0, 120.0), (3600, 300.0, 360.0)] {
        let mut scene = due();
        let status = FetchError::status(http::StatusCode::SERVICE_UNAVAILABLE);
        scene.over(Err(status.with_retry_after(Some(Duration::from_secs(asked)))));
        let wait = scene.pass().as_secs_f64();
        assert!((least..=most).contains(&wait), "{wait} for {asked}");
    }
}

#[test]
fn keys_end_an_hour_after_their_freshness_and_not_sooner() {
    let mut scene = Scene::started();
    let end = scene.now + FRESHNESS + OUTAGE;
    let health = |scene: &Scene, at| scene.machine.health(at);
    assert_eq!(health(&scene, scene.now + FRESHNESS), Health::Healthy);
    assert_eq!(
        health(&scene, end.checked_sub(SECOND).unwrap()),
        Health::Degraded { stale_for: OUTAGE.saturating_sub(SECOND) }
    );
    assert_eq!(health(&scene, end), Health::Down, "before the driver says that it is time");
    loop {
        scene.pass();
        let actions = scene.on(Event::Time);
        if scene.now >= end {
            assert_eq!(actions, ["publish TooOld", "tell KeysTooOld"]);
            break;
        }
        assert!(actions.is_empty(), "{actions:?}");
        scene.over(failed());
    }
    assert_eq!(scene.now, end);
    assert!(scene.pass() <= 6 * SECOND, "retries come sooner from now on");
}

#[test]
fn failures_are_told_at_most_once_a_second() {
    let mut scene = Scene::settled();
    assert_eq!(scene.look_for(&named("b")), "wait for 2");
    assert_eq!(scene.over(failed()), ["tell FetchFailed", "wake 2"]);
    assert_eq!(scene.look_for(&named("b")), "wait for 3");
    assert_eq!(scene.over(failed()), ["wake 3"]);
    assert!(scene.pass() >= SECOND);
    scene.on(Event::Time);
    assert_eq!(scene.over(failed()), ["tell FetchFailed", "wake 4"]);
}

#[test]
fn nothing_can_be_used_after_the_end() {
    let mut scene = Scene::settled();
    assert_eq!(scene.on(Event::Ended), ["publish Ended", &format!("wake {}", u64::MAX)]);
    assert!(scene.look_for(&named("a")).starts_with("fault"));
    assert!(scene.machine.take_up_attempt(scene.now).is_none());
}

#[test]
fn what_is_said_to_a_token_with_an_unknown_key_id() {
    let rows: [(&str, Make, &str, &str); 7] = [
        ("quiet", Scene::settled, "a", "keys"),
        ("quiet", Scene::settled, "b", "wait for 2"),
        ("an attempt under way", due, "b", "wait for 2"),
        ("no keys", starting, "b", "wait for 1"),
        ("a cool-down, and one looked for it", Scene::cooling_down, "invented-1", "unknown"),
        ("a cool-down, and none looked for it", Scene::cooling_down, "b", "fault, again after 30 s"),
        ("a failure", failing, "b", "wait for 3"),
    ];
    for (state, scene, id, expected) in rows {
        assert_eq!(scene().look_for(&named(id)), expected, "{state}: {id}");
    }
}

#[test]
fn tokens_cause_two_fetches_at_once_and_then_one_per_cool_down() {
    let mut scene = Scene::cooling_down();
    scene.now += COOL_DOWN.saturating_sub(SECOND);
    assert_eq!(scene.look_for(&named("b")), "fault, again after 1 s");
    scene.now += SECOND;
    assert_eq!(scene.look_for(&named("b")), "wait for 4");
}

#[test]
fn what_is_said_to_a_token_whose_signature_is_bad() {
    let key = TokenHashKey::random();
    let mut scene = Scene::settled();
    assert_eq!(scene.doubt(&named("a")), "wait for 2");
    scene.over(of_text(set(&[("a", ONE)]), scene.now));
    assert_eq!(scene.doubt(&named("a")), "unknown", "one fetch in five minutes");
    scene.now += (5 * 60 - 1) * SECOND;
    assert_eq!(scene.doubt(&named("a")), "unknown");
    scene.now += SECOND;
    assert_eq!(scene.doubt(&named("a")), "wait for 3");
    let mut scene = Scene::cooling_down();
    assert_eq!(scene.doubt(&named("a")), "unknown", "a token that names its key is refused in a cool-down");
    assert_eq!(scene.doubt(&unnamed("one", &key)), "fault, again after 30 s", "its key may be new");
    scene.now += COOL_DOWN;
    assert_eq!(scene.doubt(&unnamed("other", &key)), "wait for 4");
    scene.over(of_text(set(&[("a", ONE)]), scene.now));
    for token in ["one", "other"] {
        assert_eq!(scene.doubt(&unnamed(token, &key)), "unknown", "that fetch looked for both");
    }
    assert_eq!(scene.doubt(&unnamed("third", &key)), "fault, again after 30 s");
}

/// Returns the wait of a token with this name, in a scene where it has to wait.
fn wait(scene: &mut Scene, name: &Name) -> Wait {
    match scene.machine.look_for(name, scene.now) {
        Lookup::Wait(wait) => wait,
        Lookup::Answer(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_is_said_to_a_token_that_has_waited() {
    for (in_time, joined, outcome, expected) in [
        (true, false, TWO_KEYS, "keys"),
        (false, false, TWO_KEYS, "keys"),
        (true, false, ONE_KEY, "unknown"),
        (true, true, ONE_KEY, "wait for 3"),
        (false, false, ONE_KEY, "fault, again after 2 s"),
        (false, true, ONE_KEY, "fault, again after 2 s"),
        (true, false, FAILURE, "fault"),
        (true, true, FAILURE, "fault"),
    ] {
        let mut scene = Scene::settled();
        if joined {
            wait(&mut scene, &named("another"));
        }
        let waited = wait(&mut scene, &named("b"));
        let outcome = outcome(scene.now);
        scene.over(outcome);
        let said = said(&scene.machine.after_waiting(&named("b"), None, waited, in_time, scene.now));
        assert!(said.starts_with(expected), "in time: {in_time}, joined: {joined}: {said}");
    }
}

#[test]
fn a_key_that_came_since_the_caller_looked_is_found_and_costs_no_fetch() {
    let mut scene = Scene::cooling_down();
    scene.now += COOL_DOWN;
    wait(&mut scene, &named("invented-3"));
    scene.over(of_text(set(&[("a", ONE), ("new", OTHER)]), scene.now));
    assert_eq!(scene.look_for(&named("new")), "keys");
    assert!(scene.look_for(&named("unheard-of")).starts_with("fault"));
    scene.now += 2 * COOL_DOWN;
    assert_eq!(scene.look_for(&named("new")), "keys");
    assert!(scene.machine.take_up_attempt(scene.now).is_none());
    assert!(scene.look_for(&named("unheard-of")).starts_with("wait"));
}

/// The same for a token that was checked against keys which were replaced meanwhile.
#[test]
fn keys_that_were_replaced_since_are_tried_without_a_fetch() {
    let mut scene = Scene::settled();
    let tried = scene.tried(&named("a"));
    wait(&mut scene, &named("invented"));
    scene.over(of_text(set(&[("a", OTHER)]), scene.now));
    let newer = scene.machine.doubt(&named("a"), &tried, scene.now);
    assert!(matches!(newer, Lookup::Answer(Resolved::Keys(keys)) if !keys.is_of_the_set_of(&tried)));
    assert!(scene.machine.take_up_attempt(scene.now).is_none());
}

#[test]
fn an_attempt_that_missed_its_key_has_the_next_one_ask_for_the_metadata() {
    for (brings, in_doubt) in [(set(&[("a", ONE)]), true), (set(&[("a", ONE), ("b", OTHER)]), false)] {
        let mut scene = Scene::settled();
        wait(&mut scene, &named("b"));
        let learned_long_ago = scene.now.checked_sub(SECOND).unwrap();
        scene.over(of_text(brings, learned_long_ago));
        wait(&mut scene, &named("c"));
        assert_eq!(scene.machine.take_up_attempt(scene.now).unwrap().in_doubt, in_doubt);
    }
}

#[test]
fn a_failure_has_the_next_attempt_ask_for_the_metadata() {
    let mut scene = due();
    let learned = scene.machine.take_up_attempt(scene.now).unwrap();
    assert_eq!(learned.discovered.map(|(url, _)| url), Some(url()));
    scene.on(Event::AttemptOver { outcome: Box::new(failed()), calendar: UnixTime::EPOCH });
    scene.pass();
    scene.on(Event::Time);
    assert!(scene.machine.take_up_attempt(scene.now).unwrap().discovered.is_none());
}
