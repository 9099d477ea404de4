//! [`Turn`]: one at a time.

use std::{
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// Lets one request at a time do something, and others wait for it. It needs no runtime.
#[derive(Debug, Default)]
pub(super) struct Turn(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    is_taken: bool,
    waiting: Vec<Waker>,
}

/// The right to do it. It ends when this is dropped, also when the request is given up.
#[derive(Debug)]
pub(super) struct Taken<'t>(&'t Turn);

impl Turn {
    pub(super) fn is_taken(&self) -> bool {
        self.queue().is_taken
    }

    /// Waits until no one else does it.
    pub(super) async fn take(&self) -> Taken<'_> {
        poll_fn(|context| {
            let mut queue = self.queue();
            if queue.is_taken {
                queue.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            queue.is_taken = true;
            Poll::Ready(Taken(self))
        })
        .await
    }

    /// Whatever a panic leaves is a queue.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut queue = self.0.queue();
            queue.is_taken = false;
            std::mem::take(&mut queue.waiting)
        };
        // All of them, because the next one may have been given up.
        waiting.into_iter().for_each(Waker::wake);
    }
}
