//! A second opinion on what a strict JSON object is.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// As deep as claims and headers may nest.
const MAX_DEPTH: usize = 32;

/// The members, if the octets are one JSON object in UTF-8 without a member twice at any level, not too deep.
pub(crate) fn object(octets: &[u8]) -> Option<Map<String, Value>> {
    let text = str::from_utf8(octets).ok()?;
    let Ok(Value::Object(members)) = serde_json::from_str(text) else { return None };
    is_strict(text).then_some(members)
}

/// Walks text that is known to be JSON: a string before a colon is a name, a bracket outside of strings a bracket.
fn is_strict(text: &str) -> bool {
    let mut open: Vec<HashSet<String>> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, behind) = rest.split_at(if first == '"' { string_len(rest) } else { first.len_utf8() });
        match first {
            '{' | '[' => open.push(HashSet::new()),
            '}' | ']' => drop(open.pop()),
            '"' if behind.trim_start().starts_with(':') => {
                let name = serde_json::from_str(piece).unwrap();
                if !open.last_mut().unwrap().insert(name) {
                    return false;
                }
            }
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return false;
        }
        rest = behind;
    }
    true
}

/// From quote to quote.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.unwrap() + 2
}
