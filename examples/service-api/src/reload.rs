//! Taking over a new file on SIGHUP.

use std::{env, io, sync::Arc};

use portcullis::{
    ConfigError,
    clock::{Clock, SystemClock},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    config::{Config, Source},
    secrets::Secrets,
};

/// Reads the file again whenever SIGHUP comes, and applies what it says about secrets.
#[derive(Debug)]
pub(crate) struct Reloader<'a> {
    hangup: Signal,
    source: &'a Source,
    /// As the service was started.
    started: &'a Config,
    secrets: Arc<Secrets>,
}

impl<'a> Reloader<'a> {
    /// From here on, SIGHUP no longer ends the process.
    ///
    /// # Errors
    ///
    /// If the signal cannot be listened to.
    pub(crate) fn new(source: &'a Source, started: &'a Config, secrets: Arc<Secrets>) -> io::Result<Self> {
        Ok(Self { hangup: signal(SignalKind::hangup())?, source, started, secrets })
    }

    /// Never ends, unless the runtime does.
    pub(crate) async fn run(&mut self) {
        while self.hangup.recv().await.is_some() {
            match self.reload() {
                Ok(generation) => {
                    let states = self.secrets.states();
                    let states: Vec<_> = states.iter().map(|(id, state)| format!("{id} {state}")).collect();
                    tracing::info!("rotation applied: generation {generation}: {}", states.join(", "));
                }
                Err(error) => {
                    let reasons = error.problems().collect::<Vec<_>>().join("; ");
                    tracing::error!("rotation refused: generation {} stays: {reasons}", self.secrets.generation());
                }
            }
        }
    }

    fn reload(&self) -> Result<u64, ConfigError> {
        let config = Config::load(self.source, &environment)?;
        let generation = self.secrets.apply(&config.secrets, SystemClock.now())?;
        if config.differs_beyond_secrets(self.started) {
            tracing::warn!("the file has changed beyond [[secrets]]: that takes effect at the next start");
        }
        Ok(generation)
    }
}

/// A variable of the process's environment.
pub(crate) fn environment(name: &str) -> Option<String> {
    env::var(name).ok()
}
