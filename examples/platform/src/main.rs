//! Starts the platform, or one part of it. See README.md.

use std::{
    env,
    io::{self, Write},
    process::{ExitCode, Stdio},
    time::Duration,
};

use platform::{
    Failure, dashboard, orders, say,
    settings::{self, Settings},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::sleep,
};
use tracing_subscriber::{filter::LevelFilter, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

const HELP: &str = "\
cargo run -p platform              starts the dashboard, and the second service in a process of its own
cargo run -p platform -- dashboard starts the dashboard alone (ORDERS_URL says where the second service is)
cargo run -p platform -- orders    starts the second service alone (ISSUER says whose tokens it accepts)

README.md lists the settings, which are variables of the environment.";

#[tokio::main]
async fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If even this fails, the error cannot be reported.
            let _ = writeln!(io::stderr(), "platform: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(part: Option<&str>) -> Result<(), Failure> {
    let filter = env::var("RUST_LOG").unwrap_or_else(|_| "info,portcullis=debug".into()).parse::<Targets>()?;
    let format = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(LevelFilter::TRACE).finish();
    format.with(filter).init();
    let settings = Settings::read()?;
    match part {
        None => both(settings).await,
        Some("dashboard") => {
            let orders_url = settings::required("ORDERS_URL")?;
            let (listener, url) = listen(settings.port).await?;
            dashboard::serve(listener, &url, &orders_url, &settings).await
        }
        Some("orders") => {
            let issuer = settings.issuer.clone().ok_or("ISSUER is not set: see README.md")?;
            let (listener, url) = listen_again(settings.orders_port).await?;
            say(&format!("orders is at {url}"))?;
            orders::serve(listener, &issuer, &settings).await
        }
        Some(_) => Ok(say(HELP)?),
    }
}

/// The dashboard here, and the second service in a process of its own, which ends with this one.
async fn both(settings: Settings) -> Result<(), Failure> {
    let (listener, url) = listen(settings.port).await?;
    let issuer = settings.issuer.clone().unwrap_or_else(|| url.clone());
    let (orders, orders_url) = second_process(&issuer, &url).await?;
    let outcome = dashboard::serve(listener, &url, &orders_url, &settings).await;
    drop(orders);
    outcome
}

async fn second_process(issuer: &str, dashboard: &str) -> Result<(Child, String), Failure> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("orders").env("ISSUER", issuer).env("DASHBOARD_ORIGIN", dashboard).env("UNTIL_INPUT_ENDS", "1");
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let output = process.stdout.take().ok_or("no standard output")?;
    let line = BufReader::new(output).lines().next_line().await?.unwrap_or_default();
    let url = line.strip_prefix("orders is at ").ok_or("the second service did not start")?.to_owned();
    Ok((process, url))
}

/// Listens on this port of the machine itself; 0 is any free one. Returns the URL, too.
async fn listen(port: u16) -> Result<(TcpListener, String), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("cannot listen on port {port} ({error}): choose others with PORT and ORDERS_PORT"))?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    Ok((listener, url))
}

/// Does the same, and tries again for a while: if the dashboard was killed, its second service may have the port for a moment yet.
async fn listen_again(port: u16) -> Result<(TcpListener, String), Failure> {
    for _ in 0..30 {
        if let Ok(listening) = listen(port).await {
            return Ok(listening);
        }
        sleep(Duration::from_millis(100)).await;
    }
    listen(port).await
}
