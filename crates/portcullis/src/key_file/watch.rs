//! A thread that looks at something from time to time.

use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

/// Runs while this handle lives: dropping it wakes the thread, which ends.
#[derive(Debug)]
pub(super) struct Watch {
    _alive: Sender<()>,
}

impl Watch {
    /// Calls `look` every so often until it says `None`.
    pub(super) fn start(every: Duration, look: impl Fn() -> Option<()> + Send + 'static) -> io::Result<Self> {
        let (alive, ended) = mpsc::channel();
        thread::Builder::new().name("portcullis-key-file".to_owned()).spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                if look().is_none() {
                    break;
                }
            }
        })?;
        Ok(Self { _alive: alive })
    }
}
