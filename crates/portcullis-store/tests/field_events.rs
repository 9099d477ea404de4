//! Row T18 of the field's table: what an outage of the log writes into the service's own log.
#![cfg(feature = "tracing")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};

use portcullis_core::revocation::Revocation;
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::provider::VirtualClock;
use tokio::time::sleep;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::set_default,
};

use self::support::FaultyLog;

const SECOND: Duration = Duration::from_secs(1);

/// Keeps the level and the text of every event of this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<(Level, String)>>>);

impl Lines {
    fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "portcullis_store"
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        self.0.lock().unwrap().push((*event.metadata().level(), text.0));
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
async fn row_t18_an_outage_writes_a_line_for_each_change_and_at_most_one_a_second() {
    let lines = Lines::default();
    let _guard = set_default(lines.clone());
    let clock = VirtualClock::new();
    let log = FaultyLog::over(&MemoryLog::new().clock(clock.clone()));
    let revocations = Revocations::builder(log.clone()).clock(clock).start().unwrap();
    revocations.require(Duration::from_secs(1)).await.unwrap();
    lines.take();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(lines.take(), [], "all is well");
    log.switches.refuses_reads.store(true, SeqCst);
    sleep(Duration::from_secs(60)).await;
    let told = lines.take();
    assert!((30..=62).contains(&told.len()), "{} lines in a minute", told.len());
    assert!(told.iter().all(|(level, _)| *level == Level::WARN), "{told:?}");
    let about_the_view =
        |told: &[(Level, String)], what: &str| told.iter().filter(|(_, text)| text.contains(what)).count();
    assert_eq!(about_the_view(&told, "the view of revocations is stale"), 1);
    log.switches.refuses_reads.store(false, SeqCst);
    sleep(Duration::from_secs(10)).await;
    let told = lines.take();
    assert_eq!(about_the_view(&told, "is fresh again"), 1);
    assert_eq!(told.len(), 2, "and that the log can be read again: {told:?}");
}

/// An id is chosen by an issuer: none stands in a line, let alone breaks it.
#[tokio::test(start_paused = true)]
async fn row_t18_no_id_and_no_issuer_of_an_entry_is_written() {
    let lines = Lines::default();
    let _guard = set_default(lines.clone());
    let clock = VirtualClock::new();
    let log = FaultyLog::over(&MemoryLog::new().clock(clock.clone()));
    let revocations = Revocations::builder(log.clone()).clock(clock).start().unwrap();
    revocations.require(Duration::from_secs(1)).await.unwrap();
    let hostile = "chosen\u{202e}\u{2028}\nby-the-issuer";
    revocations.revoke(Revocation::session(hostile, hostile)).await.unwrap();
    log.log.lose_everything();
    sleep(Duration::from_secs(3)).await;
    log.switches.refuses_writes.store(true, SeqCst);
    assert!(revocations.revoke(Revocation::key(hostile, hostile)).await.is_err());
    let told = lines.take();
    assert!(told.len() >= 4, "{told:?}");
    for (_, text) in told {
        assert!(!text.contains("chosen") && !text.contains("by-the-issuer") && !text.contains('\n'), "{text:?}");
    }
}

/// What is not kept for the log is never written by this instance: the line must not promise that it is tried again.
#[tokio::test(start_paused = true)]
async fn row_t3_the_line_says_whether_what_could_not_be_written_is_kept_for_the_log() {
    let lines = Lines::default();
    let _guard = set_default(lines.clone());
    let clock = VirtualClock::new();
    let log = FaultyLog::over(&MemoryLog::new().clock(clock.clone()));
    let revocations = Revocations::builder(log.clone()).clock(clock).canary(Duration::ZERO).start().unwrap();
    revocations.require(Duration::from_secs(1)).await.unwrap();
    log.switches.refuses_writes.store(true, SeqCst);
    let errors = || lines.take().into_iter().filter(|(level, _)| *level == Level::ERROR).collect::<Vec<_>>();
    let session = |n: u32| Revocation::session("i", &n.to_string());
    assert!(revocations.revoke_all((0..100_000).map(session)).await.is_err());
    let [(_, kept)] = errors().try_into().unwrap();
    assert!(kept.contains("which is tried again") && !kept.contains("not kept"), "{kept}");
    assert!(revocations.revoke(session(100_000)).await.is_err());
    let [(_, not_kept)] = errors().try_into().unwrap();
    assert!(
        not_kept.contains("some of these are not kept for the log") && !not_kept.contains("tried again"),
        "{not_kept}"
    );
}

/// A user may look at the list as often as they like.
#[cfg(all(feature = "issuer", feature = "redb"))]
#[tokio::test]
async fn a_session_that_is_missing_in_a_list_is_a_warning_once_a_minute_that_names_no_user() {
    use portcullis_issuer::refresh::RefreshStore;
    let lines = Lines::default();
    let _guard = set_default(lines.clone());
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("sessions.redb");
    std::fs::write(&file, include_bytes!("rows/v1/sessions.redb")).unwrap();
    let list = async || {
        let store = portcullis_store::RedbRefreshStore::open(&file).unwrap();
        (store.families_of("alice").await.unwrap().len(), store.families_of("alice").await.unwrap().len())
    };
    assert_eq!(list().await, (1, 1));
    assert_eq!(lines.take(), [], "all is well");
    {
        const FAMILIES: redb::TableDefinition<'_, u128, &str> = redb::TableDefinition::new("families");
        let database = redb::Database::create(&file).unwrap();
        let transaction = database.begin_write().unwrap();
        let later = include_str!("rows/v1/family.json").replacen("\"v\":1", "\"v\":2", 1);
        let id = 0xf46b_0d03_c59f_9f32_9711_c7a6_bf11_ea3c_u128;
        transaction.open_table(FAMILIES).unwrap().insert(id, later.as_str()).unwrap();
        transaction.commit().unwrap();
    }
    assert_eq!(list().await, (0, 0));
    let told = lines.take();
    let [(Level::WARN, line)] = &told[..] else { panic!("{told:?}") };
    assert!(line.contains("count=1") && line.contains("later version") && !line.contains("alice"), "{line}");
}

/// Two callers end the same session, as two log-ins of a user do who has too many: their entries end a second apart, and the second one is slow.
/// The log has lost nothing when the first is acknowledged. (Row T18.)
#[tokio::test(start_paused = true)]
async fn row_t18_a_revocation_that_another_caller_is_still_appending_is_not_reported_as_lost() {
    let lines = Lines::default();
    let _guard = set_default(lines.clone());
    let clock = VirtualClock::new();
    let log = FaultyLog::over(&MemoryLog::new().clock(clock.clone()));
    let builder = Revocations::builder(log.clone()).clock(clock).canary(Duration::ZERO);
    let revocations = builder.start().unwrap();
    revocations.require(SECOND).await.unwrap();
    lines.take();
    log.switches.write_delays.lock().unwrap().extend([SECOND * 3 / 2, 3 * SECOND]);
    let session = || Revocation::session("https://a.test", "s");
    let second = async {
        sleep(SECOND).await;
        revocations.revoke(session()).await
    };
    let (first, second) = tokio::join!(revocations.revoke(session()), second);
    first.unwrap();
    second.unwrap();
    sleep(5 * SECOND).await;
    assert_eq!(log.log.len(), 2, "one entry of each caller");
    assert_eq!(revocations.health().unacknowledged, 0);
    let told = lines.take();
    assert!(told.iter().all(|(level, _)| *level == Level::INFO), "{told:?}");
}

/// The twin: the log has lost what it acknowledged.
#[tokio::test(start_paused = true)]
async fn row_t18_a_revocation_that_the_log_has_lost_is_reported_and_appended_again() {
    let lines = Lines::default();
    let _guard = set_default(lines.clone());
    let clock = VirtualClock::new();
    let log = FaultyLog::over(&MemoryLog::new().clock(clock.clone()));
    let builder = Revocations::builder(log.clone()).clock(clock).canary(Duration::ZERO);
    let revocations = builder.start().unwrap();
    revocations.require(SECOND).await.unwrap();
    lines.take();
    log.switches.refuses_reads.store(true, SeqCst);
    sleep(2 * SECOND).await;
    revocations.revoke(Revocation::session("https://a.test", "s")).await.unwrap();
    log.log.roll_back(0);
    log.switches.refuses_reads.store(false, SeqCst);
    sleep(5 * SECOND).await;
    assert_eq!(log.log.len(), 1);
    let told = lines.take();
    assert_eq!(
        told.iter().filter(|(_, line)| line.contains("has lost entries of this instance")).count(),
        1,
        "{told:?}"
    );
}
