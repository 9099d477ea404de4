//! Durability, as reports from the field and an attack with the code in hand have asked for it: rows A1 to A3, T3 of the table.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and its tasks end with it"
)]

mod support;

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use portcullis_core::{
    UnixTime,
    revocation::{LogError, LogErrorKind, Revocation, ViewState},
};
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::{MockIssuer, provider::VirtualClock};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use self::support::{FaultyLog, holds};

const SECOND: Duration = Duration::from_secs(1);
const ISSUER: &str = "https://a.test";

async fn start(clock: &VirtualClock, log: &FaultyLog) -> Revocations {
    let builder = Revocations::builder(log.clone()).clock(clock.clone()).canary(Duration::ZERO);
    let revocations = builder.start().unwrap();
    revocations.require(SECOND).await.unwrap();
    revocations
}

fn scene() -> (VirtualClock, MemoryLog) {
    let clock = VirtualClock::new();
    let log = MemoryLog::new().clock(clock.clone());
    (clock, log)
}

fn one_of_each_level(clock: &VirtualClock) -> Vec<Revocation> {
    let now = portcullis_core::Clock::now(clock);
    vec![
        Revocation::token(ISSUER, "t", now.plus(3600 * SECOND)),
        Revocation::session(ISSUER, "s"),
        Revocation::subject(ISSUER, "alice", now),
        Revocation::version(ISSUER, "alice", 7),
        Revocation::client(ISSUER, "batch", now),
        Revocation::key(ISSUER, "k"),
        Revocation::issuer(ISSUER, now),
    ]
}

