//! What is worth minutes or extra tools: done before a release, not for every change.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    api, bench,
    command::Run,
    fuzz::{self, Reach},
    minimal, msrv,
    steps::{Done, StepResult, Steps, Stopped},
    tools,
    workspace::{Workspace, root},
};

/// How many random histories of sessions are compared with their reference: `cargo xtask test` compares some.
const HISTORIES: &str = "100000";

/// How many texts of each kind of junk are presented as API tokens: `cargo xtask test` presents some.
const TEXTS: &str = "1000000";

/// How often an issuer is killed at each point, over each store.
const KILLS: &str = "200";

/// With how many sessions a store is measured. `cargo xtask bench` takes a million.
const SESSIONS: &str = "10000000";

pub(crate) fn add(steps: &mut Steps, workspace: &Workspace, allow_dirty: bool) -> Result<(), Stopped> {
    // The steps that take seconds come first, so that what they find does not cost the minutes of the others.
    // a wrapper may be a crate of ours that is still to come
    let deny = Run::cargo("deny check --allow unused-wrapper");
    steps.step("bans, licences, sources", |_| if_installed("deny", &deny.clone().words("bans licenses sources")))?;
    steps.step("spelling", |_| {
        if Run::new("typos").arg("--version").output().is_err() {
            return Ok(Done::skipped("typos is not installed (cargo install typos-cli --locked)"));
        }
        Run::new("typos").run()?;
        Ok(Done::quietly())
    })?;
    steps.step("packages", |_| {
        forget_packages(workspace);
        package(workspace, allow_dirty).run()?;
        Ok(Done::quietly())
    })?;
    for package in workspace.published() {
        steps.step(&format!("oldest Rust: {}", package.name), |_| msrv::build(package))?;
    }
    steps.step("oldest dependencies", |_| minimal::check(workspace))?;
    steps.step("docs as docs.rs builds them", |_| docs_rs(workspace))?;
    steps.step("compatible with the last release", |_| semver(workspace))?;
    for package in workspace.published() {
        steps.step(&format!("public API: {}", package.name), |_| api::compare(&package.name))?;
    }
    // Whether they still run, and not how fast: nothing else runs the comparison with other crates.
    bench::add(steps, workspace, true)?;
    add_searches(steps)?;
    steps.step("fuzz search", |_| fuzz::run(&root(), Reach::Search { seconds: 60 }))?;
    // last, because it fetches the advisory database, which not every network lets through
    steps.step("advisories", |_| advisories(&deny))
}

/// What searches for what the tests might miss, with more of it than they have time for.
fn add_searches(steps: &mut Steps) -> Result<(), Stopped> {
    steps.step("ten million sessions", |_| {
        tools::require(&[tools::REDIS, tools::POSTGRES])?;
        Run::cargo("bench -p portcullis-benches --bench growth --").arg(SESSIONS).run()?;
        Ok(Done::note(format!("{SESSIONS} sessions in each store that is meant for them")))
    })?;
    steps.step("histories of sessions", |tally| {
        let run = Run::cargo("test --release -p portcullis-issuer --test refresh_model -- --nocapture");
        run.env("PORTCULLIS_HISTORIES", HISTORIES).run_counting(tally)?;
        Ok(Done::note(format!("{HISTORIES} histories")))
    })?;
    steps.step("junk API tokens", |tally| {
        let run = Run::cargo("test --release -p portcullis-issuer --all-features --test api_tokens pitfall_4_junk");
        run.env("PORTCULLIS_TEXTS", TEXTS).run_counting(tally)?;
        Ok(Done::note(format!("{TEXTS} of each kind")))
    })?;
    steps.step("killed issuers", |tally| {
        tools::require(&[tools::REDIS, tools::POSTGRES])?;
        let run = Run::cargo("test --release -p portcullis-store --all-features --test refresh_kills");
        run.env("PORTCULLIS_ROUNDS", KILLS).run_counting(tally)?;
        Ok(Done::note(format!("{KILLS} rounds for each store and point")))
    })
}

fn advisories(deny: &Run) -> StepResult {
    let fetch = Run::cargo("deny fetch db");
    if tools::has_cargo("deny") && fetch.output().is_err() {
        return Ok(Done::skipped(format!("the advisory database cannot be fetched from here ({fetch})")));
    }
    if_installed("deny", &deny.clone().words("advisories"))
}

/// All at once: cargo then builds each package against the others' packages, though none is published yet.
fn package(workspace: &Workspace, allow_dirty: bool) -> Run {
    let names = workspace.published().map(|package| package.name.as_str());
    let run = Run::cargo("package").each("-p", names);
    if allow_dirty { run.arg("--allow-dirty") } else { run }
}

/// Removes what cargo has unpacked and built of our packages when they were last packaged in this folder. It knows them by name and version alone, so
/// it would build the new ones against the old.
fn forget_packages(workspace: &Workspace) {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let unpacked = home.map(|home| folders_of(&home.join("registry/src"))).unwrap_or_default();
    // Registries that are folders have no host in their name.
    let of_folders = unpacked.into_iter().filter(|folder| name_of(folder).starts_with('-'));
    let built = root().join("target/debug/.fingerprint");
    for folder in of_folders.flat_map(|registry| folders_of(&registry)).chain(folders_of(&built)) {
        if workspace.published().any(|package| name_of(&folder).starts_with(&format!("{}-", package.name))) {
            // If it cannot be removed, packaging fails and says so.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn folders_of(parent: &Path) -> Vec<PathBuf> {
    fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// With `--cfg docsrs`, which shows what each item's feature is and needs a nightly compiler.
fn docs_rs(workspace: &Workspace) -> StepResult {
    if !tools::has_nightly() {
        return Ok(Done::skipped("no nightly toolchain"));
    }
    let names = workspace.published().map(|package| package.name.as_str());
    let docs = Run::cargo("+nightly doc --no-deps --all-features --target-dir target/docs-rs").each("-p", names);
    docs.env("RUSTDOCFLAGS", "--cfg docsrs -D warnings").run()?;
    Ok(Done::quietly())
}

fn semver(workspace: &Workspace) -> StepResult {
    let tag = Run::new("git").words("describe --tags --abbrev=0 --match v*").output();
    let Ok(tag) = tag else {
        return Ok(Done::skipped("there is no release to compare with (no tag v*)"));
    };
    let names = workspace.published().map(|package| package.name.as_str());
    if_installed(
        "semver-checks",
        &Run::cargo("semver-checks --all-features --baseline-rev").arg(tag.trim()).each("-p", names),
    )
}

fn if_installed(name: &str, run: &Run) -> StepResult {
    if !tools::has_cargo(name) {
        return Ok(Done::skipped(format!("cargo-{name} is not installed (cargo install cargo-{name} --locked)")));
    }
    run.run()?;
    Ok(Done::quietly())
}
