//! Writes `RULES.md`: which cases and tests show a rule of NATS, and which weakenings of the code they notice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

use serde_json::Value;

use super::{FILES, more, vectors};

/// The file, from the folder of the crate.
const FILE: &str = "RULES.md";

/// A rule, and what shows it beside cases.
struct Rule {
    id: &'static str,
    says: &'static str,
    /// Files with tests that show what no case can, from the folder of the crate.
    tests: &'static [&'static str],
    /// Why nothing shows it.
    not_covered: Option<&'static str>,
}

const fn rule(id: &'static str, says: &'static str) -> Rule {
    Rule { id, says, tests: &[], not_covered: None }
}

const fn not_covered(id: &'static str, says: &'static str, why: &'static str) -> Rule {
    Rule { not_covered: Some(why), ..rule(id, says) }
}

impl Rule {
    const fn tests(self, tests: &'static [&'static str]) -> Self {
        Self { tests, ..self }
    }
}

const FRESHNESS: &str = "src/accounts/desk/tests/freshness.rs";

const PROOFS: &str = "tests/trust_chain/proofs.rs";

/// Why the service for authorization from outside is not shown.
const NO_CALLOUT: &str = "there is no such service here; its two kinds of token are refused (E12)";

/// Accounts from real nats-servers.
const NATS_ACCOUNTS: &str = "tests/account_nats.rs";

