//! Every case of `tests/vectors/nats.json`, `nats-rules.json` and `nats-more.json`: chains, operators, activations, tokens, nkeys, creds, subjects,
//! times, addresses. `more` writes the last of these files, and `rules` the table of rules, cases and weakenings.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod chains;
mod more;
mod properties;
mod rules;
mod texts;

use std::{fs, path::Path};

use serde_json::Value;

/// The files.
const FILES: [&str; 3] = ["nats.json", "nats-rules.json", "nats-more.json"];

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The elements of a list that may be missing from some of the files, but not from all.
fn rows(section: &str) -> Vec<Value> {
    let rows: Vec<_> = FILES
        .into_iter()
        .flat_map(|file| vectors(file).get(section).and_then(Value::as_array).cloned().unwrap_or_default())
        .collect();
    assert!(!rows.is_empty(), "no {section}");
    rows
}
