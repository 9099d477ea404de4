//! Every test, in one command.

use std::env;

use crate::{
    command::Run,
    fuzz::{self, Reach},
    quickstart, servers,
    steps::{Done, StepResult, Steps, Stopped},
    tally::Tally,
    tools,
    workspace::{Workspace, root},
};

/// Enables both of jsonwebtoken's backends at once, to prove that we do not mind. Built alone: in one build with the
/// rest, cargo would unite the features, and every other test would run with both backends too.
const BOTH_BACKENDS: &str = "both-backends";

pub(crate) fn add(steps: &mut Steps, workspace: &Workspace) -> Result<(), Stopped> {
    steps.step("tools", |_| {
        tools::require(&[tools::CURL])?;
        Ok(Done::quietly())
    })?;
    steps.step("servers", |_| servers::install(&root()))?;
    steps.step("tests", |tally| tests(workspace, tally))?;
    steps.step("doc tests", |tally| {
        with_all_they_need(but_both_backends(workspace, Run::cargo("test --doc --workspace --all-features")))
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
    steps.step("fuzz corpus", |_| fuzz::run(&root(), Reach::Corpus))
}

fn tests(workspace: &Workspace, tally: &mut Tally) -> StepResult {
    let (runner, run) = if tools::has_cargo("nextest") {
        ("cargo nextest", Run::cargo("nextest run --workspace --all-features --no-fail-fast"))
    } else {
        // not --all-targets, which would run the benchmarks too
        let targets = "--lib --bins --tests --examples";
        ("cargo test", Run::cargo("test --workspace --all-features --no-fail-fast").words(targets))
    };
    with_all_they_need(but_both_backends(workspace, run)).run_counting(tally)?;
    Ok(Done::note(format!("with {runner}")))
}

fn but_both_backends(workspace: &Workspace, run: Run) -> Run {
    let apart = workspace.has_member(BOTH_BACKENDS).then_some(BOTH_BACKENDS);
    run.each("--exclude", apart)
}

/// Tests that need a server, or the conformance vectors, say so and pass where there are none. Here they fail: the step
/// before has installed the servers, and on CI the vectors are there.
fn with_all_they_need(run: Run) -> Run {
    let run = run.env("PORTCULLIS_REQUIRE_SERVERS", "1");
    if on_ci() { run.env("PORTCULLIS_REQUIRE_VECTORS", "1") } else { run }
}

fn on_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true")
}
