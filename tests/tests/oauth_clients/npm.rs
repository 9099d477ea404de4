//! Clients of npm. `tests/oauth-clients` has their programs.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use real_servers::skip;
use serde::Deserialize;
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/oauth-clients");

/// A token that a client has got.
#[derive(Debug, Deserialize)]
pub(crate) struct Got {
    pub(crate) flow: String,
    pub(crate) token: String,
    pub(crate) audience: String,
}

/// Runs the program with this library. Returns the tokens that it got; `None` if the library is not installed, and then the running test is left out.
pub(crate) async fn run(library: &'static str, facts: Value) -> Option<Vec<Got>> {
    let installed = Path::new(FOLDER).join("node_modules").join(library);
    if !installed.is_dir() {
        skip(library, &format!("{} is not there (`cargo xtask test servers` installs it)", installed.display()));
        return None;
    }
    // It asks the server of this test meanwhile.
    Some(tokio::task::spawn_blocking(move || run_to_its_end(library, &facts)).await.unwrap())
}

fn run_to_its_end(library: &str, facts: &Value) -> Vec<Got> {
    let mut node = Command::new("node");
    node.arg(format!("{library}.mjs")).current_dir(FOLDER).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = node.spawn().unwrap_or_else(|error| panic!("node: {error}"));
    write!(process.stdin.take().unwrap(), "{facts}").unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{library} ended with {}: what failed is on standard error", output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
