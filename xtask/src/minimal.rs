//! A build with the oldest dependencies that our crates say they work with, in a copy of the tree.

use std::{fs, path::Path};

use crate::{
    command::Run,
    steps::{Done, StepResult},
    tools,
    tree::Tree,
    workspace::{Kind, Workspace, root},
};

/// Resolves direct dependencies to the least versions that are asked for, and builds each published crate with them.
///
/// Each for itself: what one crate needs of a dependency, another need not ask for.
pub(crate) fn check(workspace: &Workspace) -> StepResult {
    if !tools::has_nightly() {
        return Ok(Done::skipped("no nightly toolchain, whose cargo can resolve to the least versions"));
    }
    let folder = root().join("target/minimal");
    for package in workspace.published() {
        let tree = Tree::copy(&root(), &folder.join("tree"))?;
        reduce(tree.folder(), &with_own(workspace, &package.name))?;
        Run::cargo("+nightly update -Z direct-minimal-versions").within(tree.folder()).run()?;
        let check = Run::cargo("check --all-features --package").arg(&package.name).arg("--target-dir");
        check.arg(folder.join("build").to_string_lossy()).within(tree.folder()).run()?;
    }
    Ok(Done::quietly())
}

/// The crate and those of ours that it depends on.
fn with_own<'w>(workspace: &'w Workspace, name: &str) -> Vec<&'w str> {
    let Some(package) = workspace.published().find(|package| package.name == name) else { return Vec::new() };
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind != Kind::Dev);
    let mut names: Vec<&str> = normal.flat_map(|dependency| with_own(workspace, &dependency.name)).collect();
    names.push(&package.name);
    names.sort_unstable();
    names.dedup();
    names
}

/// Leaves only those crates in the copy, and nothing that only their tests need: neither decides what users get.
fn reduce(folder: &Path, names: &[&str]) -> Result<(), String> {
    let members = names.iter().map(|name| format!("\"crates/{name}\"")).collect::<Vec<_>>().join(", ");
    edit(&folder.join("Cargo.toml"), |text| with_members(text, &members))?;
    names.iter().try_for_each(|name| {
        let manifest = folder.join("crates").join(name).join("Cargo.toml");
        edit(&manifest, |text| without_table(&without_table(text, "[dev-dependencies]"), "[[test]]"))
    })
}

fn edit(path: &Path, change: impl FnOnce(&str) -> String) -> Result<(), String> {
    let changed = fs::read_to_string(path).and_then(|text| fs::write(path, change(&text)));
    changed.map_err(|error| format!("{}: {error}", path.display()))
}

/// The list of the workspace's members replaced.
fn with_members(text: &str, members: &str) -> String {
    let Some((before, rest)) = text.split_once("members = [") else { return text.to_owned() };
    let after = rest.split_once(']').map_or("", |(_, after)| after);
    format!("{before}members = [{members}]{after}")
}

/// The text without tables of that heading.
fn without_table(text: &str, heading: &str) -> String {
    let mut is_left_out = false;
    let kept = text.lines().filter(|line| {
        if line.starts_with('[') {
            is_left_out = line.trim_end() == heading;
        }
        !is_left_out
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Dependency, Package};

    #[test]
    fn a_crate_comes_with_those_of_ours_that_it_uses() {
        let package = |name: &str, uses: &[(&str, Kind)]| Package {
            name: name.to_owned(),
            publish: true,
            dependencies: uses
                .iter()
                .map(|&(name, kind)| Dependency { name: name.to_owned(), kind, ..Dependency::default() })
                .collect(),
            ..Package::default()
        };
        let packages = vec![
            package("core", &[("serde", Kind::Normal), ("kit", Kind::Dev)]),
            package("layer", &[("core", Kind::Normal), ("keys", Kind::Normal)]),
            package("keys", &[("core", Kind::Normal)]),
            package("kit", &[("core", Kind::Normal)]),
        ];
        let workspace = Workspace { packages, edges: Vec::new() };
        assert_eq!(with_own(&workspace, "core"), ["core"]);
        assert_eq!(with_own(&workspace, "layer"), ["core", "keys", "layer"]);
    }

    #[test]
    fn only_what_users_get_is_left() {
        let text =
            "[package]\nname = \"a\"\n[dev-dependencies]\nb = \"1\"\n\n[features]\nc = []\n[[test]]\nname = \"d\"\n";
        let left = without_table(&without_table(text, "[dev-dependencies]"), "[[test]]");
        assert_eq!(left, "[package]\nname = \"a\"\n[features]\nc = []\n");
        let workspace = "[workspace]\nmembers = [\n    \"a\",\n]\n[x]\n";
        assert_eq!(with_members(workspace, "\"b\""), "[workspace]\nmembers = [\"b\"]\n[x]\n");
    }
}
