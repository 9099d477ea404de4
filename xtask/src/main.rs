//! The workspace's own commands: `cargo xtask check`, `test`, `ci`, `lines`, `bench`, `weaken`, `chaos`, `release`.
//!
//! Each command is a list of named steps. A step prints what it runs, so that it can be repeated by hand; the first
//! failure ends the command unless `--keep-going` is given.
#![expect(clippy::print_stdout, reason = "this program talks to a person in a terminal")]

mod api;
mod architecture;
mod args;
mod bench;
mod chaos;
mod check;
mod command;
mod fuzz;
mod minimal;
mod msrv;
mod not_run;
mod policy;
mod python;
mod quickstart;
mod release;
mod servers;
mod source;
mod steps;
mod suite;
mod tally;
mod tools;
mod tracked;
mod tree;
mod weaken;
mod workspace;

use std::process::ExitCode;

use args::{Args, Task};
use not_run::Optional;
use steps::Steps;
use workspace::Workspace;

fn main() -> ExitCode {
    let outcome = Args::parse(std::env::args().skip(1)).and_then(|args| perform(&args));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Carries out one command; `true` if nothing failed.
fn perform(args: &Args) -> Result<bool, String> {
    match args.task {
        Task::Help => println!("{}", args::HELP),
        Task::Lines => source::print_lines(&workspace::root())?,
        Task::Weaken => return weaken::run(args.only.as_deref()),
        _ => return run_steps(args),
    }
    Ok(true)
}

fn run_steps(args: &Args) -> Result<bool, String> {
    let workspace = Workspace::load()?;
    let mut steps = Steps::new(args);
    // An `Err` here says only that a step failed and the rest was left out: the closing summary tells which.
    let _stopped = match args.task {
        Task::Check => check::add(&mut steps, &workspace),
        Task::Test => suite::add(&mut steps, &workspace),
        Task::Ci => check::add(&mut steps, &workspace).and_then(|()| suite::add(&mut steps, &workspace)),
        Task::Bench => bench::add(&mut steps, &workspace, args.quick),
        Task::Chaos => chaos::add(&mut steps, args.minutes.unwrap_or(chaos::DEFAULT_MINUTES), args.log.as_deref()),
        Task::Release => release::add(&mut steps, &workspace, args.allow_dirty),
        Task::Help | Task::Lines | Task::Weaken => Ok(()),
    };
    let is_test = matches!(args.task, Task::Test | Task::Ci);
    if is_test {
        steps.not_run(not_run::of_tests());
    }
    let optional = if is_test && on_ci() { Some(Optional::load()?) } else { None };
    steps.close(optional.as_ref())
}

fn on_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
