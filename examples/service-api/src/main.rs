//! A service API whose bearer tokens are signed with a shared secret: see README.md.
//!
//! Read `app` first (routes, and who may use them), then `secrets` (rotation), `revocations`, `mint`, `config`.

mod app;
mod args;
mod config;
mod demo;
mod mint;
mod reload;
mod revocations;
mod secrets;
mod serve;
mod users;

use std::{
    env,
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use self::{args::Command, config::Source};

fn main() -> ExitCode {
    let command = match Command::parse(env::args_os().skip(1), env::var_os("SERVICE_CONFIG")) {
        Ok(command) => command,
        Err(problem) => return fail(2, &format!("{problem}\n\n{}", args::HELP)),
    };
    let outcome = match command {
        Command::Serve(file) => serve::run(&file.map_or(Source::Demo, Source::File)),
        Command::NewSecret => new_secret(),
        Command::HashPassword => hash_password(),
        Command::Help => print(args::HELP),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &error.to_string()),
    }
}

fn new_secret() -> Result<(), Box<dyn Error>> {
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(secrets::random()?));
    print(&text)
}

fn hash_password() -> Result<(), Box<dyn Error>> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().read_line(&mut line)?;
    let password = Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned());
    if password.is_empty() {
        return Err("no password on standard input".into());
    }
    print(&users::hash(&password)?)
}

/// What the program is asked for goes to standard output, what happens meanwhile to standard error.
fn print(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

fn fail(status: u8, problem: &str) -> ExitCode {
    // If even this fails, the error cannot be reported.
    let _ = writeln!(io::stderr().lock(), "service-api: {problem}");
    ExitCode::from(status)
}
