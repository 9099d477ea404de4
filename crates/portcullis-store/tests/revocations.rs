//! What follows a log, on virtual time: two instances, outages, and logs that lose what they had.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and its tasks end with it"
)]

mod support;

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use portcullis_core::{
    Admission, Code, JwtAuthenticator,
    revocation::{LogErrorKind, Revocation, RevocationLog, ViewState},
};
use portcullis_store::{MemoryLog, RevocationEvent, Revocations};
use portcullis_test::{MockIssuer, provider::VirtualClock};
use tokio::time::{Instant, advance, sleep};

use self::support::FaultyLog;

/// One instance of a service.
struct Service {
    log: FaultyLog,
    revocations: Revocations,
    admission: Admission,
}

struct Scene {
    issuer: MockIssuer,
    clock: VirtualClock,
    log: MemoryLog,
}

impl Scene {
    fn new() -> Self {
        let clock = VirtualClock::new();
        let issuer = MockIssuer::new().clock(clock.clone());
        Self { issuer, log: MemoryLog::new().clock(clock.clone()), clock }
    }

    fn service(&self) -> Service {
        self.service_over(FaultyLog::over(&self.log))
    }

    fn service_over(&self, log: FaultyLog) -> Service {
        let revocations =
            Revocations::builder(log.clone()).clock(self.clock.clone()).canary(Duration::ZERO).start().unwrap();
        let admission = self.issuer.admission().revocations(&revocations);
        Service { log, revocations, admission }
    }

    fn session(&self, id: &str) -> (String, Revocation) {
        let token = self.issuer.token().claim("sid", id).sign();
        (token, Revocation::session(self.issuer.name(), id))
    }
}

impl Service {
    async fn ready(self) -> Self {
        self.revocations.require(SECOND).await.unwrap();
        self
    }

    fn outcome(&self, token: &str) -> Result<(), Code> {
        let outcome = self.admission.verify(token).ready().expect("the key is at hand");
        outcome.map(drop).map_err(|error| error.code())
    }
}

const SECOND: Duration = Duration::from_secs(1);
const REVOKED: Result<(), Code> = Err(Code::TokenRevoked);
const STALE: Result<(), Code> = Err(Code::RevocationsStale);

