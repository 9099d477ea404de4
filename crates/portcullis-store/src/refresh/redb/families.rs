//! What is done with the tables, in a transaction that the writer has begun.

use portcullis_issuer::refresh::{EndReason, Family, FamilyId, Millis, Opened, Outcome, Step, StoreError};
use redb::StorageError;

use super::tables::Tables;

/// What the caller gets. The outer error is the file's, and fails all callers of the transaction.
type Answer<T> = Result<Result<T, StoreError>, StorageError>;

pub(super) fn open(tables: &mut Tables<'_>, family: &Family) -> Answer<Opened> {
    if tables.has(family.id)? {
        return Ok(Ok(Opened::Exists));
    }
    tables.put(family, None)?;
    Ok(Ok(Opened::New))
}

pub(super) fn find(tables: &Tables<'_>, family: FamilyId, now: Millis) -> Answer<(Option<Family>, Millis)> {
    Ok(tables.get(family)?.map(|found| (found, now)))
}

pub(super) fn rotate(tables: &mut Tables<'_>, step: &Step<'_>, now: Millis) -> Answer<Outcome> {
    let before = match tables.get(step.family)? {
        Ok(before) => before,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let (outcome, changed) = step.decide(before.as_ref(), now);
    if let Some(family) = changed {
        tables.put(&family, before.as_ref())?;
    }
    Ok(Ok(outcome))
}

pub(super) fn end(tables: &mut Tables<'_>, family: FamilyId, reason: EndReason) -> Answer<()> {
    match tables.get(family)? {
        Ok(Some(before)) if before.ended.is_none() => end_one(tables, &before, reason)?,
        Ok(_) => {}
        Err(unreadable) => return Ok(Err(unreadable)),
    }
    Ok(Ok(()))
}

fn end_one(tables: &mut Tables<'_>, before: &Family, reason: EndReason) -> Result<(), StorageError> {
    let mut ended = before.clone();
    ended.end(reason);
    tables.put(&ended, Some(before))?;
    // No list has it any more, and no log-out everywhere needs it.
    tables.unlist(&ended)
}

/// Returns live families of a subject that are too many. The index alone says that there are not.
pub(super) fn live_beyond(tables: &Tables<'_>, subject: &str, most: usize, now: Millis) -> Answer<Vec<Family>> {
    if tables.of_subject(subject)?.len() <= most {
        return Ok(Ok(Vec::new()));
    }
    Ok(live_of(tables, subject, now)?.map(|(live, _)| live))
}

/// Ends all that can be read, and fails afterwards if there is one that cannot.
pub(super) fn end_all_of(
    tables: &mut Tables<'_>,
    subject: &str,
    except: Option<FamilyId>,
    reason: EndReason,
    now: Millis,
) -> Answer<Vec<FamilyId>> {
    let (families, unreadable) = readable(tables, subject)?;
    let mut ended = Vec::new();
    for family in families.into_iter().filter(|family| family.ended.is_none() && Some(family.id) != except) {
        end_one(tables, &family, reason)?;
        ended.extend((now < family.ends_at()).then_some(family.id));
    }
    let left = unreadable.into_iter().filter(|id| Some(*id) != except).count();
    Ok(if left == 0 { Ok(ended) } else { Err(StoreError::not_ended(left)) })
}

/// Returns the live families of a subject, and how many cannot be read.
pub(super) fn live_of(tables: &Tables<'_>, subject: &str, now: Millis) -> Answer<(Vec<Family>, usize)> {
    let (mut families, unreadable) = readable(tables, subject)?;
    families.retain(|family| family.is_live(now));
    Ok(Ok((families, unreadable.len())))
}

/// Returns the families of a subject, and the ids of those that cannot be read.
fn readable(tables: &Tables<'_>, subject: &str) -> Result<(Vec<Family>, Vec<FamilyId>), StorageError> {
    let (mut families, mut unreadable) = (Vec::new(), Vec::new());
    for id in tables.of_subject(subject)? {
        match tables.get(id)? {
            Ok(family) => families.extend(family),
            Err(_) => unreadable.push(id),
        }
    }
    Ok((families, unreadable))
}

/// Forgets up to `most` families. Returns how many.
pub(super) fn forget(tables: &mut Tables<'_>, before: Millis, most: usize) -> Answer<usize> {
    let mut forgotten = 0;
    for (ends_at, id) in tables.over(before, most)? {
        // One that cannot be read stays: a later version knows what to do with it.
        if let Ok(Some(family)) = tables.get(id)? {
            tables.remove(&family, ends_at)?;
            forgotten += 1;
        }
    }
    Ok(Ok(forgotten))
}
