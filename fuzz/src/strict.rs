//! A second opinion on what a strict JSON object is.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// As deep as claims and headers may nest.
const MAX_DEPTH: usize = 32;

/// What no member may be named at the beginning, as it has a meaning of its own where `serde_json` makes a [`Value`].
const PRIVATE: &str = "$serde_json::private::";

/// The one of those names that cannot be told from a number in every build: see `json/scan.rs`.
const NUMBER: &str = "$serde_json::private::Number";

/// What the octets are.
#[derive(Debug)]
pub(crate) enum Reading {
    /// One JSON object in UTF-8 without a member twice at any level, not too deep.
    Strict(Map<String, Value>),
    /// The same, with something in it that may or may not be a number.
    PerhapsNumber,
    /// Anything else.
    Other,
}

/// Reads the octets.
pub(crate) fn read(octets: &[u8]) -> Reading {
    let Some(names) = str::from_utf8(octets).ok().and_then(names) else { return Reading::Other };
    if names.iter().any(|name| name.starts_with(PRIVATE) && name != NUMBER) {
        return Reading::Other;
    }
    if names.contains(NUMBER) {
        return Reading::PerhapsNumber;
    }
    serde_json::from_slice(octets).map_or(Reading::Other, Reading::Strict)
}

/// The names of all members of strict JSON; of other text that it is not strict, or just anything.
///
/// A string before a colon is a name, a bracket outside of strings a bracket.
fn names(text: &str) -> Option<HashSet<String>> {
    let mut all = HashSet::new();
    let mut open: Vec<HashSet<String>> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, behind) = rest.split_at(if first == '"' { string_len(rest)? } else { first.len_utf8() });
        match first {
            '{' | '[' => open.push(HashSet::new()),
            '}' | ']' => drop(open.pop()),
            '"' if behind.trim_start().starts_with(':') => {
                let name: String = serde_json::from_str(piece).ok()?;
                if !open.last_mut()?.insert(name.clone()) {
                    return None;
                }
                all.insert(name);
            }
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return None;
        }
        rest = behind;
    }
    Some(all)
}

/// From quote to quote.
fn string_len(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map(|inner| inner + 2)
}
