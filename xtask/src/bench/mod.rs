//! The benchmarks, kept in packages of their own, and a picture of what they say.

mod chart;
mod results;

use std::{fs, path::PathBuf};

use crate::{
    command::Run,
    steps::{Done, StepResult, Steps, Stopped},
    workspace::{Workspace, root},
};
use chart::Chart;
use results::Results;

const PACKAGE: &str = "portcullis-benches";

/// A workspace of its own.
const RIVALS: &str = "benches/rivals/Cargo.toml";

/// Where BENCHMARKS.md shows the picture from.
const PICTURE: &str = "docs/bench.svg";

/// Where results are written for the picture, one JSON object a line.
const RESULTS: &str = "target/bench";

pub(crate) fn add(steps: &mut Steps, workspace: &Workspace, quick: bool) -> Result<(), Stopped> {
    for bench in workspace.benches(PACKAGE) {
        steps.step(bench, |_| {
            let run = Run::cargo("bench -p").arg(PACKAGE).arg("--bench").arg(bench).arg("--");
            measure(run, bench, quick)
        })?;
    }
    steps.step("rivals", |_| {
        if !root().join(RIVALS).exists() {
            return Ok(Done::skipped(format!("there is no {RIVALS}")));
        }
        // one target folder, so that what both workspaces use is built once
        let run = Run::cargo("run --release --target-dir target --manifest-path").arg(RIVALS).arg("--");
        measure(run, "rivals", quick)
    })?;
    steps.step("picture", |_| draw(quick))
}

/// Runs one benchmark, which prints its tables, and has it write its results to a fresh file.
fn measure(run: Run, name: &str, quick: bool) -> StepResult {
    let path = results_of(name);
    fs::create_dir_all(root().join(RESULTS)).map_err(|error| format!("{RESULTS}: {error}"))?;
    if path.exists() {
        fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let run = run.arg("--json").arg(path.to_string_lossy());
    let run = if quick { run.arg("--quick") } else { run };
    run.run()?;
    Ok(Done::quietly())
}

/// Draws what the last run of the rivals said: theirs is the one table that has everybody in it.
fn draw(quick: bool) -> StepResult {
    let path = results_of("rivals");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(Done::skipped("there are no results: cargo xtask bench rivals"));
    };
    let results = Results::parse(&text)?;
    let chart = Chart::new("Time for one request, RS256")
        .panel("with a token seen before", results.group("RS256 warm"))
        .panel("with a token never seen before", results.group("RS256 cold"));
    // a quick run must not replace the numbers of a full run
    let picture = if quick { format!("{RESULTS}/bench.svg") } else { PICTURE.to_owned() };
    let path = root().join(&picture);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::write(&path, chart.to_string()).map_err(|error| format!("{picture}: {error}"))?;
    Ok(Done::note(picture))
}

fn results_of(name: &str) -> PathBuf {
    root().join(RESULTS).join(format!("{name}.jsonl"))
}
