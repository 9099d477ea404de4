//! [`RecordingUses`]: records when tokens were used, from time to time.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use super::Checker;
use crate::{
    StoreError,
    api_tokens::{ApiTokenStore, Memberships},
};

/// How often uses are recorded.
const EVERY: Duration = Duration::from_secs(15 * 60);

/// How often they are while the store cannot be reached.
const AFTER_A_FAILURE: Duration = Duration::from_secs(60);

/// A task that records every 15 minutes when tokens were used. It ends when this is dropped; [`close`](Self::close) records what is left.
pub struct RecordingUses<S, M> {
    checker: Arc<Checker<S, M>>,
    stop: watch::Sender<bool>,
    task: JoinSet<()>,
}

impl<S: ApiTokenStore, M: Memberships> RecordingUses<S, M> {
    pub(in crate::api_tokens) fn start(checker: &Arc<Checker<S, M>>) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let mut task = JoinSet::new();
        let recorder = Arc::clone(checker);
        task.spawn(async move {
            let mut pause = EVERY;
            loop {
                if tokio::time::timeout(pause, stopped.changed()).await.is_ok() {
                    return;
                }
                pause = if recorder.record_uses().await.is_ok() { EVERY } else { AFTER_A_FAILURE };
            }
        });
        Self { checker: Arc::clone(checker), stop, task }
    }

    /// Records the uses that are not recorded yet, for the end of the program. Returns of how many tokens.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached: these uses are lost.
    pub async fn close(mut self) -> Result<usize, StoreError> {
        // Not by aborting: a statement that is under way has taken the uses.
        self.stop.send_replace(true);
        while self.task.join_next().await.is_some() {}
        self.checker.record_uses().await
    }
}

impl<S, M> fmt::Debug for RecordingUses<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingUses").finish_non_exhaustive()
    }
}
