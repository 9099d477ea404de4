//! The real provider of `tests/oidc-provider`, as a process of this test.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use real_servers::skip;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::{sync::mpsc, time::timeout};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/oidc-provider");

/// A command is answered at once, but for a new RSA key on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running provider. It ends with this value, and also when this process dies, because its standard input ends.
#[derive(Debug)]
pub(crate) struct Provider {
    process: Child,
    answers: mpsc::UnboundedReceiver<String>,
    facts: Facts,
}

/// What the provider says about itself when it is ready.
#[derive(Debug, Deserialize)]
struct Facts {
    issuer: String,
    audience: String,
    redirect_uri: String,
    secrets: Value,
}

/// Requests that the provider has seen, answered or not.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) discovery: u32,
    pub(crate) jwks: u32,
}

/// The key ids that are published after a rotation, the newest first.
#[derive(Debug, Deserialize)]
pub(crate) struct Rotated {
    pub(crate) published: Vec<String>,
}

impl Provider {
    /// Starts one on a port of the system's choice; `None` if it is not installed, and then the running test is left out.
    pub(crate) async fn start() -> Option<Self> {
        let spawned = if Path::new(FOLDER).join("node_modules").is_dir() {
            spawn().map_err(|error| format!("node cannot be run: {error}"))
        } else {
            Err(format!("no packages in {FOLDER}/node_modules"))
        };
        let mut process = match spawned {
            Ok(process) => process,
            Err(missing) => {
                skip("OpenID provider", &format!("{missing} (`cargo xtask test servers` installs it)"));
                return None;
            }
        };
        let mut answers = follow(process.stdout.take().unwrap());
        let facts = next(&mut answers).await;
        Some(Self { process, answers, facts })
    }

    /// Its name, which is also where it listens: `http://127.0.0.1:<port>`.
    pub(crate) fn issuer(&self) -> &str {
        &self.facts.issuer
    }

    /// The resource that tokens are asked for, and their `aud`.
    pub(crate) fn audience(&self) -> &str {
        &self.facts.audience
    }

    /// Where browsers are sent with a code. Nothing listens there.
    pub(crate) fn redirect_uri(&self) -> &str {
        &self.facts.redirect_uri
    }

    /// The secret of that client.
    pub(crate) fn secret(&self, client: &str) -> &str {
        self.facts.secrets[client].as_str().unwrap()
    }

    /// Signs with new keys from now on; those before stay published.
    pub(crate) async fn rotate(&mut self) -> Rotated {
        self.command("rotate").await
    }

    /// Signs with new keys from now on, and publishes only those.
    pub(crate) async fn replace(&mut self) -> Rotated {
        self.command("replace").await
    }

    pub(crate) async fn counts(&mut self) -> Counts {
        self.command("counts").await
    }

    /// Answers everything by 503 from now on.
    pub(crate) async fn down(&mut self) {
        let _: Value = self.command("down").await;
    }

    /// Serves again.
    pub(crate) async fn up(&mut self) {
        let _: Value = self.command("up").await;
    }

    async fn command<T: DeserializeOwned>(&mut self, line: &str) -> T {
        writeln!(self.process.stdin.as_ref().unwrap(), "{line}").unwrap();
        next(&mut self.answers).await
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn() -> std::io::Result<Child> {
    let mut node = Command::new("node");
    node.arg("server.mjs").current_dir(FOLDER);
    node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
}

/// A thread that reads until the process ends.
fn follow(stdout: ChildStdout) -> mpsc::UnboundedReceiver<String> {
    let (send, receive) = mpsc::unbounded_channel();
    thread::spawn(move || {
        // Lines that are no JSON are remarks of its libraries.
        for line in BufReader::new(stdout).lines().map_while(Result::ok).filter(|line| line.starts_with('{')) {
            // The receiver may be gone.
            let _ = send.send(line);
        }
    });
    receive
}

async fn next<T: DeserializeOwned>(answers: &mut mpsc::UnboundedReceiver<String>) -> T {
    let line = timeout(PATIENCE, answers.recv()).await.expect("an answer of the provider in time");
    let line = line.expect("a provider that runs; what ended it is on standard error");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
