//! What can be said without running anything: format, lints, docs, features, dependencies, architecture.

use crate::{
    api, architecture,
    command::Run,
    msrv, policy,
    steps::{Done, StepResult, Steps, Stopped},
    tracked, weaken,
    workspace::{Package, Workspace},
};

/// Cheapest first, so that a slip is seen within seconds.
pub(crate) fn add(steps: &mut Steps, workspace: &Workspace) -> Result<(), Stopped> {
    steps.step("format", |_| check_format())?;
    steps.step("architecture: arrows", |_| architecture::check_arrows(workspace))?;
    steps.step("architecture: dependency trees", |_| architecture::check_trees(workspace))?;
    steps.step("architecture: source", |_| architecture::check_source())?;
    steps.step("architecture: file lengths", |_| architecture::check_lengths())?;
    steps.step("lock files", |_| tracked::check_locked())?;
    steps.step("dependencies", |_| policy::check(workspace))?;
    steps.step("weakenings", |_| weaken::check().map(|count| Done::note(format!("{count} have their place"))))?;
    for package in workspace.published() {
        steps.step(&format!("foreign types: {}", package.name), |_| api::foreign_types(package))?;
    }
    steps.step("oldest Rust", |_| msrv::check(workspace))?;
    let clippy = Run::cargo("clippy --workspace --all-targets --all-features -- -D warnings");
    steps.step("clippy with all features", |_| run(&clippy))?;
    for package in workspace.published() {
        // One by one, because building two together would unite their features.
        let clippy = Run::cargo("clippy --no-default-features -p").arg(&package.name).words("-- -D warnings");
        steps.step(&format!("clippy without features: {}", package.name), |_| run(&clippy))?;
    }
    for package in workspace.published() {
        steps.step(&format!("each feature by itself: {}", package.name), |_| check_features(package))?;
    }
    steps.step("docs", |_| run(&docs(workspace)))
}

fn check_format() -> StepResult {
    Run::cargo("fmt --all --check").run()?;
    // workspaces of their own, which `--all` does not see
    for manifest in tracked::NESTED {
        Run::cargo("fmt --check --manifest-path").arg(manifest).run()?;
    }
    Ok(Done::quietly())
}

fn check_features(package: &Package) -> StepResult {
    let features = features_to_check(package);
    for feature in &features {
        let check = Run::cargo("check --no-default-features -p").arg(&package.name).arg("--features").arg(*feature);
        check.run()?;
    }
    if features.is_empty() { Ok(Done::note("it has none")) } else { Ok(Done::note(features.join(", "))) }
}

/// All but `default`, which only names others.
fn features_to_check(package: &Package) -> Vec<&str> {
    package.features.iter().map(String::as_str).filter(|&feature| feature != "default").collect()
}

fn docs(workspace: &Workspace) -> Run {
    let names = workspace.published().map(|package| package.name.as_str());
    Run::cargo("doc --no-deps --all-features").each("-p", names).env("RUSTDOCFLAGS", "-D warnings")
}

fn run(run: &Run) -> StepResult {
    run.run()?;
    Ok(Done::quietly())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_no_feature_of_its_own() {
        let features = ["axum", "default", "tracing"].map(str::to_owned).to_vec();
        assert_eq!(features_to_check(&Package { features, ..Package::default() }), ["axum", "tracing"]);
    }
}
