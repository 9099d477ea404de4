//! The market with its services and its client, each a process of its own.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test uses a part of it, and may panic")]

pub(crate) mod platform;
pub(crate) mod program;

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// An operator with its organisations.
pub(crate) struct Market {
    folder: TempDir,
}

/// A service. It ends with this value.
pub(crate) struct Service {
    process: Child,
    /// Open for as long as it runs.
    _output: BufReader<ChildStdout>,
    pub(crate) url: String,
}

/// Who sends a request, and whether the account's token comes along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    /// Such as `acme/alice`.
    pub(crate) user: &'a str,
    pub(crate) staple: Option<&'a str>,
}

/// The user with the account's current token.
pub(crate) fn stapled(user: &str) -> Caller<'_> {
    let staple = user.split('/').next();
    Caller { user, staple }
}

pub(crate) fn alone(user: &str) -> Caller<'_> {
    Caller { user, staple: None }
}

impl Market {
    /// One that has nothing yet.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn init() -> Self {
        let market = Self::empty();
        market.run(&["init"]);
        market
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    /// The file in which services find an account.
    pub(crate) fn published(&self, organisation: &str) -> PathBuf {
        let token = self.read(&format!("{organisation}/account.jwt"));
        let token = portcullis_nats::token::Token::<portcullis_nats::claims::Account>::read(token.trim()).unwrap();
        self.path(&format!("accounts/{}.jwt", token.registered.subject))
    }

    /// Keeps a copy of an account's token, as a caller may do.
    pub(crate) fn keep(&self, organisation: &str, copy: &str) {
        std::fs::create_dir_all(self.path(copy)).unwrap();
        std::fs::copy(self.path(organisation).join("account.jwt"), self.path(copy).join("account.jwt")).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_decentralized"));
        command.args(arguments).env_clear().env("DATA", self.folder.path()).env("RUST_LOG", "warn");
        command.stdin(Stdio::null());
        command
    }

    fn output(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
        self.command(arguments).envs(settings.iter().copied()).output().unwrap()
    }

    /// Runs a command that succeeds. Returns what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.run_with(&[], arguments)
    }

    /// Runs a command that succeeds, with these settings. Returns what it prints.
    pub(crate) fn run_with(&self, settings: &[(&str, &str)], arguments: &[&str]) -> String {
        let output = self.output(settings, arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a command that is refused. Returns why.
    pub(crate) fn run_refused(&self, arguments: &[&str]) -> String {
        self.run_refused_with(&[], arguments)
    }

    pub(crate) fn run_refused_with(&self, settings: &[(&str, &str)], arguments: &[&str]) -> String {
        let output = self.output(settings, arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn orders(&self, settings: &[(&str, &str)]) -> Service {
        self.orders_trusting(&self.run(&["operator"]), settings)
    }

    /// Starts the service with these keys of the operator, and other public values only.
    pub(crate) fn orders_trusting(&self, operator: &str, settings: &[(&str, &str)]) -> Service {
        let account = portcullis_nats::token::Token::<portcullis_nats::claims::Account>::read(
            self.read("shop/account.jwt").trim(),
        );
        let account = account.unwrap().registered.subject.to_string();
        let accounts = self.path("accounts");
        let told = [
            ("OPERATOR", operator),
            ("ACCOUNT", &account),
            ("ACCOUNTS", accounts.to_str().unwrap()),
            ("FRESH_SECONDS", "1"),
        ];
        Service::start("orders", told.iter().chain(settings))
    }

    pub(crate) fn billing(&self, settings: &[(&str, &str)]) -> Service {
        Service::start("billing", [("OPERATOR", self.run(&["operator"]).as_str())].iter().chain(settings))
    }

    /// Starts acme's desk, which has the market's keys, with a log-in of its own.
    pub(crate) fn desk(&self) -> Service {
        self.desk_with(&[("DESK_PORT", "0")])
    }

    /// Starts it with these settings, its port among them.
    pub(crate) fn desk_with(&self, settings: &[(&str, &str)]) -> Service {
        let data = self.folder.path().to_str().unwrap();
        Service::start("desk", [("DATA", data)].iter().chain(settings))
    }

    /// Sends a request by the client program. Returns the status and the answer.
    pub(crate) fn call(&self, caller: Caller<'_>, method: &str, url: &str, body: &str) -> (u16, Value) {
        let creds = self.path(&format!("{}.creds", caller.user));
        let mut command = self.command(&["call", creds.to_str().unwrap(), method, url, body]);
        if let Some(staple) = caller.staple {
            command.env("STAPLE", self.path(staple).join("account.jwt"));
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let Some((status, answer)) = text.trim().split_once(' ').or(Some((text.trim(), ""))) else { unreachable!() };
        let status = status.parse().unwrap_or_else(|_| panic!("{caller:?} {method} {url}: {output:?}"));
        (status, serde_json::from_str(answer).unwrap_or(Value::Null))
    }

    pub(crate) fn status(&self, caller: Caller<'_>, method: &str, url: &str) -> u16 {
        self.call(caller, method, url, if method == "GET" { "" } else { "something" }).0
    }

    /// Asks again until the answer has this status, for `longest` at most. Returns how long that took.
    pub(crate) fn until(&self, wanted: u16, caller: Caller<'_>, url: &str, longest: Duration) -> Duration {
        let begin = Instant::now();
        loop {
            let status = self.status(caller, "GET", url);
            if status == wanted {
                return begin.elapsed();
            }
            assert!(begin.elapsed() < longest, "{caller:?} still gets {status} after {longest:?}");
            // Until it is looked at again.
            sleep(Duration::from_millis(50));
        }
    }
}

/// The one command of README.md. Example services end with it.
pub(crate) struct Example {
    process: Child,
    _output: BufReader<ChildStdout>,
    pub(crate) orders: String,
    pub(crate) billing: String,
    pub(crate) desk: String,
}

impl Example {
    pub(crate) fn start(market: &Market) -> Self {
        Self::start_with(market, &[])
    }

    pub(crate) fn start_with(market: &Market, settings: &[(&str, &str)]) -> Self {
        let mut command = market.command(&[]);
        command
            .envs(settings.iter().copied())
            .env("PORT", "0")
            .env("BILLING_PORT", "0")
            .env("DESK_PORT", "0")
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut after = |start: &str| {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            line.trim().strip_prefix(start).unwrap_or_else(|| panic!("it said {line:?}")).to_owned()
        };
        let (orders, billing, desk) = (after("orders is at "), after("billing is at "), after("desk is at "));
        Self { process, _output: output, orders, billing, desk }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended by itself. The services end when their input does.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    fn start<'s>(name: &str, settings: impl Iterator<Item = &'s (&'s str, &'s str)>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_decentralized"));
        command
            .arg(name)
            .env_clear()
            .env("PORT", "0")
            .env("BILLING_PORT", "0")
            .env("RUST_LOG", "warn")
            .envs(settings.copied());
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix(&format!("{name} is at ")).unwrap_or_else(|| panic!("it said {line:?}"));
        Self { process, url: url.to_owned(), _output: output }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
