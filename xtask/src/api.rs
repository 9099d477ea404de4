//! The listings of the public API under `api/`, so that no change of it goes unread.

use std::{collections::BTreeSet, fs};

use toml::{Table, Value};

use crate::{
    command::Run,
    steps::{Done, StepResult},
    tools,
    workspace::{Package, root},
};

/// Compares the public API with its listing.
pub(crate) fn compare(name: &str) -> StepResult {
    if !tools::has_cargo("public-api") || !tools::has_nightly() {
        return Ok(Done::skipped("needs a nightly toolchain and: cargo install cargo-public-api --locked"));
    }
    let list = Run::cargo("+nightly public-api --all-features -sss -p").arg(name);
    let (path, kept) = kept(name)?;
    let differences = differences(&kept, &list.output()?);
    if differences.is_empty() {
        return Ok(Done::note(format!("as in {path}")));
    }
    Err(format!("not as in {path}; read it, then: {list} > {path}\n    {}", differences.join("\n    ")))
}

/// Checks that the listing has types of those other crates that the manifest names, and of no others:
/// `[package.metadata.api] foreign = ["http"]`.
pub(crate) fn foreign_types(package: &Package) -> StepResult {
    let manifest = format!("crates/{}/Cargo.toml", package.name);
    let text = fs::read_to_string(root().join(&manifest)).map_err(|error| format!("{manifest}: {error}"))?;
    let named = named_in(&text).map_err(|problem| format!("{manifest}: {problem}"))?;
    let (path, kept) = kept(&package.name)?;
    let found = foreign_in(&kept, &package.name.replace('-', "_"));
    let missing =
        found.difference(&named).map(|name| format!("{path} has types of {name}, which {manifest} does not name"));
    let needless = named.difference(&found).map(|name| format!("{manifest} names {name}, of which {path} has no type"));
    let problems: Vec<_> = missing.chain(needless).collect();
    if problems.is_empty() { Ok(Done::note(format!("{} crates", found.len()))) } else { Err(problems.join("\n    ")) }
}

/// Returns the path and the text of a package's listing.
fn kept(name: &str) -> Result<(String, String), String> {
    let path = format!("api/{name}.txt");
    let text = fs::read_to_string(root().join(&path)).map_err(|error| format!("{path}: {error}"))?;
    Ok((path, text))
}

fn named_in(manifest: &str) -> Result<BTreeSet<String>, String> {
    let table: Table = manifest.parse().map_err(|error| format!("{error}"))?;
    let sections = ["package", "metadata", "api"];
    let section = sections.iter().try_fold(&table, |table, name| table.get(*name).and_then(Value::as_table));
    let list = section.and_then(|section| section.get("foreign")).and_then(Value::as_array);
    let names = list.ok_or("no list `foreign` in [package.metadata.api]")?.iter().map(Value::as_str);
    names.map(|name| name.map(str::to_owned).ok_or_else(|| "a name in `foreign` is not text".to_owned())).collect()
}

/// Returns the crates whose items are in the listing, apart from its own and those of Rust.
fn foreign_in(listing: &str, own: &str) -> BTreeSet<String> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == ':';
    let paths = listing.split(|char| !is_part(char)).filter_map(|path| path.split_once("::"));
    let crates =
        paths.map(|(first, _)| first).filter(|first| first.starts_with(|char: char| char.is_ascii_lowercase()));
    crates.filter(|name| ![own, "std", "core", "alloc"].contains(name)).map(str::to_owned).collect()
}

/// Returns the lines that one listing has and the other has not.
fn differences(kept: &str, now: &str) -> Vec<String> {
    let missing = |here: &str, there: &str, sign: char| -> Vec<String> {
        here.lines()
            .filter(|line| !there.lines().any(|other| other == *line))
            .map(|line| format!("{sign} {line}"))
            .collect()
    };
    [missing(kept, now, '-'), missing(now, kept, '+')].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_both_sides() {
        assert_eq!(
            differences("pub fn a()\npub fn b()\n", "pub fn b()\npub fn c()\n"),
            ["- pub fn a()", "+ pub fn c()"]
        );
        assert_eq!(differences("pub fn a()\n", "pub fn a()\n"), [""; 0]);
    }

    #[test]
    fn crates_of_others_are_found_in_a_listing() {
        let listing = "pub fn ours::a(&self, head: http::Request<()>) -> core::result::Result<T, serde_core::de::Error>\n\
                       impl<T> tower_layer::Layer<T> for ours::L\npub fn ours::L::layer(&self) -> Self::Service\n";
        let found: Vec<_> = foreign_in(listing, "ours").into_iter().collect();
        assert_eq!(found, ["http", "serde_core", "tower_layer"]);
    }

    #[test]
    fn a_manifest_has_to_list_the_crates() {
        let list = "[package.metadata.api]\nforeign = [\"http\"]";
        assert_eq!(named_in(list).unwrap().into_iter().collect::<Vec<_>>(), ["http"]);
        assert!(named_in("[package]").unwrap_err().contains("foreign"));
        assert!(named_in("[package.metadata.api]\nforeign = [1]").is_err());
    }
}