/// The instance that wrote it is gone, the log has lost it, and an operator revokes it again elsewhere.
#[tokio::test(start_paused = true)]
async fn row_a1_what_the_log_has_lost_is_appended_when_it_is_revoked_again() {
    let clock = VirtualClock::new();
    let issuer = MockIssuer::new().clock(clock.clone());
    let log = MemoryLog::new().clock(clock.clone());
    let token = issuer.token().claim("sid", "s").sign();
    let revocation = Revocation::session(issuer.name(), "s");
    let a = start(&clock, &FaultyLog::over(&log)).await;
    let b = start(&clock, &FaultyLog::over(&log)).await;
    a.revoke(revocation.clone()).await.unwrap();
    sleep(3 * SECOND).await;
    drop(a);
    log.lose_everything();
    sleep(5 * SECOND).await;
    assert_eq!(b.health().restarts, 1);
    b.revoke(revocation).await.unwrap();
    assert_eq!(log.len(), 1, "acknowledged, so it is there");
    let c = start(&clock, &FaultyLog::over(&log)).await;
    assert!(issuer.admission().revocations(&c).verify(&token).ready().unwrap().is_err());
    let other = issuer.token().claim("sid", "t").sign();
    assert!(issuer.admission().revocations(&c).verify(&other).ready().unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn row_a1_every_level_is_appended_again_and_the_same_again_is_not() {
    let (clock, log) = scene();
    let (a, b) = (start(&clock, &FaultyLog::over(&log)).await, start(&clock, &FaultyLog::over(&log)).await);
    let all = one_of_each_level(&clock);
    a.revoke_all(all.clone()).await.unwrap();
    sleep(2 * SECOND).await;
    b.revoke_all(all.clone()).await.unwrap();
    assert_eq!(log.len(), 7, "the log has it all");
    drop(a);
    let losses: [fn(&MemoryLog); 2] = [MemoryLog::lose_everything, |log| log.roll_back(0)];
    for (at, lose) in losses.into_iter().enumerate() {
        lose(&log);
        sleep(3 * SECOND).await;
        for revocation in &all {
            b.revoke(revocation.clone()).await.unwrap();
        }
        let late = start(&clock, &FaultyLog::over(&log)).await;
        assert_eq!(late.health().entries, 7, "loss {at}");
    }
}

/// Of a list, what the log holds is skipped and the rest is appended.
#[tokio::test(start_paused = true)]
async fn row_a1_of_a_mixture_exactly_what_the_log_lacks_is_appended() {
    let (clock, log) = scene();
    let (a, b) = (start(&clock, &FaultyLog::over(&log)).await, start(&clock, &FaultyLog::over(&log)).await);
    let session = |id: u32| Revocation::session(ISSUER, &id.to_string());
    a.revoke_all((0..4).map(session)).await.unwrap();
    sleep(2 * SECOND).await;
    drop(a);
    log.roll_back(2);
    sleep(3 * SECOND).await;
    b.revoke_all((0..6).map(session)).await.unwrap();
    assert_eq!(log.len(), 6, "two were there, two were lost, two are new");
}

/// A caller that is told that it is durable relies on this instance, which did not write it: it answers for it from then on.
#[tokio::test(start_paused = true)]
async fn row_a1_what_was_skipped_is_appended_if_the_log_turns_out_to_have_lost_it() {
    let (clock, log) = scene();
    let (a, b) = (start(&clock, &FaultyLog::over(&log)).await, start(&clock, &FaultyLog::over(&log)).await);
    let revocation = Revocation::session(ISSUER, "s");
    a.revoke(revocation.clone()).await.unwrap();
    sleep(2 * SECOND).await;
    drop(a);
    log.lose_everything(); // which no reader has noticed yet
    b.revoke(revocation).await.unwrap();
    sleep(3 * SECOND).await;
    assert_eq!(log.len(), 1);
}

/// A stale view does not know whether the log still holds what it has read: the caller is told `Ok` only for what was appended again.
#[tokio::test(start_paused = true)]
async fn row_a1_what_is_revoked_again_while_the_log_is_down_is_appended() {
    let clock = VirtualClock::new();
    let issuer = MockIssuer::new().clock(clock.clone());
    let log = MemoryLog::new().clock(clock.clone());
    let token = issuer.token().claim("sid", "s").sign();
    let revocation = Revocation::session(issuer.name(), "s");
    let a = start(&clock, &FaultyLog::over(&log)).await;
    let faulty = FaultyLog::over(&log);
    let b = start(&clock, &faulty).await;
    a.revoke(revocation.clone()).await.unwrap();
    sleep(2 * SECOND).await;
    drop(a);
    faulty.switches.refuses_reads.store(true, SeqCst);
    faulty.switches.refuses_writes.store(true, SeqCst);
    sleep(10 * SECOND).await;
    assert!(matches!(b.view().state(), ViewState::Stale { .. }));
    assert!(b.revoke(revocation.clone()).await.is_err(), "it is not known to be durable");
    log.lose_everything();
    faulty.switches.refuses_writes.store(false, SeqCst);
    b.revoke(revocation).await.unwrap();
    drop(b);
    let c = start(&clock, &FaultyLog::over(&log)).await;
    assert!(issuer.admission().revocations(&c).verify(&token).ready().unwrap().is_err());
}

/// The twins: of every level, what a fresh view has read is not appended again; a stale view appends it, once it is fresh no more.
#[tokio::test(start_paused = true)]
async fn row_a1_only_a_fresh_view_skips_an_append_on_every_level() {
    let (clock, log) = scene();
    let faulty = FaultyLog::over(&log);
    let b = start(&clock, &faulty).await;
    let all = one_of_each_level(&clock);
    b.revoke_all(all.clone()).await.unwrap();
    sleep(2 * SECOND).await;
    faulty.switches.refuses_reads.store(true, SeqCst);
    sleep(2 * SECOND).await;
    assert_eq!(b.view().state(), ViewState::Fresh, "confirmed a moment ago");
    b.revoke_all(all.clone()).await.unwrap();
    assert_eq!(log.len(), 7, "skipped");
    sleep(10 * SECOND).await;
    b.revoke_all(all.clone()).await.unwrap();
    assert_eq!(log.len(), 14, "the view is stale");
    faulty.switches.refuses_reads.store(false, SeqCst);
    sleep(2 * SECOND).await;
    b.revoke_all(all).await.unwrap();
    assert_eq!(log.len(), 14, "fresh again, so skipped");
    assert_eq!(b.health().unacknowledged, 0);
}

/// Second, third and later callers, and those who come after a caller that went away: none is told that it is durable before it is.
#[tokio::test(start_paused = true)]
async fn row_a2_no_caller_is_told_that_it_is_durable_before_it_is() {
    let (clock, log) = scene();
    let faulty = FaultyLog::over(&log);
    let a = start(&clock, &faulty).await;
    faulty.switches.refuses_writes.store(true, SeqCst);
    for revocation in one_of_each_level(&clock) {
        let many = (0..1000).map(|n| Revocation::session(ISSUER, &format!("{}-{n}", revocation.level())));
        let many: Vec<_> = many.chain([revocation.clone()]).collect();
        let (x, y, z) = (a.clone(), a.clone(), revocation.clone());
        let first = tokio::spawn(async move { x.revoke_all(many).await });
        let cancelled = timeout(SECOND / 10, a.revoke(revocation.clone())).await;
        assert!(cancelled.is_err(), "it waits");
        assert!(holds(a.view(), &revocation), "it holds here");
        let second = tokio::spawn(async move { y.revoke(z).await });
        assert!(a.revoke(revocation.clone()).await.is_err(), "the third");
        assert!(first.await.unwrap().is_err() && second.await.unwrap().is_err());
        assert!(a.revoke(revocation).await.is_err(), "the retry");
    }
    assert_eq!(log.len(), 0);
    faulty.switches.refuses_writes.store(false, SeqCst);
    a.revoke_all(one_of_each_level(&clock)).await.unwrap();
    assert!(log.len() >= 7);
    sleep(2 * SECOND).await;
    assert_eq!(a.health().unacknowledged, 0);
    let late = start(&clock, &FaultyLog::over(&log)).await;
    assert_eq!(late.health().entries, 7007, "what failed is in the log as well");
    assert!(log.len() < 7100, "{} entries: nearly each once", log.len());
}

/// A second caller is told that it is durable while the first one has not even begun to append. (By chance: 2 of 20 before it was mended.)
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn row_a2_a_second_caller_on_another_thread_waits_as_well() {
    let log = MemoryLog::new();
    let faulty = FaultyLog::over(&log);
    let a = Revocations::builder(faulty.clone()).canary(Duration::ZERO).start().unwrap();
    a.require(10 * SECOND).await.unwrap();
    faulty.switches.refuses_writes.store(true, SeqCst);
    for round in 0..5 {
        let many: Vec<_> = (0..1000).map(|n| Revocation::session(ISSUER, &format!("{round}-{n}"))).collect();
        let first = many[0].clone();
        let (x, y) = (a.clone(), a.clone());
        let one = tokio::spawn(async move { x.revoke_all(many).await });
        let two = tokio::task::spawn_blocking(move || {
            while !holds(y.view(), &first) {
                std::hint::spin_loop();
            }
            tokio::runtime::Handle::current().block_on(timeout(SECOND / 20, y.revoke(first)))
        });
        assert!(!matches!(two.await.unwrap(), Ok(Ok(()))), "round {round}");
        one.abort();
    }
}

/// Told "not durable", tries again while the log still refuses: no success. (Row A3: a weakening that takes this away is noticed.)
#[tokio::test(start_paused = true)]
async fn row_a3_trying_again_is_no_success_before_it_is_durable() {
    let (clock, log) = scene();
    let faulty = FaultyLog::over(&log);
    let a = start(&clock, &faulty).await;
    faulty.switches.refuses_writes.store(true, SeqCst);
    let revocation = Revocation::session(ISSUER, "x");
    assert!(a.revoke(revocation.clone()).await.is_err());
    assert!(a.revoke(revocation.clone()).await.is_err());
    faulty.switches.refuses_writes.store(false, SeqCst);
    a.revoke(revocation).await.unwrap();
    assert_eq!(log.len(), 1);
}

/// What was acknowledged a moment ago and was not read back is not known to be in the log.
#[tokio::test(start_paused = true)]
async fn row_a3_what_was_appended_and_not_read_back_is_appended_again() {
    let (clock, log) = scene();
    let faulty = FaultyLog::over(&log);
    let a = start(&clock, &faulty).await;
    faulty.switches.refuses_reads.store(true, SeqCst);
    sleep(2 * SECOND).await;
    let revocation = Revocation::session(ISSUER, "x");
    a.revoke(revocation.clone()).await.unwrap();
    log.lose_everything();
    a.revoke(revocation).await.unwrap();
    assert_eq!(log.len(), 1);
}

/// A thousand in each call, all of them at once.
fn revoke_in_parts(a: &Revocations, issuer: &str, count: u32) -> Vec<JoinHandle<Result<(), LogError>>> {
    let part = |part: u32| {
        let (a, issuer) = (a.clone(), issuer.to_owned());
        let sessions = (0..1000).map(move |n| Revocation::session(&issuer, &format!("{part}-{n}")));
        tokio::spawn(async move { a.revoke_all(sessions).await })
    };
    (0..count / 1000).map(part).collect()
}

/// Revokes that many while the log takes no writes, and returns how many appends it took to get them in, and how long after the end of the
/// outage the log had them all.
async fn outage(count: u32) -> (usize, Duration) {
    let clock = VirtualClock::new();
    let issuer = MockIssuer::new().clock(clock.clone());
    let log = MemoryLog::new().clock(clock.clone());
    let faulty = FaultyLog::over(&log);
    let a = start(&clock, &faulty).await;
    let admission = issuer.admission().revocations(&a);
    let good = issuer.token().claim("sid", "good").sign();
    let is_served = || admission.verify(&good).ready().unwrap().is_ok();
    faulty.switches.refuses_writes.store(true, SeqCst);
    for part in revoke_in_parts(&a, issuer.name(), count) {
        assert!(part.await.unwrap().is_err());
        assert!(is_served());
    }
    assert_eq!(a.health().unacknowledged, count as usize);
    for _ in 0..60 {
        sleep(SECOND).await;
        assert!(is_served(), "the log can be read");
    }
    faulty.switches.refuses_reads.store(true, SeqCst);
    sleep(20 * SECOND).await;
    assert!(!is_served(), "it cannot, and the view is stale");
    faulty.switches.refuses_writes.store(false, SeqCst);
    faulty.switches.refuses_reads.store(false, SeqCst);
    let (back, before) = (Instant::now(), faulty.switches.writes.load(SeqCst));
    while !is_served() {
        sleep(SECOND / 100).await;
    }
    assert!(back.elapsed() <= SECOND, "confirmed again after {:?}", back.elapsed());
    while log.len() < count as usize {
        assert!(is_served());
        sleep(SECOND / 100).await;
    }
    let took = back.elapsed();
    sleep(2 * SECOND).await;
    assert_eq!((log.len(), a.health().unacknowledged), (count as usize, 0), "each once");
    (faulty.switches.writes.load(SeqCst) - before, took)
}

#[tokio::test(start_paused = true)]
async fn row_t3_an_outage_costs_as_many_appends_as_there_are_batches() {
    for count in [1000, 20_000] {
        let (appends, took) = outage(count).await;
        assert_eq!(appends, count as usize / 500, "batches of 500");
        assert!(took <= 2 * SECOND, "{took:?}");
    }
}

/// As many as may wait. Measured with `--release -- --ignored --nocapture`.
#[tokio::test(start_paused = true)]
async fn row_t3_an_outage_with_as_many_revocations_as_may_wait() {
    for count in [20_000, 50_000, 100_000] {
        let started = std::time::Instant::now();
        let (appends, took) = outage(count).await;
        eprintln!("{count}: {appends} appends, {took:?} of virtual time, {:?} in all", started.elapsed());
        assert_eq!(appends, count as usize / 500);
    }
}

#[tokio::test(start_paused = true)]
async fn row_t3_what_waits_is_bounded_and_the_error_names_the_bound() {
    let (clock, log) = scene();
    let faulty = FaultyLog::over(&log);
    let a = start(&clock, &faulty).await;
    faulty.switches.refuses_writes.store(true, SeqCst);
    let token = |n: u32| Revocation::token(ISSUER, &n.to_string(), UnixTime::from_secs(1_800_003_600));
    assert!(a.revoke_all((0..99_999).map(token)).await.is_err());
    let last = a.revoke(token(99_999)).await.unwrap_err();
    assert!(!last.to_string().contains("100000"), "the last that fits in: {last}");
    let asked = Instant::now();
    let error = a.revoke(token(100_000)).await.unwrap_err();
    assert_eq!((error.kind(), asked.elapsed()), (LogErrorKind::Unavailable, Duration::ZERO), "at once");
    assert!(error.to_string().contains("100000 revocations wait"), "{error}");
    let again = a.revoke(token(5)).await.unwrap_err();
    assert!(!again.to_string().contains("100000"), "one that waits already needs no room: {again}");
    assert!(holds(a.view(), &token(100_000)), "it holds here");
    faulty.switches.refuses_writes.store(false, SeqCst);
    sleep(5 * SECOND).await;
    a.revoke(token(100_000)).await.unwrap();
    assert_eq!(log.len(), 100_001);
}

/// A log whose answers never come, as of a server that was cut off, and then comes back.
#[tokio::test(start_paused = true)]
async fn row_t3_a_question_that_hangs_does_not_keep_the_view_from_being_confirmed() {
    let (clock, log) = scene();
    let faulty = FaultyLog::over(&log);
    let a = start(&clock, &faulty).await;
    for outage in [1500, 3000, 6500, 20_000, 61_700] {
        faulty.switches.hangs.store(true, SeqCst);
        sleep(Duration::from_millis(outage)).await;
        faulty.switches.hangs.store(false, SeqCst);
        let back = Instant::now();
        sleep(Duration::from_millis(1100)).await;
        let age = a.view().last_confirmed().unwrap();
        assert!(age <= 2 * SECOND && a.health().state == ViewState::Fresh, "{outage}: {age:?}, {:?}", back.elapsed());
        sleep(7 * SECOND).await;
    }
}
