//! Describes the keys of a set for the log.

use super::KeySet;
use crate::{
    key::error::quoted,
    keys::{KeyHint, VerifyingKey},
};

/// How many keys a log line shows.
const SHOWN: usize = 5;

/// How many keys are compared with the hint: as many as a fetched set can have.
const COMPARED: usize = 100;

/// Returns the first keys, how many more there are, and how the hint differs from a key that it nearly names.
pub(super) fn keys(set: &KeySet, hint: KeyHint<'_>) -> String {
    let shown: Vec<_> = set.iter().take(SHOWN).map(named).collect();
    let names = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
    let more = set.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    [names, more, near_miss(set, hint).unwrap_or_default()].concat()
}

fn near_miss(set: &KeySet, hint: KeyHint<'_>) -> Option<String> {
    let Some(id) = hint.key_id else {
        let by_certificate = if hint.is_by_certificate() { ", and its `x5t` names none of them" } else { "" };
        return Some(format!("; the token has no `kid`{by_certificate}"));
    };
    let mut keys = set.iter().take(COMPARED).filter_map(|key| Some((key, key.id()?)));
    keys.find_map(|(key, ours)| {
        if ours == id {
            return Some(format!(
                "; the token's `kid` is that of {}, which cannot do the token's algorithm",
                named(key)
            ));
        }
        let how = match () {
            () if ours.trim() == id.trim() => "white space around it",
            () if ours.eq_ignore_ascii_case(id) => "case",
            () => return None,
        };
        Some(format!("; the token's `kid` differs from that of {} by {how}", named(key)))
    })
}

/// Returns the key's id, quoted if it is not plain (some come from elsewhere), and its algorithms.
fn named(key: &VerifyingKey) -> String {
    let is_plain = |id: &str| id.len() <= 40 && id.bytes().all(|byte| byte.is_ascii_graphic());
    let name = match key.id() {
        Some(id) if is_plain(id) => id.to_owned(),
        Some(id) => quoted(id),
        None => "one without an id".to_owned(),
    };
    format!("{name} ({})", key.algorithms())
}
