//! Every fault that was reported from the field or found by an attack has a test with its number in its name.
#![cfg(test)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The numbers, as test names write them: `fn row_<number>_<what is right>`.
const ROWS: &str = "m a1 a2 a3 p d k n1 u v w a b f9 f10 f13 f17 f28 f34 f54 f55 f64 f71 f76 f77 c f g e n i j r s x z y \
                    t1 t3 t4 t5 t6 t7 t8 t9 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t20 t21";

#[test]
fn every_row_has_a_test() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut files = Vec::new();
    for top in ["crates", "examples", "tests"] {
        collect(&root.join(top), &mut files);
    }
    let found: BTreeSet<String> = files.iter().flat_map(|file| rows_in(&fs::read_to_string(file).unwrap())).collect();
    let missing: Vec<&str> = ROWS.split_whitespace().filter(|row| !found.contains(*row)).collect();
    assert!(missing.is_empty(), "rows without a test: {}", missing.join(", "));
    let unknown: Vec<&String> =
        found.iter().filter(|row| !ROWS.split_whitespace().any(|known| known == *row)).collect();
    assert!(unknown.is_empty(), "no such rows: {unknown:?}");
}

/// The numbers of the tests in a source file.
fn rows_in(source: &str) -> Vec<String> {
    let names =
        source.lines().filter_map(|line| line.trim_start().trim_start_matches("async ").strip_prefix("fn row_"));
    names.filter_map(|name| name.split_once('_')).map(|(row, _)| row.to_owned()).collect()
}

/// The Rust files of all `tests` folders below.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_skipped = |name: &str| path.ends_with(name);
        if path.is_dir() && !["target", "node_modules", "src"].into_iter().any(is_skipped) {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn a_row_is_read_from_the_name_of_its_test() {
    let source = "    fn row_m_a_text_is_one_role() {}\nasync fn row_t21_it_recovers() {}\n// fn row_x_is_a_comment\nfn rows() {}\n";
    assert_eq!(rows_in(source), ["m", "t21"]);
}
