//! A log in an `Arc` is the log itself: every method reaches it, also the one that has a default.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, LogError, Page, Revocation, RevocationEntry, RevocationLog},
};

#[derive(Debug, Default)]
struct Counted {
    appended: AtomicUsize,
}

impl RevocationLog for Counted {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        self.appended.fetch_add(entries.len(), SeqCst);
        Ok(())
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let after = after.ok_or_else(|| LogError::refused("no cursor"))?;
        Ok(Page::empty(Cursor::new(after.incarnation(), u128::from(patience.as_secs()))))
    }

    fn horizon(&self) -> Duration {
        Duration::from_secs(7)
    }

    fn warnings(&self) -> Vec<String> {
        vec!["it only counts".to_owned()]
    }
}

#[tokio::test]
async fn a_shared_log_passes_every_call_on() {
    let log = Arc::new(Counted::default());
    let shared = || Arc::clone(&log);
    let entry = RevocationEntry::new(Revocation::session("https://a.test", "s"), UnixTime::from_secs(4_000_000_000));
    RevocationLog::append(&shared(), &[entry.clone(), entry]).await.unwrap();
    assert_eq!(log.appended.load(SeqCst), 2);
    let page = RevocationLog::read(&shared(), Some(&Cursor::new(5, 0)), Duration::from_secs(9)).await.unwrap();
    assert_eq!(page.cursor, Cursor::new(5, 9));
    assert!(RevocationLog::read(&shared(), None, Duration::ZERO).await.is_err());
    assert_eq!(RevocationLog::horizon(&shared()), Duration::from_secs(7));
    assert_eq!(RevocationLog::warnings(&shared()), ["it only counts"]);
}
