//! Files that git tracks: lock files that are current, and a run that leaves every file as it was.

use std::{collections::BTreeMap, fs};

use crate::{
    command::Run,
    steps::{Done, StepResult},
    workspace::root,
};

/// Workspaces of their own, which no command for the whole workspace sees.
pub(crate) const NESTED: [&str; 2] = ["fuzz/Cargo.toml", "benches/rivals/Cargo.toml"];

/// Makes sure that no lock file has to change before its workspace can be built.
pub(crate) fn check_locked() -> StepResult {
    for manifest in NESTED {
        check_locked_at(manifest)?;
    }
    Ok(Done::note(NESTED.join(", ")))
}

/// The same for one workspace.
///
/// # Errors
/// How to bring the lock file up to date.
pub(crate) fn check_locked_at(manifest: &str) -> Result<(), String> {
    let update = |option: &str| Run::cargo("update --workspace").words(option).arg("--manifest-path").arg(manifest);
    let locked = update("--locked --quiet");
    println!("$ {locked}");
    locked.output().map(drop).map_err(|problem| format!("{problem}\n    to bring it up to date: {}", update("")))
}

/// The tracked files that differ from the last commit, with what is in them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tracked(BTreeMap<String, Option<Vec<u8>>>);

impl Tracked {
    /// As they are now.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub(crate) fn now() -> Result<Self, String> {
        let names = Run::new("git").words("diff HEAD --name-only -z --no-ext-diff").output()?;
        let content = |name: &str| (name.to_owned(), fs::read(root().join(name)).ok());
        Ok(Self(names.split('\0').filter(|name| !name.is_empty()).map(content).collect()))
    }

    /// Which files became different from then to `later`.
    fn changed(&self, later: &Self) -> Vec<String> {
        let names = self.0.keys().chain(later.0.keys());
        let mut changed: Vec<String> = names.filter(|name| self.0.get(*name) != later.0.get(*name)).cloned().collect();
        changed.sort();
        changed.dedup();
        changed
    }
}

/// Makes sure that tracked files are as they were `before`.
pub(crate) fn check_unchanged(before: &Result<Tracked, String>) -> StepResult {
    let Ok(before) = before else { return Ok(Done::skipped("needs git, and a clone")) };
    let changed = before.changed(&Tracked::now()?);
    if changed.is_empty() { Ok(Done::quietly()) } else { Err(format!("changed by this run: {}", changed.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracked(files: &[(&str, Option<&str>)]) -> Tracked {
        let file = |&(name, content): &(&str, Option<&str>)| (name.to_owned(), content.map(Into::into));
        Tracked(files.iter().map(file).collect())
    }

    #[test]
    fn only_what_changed_since_then_is_named() {
        let before = tracked(&[("edited", Some("1")), ("edited again", Some("1")), ("removed", None)]);
        assert_eq!(before.changed(&before), [""; 0]);
        let later = tracked(&[("edited", Some("1")), ("edited again", Some("2")), ("fuzz/Cargo.lock", Some("3"))]);
        assert_eq!(before.changed(&later), ["edited again", "fuzz/Cargo.lock", "removed"]);
    }
}
