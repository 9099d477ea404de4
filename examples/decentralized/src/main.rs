//! Three organisations under one operator, and two services that know only the operator's public key. See README.md.
//!
//! Read `orders.rs` first (a service of one organisation, for others), then `billing.rs` (a service where each organisation has its own data), and
//! `client.rs` (who calls them). `market/` plays operator and organisations: it makes their keys and tokens.

mod billing;
mod client;
mod command;
mod desk;
mod market;
mod orders;
mod service;
mod settings;
mod try_it;

use std::{
    env,
    error::Error,
    io::{self, Write},
    process::{ExitCode, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tracing_subscriber::{filter::LevelFilter, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use self::{market::Market, settings::Settings};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If even this fails, the error cannot be reported.
            let _ = writeln!(io::stderr(), "decentralized: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[&str]) -> Result<(), Failure> {
    let filter = env::var("RUST_LOG").unwrap_or_else(|_| "info,portcullis=debug".into()).parse::<Targets>()?;
    let format = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(LevelFilter::TRACE).finish();
    format.with(filter).init();
    let settings = Settings::read()?;
    match arguments {
        [] => all(&settings).await,
        command => command::run(&settings, command).await,
    }
}

/// Makes the organisations if they are not there, and starts both services and the desk of acme, which end with this process.
async fn all(settings: &Settings) -> Result<(), Failure> {
    let market = Market::open_or_create(&settings.data).await?;
    // Billing accepts accounts that are an hour old.
    market.staple_all().await?;
    // A browser asks before it lets the page of another origin call, so orders is told which one it is. The desk gets the port that was free a moment ago.
    let desk_port = match settings.desk_port {
        0 => service::listen(0, "DESK_PORT").await?.0.local_addr()?.port(),
        port => port,
    };
    let page = ("PAGE_ORIGIN", format!("http://localhost:{desk_port}"));
    let told = market.environment_of_orders()?.into_iter().chain([page]);
    let (orders, orders_url) = start("orders", ("PORT", settings.port), told).await?;
    let told = market.environment_of_billing()?;
    let (billing, billing_url) = start("billing", ("BILLING_PORT", settings.billing_port), told).await?;
    let told = [("DATA", market.folder().display().to_string()), ("ORDERS_URL", orders_url.clone())];
    let (desk, desk_url) = start("desk", ("DESK_PORT", desk_port), told).await?;
    say(&format!("orders is at {orders_url}\nbilling is at {billing_url}\ndesk is at {desk_url}"))?;
    say(&try_it::lines(&market, settings, &orders_url, &billing_url, &desk_url))?;
    service::shutdown_signal()?.await;
    drop((orders, billing, desk));
    Ok(())
}

/// Starts a service as a process of its own, and returns its URL. What the two services are told is public: the operator's key, and for orders whose
/// service it is.
async fn start(
    name: &str,
    port: (&str, u16),
    told: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<(Child, String), Failure> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(name).envs(told).env(port.0, port.1.to_string()).env("UNTIL_INPUT_ENDS", "1");
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let output = process.stdout.take().ok_or("no standard output")?;
    let line = BufReader::new(output).lines().next_line().await?.unwrap_or_default();
    let url = line.strip_prefix(&format!("{name} is at ")).ok_or(format!("{name} did not start"))?.to_owned();
    Ok((process, url))
}

pub(crate) fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
