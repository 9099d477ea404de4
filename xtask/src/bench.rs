//! The benchmarks, kept in a package of their own.

use crate::{
    command::Run,
    steps::{Done, Steps, Stopped},
    workspace::Workspace,
};

const PACKAGE: &str = "portcullis-benches";

pub(crate) fn add(steps: &mut Steps, workspace: &Workspace) -> Result<(), Stopped> {
    steps.step("benchmarks", |_| {
        if !workspace.has_member(PACKAGE) {
            return Ok(Done::skipped(format!("there is no package {PACKAGE}")));
        }
        Run::cargo("bench -p").arg(PACKAGE).run()?;
        Ok(Done::quietly())
    })
}
