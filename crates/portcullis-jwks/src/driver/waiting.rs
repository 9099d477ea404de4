//! Lets requests ask the machine for a missing key, and wait for the task if necessary.

use std::sync::Arc;

use portcullis_core::keys::{KeyHint, KeyMatch, Resolved};
use tokio::time::{Instant, timeout_at};

use super::{Shared, now};
use crate::machine::{Lookup, Name, PATIENCE, Wait};

impl Shared {
    /// Looks for a missing key: returns what is known about it, or waits for an attempt to fetch it.
    pub(crate) fn look_for(self: &Arc<Self>, hint: KeyHint<'_>) -> Resolved {
        let name = Name::of_key(hint, &self.token_hash_key);
        let mut machine = self.machine();
        let wakes_at = machine.wakes_at();
        let lookup = machine.look_for(&name, now());
        let is_sooner = machine.wakes_at() != wakes_at;
        drop(machine);
        if is_sooner {
            self.wake.notify_one();
        }
        self.answer(lookup, name, None)
    }

    /// Handles a signature that none of `tried` made: by another fetch, or by an answer.
    pub(crate) fn doubt(self: &Arc<Self>, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        let name = Name::of_signer(hint, &self.token_hash_key);
        let lookup = self.machine().doubt(&name, tried, now());
        self.answer(lookup, name, Some(tried))
    }

    fn answer(self: &Arc<Self>, lookup: Lookup, name: Name, tried: Option<&KeyMatch>) -> Resolved {
        match lookup {
            Lookup::Answer(answer) => answer,
            Lookup::Wait(wait) => {
                self.wake.notify_one();
                Resolved::waiting(wait_for_key(Arc::clone(self), name, tried.cloned(), wait))
            }
        }
    }

    /// Waits until this attempt has finished; `false` if it takes too long.
    async fn wait(&self, attempt: u64, deadline: Instant) -> bool {
        let mut finished = self.finished.subscribe();
        let over = finished.wait_for(|finished| *finished >= attempt);
        timeout_at(deadline, over).await.is_ok_and(|over| over.is_ok())
    }
}

async fn wait_for_key(shared: Arc<Shared>, name: Name, tried: Option<KeyMatch>, mut wait: Wait) -> Resolved {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let in_time = shared.wait(wait.attempt, deadline).await;
        let lookup = shared.machine().after_waiting(&name, tried.as_ref(), wait, in_time, now());
        match lookup {
            Lookup::Answer(answer) => return answer,
            Lookup::Wait(next) => {
                shared.wake.notify_one();
                wait = next;
            }
        }
    }
}