const RULES: &[Rule] = &[
    rule("N1", "nkeys are base32 in upper case, with nothing around or inside"),
    rule("N2", "a public key has 56 characters"),
    rule("N3", "the checksum is right"),
    rule("N4", "each kind of token is signed by the right roles"),
    rule("N5", "the whole prefix counts"),
    rule("N6", "the subject has the role of its kind"),
    rule("N7", "keys of small order and malleable signatures are refused"),
    rule("N8", "a seed has a known role"),
    rule("N9", "no unused bit of a seed is set"),
    rule("N10", "modules and services of wasmCloud have no role"),
    rule("E1", "three parts of base64url, the claims an object, at most 1 MiB"),
    rule("E2", "typ is JWT, alg is one of two, nothing is demanded"),
    rule("E3", "the key in iss has signed"),
    rule("E4", "version 2: header and claims are signed"),
    rule("E5", "version 1: the claims alone are signed"),
    rule("E6", "header and claims say the same version"),
    rule("E7", "tokens of both versions mix, unless version 1 is refused"),
    rule("E8", "any jti is accepted; minted ones are those of the library in Go"),
    rule("E9", "unknown members are ignored, but not those that differ in case alone"),
    rule("E10", "aud is not checked"),
    rule("E11", "no member twice"),
    rule("E12", "the kind of token is the wanted one"),
    rule("E13", "how the library in Go escapes, for jti"),
    rule("E14", "an absent limit is zero"),
    rule("C1", "a trusted operator has signed the account"),
    rule("C2", "signing keys of the operator count"),
    rule("C3", "strict: only signing keys sign"),
    rule("C4", "the account or one of its signing keys has signed the user"),
    rule("C5", "issuer_account is an account"),
    rule("C6", "the account is the one that was asked for"),
    rule("C7", "only pinned accounts, if there is a list"),
    rule("C8", "an operator has signed itself and is in its time"),
    rule("C9", "the order of the checks; for requests, the proof before the account").tests(&[PROOFS]),
    rule("A1", "a mistake in an account refuses all its users"),
    rule("A2", "an account without connections is locked"),
    rule("A3", "an outside service decides who gets in"),
    rule("A4", "a required proxy"),
    rule("A5", "no account is replaced by an older one").tests(&["src/accounts/desk/tests/floors.rs"]),
    rule("S1", "the template of the scope counts"),
    rule("S2", "a user of a scope says nothing"),
    rule("S3", "all of the template counts"),
    rule("T1", "the functions of templates"),
    rule("T2", "an unknown function refuses the user"),
    rule("T3", "what is allowed and cannot be filled in vanishes, and nothing left is nothing allowed"),
    rule("T4", "what is denied and cannot be filled in refuses the user"),
    rule("T5", "values have no wildcards"),
    rule("T6", "at most 4096 subjects"),
    rule("V1", "exp"),
    rule("V2", "nbf"),
    rule("V3", "the times of the account"),
    rule("V4", "iat in the future"),
    rule("V5", "whole numbers of 64 bits"),
    rule("R1", "a revocation counts for its own second"),
    rule("R2", "a token that was issued later is good"),
    rule("R3", "the revocation of all, and the newer of two"),
    rule("R4", "without iat every entry counts"),
    rule("R5", "activations are revoked in the same way"),
    rule("P1", "a proof is required"),
    rule("P2", "it is over the text of the nonce, by the subject"),
    rule("P3", "base64url, or standard base64 with padding"),
    rule("P4", "64 bytes, not malleable"),
    rule("P5", "a nonce belongs to one connection; over HTTP, to a minute of one service").tests(&[PROOFS]),
    rule("P6", "bearer tokens need no proof"),
    rule("P7", "disallow_bearer"),
    rule("K1", "kinds of connection"),
    rule("K2", "unknown kinds are ignored, and HTTP is ours"),
    rule("L1", "networks"),
    rule("L2", "an unknown address, a broken network"),
    rule("L3", "times of day"),
    rule("L4", "broken times and zones"),
    rule("M1", "wildcards are whole words"),
    rule("M2", "a denial wins"),
    rule("M3", "a subscription is a part of what is allowed, and overlaps nothing that is denied"),
    rule("M4", "entries with queues say nothing about subscriptions without"),
    rule("M5", "the account's permissions for users without any"),
    rule("M6", "empty lists"),
    rule("M7", "permission to answer"),
    rule("M8", "entries that are no subjects refuse the token"),
    rule("M9", "only subjects without wildcards are published to"),
    rule("M10", "the stricter limit counts"),
    rule("I1", "an import is a part of an export of its kind"),
    rule("I2", "an activation, where one is needed"),
    rule("I3", "it is for the importing account"),
    rule("I4", "it covers the imported subject"),
    rule("I5", "it is for this kind"),
    rule("I6", "the exporting account has signed it"),
    rule("I7", "its times"),
    rule("I8", "its revocation"),
    rule("I9", "which mistakes refuse the account, and which end the import"),
    rule("I10", "the importing account's id in the subject"),
    rule("I11", "local subjects"),
    rule("I12", "the id of an activation"),
    rule("Q1", "resolvers").tests(&["tests/account_contract.rs", NATS_ACCOUNTS]),
    rule("Q2", "what a resolver returns is not trusted").tests(&[FRESHNESS]),
    rule("Q3", "when an account is fetched again").tests(&[FRESHNESS]),
    rule("Q4", "made-up accounts").tests(&["src/accounts/desk/tests/flights.rs"]),
    rule("Q5", "updates of accounts").tests(&["src/accounts/desk/tests/updates.rs", NATS_ACCOUNTS]),
    rule("Q6", "a deleted account is found to be gone by the next look-up; deletes are not followed").tests(&[
        NATS_ACCOUNTS,
        "tests/account_contract/directory.rs",
        FRESHNESS,
    ]),
    rule("Q7", "preloaded accounts, in the configuration of a server")
        .tests(&["tests/administration.rs", "tests/servers/ours.rs"]),
    rule("Q8", "failures of look-ups").tests(&[FRESHNESS, "tests/account_contract.rs"]),
    rule("Q9", "redirects, sizes and TLS of look-ups").tests(&["tests/account_http.rs", NATS_ACCOUNTS]),
    rule("F1", "a block of one line, and text around it"),
    rule("F2", "a block is not empty"),
    rule("F3", "the seed belongs to the token"),
    rule("F4", "mode 0600, not in Debug; wiped, which the compiler checks").tests(&["tests/administration.rs"]),
    rule("F5", "a file of which the seed alone is read"),
    rule("F6", "five dashes in front, six behind"),
    rule("X1", "keys for encryption sign nothing (they are read, and nothing is sealed)"),
    not_covered("X2", "the request to an outside service", NO_CALLOUT),
    not_covered("X3", "the answer of an outside service", NO_CALLOUT),
    not_covered("X4", "mistakes in that answer", NO_CALLOUT),
    rule("X5", "the users of an outside service are let in without it"),
    not_covered(
        "X6",
        "a server without a system account ends when it asks an outside service",
        "a fault of nats-server",
    ),
    rule("G1", "until when a user stays"),
    rule("G2", "what a newer account ends").tests(&["tests/trust_chain/revocation.rs"]),
];

/// The rules of the rows of nats-rules.json that name none, by section.
const SECTIONS: [(&str, &str, &[&str]); 9] = [
    ("nkeys", "valid", &["N1", "N2", "N3", "N8", "X1"]),
    ("nkeys", "invalid_public", &["N1", "N2", "N3", "N5", "N10"]),
    ("nkeys", "invalid_seed", &["N8", "N9"]),
    ("creds", "", &["F1", "F2", "F3", "F4", "F6"]),
    ("jti", "", &["E8", "E13"]),
    ("activation_hash_id", "", &["I12"]),
    ("subject_match", "", &["M1"]),
    ("time_ranges", "", &["L3"]),
    ("src", "", &["L1", "L2"]),
];

