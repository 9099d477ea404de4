//! Writes `tests/vectors/nats-more.json`: cases of the rules that the other two files do not cover.
#![expect(clippy::needless_pass_by_value, reason = "claims are written where they are passed on")]

mod accounts;
pub(crate) mod case;
mod chains;
mod conditions;
mod creds;
mod ids;
mod imports;
mod order;
mod permissions;
mod scopes;
mod tokens;
pub(crate) mod world;

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use world::{NOW, id, operator, over, sorted, token};

/// The file, from the folder of the crate.
const FILE: &str = "../../tests/vectors/nats-more.json";

/// If this variable is set, the files that this test makes are written.
pub(crate) const WRITE: &str = "PORTCULLIS_WRITE_VECTORS";

/// The rows of each section.
#[derive(Debug, Default)]
pub(crate) struct Rows(BTreeMap<String, Vec<Value>>);

impl Rows {
    /// Adds a row to a section. Without a reason it is accepted.
    pub(crate) fn add(
        &mut self,
        section: &str,
        name: &str,
        title: &str,
        rules: &[&str],
        reason: Option<&str>,
        row: &Value,
    ) {
        let expect = if reason.is_some() { "reject" } else { "accept" };
        let named =
            json!({"id": format!("more-{name}"), "title": title, "rules": rules, "expect": expect, "reason": reason});
        let rows = self.0.entry(section.to_owned()).or_default();
        assert!(!rows.iter().any(|row| row["id"] == named["id"]), "{name} is there twice");
        rows.push(over_with_nulls(named, row));
    }

    /// Adds a text that is a credentials file or not.
    fn add_creds(&mut self, rules: &[&str], why: &str, text: &str, parts: Option<(&str, &str)>) {
        let row = match parts {
            Some((jwt, seed)) => json!({"expect": "ok", "jwt": jwt, "seed": seed}),
            None => json!({"expect": "error"}),
        };
        let row = over(row, &json!({"id": format!("more-creds-{why}"), "rules": rules, "why": why, "text": text}));
        self.0.entry("creds".to_owned()).or_default().push(row);
    }

    /// Adds a text from which the seed alone is read, or that has none.
    fn add_seed(&mut self, rules: &[&str], why: &str, text: &str, seed: Option<&str>) {
        let row = seed.map_or(json!({"expect": "error"}), |seed| json!({"expect": "ok", "seed": seed}));
        let named = json!({"id": format!("more-seed-{why}"), "rules": rules, "why": why, "text": text, "kind": "seed"});
        self.0.entry("creds".to_owned()).or_default().push(over(row, &named));
    }
}

/// As [`over`], but keeps what is `null`.
fn over_with_nulls(mut base: Value, more: &Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

/// The file as it has to be.
fn file() -> Value {
    let mut rows = Rows::default();
    tokens::add(&mut rows);
    ids::add(&mut rows);
    accounts::add(&mut rows);
    chains::add(&mut rows);
    scopes::add(&mut rows);
    conditions::add(&mut rows);
    permissions::add(&mut rows);
    imports::add(&mut rows);
    order::add(&mut rows);
    creds::add(&mut rows);
    with(rows)
}

/// A file with these rows.
pub(crate) fn with(rows: Rows) -> Value {
    let head = json!({
        "format": "nats-vectors/1",
        "about": "Cases of the rules that nats.json and nats-rules.json do not cover, in their format. All keys are throw-away keys derived from labels.",
        "fields": {
            "cases[].policy": "settings of the verifier that are not its defaults",
            "cases[].limits": "the limits after acceptance: bytes of a message, subscriptions; null for none",
            "cases[].until": "when the user is no longer let in without a new token, and a stream ends; null for never",
            "creds[].kind": "seed: of this file the seed alone is read, whatever its role",
            "tokens": "texts to read as a token of a kind, without a chain",
        },
        "now": NOW,
        "trust": {
            "default": {"operators": [trusted(&json!({"signing_keys": [id("op-signing")]}))]},
            "strict": {"operators": [trusted(&json!({"signing_keys": [id("op-signing")], "strict_signing_key_usage": true}))]},
            "pinned": {"operators": [trusted(&json!({}))], "pinned_accounts": [id("acc")]},
        },
    });
    over(head, &json!(rows.0))
}

fn trusted(nats: &Value) -> String {
    token("op", &operator("op", "op", nats))
}

/// Compares a file with what it has to be, or writes it.
pub(crate) fn require_up_to_date(path: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, wanted).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == wanted, "{} is out of date: run this test once with {WRITE}=1", path.display());
}

#[test]
fn the_file_of_further_cases_is_up_to_date() {
    let text = serde_json::to_string_pretty(&sorted(&file())).unwrap();
    require_up_to_date(FILE, &format!("{text}\n"));
}
