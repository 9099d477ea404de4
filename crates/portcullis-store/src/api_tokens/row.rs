//! What the stores have in common: a row is the text of [`ApiTokenRow::to_json`] without its last use, which is kept apart, so that a use need not write
//! the row.

use std::collections::BTreeMap;

use portcullis_issuer::{
    StoreError,
    api_tokens::{ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenUse, LastUse},
};

/// A row as it is found. `Err` if it cannot be read.
pub(super) type Found = Result<ApiTokenRow, StoreError>;

/// Returns the text of a row, without its last use.
pub(super) fn text(row: &ApiTokenRow) -> String {
    let mut row = row.clone();
    row.last_used = None;
    row.to_json()
}

/// Reads the row that is kept for this id.
pub(super) fn read(text: &str, id: ApiTokenId, last_used: Option<LastUse>) -> Found {
    let mut row = ApiTokenRow::from_json(text).map_err(|error| unreadable(id).with_source(error))?;
    if row.id != id {
        return Err(unreadable(id));
    }
    row.last_used = last_used;
    Ok(row)
}

/// A row is there, and this version cannot read it.
pub(super) fn unreadable(id: ApiTokenId) -> StoreError {
    StoreError::new(format!(
        "the API token {id} cannot be read: a later version of Portcullis wrote it, or it is damaged; it is left as it is"
    ))
}

/// Returns the page with these entries of an index, of which there are `limit` unless there are no more.
pub(super) fn page<C>(entries: Vec<(C, ApiTokenId, Option<Found>)>, limit: usize) -> ApiTokenPage<C> {
    let is_full = entries.len() >= limit;
    let (mut rows, mut unreadable, mut last) = (Vec::with_capacity(entries.len()), Vec::new(), None);
    for (cursor, id, found) in entries {
        last = Some(cursor);
        match found {
            Some(Ok(row)) => rows.push(row),
            Some(Err(_)) => unreadable.push(id),
            // It was forgotten since the index was read.
            None => {}
        }
    }
    ApiTokenPage::new(rows).with_unreadable(unreadable).with_next(last.filter(|_| is_full))
}

/// Returns the latest use of each token, by id: the order in which all instances lock the rows.
pub(super) fn latest(uses: &[ApiTokenUse]) -> Result<BTreeMap<ApiTokenId, &LastUse>, StoreError> {
    let mut latest = BTreeMap::new();
    for used in uses {
        let last_use = &used.checked()?.last_use;
        let known = latest.entry(used.id).or_insert(last_use);
        if known.at < last_use.at {
            *known = last_use;
        }
    }
    Ok(latest)
}
