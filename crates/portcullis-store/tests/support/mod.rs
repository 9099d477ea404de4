//! A log that misbehaves by order, what a view holds, and what the tests of all servers share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

#[cfg(feature = "postgres")]
pub mod admin;
pub mod entries;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;
pub mod time;

use std::{
    collections::VecDeque,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use portcullis_core::{
    UnixTime,
    revocation::{
        Cursor, Level, LogError, Page, Revocation, RevocationEntry, RevocationLog, RevocationView, Rungs, Verdict,
    },
    verified::{Conventions, Facts},
};
use portcullis_store::MemoryLog;
use serde_json::json;
use tokio::time::sleep;

/// Whether the view revokes whatever this revokes: the last token that it hits.
pub fn holds(view: &RevocationView, revocation: &Revocation) -> bool {
    let (level, id) = (revocation.level(), revocation.id());
    let issued_at = revocation.cut_off().map(UnixTime::as_secs);
    let claims = match level {
        Level::Token => json!({ "jti": id }),
        Level::Session => json!({ "sid": id }),
        Level::Subject => json!({ "sub": id, "iat": issued_at }),
        Level::Version => match revocation.current_version().and_then(|current| current.checked_sub(1)) {
            Some(version) => json!({ "sub": id, "ver": version }),
            None => json!({ "sub": id }),
        },
        Level::Client => json!({ "client_id": id, "iat": issued_at }),
        Level::Issuer => json!({ "iat": issued_at }),
        _ => json!({}),
    };
    let facts = Facts::assertion_of(&claims, Conventions::new(revocation.of_issuer())).unwrap();
    let facts = if level == Level::Key { facts.with_key_id(id) } else { facts };
    view.check(&facts.with_rungs(Rungs::of([level])), view.now()) == Verdict::Revoked(level)
}

/// Passes on to a log in memory what its switches let pass.
#[derive(Clone, Debug, Default)]
pub struct FaultyLog {
    pub log: MemoryLog,
    pub switches: Arc<Switches>,
}

#[derive(Debug, Default)]
pub struct Switches {
    pub refuses_reads: AtomicBool,
    pub refuses_writes: AtomicBool,
    /// Writes are made, and then said to have failed.
    pub loses_answers: AtomicBool,
    pub hangs: AtomicBool,
    pub panics: AtomicBool,
    /// Every page is told twice, the second time backwards.
    pub repeats: AtomicBool,
    /// Answers come two seconds after the log has given them.
    pub is_slow: AtomicBool,
    /// The first page is said not to be the last, and the next one never comes.
    pub stops_halfway: AtomicBool,
    /// How long each of the next writes waits before it is made.
    pub write_delays: Mutex<VecDeque<Duration>>,
    /// Pages do not say what the log's calendar shows.
    pub keeps_no_times: AtomicBool,
    /// Strange things that stand before everything else.
    pub junk: Mutex<Vec<&'static str>>,
    pub reads: AtomicUsize,
    pub writes: AtomicUsize,
}

impl FaultyLog {
    pub fn over(log: &MemoryLog) -> Self {
        Self { log: log.clone(), switches: Arc::default() }
    }

    async fn obey(&self, refuses: &AtomicBool) -> Result<(), LogError> {
        assert!(!self.switches.panics.load(SeqCst), "as ordered");
        if self.switches.hangs.load(SeqCst) {
            pending::<()>().await;
        }
        if refuses.load(SeqCst) { Err(LogError::unavailable("refused, as ordered")) } else { Ok(()) }
    }
}

impl RevocationLog for FaultyLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        self.switches.writes.fetch_add(1, SeqCst);
        let delay = self.switches.write_delays.lock().unwrap().pop_front();
        if let Some(delay) = delay {
            sleep(delay).await;
        }
        self.obey(&self.switches.refuses_writes).await?;
        self.log.append(entries).await?;
        if self.switches.loses_answers.load(SeqCst) { Err(LogError::unavailable("lost, as ordered")) } else { Ok(()) }
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        self.switches.reads.fetch_add(1, SeqCst);
        self.obey(&self.switches.refuses_reads).await?;
        let stops_halfway = self.switches.stops_halfway.load(SeqCst);
        if stops_halfway && after.is_some() {
            pending::<()>().await;
        }
        let is_slow = self.switches.is_slow.load(SeqCst);
        let mut page = self.log.read(after, if is_slow { Duration::ZERO } else { patience }).await?;
        page.is_last &= !stops_halfway;
        page.as_of = page.as_of.filter(|_| !self.switches.keeps_no_times.load(SeqCst));
        if after.is_none() {
            self.switches.junk.lock().unwrap().iter().for_each(|text| page.take(text));
        }
        if is_slow {
            sleep(Duration::from_secs(2)).await;
        }
        self.obey(&self.switches.refuses_reads).await?;
        if self.switches.repeats.load(SeqCst) {
            let backwards: Vec<_> = page.entries.iter().rev().cloned().collect();
            page.entries.extend(backwards);
        }
        Ok(page)
    }

    fn horizon(&self) -> Duration {
        RevocationLog::horizon(&self.log)
    }

    fn warnings(&self) -> Vec<String> {
        vec!["it misbehaves by order".to_owned()]
    }
}
