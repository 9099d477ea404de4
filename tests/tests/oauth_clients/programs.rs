//! Clients of npm and of Go. `tests/oauth-clients` has their programs.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use real_servers::{is_missing, skip};
use serde::Deserialize;
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/oauth-clients");
/// Where Debian puts libraries of Go.
const GO_FOLDER: &str = "/usr/share/gocode";
const GO_CACHE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/go-cache");

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
    let mut node = Command::new("node");
    node.arg(format!("{library}.mjs"));
    Some(tokio::task::spawn_blocking(move || run_to_its_end(library, node, &facts)).await.unwrap())
}

/// The same with the library of Go.
pub(crate) async fn run_go(facts: Value) -> Option<Vec<Got>> {
    let name = "golang.org/x/oauth2";
    if is_missing("go") {
        return None;
    }
    if !Path::new(GO_FOLDER).join("src").join(name).is_dir() {
        skip(name, &format!("it is not in {GO_FOLDER} (`cargo xtask test servers` installs it)"));
        return None;
    }
    let mut go = Command::new("go");
    // Debian's packages are the folders of before there were modules, so that nothing is downloaded.
    go.args(["run", "xoauth2.go"]).env("GO111MODULE", "off").env("GOPATH", GO_FOLDER).env("GOCACHE", GO_CACHE);
    Some(tokio::task::spawn_blocking(move || run_to_its_end(name, go, &facts)).await.unwrap())
}

fn run_to_its_end(library: &str, mut program: Command, facts: &Value) -> Vec<Got> {
    program.current_dir(FOLDER).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = program.spawn().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    write!(process.stdin.take().unwrap(), "{facts}").unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{library} ended with {}: what failed is on standard error", output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
