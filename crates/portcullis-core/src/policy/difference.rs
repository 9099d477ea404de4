//! Describes for the log how a name in a token differs from a configured one: the kind of difference, never the name.

use std::{collections::HashMap, fmt::Write};

/// How many configured names a log line shows. A line with five thousand could not be read.
const SHOWN: usize = 3;

/// Longer names are not compared, because no configuration has them.
const MAX_LEN: usize = 512;

/// Configured names by their core, without scheme, case and slashes at the end: one look-up finds the name that a token nearly has,
/// however many there are.
#[derive(Debug, Default)]
pub(crate) struct NearNames(HashMap<String, usize>);

impl NearNames {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().enumerate().filter_map(|(at, name)| Some((core(name)?, at))).collect())
    }

    /// Returns the position of the name that is nearly equal.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.0.get(&core(name)?).copied()
    }
}

/// Returns how `theirs` differs from `ours`, if they are nearly the same.
pub(crate) fn difference(ours: &str, theirs: &str) -> Option<String> {
    if core(ours)? != core(theirs)? {
        return None;
    }
    let ((our_scheme, our_rest), (their_scheme, their_rest)) = (parts(ours.trim()), parts(theirs.trim()));
    let scheme = match (our_scheme, their_scheme) {
        (Some("https"), Some("http")) => Some("by http instead of https"),
        (Some("http"), Some("https")) => Some("by https instead of http"),
        (ours, theirs) => (ours != theirs).then_some("by the scheme in front"),
    };
    let [our_name, their_name] = [our_rest, their_rest].map(|rest| rest.trim_end_matches('/'));
    let kinds = [
        (ours.trim() != ours || theirs.trim() != theirs).then_some("by white space around it"),
        scheme,
        (our_rest.len() - our_name.len() != their_rest.len() - their_name.len()).then_some("by a slash at the end"),
        (our_name != their_name).then_some("by case"),
    ];
    let kinds: Vec<_> = kinds.into_iter().flatten().collect();
    (!kinds.is_empty()).then(|| kinds.join(" and "))
}

/// Returns the configured names for a log line: the first ones, and how many more there are.
pub(crate) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let mut text = String::new();
    for (at, name) in names.take(SHOWN).enumerate() {
        let cut: String = name.chars().take(100).collect();
        let ellipsis = if cut.len() < name.len() { "…" } else { "" };
        let separator = if at == 0 { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}`{cut}{ellipsis}`");
    }
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// Returns a name without all differences that are reported.
fn core(name: &str) -> Option<String> {
    let (_, rest) = parts(name.trim());
    (name.len() <= MAX_LEN).then(|| rest.trim_end_matches('/').to_lowercase())
}

/// Returns the scheme in lower case, if it is http or https, and the rest.
fn parts(name: &str) -> (Option<&'static str>, &str) {
    for scheme in ["https", "http"] {
        if let Some((head, rest)) = name.split_once("://")
            && head.eq_ignore_ascii_case(scheme)
        {
            return (Some(scheme), rest);
        }
    }
    (None, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_difference_are_told_and_add_up() {
        let ours = "https://login.example.com/realms/Shop";
        for (theirs, told) in [
            ("https://login.example.com/realms/Shop/", "by a slash at the end"),
            ("https://login.example.com/realms/shop", "by case"),
            ("http://login.example.com/realms/Shop", "by http instead of https"),
            ("login.example.com/realms/Shop", "by the scheme in front"),
            (" https://login.example.com/realms/Shop", "by white space around it"),
            (
                "http://LOGIN.example.com/realms/Shop//",
                "by http instead of https and by a slash at the end and by case",
            ),
        ] {
            assert_eq!(difference(ours, theirs).as_deref(), Some(told), "{theirs}");
        }
        for other in ["", "/", "https://", "https://login.example.com", "https://login.example.com/realms/Shop/x", ours]
        {
            assert_eq!(difference(ours, other), None, "{other}");
        }
    }

    #[test]
    fn a_list_shows_a_few_and_counts_the_others() {
        assert_eq!(listed(["a", "b"].into_iter()), "`a`, `b`");
        assert_eq!(listed(["a", "b", "c", "d", "e"].into_iter()), "`a`, `b`, `c` and 2 more");
        assert!(listed(std::iter::repeat_n("x".repeat(9_000).as_str(), 5_000)).len() < 400);
    }
}
