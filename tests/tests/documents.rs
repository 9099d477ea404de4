//! What people read on crates.io: the READMEs of the crates, and the list of their changelogs.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

const REPOSITORY: &str = "https://github.com/portcullis-rs/portcullis";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn crates() -> Vec<String> {
    let folders = fs::read_dir(root().join("crates")).unwrap();
    folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect()
}

/// The targets of inline links, code blocks apart.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
        .collect()
}

/// What is wrong with a link: crates.io has no file of the repository beside a README.
fn problem(link: &str) -> Option<String> {
    if !link.starts_with("https://") {
        return Some(format!("`{link}` leads nowhere on crates.io: write {REPOSITORY}/blob/main/…"));
    }
    let files = ["blob/main/", "tree/main/"].map(|kind| format!("{REPOSITORY}/{kind}"));
    let path = files.iter().find_map(|prefix| link.strip_prefix(prefix.as_str()))?;
    (!root().join(path).exists()).then(|| format!("`{link}` leads to no file of this repository"))
}

#[test]
fn links_of_readmes_work_outside_of_the_repository() {
    for name in crates() {
        let text = fs::read_to_string(root().join("crates").join(&name).join("README.md")).unwrap();
        assert!(!links(&text).is_empty(), "{name}");
        for link in links(&text) {
            assert_eq!(problem(link), None, "{name}");
        }
    }
}

#[test]
fn a_relative_link_and_one_to_no_file_are_found() {
    let links = links(
        "[a](README.md) ```\n[b](none)\n``` [c](https://github.com/portcullis-rs/portcullis/blob/main/README.md)",
    );
    assert_eq!(links, ["README.md", "https://github.com/portcullis-rs/portcullis/blob/main/README.md"]);
    assert!(problem(links[0]).is_some() && problem(links[1]).is_none());
    assert!(problem("https://github.com/portcullis-rs/portcullis/blob/main/README").is_some());
    assert!(problem("https://docs.rs/portcullis").is_none());
}

#[test]
fn every_crate_is_in_the_list_of_changelogs() {
    let list = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    for name in crates() {
        assert!(list.contains(&format!("- [{name}](crates/{name}/CHANGELOG.md)")), "{name}");
        assert!(root().join("crates").join(&name).join("CHANGELOG.md").exists(), "{name}");
    }
}
