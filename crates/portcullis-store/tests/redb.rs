//! The log in a file: the file itself, `kill -9` and a full disk.
#![cfg(feature = "redb")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and its tasks end with it"
)]

mod support;

use std::{
    collections::HashSet,
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_core::revocation::{LogErrorKind, RevocationEntry, RevocationLog};
use portcullis_store::RedbLog;
use portcullis_test::{FixedClock, contract::LogReader};
use tempfile::TempDir;

use self::support::{
    entries::{entry, entry_until},
    time::until,
};

async fn read_all(log: &RedbLog) -> Vec<RevocationEntry> {
    let mut reader = LogReader::new(log.clone());
    reader.must_catch_up().await;
    assert_eq!(reader.unreadable, 0);
    reader.order
}

/// A killed process may keep the lock for a moment.
async fn open_again(path: &Path) -> RedbLog {
    let mut opened = None;
    until("the file is closed", || {
        let log = RedbLog::open(path);
        assert!(log.as_ref().err().is_none_or(|error| error.to_string().contains("another process")), "{log:?}");
        opened = log.ok();
        opened.is_some()
    })
    .await;
    opened.unwrap()
}

#[tokio::test]
async fn a_file_that_is_open_already_is_refused_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    let first = RedbLog::open(&path).unwrap();
    let error = RedbLog::open(&path).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured);
    assert!(error.to_string().contains("another process"), "{error}");
    drop(first);
    drop(RedbLog::open(&path).unwrap());
}

/// redb refuses for ever a file whose making was broken off.
#[test]
fn a_new_file_has_its_name_only_when_it_is_whole() {
    const ROUNDS: u32 = 50;
    let folder = TempDir::new().unwrap();
    let paths: Vec<_> = (0..ROUNDS).map(|round| folder.path().join(round.to_string())).collect();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = 0_u64;
            // What a process that starts at this moment would find.
            for path in paths.iter().cycle().take_while(|_| !is_over.load(Ordering::Relaxed)) {
                if let Ok(bytes) = fs::read(path) {
                    seen += 1;
                    assert!(
                        bytes.starts_with(b"redb"),
                        "{} bytes, of which the first are {:?}",
                        bytes.len(),
                        bytes.get(..9)
                    );
                }
            }
            seen
        });
        for path in &paths {
            drop(RedbLog::open(path).unwrap());
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(watcher.join().unwrap() > 0);
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), paths.len(), "no other file stays");
}