#[tokio::test(start_paused = true)]
async fn a_revocation_by_one_instance_applies_on_the_other_at_once() {
    let scene = Scene::new();
    let (a, b) = (scene.service().ready().await, scene.service().ready().await);
    let (token, revocation) = scene.session("s");
    assert_eq!((a.outcome(&token), b.outcome(&token)), (Ok(()), Ok(())));
    let asked = Instant::now();
    a.revocations.revoke(revocation).await.unwrap();
    assert_eq!(a.outcome(&token), REVOKED, "what it has written it knows");
    while b.outcome(&token) == Ok(()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(b.outcome(&token), REVOKED);
    assert_eq!(asked.elapsed(), Duration::ZERO, "it was woken");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_starts_is_not_ready_before_it_has_read_everything() {
    let scene = Scene::new();
    let (token, revocation) = scene.session("s");
    scene.service().ready().await.revocations.revoke(revocation).await.unwrap();

    let log = FaultyLog::over(&scene.log);
    log.switches.refuses_reads.store(true, SeqCst);
    let late = scene.service_over(log);
    let error = late.revocations.require(SECOND).await.unwrap_err();
    assert!(error.to_string().contains("refused, as ordered"));
    assert!(!late.revocations.health().is_ready());
    assert_eq!(late.outcome(&token), STALE, "it does not know yet");
    late.log.switches.refuses_reads.store(false, SeqCst);
    late.revocations.require(5 * SECOND).await.unwrap();
    assert!(late.revocations.health().is_ready());
    assert_eq!(late.outcome(&token), REVOKED);
    assert_eq!(late.outcome(&scene.session("t").0), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_outage_makes_the_view_stale_and_its_end_makes_it_fresh() {
    let scene = Scene::new();
    let service = scene.service().ready().await;
    let (token, _) = scene.session("s");
    service.log.switches.hangs.store(true, SeqCst);
    sleep(4 * SECOND).await;
    assert_eq!(service.outcome(&token), Ok(()), "within what it may be stale");
    sleep(3 * SECOND).await;
    assert_eq!(service.outcome(&token), STALE);
    let health = service.revocations.health();
    assert!(matches!(health.state, ViewState::Stale { age } if age >= 5 * SECOND));
    assert!(health.is_ready(), "whether requests are served is for their routes to say");
    sleep(3600 * SECOND).await;
    assert_eq!(service.outcome(&scene.session("s").0), STALE);
    service.log.switches.hangs.store(false, SeqCst);
    sleep(9 * SECOND).await; // an attempt that hangs, and a pause
    assert_eq!(service.outcome(&scene.session("s").0), Ok(()));
    assert!(service.revocations.health().last_error.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_refuses_is_asked_again_and_not_in_a_hurry() {
    let scene = Scene::new();
    let service = scene.service().ready().await;
    service.log.switches.refuses_reads.store(true, SeqCst);
    sleep(2 * SECOND).await;
    let before = service.log.switches.reads.load(SeqCst);
    sleep(60 * SECOND).await;
    let reads = service.log.switches.reads.load(SeqCst) - before;
    assert!((60..=130).contains(&reads), "{reads} attempts a minute: back within a second of the log's return");
}

/// However much there is to read meanwhile.
#[tokio::test(start_paused = true)]
async fn a_log_that_refuses_writes_is_not_flooded() {
    let scene = Scene::new();
    let (service, other) = (scene.service().ready().await, scene.service().ready().await);
    service.log.switches.refuses_writes.store(true, SeqCst);
    assert!(service.revocations.revoke(scene.session("s").1).await.is_err());
    let before = service.log.switches.writes.load(SeqCst);
    for name in 0..600 {
        other.revocations.revoke(scene.session(&name.to_string()).1).await.unwrap();
        sleep(SECOND / 10).await;
    }
    let writes = service.log.switches.writes.load(SeqCst) - before;
    assert!((60..=130).contains(&writes), "{writes} attempts a minute");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_panics_is_one_that_failed() {
    let scene = Scene::new();
    let service = scene.service().ready().await;
    service.log.switches.panics.store(true, SeqCst);
    sleep(10 * SECOND).await;
    let (token, revocation) = scene.session("s");
    assert_eq!(service.outcome(&token), STALE);
    assert!(service.revocations.revoke(revocation).await.is_err());
    service.log.switches.panics.store(false, SeqCst);
    sleep(5 * SECOND).await;
    assert_eq!(service.outcome(&scene.session("t").0), Ok(()));
    assert_eq!(service.outcome(&token), REVOKED);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_could_not_be_written_applies_here_and_is_written_later() {
    let scene = Scene::new();
    let (a, b) = (scene.service().ready().await, scene.service().ready().await);
    let (token, revocation) = scene.session("s");
    a.log.switches.refuses_writes.store(true, SeqCst);
    let asked = Instant::now();
    let error = a.revocations.revoke(revocation).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    assert!(asked.elapsed() <= 5 * SECOND, "the caller is told in time: {:?}", asked.elapsed());
    assert_eq!((a.outcome(&token), b.outcome(&token)), (REVOKED, Ok(())));
    assert_eq!(a.revocations.health().unacknowledged, 1);

    let before = a.log.switches.writes.load(SeqCst);
    sleep(10 * SECOND).await;
    let writes = a.log.switches.writes.load(SeqCst) - before;
    assert!((3..=20).contains(&writes), "{writes} attempts in 10 s");

    a.log.switches.refuses_writes.store(false, SeqCst);
    sleep(2 * SECOND).await;
    assert_eq!(b.outcome(&token), REVOKED);
    assert_eq!(a.revocations.health().unacknowledged, 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_got_lost_does_no_harm() {
    let scene = Scene::new();
    let (a, b) = (scene.service().ready().await, scene.service().ready().await);
    let (token, revocation) = scene.session("s");
    a.log.switches.loses_answers.store(true, SeqCst);
    assert!(a.revocations.revoke(revocation.clone()).await.is_err());
    assert_eq!((a.outcome(&token), b.outcome(&token)), (REVOKED, REVOKED));
    a.log.switches.loses_answers.store(false, SeqCst);
    a.revocations.revoke(revocation).await.unwrap();
    sleep(2 * SECOND).await;
    assert_eq!(b.revocations.health().entries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_interrupts_nothing() {
    let scene = Scene::new();
    let (a, b) = (scene.service().ready().await, scene.service().ready().await);
    let (token, revocation) = scene.session("s");
    a.log.switches.hangs.store(true, SeqCst);
    let given_up = tokio::time::timeout(SECOND / 2, a.revocations.revoke(revocation)).await;
    assert!(given_up.is_err());
    assert_eq!(b.outcome(&token), Ok(()));
    a.log.switches.hangs.store(false, SeqCst);
    sleep(15 * SECOND).await;
    assert_eq!(b.outcome(&token), REVOKED);
}

#[tokio::test(start_paused = true)]
async fn revocations_stay_in_force_whatever_the_log_loses() {
    let scene = Scene::new();
    let (a, b) = (scene.service().ready().await, scene.service().ready().await);
    let (first, revoke_first) = scene.session("first");
    let (second, revoke_second) = scene.session("second");
    a.revocations.revoke(revoke_first).await.unwrap();
    b.revocations.revoke(revoke_second).await.unwrap();
    sleep(2 * SECOND).await;
    let all_refuse = |services: &[&Service]| {
        services.iter().all(|service| service.outcome(&first) == REVOKED && service.outcome(&second) == REVOKED)
    };
    let losses: [fn(&MemoryLog); 3] = [|log| log.lose_everything(), |log| log.roll_back(1), |log| log.roll_back(0)];
    for (at, lose) in losses.into_iter().enumerate() {
        lose(&scene.log);
        assert!(all_refuse(&[&a, &b]), "{at}");
        sleep(3 * SECOND).await;
        assert!(all_refuse(&[&a, &b]), "{at}");
        // Each has appended its own entries again, so that an instance that starts now knows them too.
        assert!(all_refuse(&[&scene.service().ready().await]), "{at}");
        assert_eq!(a.revocations.health().restarts, at as u64 + 1);
    }
    scene.log.trim(0);
    sleep(3 * SECOND).await;
    assert!(all_refuse(&[&a, &b]));
}

/// Found by the model: the log may lose what it had before this instance has read its first page.
#[tokio::test(start_paused = true)]
async fn revocations_before_the_first_page_are_appended_again() {
    let scene = Scene::new();
    let log = FaultyLog::over(&scene.log);
    log.switches.refuses_reads.store(true, SeqCst);
    let early = scene.service_over(log);
    let (token, revocation) = scene.session("s");
    early.revocations.revoke(revocation).await.unwrap();
    scene.log.lose_everything();
    early.log.switches.refuses_reads.store(false, SeqCst);
    early.revocations.require(5 * SECOND).await.unwrap();
    sleep(2 * SECOND).await;
    assert_eq!(scene.service().ready().await.outcome(&token), REVOKED);
}

/// What is revoked while an answer is on its way is not in it.
#[tokio::test(start_paused = true)]
async fn a_slow_answer_confirms_the_view_as_of_the_question() {
    let scene = Scene::new();
    let log = FaultyLog::over(&scene.log);
    log.switches.is_slow.store(true, SeqCst);
    let service = scene.service_over(log);
    service.revocations.require(3 * SECOND).await.unwrap();
    let age = service.revocations.view().last_confirmed().unwrap();
    assert!((2 * SECOND..3 * SECOND).contains(&age), "{age:?}");
}

/// Half of what is revoked is not enough to let anybody in.
#[tokio::test(start_paused = true)]
async fn a_log_that_was_not_read_to_its_end_confirms_nothing() {
    let scene = Scene::new();
    let (token, revocation) = scene.session("s");
    scene.service().ready().await.revocations.revoke(revocation).await.unwrap();
    let log = FaultyLog::over(&scene.log);
    log.switches.stops_halfway.store(true, SeqCst);
    let half = scene.service_over(log);
    assert!(half.revocations.require(3 * SECOND).await.is_err());
    let health = half.revocations.health();
    assert_eq!((health.state, health.entries), (ViewState::Syncing, 1));
    assert_eq!((half.outcome(&token), half.outcome(&scene.session("t").0)), (REVOKED, STALE));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_repeats_itself_changes_nothing() {
    let scene = Scene::new();
    let log = FaultyLog::over(&scene.log);
    log.switches.repeats.store(true, SeqCst);
    let (a, b) = (scene.service_over(log).ready().await, scene.service().ready().await);
    let name = scene.issuer.name();
    for version in [3, 1, 2] {
        b.revocations.revoke(Revocation::version(name, "alice", version)).await.unwrap();
    }
    sleep(2 * SECOND).await;
    let token = |version: u64| scene.issuer.token().subject("alice").claim("ver", version).sign();
    for service in [&a, &b] {
        assert_eq!((service.outcome(&token(2)), service.outcome(&token(3))), (REVOKED, Ok(())));
        assert_eq!(service.revocations.health().entries, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_stays_revoked_beyond_the_horizon_also_for_instances_that_start_later() {
    let scene = Scene::new();
    let scene = Scene { log: scene.log.horizon(7200 * SECOND), ..scene };
    let service = scene.service().ready().await;
    service.revocations.revoke(Revocation::key(scene.issuer.name(), &scene.issuer.key_id())).await.unwrap();
    service.revocations.revoke(Revocation::session(scene.issuer.name(), "s")).await.unwrap();
    sleep(8 * 3600 * SECOND).await;
    // Something is written now and then, so that the log forgets.
    service.revocations.revoke(Revocation::session(scene.issuer.name(), "t")).await.unwrap();
    let later = scene.service().ready().await;
    let token = scene.issuer.token().sign();
    assert_eq!((service.outcome(&token), later.outcome(&token)), (REVOKED, REVOKED));
    assert!(
        scene.log.len() < 10,
        "{}: the key's entry was renewed again and again, and not forgotten",
        scene.log.len()
    );
    assert_eq!(service.revocations.health().entries, 2, "the session was forgotten");
}

#[tokio::test(start_paused = true)]
async fn events_tell_what_is_new_wherever_it_was_revoked_and_once() {
    let scene = Scene::new();
    let (a, b) = (scene.service().ready().await, scene.service().ready().await);
    let mut events = a.revocations.events();
    let (_, here) = scene.session("here");
    let (_, elsewhere) = scene.session("elsewhere");
    a.revocations.revoke(here.clone()).await.unwrap();
    a.revocations.revoke(here.clone()).await.unwrap();
    b.revocations.revoke(elsewhere.clone()).await.unwrap();
    for expected in [here, elsewhere] {
        let Some(RevocationEvent::Revoked(entry)) = events.next().await else { panic!("an event") };
        assert_eq!(entry.revocation(), &expected);
    }
    scene.log.lose_everything();
    assert!(matches!(events.next().await, Some(RevocationEvent::Restarted)));
}

#[tokio::test(start_paused = true)]
async fn earlier_revocations_cause_no_events() {
    let scene = Scene::new();
    let (_, old) = scene.session("old");
    scene.service().ready().await.revocations.revoke(old).await.unwrap();
    let late = scene.service();
    let mut events = late.revocations.events();
    let late = late.ready().await;
    let (_, new) = scene.session("new");
    late.revocations.revoke(new.clone()).await.unwrap();
    let Some(RevocationEvent::Revoked(entry)) = events.next().await else { panic!("an event") };
    assert_eq!(entry.revocation(), &new);
}

#[tokio::test(start_paused = true)]
async fn revocations_can_be_listed() {
    let scene = Scene::new();
    let service = scene.service().ready().await;
    let sessions: Vec<_> = (0..7000).map(|id| scene.session(&id.to_string()).1).collect();
    service.revocations.revoke_all(sessions.clone()).await.unwrap();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = service.revocations.list(cursor.as_ref()).await.unwrap();
        cursor = Some(page.cursor);
        let is_last = page.is_last;
        listed.extend(page.entries.into_iter().map(|entry| entry.revocation().clone()));
        if is_last {
            break;
        }
    }
    assert_eq!(listed, sessions);
    advance(Duration::from_secs(2 * 86_400)).await;
    assert!(service.revocations.list(None).await.unwrap().entries.is_empty(), "nothing that is past remembering");
}

#[tokio::test(start_paused = true)]
async fn the_lag_is_measured_by_a_canary_that_revokes_nothing() {
    let scene = Scene::new();
    let log = FaultyLog::over(&scene.log);
    let revocations = Revocations::builder(log.clone()).clock(scene.clock.clone()).start().unwrap();
    revocations.require(SECOND).await.unwrap();
    sleep(3 * SECOND).await;
    let health = revocations.health();
    assert_eq!((health.lag, health.entries), (Some(Duration::ZERO), 0));
    assert_eq!(health.warnings, ["it misbehaves by order"]);
    assert!(revocations.list(None).await.unwrap().entries.is_empty());
    sleep(57 * SECOND).await;
    let canaries = log.switches.writes.load(SeqCst);
    assert!((50..=60).contains(&canaries), "{canaries}: one a second");
}

#[tokio::test(start_paused = true)]
async fn invalid_entries_are_counted() {
    let scene = Scene::new();
    let log = FaultyLog::over(&scene.log);
    log.switches.junk.lock().unwrap().extend([r#"{"v":1,"level":"universe"}"#, "hello"]);
    let service = scene.service_over(log).ready().await;
    assert_eq!(service.revocations.health().unreadable, 2);
}

/// It revokes something, and who knows what. What this instance revokes gets there all the same.
#[tokio::test(start_paused = true)]
async fn entries_of_a_later_version_make_the_view_stale() {
    let scene = Scene::new();
    let log = FaultyLog::over(&scene.log);
    log.switches.junk.lock().unwrap().push(r#"{"v":2,"level":"universe","new":true}"#);
    let service = scene.service_over(log);
    let error = service.revocations.require(SECOND).await.unwrap_err();
    assert!(error.to_string().contains("later version"), "{error}");
    let (token, revocation) = scene.session("s");
    service.log.switches.refuses_writes.store(true, SeqCst);
    service.revocations.revoke(revocation).await.unwrap_err();
    service.log.switches.refuses_writes.store(false, SeqCst);
    sleep(10 * SECOND).await;
    let health = service.revocations.health();
    assert_eq!((health.state, health.unreadable), (ViewState::Syncing, 1));
    assert_eq!((service.outcome(&token), service.outcome(&scene.session("t").0)), (REVOKED, STALE));
    assert_eq!(scene.service().ready().await.outcome(&token), REVOKED);
}

#[tokio::test(start_paused = true)]
async fn when_the_last_handle_goes_the_view_grows_stale() {
    let scene = Scene::new();
    let service = scene.service().ready().await;
    let (token, _) = scene.session("s");
    let clone = service.revocations.clone();
    drop(service.revocations);
    sleep(60 * SECOND).await;
    assert!(service.admission.verify(&token).ready().unwrap().is_ok());
    drop(clone);
    sleep(6 * SECOND).await;
    let error = service.admission.verify(&token).ready().unwrap().unwrap_err();
    assert_eq!(error.code(), Code::RevocationsStale);
}

#[test]
fn settings_that_cannot_be_are_all_named() {
    let log = MemoryLog::new().horizon(SECOND);
    let error = Revocations::builder(log).max_staleness(SECOND).start().unwrap_err();
    let problems: Vec<_> = error.problems().collect();
    assert_eq!(problems.len(), 3, "{error}");
    assert!(problems[0].contains("max_staleness") && problems[1].contains("horizon") && problems[2].contains("tokio"));
}

/// Acknowledged, and gone before anybody had read it: no reader can tell, but who wrote it can.
#[tokio::test(start_paused = true)]
async fn acknowledged_entries_that_are_not_read_back_are_appended_again() {
    let scene = Scene::new();
    let (a, b) = (scene.service().ready().await, scene.service().ready().await);
    let (_, first) = scene.session("first");
    a.revocations.revoke(first).await.unwrap();
    sleep(2 * SECOND).await;
    for service in [&a, &b] {
        service.log.switches.refuses_reads.store(true, SeqCst);
    }
    sleep(2 * SECOND).await;
    let (token, revocation) = scene.session("s");
    a.revocations.revoke(revocation).await.unwrap();
    scene.log.roll_back(1);
    for service in [&a, &b] {
        service.log.switches.refuses_reads.store(false, SeqCst);
    }
    sleep(8 * SECOND).await;
    assert_eq!((a.outcome(&token), b.outcome(&token)), (REVOKED, REVOKED));
    assert_eq!((scene.log.len(), a.revocations.health().restarts), (2, 0), "once, and no reader saw anything");
}

#[tokio::test(start_paused = true)]
async fn the_same_again_grows_no_log() {
    let scene = Scene::new();
    let (a, b) = (scene.service().ready().await, scene.service().ready().await);
    let (token, revocation) = scene.session("s");
    for _ in 0..20 {
        a.revocations.revoke(revocation.clone()).await.unwrap();
        sleep(2 * SECOND).await;
        b.revocations.revoke(revocation.clone()).await.unwrap();
    }
    assert_eq!(scene.log.len(), 1, "no instance has anything to add");
    sleep(61 * SECOND).await;
    a.revocations.revoke(revocation).await.unwrap();
    assert_eq!(scene.log.len(), 2, "it is to be remembered for longer now");
    assert_eq!(b.outcome(&token), REVOKED);
}

#[tokio::test(start_paused = true)]
async fn a_cut_off_that_lies_ahead_is_refused_with_what_to_do() {
    let scene = Scene::new();
    let service = scene.service().ready().await;
    let client = |ahead: u64| {
        let cut_off = service.revocations.view().now().plus(Duration::from_secs(ahead));
        service.revocations.revoke(Revocation::client(scene.issuer.name(), "batch", cut_off))
    };
    client(300).await.unwrap();
    let error = client(301).await.unwrap_err();
    assert!(error.to_string().contains("again later"), "{error}");
    assert_eq!(error.kind(), LogErrorKind::Refused);
}

#[tokio::test(start_paused = true)]
async fn row_t8_revoking_a_client_that_no_token_names_is_refused() {
    let scene = Scene::new();
    let service = scene.service().ready().await;
    let client = || Revocation::client("https://nameless.test", "app", service.revocations.view().now());
    service.revocations.revoke(client()).await.unwrap(); // nothing is known of that issuer

    let nameless = MockIssuer::new().named("https://nameless.test").trusted().without_client_claim();
    let _authenticator = Admission::new(JwtAuthenticator::new(nameless).unwrap()).revocations(&service.revocations);
    let (entries, other) = (
        service.revocations.view().entries(),
        Revocation::client(scene.issuer.name(), "app", client().cut_off().unwrap()),
    );
    let error = service.revocations.revoke_all([other.clone(), client()]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Refused, "{error}");
    assert_eq!(service.revocations.view().entries(), entries, "all or nothing");
    service.revocations.revoke(other).await.unwrap();
}

/// A clock that is hours ahead when the service starts: what it holds for long forgotten is not.
#[tokio::test(start_paused = true)]
async fn a_clock_that_was_ahead_at_the_start_does_no_harm_once_it_is_corrected() {
    let scene = Scene::new();
    let (token, revocation) = scene.session("s");
    scene.service().ready().await.revocations.revoke(revocation).await.unwrap();
    let ahead = VirtualClock::new();
    ahead.jump_forward(Duration::from_secs(3 * 86_400));
    let revocations = Revocations::builder(scene.log.clone()).clock(ahead.clone()).start().unwrap();
    let admission = scene.issuer.admission().revocations(&revocations);
    revocations.require(SECOND).await.unwrap();
    let outcome = || admission.verify(&token).ready().unwrap().map(drop).map_err(|error| error.code());
    assert_eq!(revocations.health().entries, 0, "it seems to be over");
    ahead.jump_back(Duration::from_secs(3 * 86_400));
    // The clock is corrected: no request is admitted until the log was read again.
    assert_eq!(outcome(), STALE);
    sleep(2 * SECOND).await;
    assert_eq!(outcome(), REVOKED);
    let (other, _) = scene.session("other");
    assert!(admission.verify(&other).ready().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_instance_remembers_by_its_own_horizon_what_others_wrote() {
    let scene = Scene::new();
    // An instance whose tokens live for an hour writes, and one whose tokens live for a day reads.
    let short = Duration::from_secs(3600 + 600);
    let (token, revocation) = scene.session("s");
    let until = portcullis_core::Clock::now(&scene.clock).plus(short);
    scene.log.append(&[portcullis_core::revocation::RevocationEntry::new(revocation, until)]).await.unwrap();
    let long = scene.service().ready().await;
    sleep(short + 600 * SECOND).await;
    let verified = scene.issuer.token().claim("sid", "s").expires_in(Duration::from_secs(86_000)).sign();
    assert_eq!((long.outcome(&verified), long.revocations.health().entries), (REVOKED, 1));
    drop(token);
}

#[tokio::test(start_paused = true)]
async fn row_d_a_revocation_that_names_nothing_is_refused() {
    let scene = Scene::new();
    let service = scene.service().ready().await;
    let (issuer, now) = (scene.issuer.name(), service.revocations.view().now());
    for empty in [
        Revocation::subject(issuer, "", now),
        Revocation::version(issuer, "", 9),
        Revocation::session(issuer, ""),
        Revocation::token(issuer, "", now),
        Revocation::client(issuer, "", now),
        Revocation::key(issuer, ""),
        Revocation::session("", "s"),
    ] {
        let refused = service.revocations.revoke(empty).await.unwrap_err();
        assert_eq!(refused.kind(), LogErrorKind::Refused);
        assert!(refused.to_string().contains("empty"), "{refused}");
    }
    service.revocations.revoke(Revocation::session(issuer, "s")).await.unwrap();
}
