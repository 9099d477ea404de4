//! What an operator of revocations has asked for: the lag, and rows T10, T12, T14, T21 of the field's table.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and its tasks end with it"
)]

mod support;

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use portcullis_core::{
    Admission, Clock, Code, Verified,
    metrics::{Measured, Snapshot, Value},
    revocation::{LogErrorKind, Revocation, RevocationLog, ViewState, WhenStale},
};
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::{MockIssuer, provider::VirtualClock};
use tokio::time::sleep;

use self::support::FaultyLog;

const SECOND: Duration = Duration::from_secs(1);
const HORIZON: Duration = Duration::from_secs(3600);

fn scene() -> (VirtualClock, MockIssuer, MemoryLog) {
    let clock = VirtualClock::new();
    let issuer = MockIssuer::new().clock(clock.clone());
    let log = MemoryLog::new().horizon(HORIZON).clock(clock.clone());
    (clock, issuer, log)
}

/// An instance without canaries.
async fn start(clock: &VirtualClock, log: impl RevocationLog) -> Revocations {
    let revocations = Revocations::builder(log).clock(clock.clone()).canary(Duration::ZERO).start().unwrap();
    revocations.require(SECOND).await.unwrap();
    revocations
}

fn code(admission: &Admission, token: &str) -> Result<(), Code> {
    admission.verify(token).ready().unwrap().map(drop).map_err(|error| error.code())
}

/// Every entry that was ever in the log, canaries included.
async fn everything(log: &MemoryLog) -> usize {
    let (mut count, mut cursor) = (0, None);
    loop {
        let page = log.read(cursor.as_ref(), Duration::ZERO).await.unwrap();
        count += page.entries.len();
        if page.is_last {
            return count;
        }
        cursor = Some(page.cursor);
    }
}

#[tokio::test(start_paused = true)]
async fn five_instances_write_one_canary_a_second_together_and_each_measures_its_lag() {
    let (clock, _, log) = scene();
    let start = || Revocations::builder(log.clone()).clock(clock.clone()).start().unwrap();
    let instances: Vec<_> = (0..5).map(|_| start()).collect();
    sleep(2 * SECOND).await;
    let before = everything(&log).await;
    sleep(59 * SECOND).await;
    let canaries = everything(&log).await - before;
    assert!((50..=62).contains(&canaries), "{canaries} canaries in a minute");
    for instance in &instances {
        let health = instance.health();
        assert!(health.lag.unwrap() <= SECOND / 10, "{:?}", health.lag);
        assert!(health.lag_of_others.unwrap() <= SECOND / 10, "{:?}", health.lag_of_others);
        assert_eq!(health.entries, 0, "they revoke nothing");
        assert!(instance.list(None).await.unwrap().entries.is_empty());
    }
}