type Cases = BTreeMap<String, BTreeSet<String>>;

/// The cases of each rule.
fn cases() -> Cases {
    let mut cases = Cases::new();
    for name in FILES {
        let file = vectors(name);
        for rows in file.as_object().unwrap().values().filter_map(Value::as_array) {
            for row in rows {
                let rules = row.get("rules").and_then(Value::as_array).into_iter().flatten();
                for rule in rules {
                    let id = row["id"].as_str().unwrap().to_owned();
                    cases.entry(rule.as_str().unwrap().to_owned()).or_default().insert(id);
                }
            }
        }
    }
    let rest = vectors("nats-rules.json");
    for (section, part, rules) in SECTIONS {
        let rows = if part.is_empty() { &rest[section] } else { &rest[section][part] };
        assert!(!rows.as_array().unwrap().is_empty(), "{section} {part}");
        for rule in rules {
            cases
                .entry((*rule).to_owned())
                .or_default()
                .insert(format!("{section}.{part}").trim_end_matches('.').to_owned());
        }
    }
    cases
}

/// The weakenings of each rule, whose names begin with it.
fn weakenings() -> Cases {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/weakenings.toml");
    let text = fs::read_to_string(path).unwrap();
    let mut weakenings = Cases::new();
    let names = text.lines().filter_map(|line| line.strip_prefix("name = \"nats-rule-")?.strip_suffix('"'));
    for name in names {
        let rule = name.split('-').next().unwrap_or_default().to_uppercase();
        weakenings.entry(rule).or_default().insert(format!("nats-rule-{name}"));
    }
    weakenings
}

/// What shows a rule: some of the cases, and files with tests.
fn shown_by(rule: &Rule, cases: &Cases) -> String {
    let mut shown = Vec::new();
    if let Some(cases) = cases.get(rule.id) {
        let mut names = cases.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        if cases.len() > 3 {
            write!(names, " and {} more", cases.len() - 3).unwrap();
        }
        shown.push(names);
    }
    shown.extend(rule.tests.iter().map(|file| format!("`{file}`")));
    shown.join("; ")
}

fn table() -> String {
    let (cases, weakenings) = (cases(), weakenings());
    let missing: Vec<_> = RULES.iter().filter(|rule| rule.not_covered.is_some()).map(|rule| rule.id).collect();
    let mut text = format!(
        "# Rules of NATS\n\nWritten by the test `vectors`; the rules are those of decentralized trust in NATS. A case is a row of \
         `tests/vectors/nats.json`, `nats-rules.json` or `nats-more.json`; where no case can show a rule, files with tests are named. A weakening is a \
         row of `xtask/weakenings.toml`, which the cases or the tests notice. Not covered: {}.\n\n\
         | rule | what it says | shown by | weakenings |\n| --- | --- | --- | --- |\n",
        missing.join(", ")
    );
    for rule in RULES {
        let weakenings = weakenings.get(rule.id).map(|names| names.iter().cloned().collect::<Vec<_>>().join(", "));
        let (shown, weakenings) = match rule.not_covered {
            Some(why) => (format!("nothing: {why}"), "none".to_owned()),
            None => (shown_by(rule, &cases), weakenings.unwrap_or_default()),
        };
        writeln!(text, "| {} | {} | {shown} | {weakenings} |", rule.id, rule.says).unwrap();
    }
    text
}

#[test]
fn each_rule_is_shown_and_has_a_weakening_or_a_reason() {
    let (cases, weakenings) = (cases(), weakenings());
    for Rule { id, tests, not_covered, .. } in RULES {
        let is_covered = not_covered.is_none();
        assert_eq!(
            is_covered,
            cases.contains_key(*id) || !tests.is_empty(),
            "{id}: what shows it, or why nothing does"
        );
        assert_eq!(is_covered, weakenings.contains_key(*id), "{id}: its weakenings, or why there are none");
        for file in *tests {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).is_file(), "{id}: there is no {file}");
        }
    }
    let known: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    for id in cases.keys().chain(weakenings.keys()) {
        assert!(known.contains(id.as_str()), "there is no rule {id}");
    }
}

#[test]
fn the_table_of_rules_is_up_to_date() {
    more::require_up_to_date(FILE, &table());
}
