//! Runs the tests over the copy, and reads which of them failed.

use std::{env, path::PathBuf, process::Output};

use super::Weakening;
use crate::{command::Run, servers::nats_server, tools, tree::Tree, workspace::root};

/// All tests that may notice something.
const EVERYTHING: &str = "-p portcullis-core -p portcullis -p portcullis-jwks -p portcullis-store -p portcullis-test -p portcullis-issuer \
                          -p portcullis-nats -p portcullis-tests --all-features";

/// Those that start a real server are asked only for weakenings of what talks to it, which name them.
const WITH_SERVERS: [&str; 7] =
    ["account_contract", "account_nats", "contract", "redis", "nats", "postgres", "refresh_contract"];

/// What became of a weakening.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This test failed.
    Caught(String),
    /// Every test passed.
    Survived,
    /// The tests could not even be built, so they said nothing: the entry is wrong.
    NotBuilt(String),
}

/// How tests are run.
#[derive(Debug)]
pub(super) struct Trials<'t> {
    tree: &'t Tree,
    build: PathBuf,
    runner: Runner,
}

/// Both leave out the tests of what the compiler says: no weakening changes that, and they are slow.
#[derive(Clone, Copy, Debug)]
enum Runner {
    Nextest,
    CargoTest,
}

impl<'t> Trials<'t> {
    /// `build` is where the copy is built, unless `CARGO_TARGET_DIR` names another place.
    pub(super) fn new(tree: &'t Tree, build: PathBuf) -> Self {
        let build = env::var_os("CARGO_TARGET_DIR").map_or(build, PathBuf::from);
        let runner = if tools::has_cargo("nextest") { Runner::Nextest } else { Runner::CargoTest };
        Self { tree, build, runner }
    }

    /// Makes sure that tests fail because of a weakening only.
    ///
    /// # Errors
    /// When they fail by themselves.
    pub(super) fn baseline(&self) -> Result<(), String> {
        match self.test(EVERYTHING)? {
            Verdict::Survived => Ok(()),
            Verdict::Caught(test) => Err(format!("nothing is weakened, and `{test}` fails")),
            Verdict::NotBuilt(why) => Err(format!("nothing is weakened, and it cannot be built:\n{why}")),
        }
    }

    /// Runs the likely tests, then all others if those notice nothing.
    ///
    /// # Errors
    /// When cargo cannot be run.
    pub(super) fn judge(&self, weakening: &Weakening) -> Result<Verdict, String> {
        match self.test(&weakening.first_run())? {
            Verdict::Survived => self.test(EVERYTHING),
            verdict => Ok(verdict),
        }
    }

    fn test(&self, which: &str) -> Result<Verdict, String> {
        let mut command = self.runner.run(which).command();
        command.current_dir(self.tree.folder()).env("CARGO_TARGET_DIR", &self.build);
        // These builds are not debugged, and most of each is the same as the one before.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "1").env("CARGO_TERM_COLOR", "never");
        if env::var_os("PORTCULLIS_VECTORS").is_none() {
            // Where the tests of the tree itself look for them.
            command.env("PORTCULLIS_VECTORS", root().join("../shared/vectors"));
        }
        let server = nats_server(&root());
        if server.is_file() && env::var_os("PORTCULLIS_NATS").is_none() {
            // The copy has no servers of its own, and tests that find none say nothing.
            command.env("PORTCULLIS_NATS", server);
        }
        let output = command.output().map_err(|error| format!("cargo could not be run: {error}"))?;
        Ok(verdict(&output))
    }
}

impl Runner {
    fn run(self, which: &str) -> Run {
        match self {
            Self::Nextest => Run::cargo("nextest run --status-level fail --final-status-level none")
                .words("--failure-output never -E")
                .arg(filter(which))
                .words(which),
            Self::CargoTest => {
                let run =
                    if which.contains("--lib") || which.contains("--test") { "test" } else { "test --lib --tests" };
                Run::cargo(run).words(which).words("-- --skip compile_errors_say_what_to_do")
            }
        }
    }
}

/// Which of the tests to run, as nextest is told.
fn filter(which: &str) -> String {
    let servers = WITH_SERVERS.into_iter().filter(|_| which == EVERYTHING);
    ["compile_errors"]
        .into_iter()
        .chain(servers)
        .map(|binary| format!("not binary({binary})"))
        .collect::<Vec<_>>()
        .join(" and ")
}

fn verdict(output: &Output) -> Verdict {
    if output.status.success() {
        return Verdict::Survived;
    }
    let text = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    match text.lines().find_map(failed_test) {
        Some(test) => Verdict::Caught(test),
        None => Verdict::NotBuilt(
            text.lines().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n"),
        ),
    }
}

/// The name in the line of a test that failed.
fn failed_test(line: &str) -> Option<String> {
    let line = line.trim();
    if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
        return Some(name.to_owned());
    }
    // nextest: a word for how it ended, the time it took in brackets, perhaps which one it was, crate and test
    let (ending, rest) = line.split_once(" [")?;
    let (_, name) = rest.split_once("] ")?;
    let ended_badly = ["FAIL", "TIMEOUT", "ABORT", "SIGABRT", "SIGSEGV", "SIGKILL"].contains(&ending);
    let name = match name.trim_start().strip_prefix('(') {
        Some(counted) => counted.split_once(')')?.1,
        None => name,
    };
    ended_badly.then(|| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_started_only_where_a_weakening_names_their_tests() {
        assert_eq!(filter("-p portcullis-store --test redis"), "not binary(compile_errors)");
        let all = "not binary(compile_errors) and not binary(account_contract) and not binary(account_nats) \
                   and not binary(contract) and not binary(redis) and not binary(nats) and not binary(postgres) \
                   and not binary(refresh_contract)";
        assert_eq!(filter(EVERYTHING), all);
    }

    #[test]
    fn the_failed_test_is_named() {
        for (line, name) in [
            ("        FAIL [   0.005s] portcullis-core key::tests::a", Some("portcullis-core key::tests::a")),
            ("        FAIL [   0.005s] ( 7/90) portcullis::layer a_token", Some("portcullis::layer a_token")),
            ("     SIGABRT [   0.005s] (  1/9) portcullis::layer a_token", Some("portcullis::layer a_token")),
            ("test key::tests::a ... FAILED", Some("key::tests::a")),
            ("test key::tests::a ... ok", None),
            ("        PASS [   0.005s] portcullis-core key::tests::a", None),
            ("     Summary [   0.012s] 53 tests run: 52 passed, 1 failed, 2 skipped", None),
            ("   Compiling portcullis v0.1.0", None),
        ] {
            assert_eq!(failed_test(line).as_deref(), name, "{line}");
        }
    }
}
