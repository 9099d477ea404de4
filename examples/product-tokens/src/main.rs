//! A product that its customers automate with API tokens of every kind. See README.md.
//!
//! Read `platform/mod.rs` first (who may do what), then `platform/rights.rs` (what an owner may do now), and `client.rs` (a program that drives the
//! product without a browser).

mod client;
mod platform;
mod settings;

use std::{
    env,
    error::Error,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use tokio::{net::TcpListener, signal::unix::SignalKind};
use tracing_subscriber::{filter::LevelFilter, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use self::{platform::Platform, settings::Settings};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

const HELP: &str = "\
cargo run -p product-tokens            starts the product
cargo run -p product-tokens -- client  drives it: creates an instance, manages users, rotates its own token, cleans up
                                       (PRODUCT_URL says where it is, PRODUCT_TOKEN_FILE has the token)
cargo run -p product-tokens -- routes  lists every route with who may use it

README.md lists the settings, which are variables of the environment.";

#[tokio::main]
async fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If even this fails, the error cannot be reported.
            let _ = writeln!(io::stderr(), "product-tokens: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(part: Option<&str>) -> Result<(), Failure> {
    let filter = env::var("RUST_LOG").unwrap_or_else(|_| "info,portcullis=debug".into()).parse::<Targets>()?;
    let format = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(LevelFilter::TRACE).finish();
    format.with(filter).init();
    match part {
        None => serve(&Settings::read()?).await,
        Some("client") => client::run().await,
        Some("routes") => Ok(say(&platform::routes().to_string())?),
        Some(_) => Ok(say(HELP)?),
    }
}

async fn serve(settings: &Settings) -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", settings.port))
        .await
        .map_err(|error| format!("cannot listen on port {} ({error}): choose another with PORT", settings.port))?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    let platform = Platform::open(settings).await?;
    say(&format!("product is at {url}"))?;
    say(&platform.try_it(&url))?;
    let server = axum::serve(listener, platform.router.clone()).with_graceful_shutdown(ended()?);
    let outcome = tokio::select! {
        outcome = async { server.await } => outcome,
        () = platform.keep_tidy(Duration::from_secs(900)) => Ok(()),
    };
    platform.close().await;
    Ok(outcome?)
}

/// The operator ends the program.
fn ended() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}

pub(crate) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
