//! A log that misbehaves by order.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use portcullis_core::revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog};
use portcullis_store::MemoryLog;
use tokio::time::sleep;

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
