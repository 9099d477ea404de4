//! A page of revocations for the client.

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, Level, Page, RevocationEntry},
};
use serde::Serialize;

use super::cursor_text;

/// The answer to `GET`.
#[derive(Serialize)]
pub(super) struct Listing<'a> {
    revocations: Vec<Row<'a>>,
    next: Option<String>,
    restarted: bool,
    unreadable: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    level: Level,
    issuer: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_off: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<u64>,
    until: u64,
}

impl<'a> Listing<'a> {
    /// Returns the page that was requested with `after`.
    pub(super) fn new(page: &'a Page, after: Option<Cursor>) -> Self {
        // A page without entries may have later pages, because all its entries may have been forgotten. But not if it leads nowhere.
        let leads_nowhere = page.entries.is_empty() && after == Some(page.cursor);
        let next = (!page.is_last && !leads_nowhere).then(|| cursor_text::write(page.cursor));
        let revocations = page.entries.iter().map(Row::from).collect();
        Self { revocations, next, restarted: page.is_restart, unreadable: page.unreadable }
    }
}

impl<'a> From<&'a RevocationEntry> for Row<'a> {
    fn from(entry: &'a RevocationEntry) -> Self {
        let revocation = entry.revocation();
        Self {
            level: revocation.level(),
            issuer: revocation.of_issuer(),
            id: revocation.id(),
            cut_off: revocation.cut_off().map(UnixTime::as_secs),
            current: revocation.current_version(),
            until: entry.until().as_secs(),
        }
    }
}
