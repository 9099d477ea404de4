//! [`Watch`]: a thread that calls a function at intervals.

use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

/// Runs until this handle is dropped, which wakes the thread and ends it.
#[derive(Debug)]
pub(super) struct Watch {
    _alive: Sender<()>,
}

impl Watch {
    /// Calls `look` at this interval until it returns `None`.
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