/// An instance that writes none, because it sees those of another one, measures by them; calendars that differ do not count.
#[tokio::test(start_paused = true)]
async fn the_lag_is_measured_by_the_canaries_of_others_whatever_their_calendars_show() {
    for skew in [0, 7, 200] {
        let (clock, _, log) = scene();
        let ahead = VirtualClock::new();
        ahead.jump_forward(Duration::from_secs(skew));
        let behind = VirtualClock::new();
        behind.jump_back(Duration::from_secs(skew));
        let faulty = FaultyLog::over(&log);
        let instances = [
            Revocations::builder(log.clone()).clock(ahead).start().unwrap(),
            Revocations::builder(log.clone()).clock(behind).start().unwrap(),
            Revocations::builder(faulty.clone()).clock(clock.clone()).start().unwrap(),
        ];
        sleep(120 * SECOND).await;
        for instance in &instances {
            let lag = instance.health().lag_of_others.unwrap();
            assert!(lag <= SECOND / 10, "skew {skew}: {lag:?}");
        }
        // Answers come two seconds late now, to one of the instances.
        faulty.switches.is_slow.store(true, SeqCst);
        sleep(8 * SECOND).await;
        let (slow, quick) = (instances[2].health().lag.unwrap(), instances[0].health().lag.unwrap());
        assert!((SECOND..=4 * SECOND).contains(&slow) && quick <= SECOND / 10, "skew {skew}: {slow:?} {quick:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_is_alone_and_one_whose_log_takes_nothing_write_one_canary_a_second() {
    let (clock, _, log) = scene();
    let faulty = FaultyLog::over(&log);
    let alone = Revocations::builder(faulty.clone()).clock(clock.clone()).start().unwrap();
    sleep(2 * SECOND).await;
    for refuses in [false, true] {
        faulty.switches.refuses_writes.store(refuses, SeqCst);
        let before = faulty.switches.writes.load(SeqCst);
        sleep(60 * SECOND).await;
        let writes = faulty.switches.writes.load(SeqCst) - before;
        assert!((40..=61).contains(&writes), "{writes} in a minute");
    }
    assert!(alone.health().lag.is_some());
    assert_eq!(alone.health().unacknowledged, 0, "canaries are not kept");
}

#[tokio::test(start_paused = true)]
async fn row_t10_a_view_that_is_no_longer_followed_is_never_open() {
    let (clock, issuer, log) = scene();
    let faulty = FaultyLog::over(&log);
    let revocations = start(&clock, faulty.clone()).await;
    let gauge = revocations.gauge();
    // A stream lives on, and what it shares with the handle.
    let verified: Verified = issuer.token().verified();
    let _stream = revocations.end_of(verified);
    let closed = issuer.admission().revocations(&revocations);
    let open = closed.clone().when_stale(WhenStale::DangerFailOpen);
    let bounded = closed.clone().when_stale(WhenStale::Bounded(3600 * SECOND));
    let token = issuer.token().claim("sid", "s").sign();
    faulty.switches.refuses_reads.store(true, SeqCst);
    sleep(10 * SECOND).await;
    assert_eq!(
        (code(&open, &token), code(&bounded, &token)),
        (Ok(()), Ok(())),
        "it is followed, and may come back at any moment"
    );
    assert_eq!(code(&closed, &token), Err(Code::RevocationsStale));
    let health = gauge.health();
    assert!(health.is_followed && health.served_stale >= 2);

    drop(revocations);
    sleep(SECOND).await;
    for admission in [&open, &bounded, &closed] {
        assert_eq!(code(admission, &token), Err(Code::RevocationsStale));
        assert_eq!(code(admission, &issuer.token().sign()), Err(Code::RevocationsStale), "at first sight");
    }
    let mut figures = Snapshot::default();
    gauge.measure("log", &mut figures);
    assert_eq!(figures.value("portcullis_revocation_followed", &["log"]), Some(&Value::Gauge(0.0)));
    assert_eq!(figures.value("portcullis_revocation_view_fresh", &["log"]), Some(&Value::Gauge(0.0)));
    let served = figures.value("portcullis_revocation_served_stale_total", &["log"]);
    assert!(matches!(served, Some(Value::Counter(2..))), "{served:?}");
    let health = gauge.health();
    assert!(!health.is_followed, "the gauge survives the handle, and says so");
    assert!(matches!(health.state, ViewState::Stale { .. }) && health.served_stale >= 2);
}

#[tokio::test(start_paused = true)]
async fn row_t10_what_a_lost_handle_leaves_unwritten_is_still_counted() {
    let (clock, issuer, log) = scene();
    let faulty = FaultyLog::over(&log);
    let revocations = start(&clock, faulty.clone()).await;
    faulty.switches.refuses_writes.store(true, SeqCst);
    assert!(revocations.revoke(Revocation::session(issuer.name(), "s")).await.is_err());
    let gauge = revocations.gauge();
    drop(revocations);
    sleep(10 * SECOND).await;
    assert_eq!(gauge.health().unacknowledged, 1);
}

#[tokio::test]
async fn row_t12_settings_without_end_are_refused_or_saturate() {
    let builder = || Revocations::builder(MemoryLog::new());
    let refused = [
        builder().max_staleness(Duration::MAX),
        builder().canary(Duration::MAX),
        builder().canary(SECOND / 2),
        Revocations::builder(MemoryLog::new().horizon(Duration::MAX)),
    ];
    for builder in refused {
        let error = builder.start().unwrap_err();
        assert_eq!(error.problems().count(), 1, "{error}");
    }
    let accepted = [
        builder().max_staleness(3600 * SECOND),
        builder().canary(3600 * SECOND),
        builder().canary(SECOND),
        Revocations::builder(MemoryLog::new().horizon(3650 * 24 * HORIZON)),
    ];
    for builder in accepted {
        let revocations = builder.start().unwrap();
        revocations.require(Duration::MAX).await.unwrap();
        revocations.revoke(Revocation::session("i", "s")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn row_t12_a_stream_may_wait_for_a_confirmation_for_ever() {
    let (clock, issuer, log) = scene();
    let revocations = start(&clock, log).await;
    let verified = issuer.admission().verify(&issuer.token().claim("sid", "s").sign()).ready().unwrap().unwrap();
    let end = revocations.end_of(verified).unless_confirmed_within(Duration::MAX);
    let end = tokio::spawn(end);
    sleep(SECOND).await;
    revocations.revoke(Revocation::session(issuer.name(), "s")).await.unwrap();
    assert_eq!(end.await.unwrap(), portcullis_store::Ended::Revoked(portcullis_core::revocation::Level::Session));
}

/// The others would drop its entries as long past.
#[tokio::test(start_paused = true)]
async fn row_t14_an_instance_more_than_a_horizon_behind_is_told_so() {
    for (behind, is_refused) in [(HORIZON.saturating_sub(60 * SECOND), false), (HORIZON + 60 * SECOND, true)] {
        let (clock, issuer, log) = scene();
        let right = start(&clock, log.clone()).await;
        let wrong = VirtualClock::new();
        wrong.jump_back(behind);
        let instance = start(&wrong, log.clone()).await;
        let id = format!("{}", behind.as_secs());
        let token = issuer.token().claim("sid", id.as_str()).sign();
        let outcome = instance.revoke(Revocation::session(issuer.name(), &id)).await;
        sleep(2 * SECOND).await;
        let on_another = code(&issuer.admission().revocations(&right), &token);
        if is_refused {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), LogErrorKind::Misconfigured);
            assert!(error.to_string().contains("clock of this instance is 3660 s behind"), "{error}");
            assert!(on_another.is_ok(), "nothing was revoked");
        } else {
            outcome.unwrap();
            assert_eq!(on_another, Err(Code::TokenRevoked));
            // And it is remembered by the right calendar.
            sleep(HORIZON.saturating_sub(120 * SECOND)).await;
            let late = issuer.token().claim("sid", id.as_str()).sign();
            let starts_late = start(&clock, log.clone()).await;
            assert_eq!(code(&issuer.admission().revocations(&starts_late), &late), Err(Code::TokenRevoked));
        }
    }
}

/// A log that keeps no times of its own: the canaries of the others tell.
#[tokio::test(start_paused = true)]
async fn row_t14_the_canaries_of_others_tell_the_time_where_the_log_does_not() {
    let (clock, issuer, log) = scene();
    let timeless = |log: &MemoryLog| {
        let faulty = FaultyLog::over(log);
        faulty.switches.keeps_no_times.store(true, SeqCst);
        faulty
    };
    let (fast, slow) = (VirtualClock::new(), VirtualClock::new());
    fast.jump_forward(HORIZON + 600 * SECOND);
    slow.jump_back(HORIZON + 600 * SECOND);
    let start = |clock: &VirtualClock| Revocations::builder(timeless(&log)).clock(clock.clone()).start().unwrap();
    let right = [start(&clock), start(&clock)];
    sleep(40 * SECOND).await;
    let (fast, slow) = (start(&fast), start(&slow));
    sleep(60 * SECOND).await;
    let revocation = || Revocation::session(issuer.name(), "s");
    assert!(slow.revoke(revocation()).await.unwrap_err().to_string().contains("behind"));
    // One that is ahead of all others keeps none of them from revoking.
    for instance in right.iter().chain([&fast]) {
        instance.revoke(revocation()).await.unwrap();
    }
}

/// Entries of a later version: until their time has passed this instance does not know what is revoked. Then it does, without a restart.
#[tokio::test(start_paused = true)]
async fn row_t21_an_entry_of_a_later_version_is_over_when_its_time_has_passed() {
    let says_when = r#"{"v":2,"level":"universe","until":1800000100}"#;
    let says_nothing = r#"{"v":2}"#;
    let says_nonsense = r#"{"v":2,"until":"tomorrow"}"#;
    for (junk, over_after) in [
        (&[says_when][..], 100 * SECOND),
        (&[says_nothing], HORIZON + 600 * SECOND),
        (&[says_when, says_nonsense], HORIZON + 600 * SECOND),
    ] {
        let (clock, issuer, log) = scene();
        let faulty = FaultyLog::over(&log);
        faulty.switches.junk.lock().unwrap().extend(junk);
        let revocations = Revocations::builder(faulty).clock(clock.clone()).canary(Duration::ZERO).start().unwrap();
        let admission = issuer.admission().revocations(&revocations);
        let error = revocations.require(over_after.saturating_sub(3 * SECOND)).await.unwrap_err();
        assert!(error.to_string().contains("later version"), "{error}");
        assert_eq!(code(&admission, &issuer.token().sign()), Err(Code::RevocationsStale));
        revocations.require(6 * SECOND).await.unwrap();
        assert_eq!(code(&admission, &issuer.token().sign()), Ok(()));
        assert!(clock.now() >= portcullis_core::UnixTime::from_secs(1_800_000_100));
        assert_eq!(revocations.health().unreadable, junk.len() as u64);
    }
}

/// The numbers of the specification.
#[tokio::test(start_paused = true)]
async fn the_defaults_are_those_of_the_specification() {
    let (clock, issuer, log) = scene();
    let faulty = FaultyLog::over(&log);
    let revocations = start(&clock, faulty.clone()).await;
    let age = || revocations.view().last_confirmed().unwrap();
    // A heartbeat of a second: a question each second, and a view that is at most two old.
    let before = faulty.switches.reads.load(SeqCst);
    for _ in 0..600 {
        sleep(SECOND / 10).await;
        assert!(age() <= 2 * SECOND, "{:?}", age());
    }
    let reads = faulty.switches.reads.load(SeqCst) - before;
    assert!((59..=61).contains(&reads), "{reads} a minute");
    // Stale after five seconds without a confirmation.
    faulty.switches.refuses_reads.store(true, SeqCst);
    while age() < 4900 * SECOND / 1000 {
        assert_eq!(revocations.health().state, ViewState::Fresh, "{:?}", age());
        sleep(SECOND / 20).await;
    }
    sleep(SECOND / 5).await;
    assert!(matches!(revocations.health().state, ViewState::Stale { .. }));
    faulty.switches.refuses_reads.store(false, SeqCst);
    sleep(2 * SECOND).await;
    // A caller waits for up to five seconds, in batches of 500.
    let before = faulty.switches.writes.load(SeqCst);
    let sessions = |from: u32| (from..from + 1001).map(|n| Revocation::session(issuer.name(), &n.to_string()));
    revocations.revoke_all(sessions(0)).await.unwrap();
    assert_eq!(faulty.switches.writes.load(SeqCst) - before, 3);
    for hangs in [false, true] {
        let switch = if hangs { &faulty.switches.hangs } else { &faulty.switches.refuses_writes };
        switch.store(true, SeqCst);
        let asked = tokio::time::Instant::now();
        assert!(revocations.revoke(Revocation::session(issuer.name(), &format!("{hangs}"))).await.is_err());
        assert!((4 * SECOND..=5 * SECOND).contains(&asked.elapsed()), "{:?}", asked.elapsed());
        switch.store(false, SeqCst);
        sleep(10 * SECOND).await;
    }
}

/// Instances read each other's clocks from canaries: an entry of their issuer that a caller chooses could keep every instance from revoking.
#[tokio::test(start_paused = true)]
async fn the_issuer_of_canaries_is_reserved_on_every_level() {
    let (clock, _, log) = scene();
    let revocations = start(&clock, log.clone()).await;
    let now = clock.now();
    let of = |issuer: &str| {
        [
            Revocation::token(issuer, "ffffffffffff-1-1", now.plus(60 * SECOND)),
            Revocation::session(issuer, "s"),
            Revocation::subject(issuer, "alice", now),
            Revocation::version(issuer, "alice", 7),
            Revocation::client(issuer, "batch", now),
            Revocation::key(issuer, "k"),
            Revocation::issuer(issuer, now),
        ]
    };
    for revocation in of("portcullis:canary") {
        let error = revocations.revoke(revocation).await.unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Refused);
        assert!(error.to_string().contains("`portcullis:canary` is reserved"), "{error}");
    }
    let mixed = of("portcullis:canary").into_iter().take(1).chain(of("portcullis:canaries"));
    assert!(revocations.revoke_all(mixed).await.is_err(), "all or none");
    assert_eq!((log.len(), revocations.health().entries, revocations.health().unacknowledged), (0, 0, 0));
    revocations.revoke_all(of("portcullis:canaries")).await.unwrap();
    assert_eq!(log.len(), 7, "another issuer");
}