#[tokio::test]
async fn of_many_that_make_a_file_at_once_one_has_it() {
    for _ in 0..20 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log");
        let start = Barrier::new(8);
        let opened: Vec<_> = std::thread::scope(|scope| {
            let open = || {
                start.wait();
                RedbLog::open(&path)
            };
            let all: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let refused = opened.iter().filter_map(|log| log.as_ref().err());
        assert!(refused.clone().all(|error| error.to_string().contains("another process")), "{opened:?}");
        assert_eq!(refused.count(), 7);
        opened.iter().flatten().next().unwrap().append(&[entry(1)]).await.unwrap();
        drop(opened);
        assert_eq!(read_all(&RedbLog::open(&path).unwrap()).await, [entry(1)], "it is the file of that name");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// As after a failure of the disk, when it is opened again.
#[tokio::test]
async fn a_file_that_is_behind_its_reader_is_read_anew() {
    let folder = TempDir::new().unwrap();
    let (path, saved) = (folder.path().join("log"), folder.path().join("saved"));
    RedbLog::open(&path).unwrap().append(&[entry(1)]).await.unwrap();
    fs::copy(&path, &saved).unwrap();
    let log = RedbLog::open(&path).unwrap();
    log.append(&[entry(2)]).await.unwrap();
    let cursor = log.read(None, Duration::ZERO).await.unwrap().cursor;
    assert!(!log.read(Some(&cursor), Duration::ZERO).await.unwrap().is_restart);
    drop(log);
    fs::copy(&saved, &path).unwrap();
    let page = RedbLog::open(&path).unwrap().read(Some(&cursor), Duration::ZERO).await.unwrap();
    assert!(page.is_restart);
    assert_eq!(page.entries, [entry(1)]);
}

#[tokio::test]
async fn what_is_no_log_is_named_and_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let no_folder = RedbLog::open(folder.path().join("none/log")).unwrap_err();
    assert!(no_folder.to_string().contains("its folder does not exist"), "{no_folder}");
    let is_folder = RedbLog::open(folder.path()).unwrap_err();
    assert!(is_folder.to_string().contains("it is a folder"), "{is_folder}");
    let letter = folder.path().join("letter");
    fs::write(&letter, "Dear Alice, this is no database at all.".repeat(300)).unwrap();
    let no_log = RedbLog::open(&letter).unwrap_err();
    assert_eq!(no_log.kind(), LogErrorKind::Corrupt, "{no_log}");
    assert!(fs::read_to_string(&letter).unwrap().starts_with("Dear Alice"));
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    let _log = RedbLog::open(&path).unwrap();
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn an_entry_goes_a_day_after_its_time_and_not_before() {
    let folder = TempDir::new().unwrap();
    let clock = FixedClock::default();
    let log = RedbLog::open_with(folder.path().join("log"), clock.clone()).unwrap();
    let short = entry_until("short", FixedClock::DEFAULT.plus(Duration::from_secs(60)));
    log.append(&[short.clone(), entry(1)]).await.unwrap();
    clock.advance(Duration::from_secs(60 + 86_400));
    log.append(&[entry(2)]).await.unwrap();
    assert_eq!(read_all(&log).await, [short, entry(1), entry(2)]);
    clock.advance(Duration::from_secs(1));
    log.append(&[entry(3)]).await.unwrap();
    assert_eq!(read_all(&log).await, [entry(1), entry(2), entry(3)]);
}

#[tokio::test]
async fn many_callers_at_once_are_all_answered() {
    let folder = TempDir::new().unwrap();
    let log = RedbLog::open(folder.path().join("log")).unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for id in 0..300 {
        let log = log.clone();
        callers.spawn(async move { log.append(&[entry(id)]).await });
    }
    assert!(callers.join_all().await.iter().all(Result::is_ok));
    assert_eq!(read_all(&log).await.len(), 300);
}

/// What the tests below start, kill, and look at the remains of: this very program, running the "test" that is named here.
fn start_writer(path: &Path, shell: &str) -> Child {
    let program = env::current_exe().unwrap();
    let command = format!("{shell} exec \"$0\" \"$@\"");
    let mut start = Command::new("bash");
    start.arg("-c").arg(command).arg(program).args(["--exact", "the_writer", "--ignored", "--nocapture"]);
    start.env("WRITER_PATH", path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Appends without end, and says which entries were acknowledged, and when an append failed.
#[test]
#[ignore = "is started by the tests that kill it"]
fn the_writer() {
    let path = env::var_os("WRITER_PATH").expect("a path");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let log = RedbLog::open(path).unwrap();
        let mut next = read_all(&log).await.len() as u64;
        let mut out = std::io::stdout().lock();
        loop {
            let count = 1 + next % 7 * 5;
            let entries: Vec<_> = (next..next + count).map(entry).collect();
            match log.append(&entries).await {
                Ok(()) => {
                    next += count;
                    writeln!(out, "acknowledged {next}").unwrap();
                }
                Err(error) => writeln!(out, "failed {:?}: {error}", error.kind()).unwrap(),
            }
            out.flush().unwrap();
        }
    });
}

fn acknowledged(line: &str) -> Option<u64> {
    line.rsplit_once("acknowledged ")?.1.parse().ok()
}

#[tokio::test]
async fn two_hundred_kills_lose_nothing_that_was_acknowledged() {
    const KILLS: u32 = 200;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    let (mut promised, mut kept) = (0, 0);
    for round in 0..KILLS {
        let mut writer = start_writer(&path, "");
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
        // From in the middle of opening the file to many writes later, and at whatever point of a write.
        for _ in 0..fastrand::u32(0..12) {
            promised = lines.by_ref().find_map(|line| acknowledged(&line)).unwrap().max(promised);
        }
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..3000)));
        writer.kill().unwrap();
        writer.wait().unwrap();
        promised = lines.filter_map(|line| acknowledged(&line)).last().unwrap_or(promised).max(promised);

        let log = open_again(&path).await;
        let entries = read_all(&log).await;
        kept = entries.len() as u64;
        assert!(kept >= promised, "round {round}: {promised} acknowledged, {kept} there");
        let distinct: HashSet<_> = entries.iter().map(|entry| entry.revocation().id().to_owned()).collect();
        assert_eq!(distinct, (0..kept).map(|id| id.to_string()).collect(), "round {round}: others than were written");
    }
    writeln!(std::io::stderr(), "{KILLS} kills, {promised} entries acknowledged, {kept} kept").unwrap();
    assert!(promised > 1000, "{promised}: the writer hardly wrote");
}

#[tokio::test]
async fn a_full_disk_fails_writes_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    // A file may not grow beyond half a megabyte, and who tries is told, not killed: what a full disk does.
    let mut writer = start_writer(&path, "trap '' XFSZ; ulimit -f 512;");
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
    let (mut promised, mut failures) = (0, 0);
    while failures < 3 {
        let line = lines.next().expect("the writer goes on");
        promised = acknowledged(&line).unwrap_or(promised).max(promised);
        failures += u32::from(line.contains("failed Unavailable"));
        assert!(!line.contains("failed Corrupt") && !line.contains("failed Misconfigured"), "{line}");
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    let log = open_again(&path).await;
    let before = read_all(&log).await;
    assert!(promised > 0);
    assert!((0..promised).all(|id| before.contains(&entry(id))), "{promised} were acknowledged");
    log.append(&[entry(u64::MAX)]).await.unwrap(); // there is room again
    assert_eq!(read_all(&log).await.len(), before.len() + 1);
}
