//! The running service: from its configuration to its end.

use std::{error::Error, sync::Arc};

use portcullis::{Clock, SystemClock};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing::level_filters::LevelFilter;

use crate::{
    app::{App, LoginDesk},
    config::{Config, Source},
    demo,
    mint::Mint,
    print,
    reload::{self, Reloader},
    secrets::{Secrets, Timing},
};

/// Serves until it is told to end.
///
/// # Errors
///
/// If the configuration cannot be used (all problems at once), or the address.
pub(crate) fn run(source: &Source) -> Result<(), Box<dyn Error>> {
    let config = Config::load(source, &reload::environment)?;
    log_to_stderr(config.server.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(source, config))
}

async fn serve(source: &Source, config: Config) -> Result<(), Box<dyn Error>> {
    let now = SystemClock.now();
    let secrets = Arc::new(Secrets::open(&config.secrets, timing(&config), now)?);
    let mint = || Mint::new(config.token.clone(), Arc::clone(&secrets));
    let desk = LoginDesk::new(config.users.clone(), mint());
    let App { router, access } = App::new(&config.token, &secrets, desk)?;

    // Before anybody can know this process: an unhandled SIGHUP would end it.
    let mut reloader = Reloader::new(source, &config, Arc::clone(&secrets))?;
    let mut end = signal(SignalKind::terminate())?;
    let address = config.server.address;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address} ({error}): choose another port with PORT=3001"))?;

    print(&format!("listening on http://{}\n\n{access}\n", listener.local_addr()?))?;
    if matches!(source, Source::Demo) {
        print(&demo::command_lines(listener.local_addr()?, &mint(), &config.users, now)?)?;
    }
    let ended = async move {
        tokio::select! {
            _ = end.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(ended);
    tokio::select! {
        outcome = server => Ok(outcome?),
        () = reloader.run() => Ok(()),
    }
}

fn timing(config: &Config) -> Timing {
    Timing { token_life: config.token.lifetime + config.token.leeway.as_duration(), rollout: config.rollout }
}

fn log_to_stderr(level: LevelFilter) {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_max_level(level).init();
}
