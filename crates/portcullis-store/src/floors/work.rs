//! Runs work on a file on a thread where waiting for the disk is allowed.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::floors::FloorError;

/// Works on the file. The work goes on if the caller is dropped.
pub(super) async fn work<S: Send + 'static, T: Send + 'static>(
    state: &Arc<Mutex<S>>,
    work: impl FnOnce(&mut S) -> Result<T, FloorError> + Send + 'static,
) -> Result<T, FloorError> {
    let state = Arc::clone(state);
    let work = move || work(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|error| {
        Err(FloorError::unavailable("the file of floors could not be accessed").with_source(error))
    })
}
