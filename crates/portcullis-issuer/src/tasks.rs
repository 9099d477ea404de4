//! [`Tasks`]: what goes on when its caller goes away.

use std::{fmt, future::Future, sync::Arc};

use tokio::{runtime::Handle, sync::Semaphore, task::JoinSet};

use crate::StoreError;

/// Work that goes on when its caller goes away, and how much of it there is at once: clients that ask and hang up, again and again, would leave tasks
/// behind for as long as a store or a key takes to answer.
///
/// What ends sessions or tokens has as much room of its own, so that a user can log out, or revoke a token, while too much else is under way.
pub(crate) struct Tasks {
    changes: Arc<Semaphore>,
    ends: Arc<Semaphore>,
}

/// Far more than are under way while stores and keys answer in time: with 10 ms for each, 400 000 in a second. Each takes some kilobytes.
pub(crate) const MOST_AT_ONCE: usize = 4096;

/// Why work has no outcome.
pub(crate) enum NotDone {
    /// Too much is under way: nothing was begun.
    TooManyAtOnce,
    /// It panicked.
    Panicked(StoreError),
}

impl Tasks {
    pub(crate) fn at_most(most: usize) -> Self {
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
    ) -> impl Future<Output = Result<T, NotDone>> + Send {
        within(&self.changes, work)
    }

    /// The same for work that ends sessions or tokens.
    pub(crate) fn end_to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = Result<T, NotDone>> + Send {
        within(&self.ends, work)
    }

    /// Runs work that ends sessions or tokens in a task for which no one waits. Returns `false` if too much is under way: then nothing was begun. Outside of
    /// a runtime of tokio, nothing is done.
    #[cfg(all(feature = "api-tokens", feature = "axum"))]
    pub(crate) fn end_in_background(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(permit) = Arc::clone(&self.ends).try_acquire_owned() else { return false };
        if Handle::try_current().is_ok() {
            let counted = async move {
                work.await;
                drop(permit);
            };
            Detached(JoinSet::new()).0.spawn(counted);
        }
        true
    }
}

fn within<T: Send + 'static>(
    room: &Arc<Semaphore>,
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T, NotDone>> + Send {
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
            Ok(begun) => begun.await.map_err(NotDone::Panicked),
            Err(_) => Err(NotDone::TooManyAtOnce),
        }
    }
}

/// Runs `work` to its end in a task of its own, however much is under way: for work that no client asks for. It begins at once, so that the
/// caller's future need not hold it.
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

/// A task that continues when it is no longer waited for.
struct Detached<T: 'static>(JoinSet<T>);

impl<T: 'static> Drop for Detached<T> {
    fn drop(&mut self) {
        self.0.detach_all();
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let room = (self.changes.available_permits(), self.ends.available_permits());
        f.debug_struct("Tasks").field("room", &room).finish()
    }
}
