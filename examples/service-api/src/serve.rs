//! The running service: from its configuration to its end.

use std::{error::Error, sync::Arc, time::Duration};

use portcullis::clock::{Clock, SystemClock};
use portcullis_store::Revocations;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    app::{App, Exit, LoginDesk, Parts},
    config::{Config, RevocationRules, Source},
    demo,
    mint::Mint,
    print,
    reload::{self, Reloader},
    revocations::{LogPlace, TokenVersions},
    secrets::{Secrets, Timing},
};

/// How long requests that are under way may take to end: the slowest here waits 5 s for a revocation to become durable.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Serves until it is told to end.
///
/// # Errors
///
/// If the configuration cannot be used (all problems at once), or the file of revocations, or the address.
pub(crate) fn run(source: &Source) -> Result<(), Box<dyn Error>> {
    let config = Config::load(source, &reload::environment)?;
    log_to_stderr(config.server.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(source, config))
}

async fn serve(source: &Source, config: Config) -> Result<(), Box<dyn Error>> {
    let now = SystemClock.now();
    let secrets = Arc::new(Secrets::open(&config.secrets, timing(&config), now)?);
    let revocations = follow(&config.revocation, source)?;
    let versions = TokenVersions::new(&config.token.issuer, config.token.leeway, &revocations);
    let mint = || Mint::new(config.token.clone(), Arc::clone(&secrets), versions.clone());
    let (end, ending) = watch::channel(false);
    let App { router, access } = App::new(Parts {
        rules: &config.token,
        users: config.users.clone(),
        secrets: Arc::clone(&secrets),
        revocations: revocations.clone(),
        login: LoginDesk::new(config.users.clone(), mint()),
        exit: Arc::new(Exit::new(&config.token.issuer, revocations.clone(), versions.clone())),
        ending: ending.clone(),
    })?;

    // Before anybody can know this process: an unhandled SIGHUP would end it.
    let mut reloader = Reloader::new(source, &config, Arc::clone(&secrets))?;
    let ended = end_signal(end)?;
    let listener = listen(&config).await?;
    print(&format!("listening on http://{}\n\n{access}\n", listener.local_addr()?))?;
    if matches!(source, Source::Demo) {
        print(&demo::command_lines(listener.local_addr()?, &mint(), &config.users, now)?)?;
    }
    let server = axum::serve(listener, router).with_graceful_shutdown(ended);
    tokio::select! {
        outcome = server => Ok(outcome?),
        () = reloader.run() => Ok(()),
        () = overdue(ending) => Ok(()),
    }
}

/// Follows the log of revocations. It need not be reachable yet: until it was read, protected routes answer 503.
fn follow(rules: &RevocationRules, source: &Source) -> Result<Revocations, Box<dyn Error>> {
    let RevocationRules { place, max_staleness } = rules;
    let builder = place.open().map_err(|error| format!("revocation.log: {error}"))?;
    // The demo's tokens end with the process, too.
    if *place == LogPlace::Memory && !matches!(source, Source::Demo) {
        tracing::warn!(
            "revocation.log is memory: after a restart, revoked tokens that have not expired are accepted again"
        );
    }
    tracing::info!("revocations are kept in {place}");
    Ok(builder.max_staleness(*max_staleness).start()?)
}

async fn listen(config: &Config) -> Result<TcpListener, String> {
    let address = config.server.address;
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address} ({error}): choose another port with PORT=3001"))
}

/// Waits for SIGTERM or SIGINT, and tells the streams of events: they would go on for as long as their tokens live.
fn end_signal(end: watch::Sender<bool>) -> Result<impl Future<Output = ()> + Send + 'static, Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        end.send_replace(true);
    })
}

/// Ends when the service should have ended, but a client sends a request, or reads an answer, very slowly.
async fn overdue(mut ending: watch::Receiver<bool>) {
    let _ = ending.wait_for(|is_ending| *is_ending).await;
    sleep(LAST_REQUESTS).await;
    tracing::warn!("requests are still under way after {} s: they are broken off", LAST_REQUESTS.as_secs());
}

fn timing(config: &Config) -> Timing {
    Timing { token_life: config.token.lifetime + config.token.leeway.as_duration(), rollout: config.rollout }
}

/// Libraries of others say no more than `info`: below that, some write down whatever they send, names and passwords
/// included.
fn log_to_stderr(level: LevelFilter) {
    let ours = ["service_api", "portcullis"].map(|target| (target, level));
    let targets = Targets::new().with_default(level.min(LevelFilter::INFO)).with_targets(ours);
    let format = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_max_level(level);
    format.finish().with(targets).init();
}
