//! Folders that do the same for different things have the same files.

use std::collections::{BTreeMap, BTreeSet};

use super::source_rules::Anatomy;
use crate::source::SourceFile;

/// Every file that one of the folders lacks, or has beside those that all have.
pub(super) fn problems(anatomy: &Anatomy, files: &[SourceFile]) -> Vec<String> {
    let folders = folders(anatomy, files);
    if folders.is_empty() {
        return vec![format!("{} has no folders that could be alike", anatomy.within)];
    }
    let all: BTreeSet<_> = anatomy.files.iter().copied().collect();
    let of_folder = |(folder, has): (&str, BTreeSet<&str>)| {
        let place = |file: &&str| format!("{}{folder}/{file}", anatomy.within);
        let lacking = all.difference(&has).map(|file| format!("{} is not there: {}", place(file), anatomy.reason));
        let others = has.difference(&all).map(|file| format!("{} is no file of all: {}", place(file), anatomy.reason));
        lacking.chain(others).collect::<Vec<_>>()
    };
    folders.into_iter().flat_map(of_folder).collect()
}

/// The names of the files by folder.
fn folders<'f>(anatomy: &Anatomy, files: &'f [SourceFile]) -> BTreeMap<&'f str, BTreeSet<&'f str>> {
    let mut folders = BTreeMap::<_, BTreeSet<_>>::new();
    let inner = files.iter().filter_map(|file| file.path.strip_prefix(anatomy.within)?.split_once('/'));
    for (folder, file) in inner.filter(|(folder, _)| !anatomy.except.contains(folder)) {
        folders.entry(folder).or_default().insert(file);
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANATOMY: Anatomy =
        Anatomy { within: "a/src/", except: &["shared"], files: &["mod.rs", "read.rs"], reason: "why" };

    fn check(paths: &[&str]) -> Vec<String> {
        problems(&ANATOMY, &paths.iter().map(|path| SourceFile::new(path, "")).collect::<Vec<_>>())
    }

    #[test]
    fn folders_with_the_same_files_are_alike() {
        let alike = ["a/src/x/mod.rs", "a/src/x/read.rs", "a/src/y/mod.rs", "a/src/y/read.rs"];
        assert_eq!(check(&alike), [""; 0]);
        let others = ["a/src/lib.rs", "a/src/shared/else.rs", "b/src/z/else.rs"];
        assert_eq!(check(&[&alike[..], &others[..]].concat()), [""; 0]);
    }

    #[test]
    fn a_file_that_is_lacking_is_named() {
        let problems = check(&["a/src/x/mod.rs", "a/src/x/read.rs", "a/src/y/mod.rs"]);
        assert_eq!(problems, ["a/src/y/read.rs is not there: why"]);
    }

    #[test]
    fn a_file_that_others_have_not_is_named() {
        let problems = check(&["a/src/x/mod.rs", "a/src/x/read.rs", "a/src/x/more.rs", "a/src/x/deep/mod.rs"]);
        assert_eq!(problems, ["a/src/x/deep/mod.rs is no file of all: why", "a/src/x/more.rs is no file of all: why"]);
    }

    #[test]
    fn a_rule_about_nothing_is_no_rule() {
        assert_eq!(check(&["a/src/lib.rs", "a/src/shared/mod.rs"]).len(), 1);
    }
}
