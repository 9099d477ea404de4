//! Deliberate weakenings: a check removed or loosened, one at a time, in a copy of the tree. Every one has to be noticed
//! by a test.
//!
//! They stand in `xtask/weakenings.toml` as text to find and text to put in its place. A text that is not found exactly
//! once is an error, so the list stays true while the code moves.

mod alone;
mod list;
mod report;
mod trial;

use std::{fs, path::PathBuf, time::Instant};

use crate::{tree::Tree, workspace::root};
use alone::Alone;
use list::Weakening;
use report::Report;
use trial::{Trials, Verdict};

/// Tries every weakening, or those whose name contains `only`; `true` if each is caught.
///
/// # Errors
/// When the list is wrong, or the tests fail before anything is weakened.
pub(crate) fn run(only: Option<&str>) -> Result<bool, String> {
    let weakenings = selected(list::load()?, only)?;
    check_places(&weakenings)?;
    let _alone = Alone::claim(folder("under-way"))?;
    let tree = Tree::copy(&root(), &folder("tree"))?;
    let trials = Trials::new(&tree, folder("build"));
    println!("before anything is weakened, every test has to pass");
    trials.baseline()?;
    let mut report = Report::default();
    for (at, weakening) in weakenings.iter().enumerate() {
        let start = Instant::now();
        let verdict = attempt(weakening, &tree, &trials)?;
        report.add(weakening, verdict, start.elapsed(), (at + 1, weakenings.len()));
    }
    println!("\n{report}");
    Ok(report.is_clean())
}

/// Makes sure that every weakening on the list still has its place, so that the list stays true while the code moves.
///
/// # Errors
/// All that have not.
pub(crate) fn check() -> Result<usize, String> {
    let weakenings = list::load()?;
    check_places(&weakenings)?;
    Ok(weakenings.len())
}

fn check_places(weakenings: &[Weakening]) -> Result<(), String> {
    list::check(weakenings, |file| fs::read_to_string(root().join(file)).map_err(|error| error.to_string()))
}

/// Weakens, tests, and mends again, whatever the tests say.
fn attempt(weakening: &Weakening, tree: &Tree, trials: &Trials<'_>) -> Result<Verdict, String> {
    let sound = tree.read(&weakening.file)?;
    let weakened = weakening.weakened(&sound)?;
    tree.write(&weakening.file, &weakened)?;
    let verdict = trials.judge(weakening);
    // Or what was tested was something else.
    let untouched = tree.read(&weakening.file)? == weakened;
    tree.write(&weakening.file, &sound)?;
    if untouched { verdict } else { Err(format!("another process has written to the copy of {}", weakening.file)) }
}

fn selected(weakenings: Vec<Weakening>, only: Option<&str>) -> Result<Vec<Weakening>, String> {
    let Some(only) = only else { return Ok(weakenings) };
    let names: Vec<_> = weakenings.iter().map(|weakening| weakening.name.clone()).collect();
    let chosen: Vec<_> = weakenings.into_iter().filter(|weakening| weakening.name.contains(only)).collect();
    if chosen.is_empty() {
        return Err(format!("no weakening has `{only}` in its name; there are:\n  {}", names.join("\n  ")));
    }
    Ok(chosen)
}

/// Kept from one run to the next, so that only the weakened crates are rebuilt.
fn folder(name: &str) -> PathBuf {
    root().join("target/weaken").join(name)
}
