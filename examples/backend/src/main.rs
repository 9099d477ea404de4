//! A backend as a service: users with sessions, an administrator with a key, and functions that act as one of them. See README.md.
//!
//! Read `backend/mod.rs` first (who may do what), then `backend/user_jwt.rs` (how a user lends itself), and `functions/mod.rs` (who acts as whom).

mod backend;
mod functions;
mod settings;
mod try_it;

use std::{
    env,
    error::Error,
    io::{self, Read, Write},
    path::Path,
    process::{ExitCode, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    signal::unix::SignalKind,
    task,
};
use tracing_subscriber::{filter::LevelFilter, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use self::{
    backend::Backend,
    settings::{FunctionsSettings, Settings},
};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

const HELP: &str = "\
cargo run -p backend              starts the backend, and its functions in a process of their own
cargo run -p backend -- routes    lists every route with who may use it
cargo run -p backend -- functions starts the functions alone (BACKEND_URL says where the backend is, BACKEND_KEY_FILE has their key)

README.md lists the settings, which are variables of the environment.";

#[tokio::main]
async fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If even this fails, the error cannot be reported.
            let _ = writeln!(io::stderr(), "backend: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(part: Option<&str>) -> Result<(), Failure> {
    let filter = env::var("RUST_LOG").unwrap_or_else(|_| "info,portcullis=debug".into()).parse::<Targets>()?;
    let format = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(LevelFilter::TRACE).finish();
    format.with(filter).init();
    match part {
        None => both(&Settings::read()?).await,
        Some("functions") => functions_alone(&FunctionsSettings::read()?).await,
        Some("routes") => Ok(say(&backend::routes().to_string())?),
        Some(_) => Ok(say(HELP)?),
    }
}

/// The backend here, and the functions in a process of their own, which ends with this one.
async fn both(settings: &Settings) -> Result<(), Failure> {
    let (listener, url) = listen(settings.port).await?;
    let backend = Backend::open(settings).await?;
    let (functions, functions_url) = second_process(&url, &backend.functions_key).await?;
    say(&format!("backend is at {url}"))?;
    say(&format!("functions are at {functions_url}"))?;
    say(&try_it::lines(&url, &functions_url, &backend.admin_key))?;
    let server = axum::serve(listener, backend.router.clone()).with_graceful_shutdown(ended()?);
    let outcome = tokio::select! {
        outcome = async { server.await } => outcome,
        () = backend.keep_tidy() => Ok(()),
    };
    drop(functions);
    backend.close().await;
    Ok(outcome?)
}

async fn functions_alone(settings: &FunctionsSettings) -> Result<(), Failure> {
    let (listener, url) = listen(settings.port).await?;
    let app = functions::app(&settings.backend_url, &settings.key_file)?;
    say(&format!("functions are at {url}"))?;
    let server = async { axum::serve(listener, app).await };
    tokio::select! {
        outcome = server => Ok(outcome?),
        () = end_of_input(), if settings.until_input_ends => Ok(()),
    }
}

async fn second_process(backend_url: &str, key_file: &Path) -> Result<(Child, String), Failure> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("functions").env("BACKEND_URL", backend_url).env("BACKEND_KEY_FILE", key_file);
    command.env("UNTIL_INPUT_ENDS", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn()?;
    let output = process.stdout.take().ok_or("no standard output")?;
    let line = BufReader::new(output).lines().next_line().await?.unwrap_or_default();
    let url = line.strip_prefix("functions are at ").ok_or("the functions did not start")?.to_owned();
    Ok((process, url))
}

/// Listens on this port of the machine itself; 0 is any free one. Returns the URL, too.
async fn listen(port: u16) -> Result<(TcpListener, String), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("cannot listen on port {port} ({error}): choose others with PORT and FUNCTIONS_PORT")
    })?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    Ok((listener, url))
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

/// The process that started this one has ended, perhaps by a crash.
async fn end_of_input() {
    let read = task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    // It has ended in any case.
    let _ = read.await;
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
