//! The form of a row in Redis: a line with the form (`1`), the version and the path; a line with the last use; and the rest as JSON.
//!
//! So the scripts find what they need, and a use does not change the JSON.

use portcullis_issuer::{
    api_tokens::{ApiTokenId, ApiTokenRow, LastUse},
    refresh::Millis,
};

use crate::api_tokens::row::{self, Found};

/// The form of the rows that this crate reads and writes; the scripts know it, too.
const FORM: &str = "1";

/// Returns the ids of the ancestors, or `-`.
pub(super) fn path(row: &ApiTokenRow) -> String {
    let ids: Vec<_> = row.path.iter().map(ApiTokenId::to_string).collect();
    if ids.is_empty() { "-".to_owned() } else { ids.join(",") }
}

/// Returns the first line of a row, with its end.
pub(super) fn first(row: &ApiTokenRow) -> String {
    format!("{FORM} {} {}\n", row.version, path(row))
}

/// Returns the line of the last use, without its end.
pub(super) fn last_use(last_use: Option<&LastUse>) -> String {
    let Some(used) = last_use else { return "-".to_owned() };
    let at = used.at.get();
    used.source.as_ref().map_or_else(|| at.to_string(), |source| format!("{at} {source}"))
}

pub(super) fn new(row: &ApiTokenRow) -> String {
    format!("{}{}\n{}", first(row), last_use(row.last_used.as_ref()), row::text(row))
}

/// Reads the row that is kept for this id.
pub(super) fn read(text: &[u8], id: ApiTokenId) -> Found {
    let Some((head, last_use, json)) = try_to_split(text) else { return Err(row::unreadable(id)) };
    let row = row::read(json, id, last_use)?;
    if first(&row).trim_end() == head { Ok(row) } else { Err(row::unreadable(id)) }
}

fn try_to_split(text: &[u8]) -> Option<(&str, Option<LastUse>, &str)> {
    let (head, rest) = str::from_utf8(text).ok()?.split_once('\n')?;
    let (used, json) = rest.split_once('\n')?;
    if used == "-" {
        return Some((head, None, json));
    }
    let (at, source) = used.split_once(' ').map_or((used, None), |(at, source)| (at, Some(source.to_owned())));
    Some((head, Some(LastUse::new(Millis::new(at.parse().ok()?), source)), json))
}
