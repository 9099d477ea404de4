//! What is done with the tables, in a transaction that the writer has begun.

use portcullis_issuer::{
    StoreError,
    api_tokens::{ApiTokenDigest, ApiTokenId, ApiTokenPage, ApiTokenRow, Changed, FoundApiToken, Inserted, Owner},
    refresh::Millis,
};
use redb::StorageError;

use super::tables::{Time, TokenTables};
use crate::api_tokens::row;

/// What the caller gets. The outer error is the file's, and fails all callers of the transaction.
pub(super) type Answer<T> = Result<Result<T, StoreError>, StorageError>;

pub(super) fn insert(tokens: &mut TokenTables<'_>, row: &ApiTokenRow) -> Answer<Inserted> {
    if !is_free(tokens, row)? {
        return Ok(Ok(Inserted::Exists));
    }
    tokens.insert(row)?;
    Ok(Ok(Inserted::New))
}

fn is_free(tokens: &TokenTables<'_>, row: &ApiTokenRow) -> Result<bool, StorageError> {
    Ok(!tokens.has(row.id)? && tokens.of_digest(&row.digest)?.is_none())
}

pub(super) fn find(tokens: &TokenTables<'_>, digest: &ApiTokenDigest) -> Answer<Option<FoundApiToken>> {
    let Some(id) = tokens.of_digest(digest)? else { return Ok(Ok(None)) };
    let row = match tokens.get(id)? {
        Some(Ok(row)) if row.digest == *digest => row,
        Some(Err(unreadable)) => return Ok(Err(unreadable)),
        // The index names a row that is not there, or another one.
        _ => return Ok(Err(row::unreadable(id))),
    };
    let mut ancestors = Vec::with_capacity(row.path.len());
    for ancestor in &row.path {
        match tokens.get(*ancestor)? {
            Some(Ok(found)) => ancestors.push(found),
            Some(Err(unreadable)) => return Ok(Err(unreadable)),
            None => {}
        }
    }
    Ok(Ok(Some(FoundApiToken::new(row, ancestors))))
}

pub(super) fn replace(
    tokens: &mut TokenTables<'_>,
    row: &ApiTokenRow,
    successor: Option<&ApiTokenRow>,
) -> Answer<Changed> {
    let before = match tokens.get(row.id)?.transpose() {
        Ok(Some(before)) => before,
        Ok(None) => return Ok(Ok(Changed::Conflict)),
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let is_next = before.version.checked_add(1) == Some(row.version);
    let is_same_token = before.owner == row.owner && before.path == row.path;
    let is_its_own = tokens.of_digest(&row.digest)?.is_none_or(|id| id == row.id);
    let is_free = match successor {
        Some(next) => is_free(tokens, next)? && next.id != row.id && next.digest != row.digest,
        None => true,
    };
    if !(is_next && is_same_token && is_its_own && is_free) {
        return Ok(Ok(Changed::Conflict));
    }
    tokens.replace(&before, row)?;
    if let Some(successor) = successor {
        tokens.insert(successor)?;
    }
    Ok(Ok(Changed::Stored))
}

/// Returns how many tokens of an owner are live. What cannot be read may be.
pub(super) fn count_live(tokens: &TokenTables<'_>, owner: &Owner, now: Millis) -> Answer<usize> {
    let mut live = 0;
    for id in tokens.of_owner(owner, None, usize::MAX)? {
        live += usize::from(tokens.get(id)?.is_some_and(|found| found.map_or(true, |row| row.is_live(now))));
    }
    Ok(Ok(live))
}

/// Returns the page with these tokens.
pub(super) fn page<C>(
    tokens: &TokenTables<'_>,
    listed: Vec<ApiTokenId>,
    limit: usize,
    cursor: impl Fn(usize, ApiTokenId) -> C,
) -> Answer<ApiTokenPage<C>> {
    let entry = |(at, id)| Ok((cursor(at, id), id, tokens.get(id)?));
    let entries: Result<Vec<_>, StorageError> = listed.into_iter().enumerate().map(entry).collect();
    Ok(Ok(row::page(entries?, limit)))
}

/// Where to go on, and how many were forgotten.
pub(super) type Forgotten = (usize, Option<(Millis, Option<ApiTokenId>)>);

/// Forgets up to `limit` rows by one of their times, from the cursor on.
pub(super) fn forget(
    tokens: &mut TokenTables<'_>,
    time: Time,
    from: (Millis, Option<ApiTokenId>),
    before: Millis,
    limit: usize,
) -> Answer<Forgotten> {
    let over = tokens.by(time, from, before, limit)?;
    let next = over.last().filter(|_| over.len() == limit).map(|(at, id)| (*at, Some(*id)));
    let mut forgotten = 0;
    for (_, id) in over {
        // One that cannot be read stays: a later version knows what to do with it.
        if let Some(Ok(row)) = tokens.get(id)? {
            tokens.remove(&row)?;
            forgotten += 1;
        }
    }
    Ok(Ok((forgotten, next)))
}
