//! [`to_its_end`]: what goes on when its caller goes away.

use std::future::Future;

use tokio::{runtime::Handle, task::JoinSet};

use super::StoreError;

/// Runs `work` to its end, also if its caller stops waiting for it, as a client does that hangs up: in a task of its own. Outside of a runtime
/// of tokio there is none, and `work` ends with its caller.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, StoreError> {
    if Handle::try_current().is_err() {
        return Ok(work.await);
    }
    let mut task = Detached(JoinSet::new());
    task.0.spawn(work);
    let outcome = task.0.join_next().await.and_then(Result::ok);
    outcome.ok_or_else(|| StoreError::new("the code of a store, a log or the application panicked"))
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
