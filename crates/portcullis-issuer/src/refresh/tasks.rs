//! [`Tasks`]: what goes on when its caller goes away.

use std::{future::Future, sync::Arc};

use portcullis_core::{ConfigError, revocation::Revoker};
use tokio::{runtime::Handle, sync::Semaphore, task::JoinSet};

use super::{RefreshError, RefreshStore, Sessions, StoreError, Subjects, Unavailable};

/// Work that goes on when its caller goes away, and how much of it there is at once: clients that ask and hang up, again and again, would leave tasks
/// behind for as long as a store or a key takes to answer.
///
/// Ends of sessions have as much room of their own, so that a user can log out while too much else is under way.
pub(crate) struct Tasks {
    changes: Arc<Semaphore>,
    ends: Arc<Semaphore>,
}

/// Far more than are under way while stores and keys answer in time: with 10 ms for each, 400 000 in a second. Each takes some kilobytes.
pub(super) const MOST_AT_ONCE: usize = 4096;

impl Tasks {
    pub(super) fn at_most(most: usize) -> Self {
        let room = || Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { changes: room(), ends: room() }
    }

    /// Runs `work` to its end, also if its caller stops waiting for it, as a client does that hangs up. Outside of a runtime of tokio, it ends with
    /// its caller.
    ///
    /// # Errors
    ///
    /// If too much is under way: then nothing was begun.
    pub(crate) fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Result<T, RefreshError>> + Send {
        within(&self.changes, work)
    }

    /// The same for work that ends sessions.
    pub(crate) fn end_to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Result<T, RefreshError>> + Send {
        within(&self.ends, work)
    }
}

fn within<T: Send + 'static>(
    room: &Arc<Semaphore>,
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T, RefreshError>> + Send {
    // No one waits for room: each who waits would be one more that is under way.
    let begun = Arc::clone(room).try_acquire_owned().map(|permit| {
        to_its_end(async move {
            let outcome = work.await;
            // It is the task's, and not its caller's.
            drop(permit);
            outcome
        })
    });
    async move {
        match begun {
            Ok(begun) => Ok(begun.await?),
            Err(_) => Err(RefreshError::Unavailable(Unavailable::TooManyAtOnce)),
        }
    }
}

/// Runs `work` to its end in a task of its own, however much is under way. It begins at once, so that the caller's future need not hold it.
pub(crate) fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T, StoreError>> + Send {
    let begun = match Handle::try_current() {
        Ok(runtime) => {
            let mut task = Detached(JoinSet::new());
            task.0.spawn_on(work, &runtime);
            Ok(task)
        }
        Err(_) => Err(Box::pin(work)),
    };
    async move {
        let outcome = match begun {
            Ok(mut task) => task.0.join_next().await.and_then(Result::ok),
            Err(work) => Some(work.await),
        };
        outcome.ok_or_else(|| StoreError::new("the code of a store, a log or the application panicked"))
    }
}

/// Runs `work` to its end in a task of its own, for which no one waits. Outside of a runtime of tokio, nothing is done.
#[cfg(all(feature = "api-tokens", feature = "axum"))]
pub(crate) fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    if Handle::try_current().is_ok() {
        Detached(JoinSet::new()).0.spawn(work);
    }
}

/// A task that continues when it is no longer waited for.
struct Detached<T: 'static>(JoinSet<T>);

impl<T: 'static> Drop for Detached<T> {
    fn drop(&mut self) {
        self.0.detach_all();
    }
}

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Sets how many refreshes and log-ins by codes are under way at once, at most: they go on if their client hangs up. Ends of sessions have room for
    /// as many of their own. One more is answered with [`Unavailable::TooManyAtOnce`], and nothing was begun: the client may try again.
    ///
    /// Defaults to 4096.
    ///
    /// # Errors
    ///
    /// If it is zero, or the sessions are already in use: configure them first.
    pub fn most_at_once(self, most: usize) -> Result<Self, ConfigError> {
        if most == 0 {
            return Err(ConfigError::new("with nothing at once, nothing is ever done: set 1 or more"));
        }
        self.configure(|inner| inner.tasks = Tasks::at_most(most))
    }
}
