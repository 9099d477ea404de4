//! Counts the cases, so that none goes missing without a sound.

use std::{collections::BTreeMap, fmt};

use super::{
    corpus::{Case, Outcome},
    setup::Mode,
};

/// The outcomes of one run.
#[derive(Debug)]
pub(crate) struct Tally {
    run: String,
    groups: BTreeMap<String, Group>,
    left_out: Vec<String>,
    failures: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Group {
    accepted: usize,
    refused: usize,
}

impl Tally {
    pub(crate) fn new(run: String) -> Self {
        Self { run, groups: BTreeMap::new(), left_out: Vec::new(), failures: Vec::new() }
    }

    /// Counts a case that was run.
    pub(crate) fn add(&mut self, case: &Case, outcome: Result<Outcome, String>) {
        let group = self.groups.entry(case.group.clone()).or_default();
        match outcome {
            Ok(outcome) if outcome.status == 200 => group.accepted += 1,
            Ok(_) => group.refused += 1,
            Err(problem) => self.failures.push(format!("{}: {problem}", case.id)),
        }
    }

    /// Notes a case that cannot be run in this way.
    pub(crate) fn leave_out(&mut self, case: &Case) {
        self.left_out.push(case.id.clone());
    }

    /// Prints the tally, and fails unless it is the one expected: without failures, without these cases.
    pub(crate) fn assert_complete(&self, mode: Mode, left_out: &[&str]) {
        eprintln!("{self}");
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n"));
        assert_eq!(self.left_out, left_out);
        let run: usize = self.groups.values().map(|group| group.accepted + group.refused).sum();
        assert_eq!(run + left_out.len(), cases(mode));
        for (name, expected) in expected(mode) {
            let missing = if name == "http" { left_out.len() } else { 0 };
            let expected = Group { refused: expected.refused - missing, ..expected };
            assert_eq!(self.groups.get(name).copied().unwrap_or_default(), expected, "{name}");
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |count: fn(&Group) -> usize| self.groups.values().map(count).sum::<usize>();
        writeln!(f, "{}: {} accepted, {} refused", self.run, sum(|g| g.accepted), sum(|g| g.refused))?;
        for (name, group) in &self.groups {
            writeln!(f, "  {name:20} {:3} accepted {:3} refused", group.accepted, group.refused)?;
        }
        self.left_out.iter().try_for_each(|id| writeln!(f, "  raw socket only: {id}"))
    }
}

/// How many cases there are for a mode.
fn cases(mode: Mode) -> usize {
    expected(mode).map(|(_, group)| group.accepted + group.refused).sum()
}

/// The right outcomes by group.
fn expected(mode: Mode) -> impl Iterator<Item = (&'static str, Group)> {
    let query = match mode {
        Mode::HeaderOnly => ("query", 0, 0),
        Mode::HeaderOrQuery => ("query", 1, 3),
    };
    let groups = GROUPS.into_iter().chain([query]);
    groups.map(|(name, accepted, refused)| (name, Group { accepted, refused }))
}

const GROUPS: [(&str, usize, usize); 22] = [
    ("accept-algorithms", 13, 0),
    ("accept-claims", 13, 0),
    ("accept-header", 8, 0),
    ("accept-http", 3, 0),
    ("algorithm", 0, 15),
    ("aud", 0, 11),
    ("base64", 0, 9),
    ("crit", 0, 8),
    ("embedded-key", 0, 6),
    ("exp", 0, 14),
    ("http", 0, 20),
    ("iss", 0, 9),
    ("json", 0, 24),
    ("key-binding", 0, 14),
    ("kid", 0, 7),
    ("limits", 0, 1),
    ("nbf-iat", 0, 7),
    ("scope", 4, 4),
    ("signature", 0, 32),
    ("structure", 0, 7),
    ("sub-jti", 2, 1),
    ("typ", 0, 11),
];
