//! Every test, in one command.

use crate::{
    command::Run,
    fuzz::{self, Reach},
    not_run, quickstart, servers,
    steps::{Done, StepResult, Steps, Stopped},
    tally::Tally,
    tools,
    tracked::{self, Tracked},
    workspace::{Workspace, root},
};

/// Enables both of jsonwebtoken's backends at once, to prove that we do not mind. Built alone: in one build with the
/// rest, cargo would unite the features, and every other test would run with both backends too.
const BOTH_BACKENDS: &str = "both-backends";

pub(crate) fn add(steps: &mut Steps, workspace: &Workspace) -> Result<(), Stopped> {
    let before = Tracked::now();
    not_run::forget();
    steps.step("tools", |_| {
        tools::require(&[tools::CURL])?;
        Ok(Done::quietly())
    })?;
    steps.step("servers", |_| Ok(servers::install(&root())))?;
    steps.step("tests", |tally| tests(workspace, tally))?;
    steps.step("doc tests", |tally| {
        listing_skips(but_both_backends(workspace, Run::cargo("test --doc --workspace --all-features")))
            .run_counting(tally)?;
        Ok(Done::quietly())
    })?;
    steps.step("both backends", |tally| {
        if !workspace.has_member(BOTH_BACKENDS) {
            return Ok(Done::skipped(format!("there is no package {BOTH_BACKENDS}")));
        }
        Run::cargo("test -p").arg(BOTH_BACKENDS).run_counting(tally)?;
        Ok(Done::quietly())
    })?;
    steps.step("quickstart", |_| quickstart::check(workspace))?;
    steps.step("issuer example", |_| issuer_example(workspace))?;
    steps.step("fuzz corpus", |_| fuzz::run(&root(), Reach::Corpus))?;
    steps.step("tracked files", |_| tracked::check_unchanged(&before))
}

fn tests(workspace: &Workspace, tally: &mut Tally) -> StepResult {
    let (runner, run) = if tools::has_cargo("nextest") {
        ("cargo nextest", Run::cargo("nextest run --workspace --all-features --no-fail-fast"))
    } else {
        // not --all-targets, which would run the benchmarks too
        let targets = "--lib --bins --tests --examples";
        ("cargo test", Run::cargo("test --workspace --all-features --no-fail-fast").words(targets))
    };
    listing_skips(but_both_backends(workspace, run)).run_counting(tally)?;
    Ok(Done::note(format!("with {runner}")))
}

/// Runs the example in two processes. It ends with an error if a token is not accepted or refused as it should be.
fn issuer_example(workspace: &Workspace) -> StepResult {
    let Some(package) = workspace.members().find(|member| member.examples.iter().any(|name| name == "issuer")) else {
        return Ok(Done::skipped("there is no example issuer"));
    };
    let output = Run::cargo("run --quiet -p").arg(&package.name).words("--example issuer").output()?;
    let count = |verdict: &str| output.lines().filter(|line| line.contains(verdict)).count();
    let (accepted, refused) = (count(": accepted, sub is alice"), count(": refused, "));
    match (accepted, refused) {
        (1.., 1..) => Ok(Done::note(format!("its second process accepted {accepted} tokens and refused {refused}"))),
        _ => Err(format!("its second process accepted {accepted} tokens and refused {refused}: {output}")),
    }
}

fn but_both_backends(workspace: &Workspace, run: Run) -> Run {
    let apart = workspace.has_member(BOTH_BACKENDS).then_some(BOTH_BACKENDS);
    run.each("--exclude", apart)
}

/// Tests that need something that is not there pass, and say so in the list at the end.
fn listing_skips(run: Run) -> Run {
    run.env(not_run::VARIABLE, &not_run::file().to_string_lossy())
}
