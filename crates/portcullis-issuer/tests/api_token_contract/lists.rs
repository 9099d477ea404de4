//! The lists of a store with a fault.

use portcullis_issuer::{
    StoreError,
    api_tokens::{ApiTokenId, ApiTokenPage, ApiTokenRow, Owner},
    refresh::Millis,
};

use super::{
    fault::Fault,
    faulty::{Faulty, Shared},
};

type Cursor = (Millis, Option<ApiTokenId>);

impl Faulty {
    /// Returns the tokens of which this holds, by id.
    pub(crate) fn page(
        &self,
        after: Option<ApiTokenId>,
        limit: usize,
        is_listed: impl Fn(&ApiTokenRow) -> bool,
    ) -> Result<ApiTokenPage, StoreError> {
        if !self.reach(&[Fault::EmptyIfUnreachable])? {
            return Ok(ApiTokenPage::new(Vec::new()));
        }
        let mut shared = self.shared();
        let is_shown = |row: &&ApiTokenRow| is_listed(row) && !(self.has(Fault::ListsLive) && row.revoked.is_some());
        let mut rows: Vec<_> = shared.rows.iter().filter(is_shown).cloned().collect();
        if !self.has(Fault::ListsByAge) {
            rows.sort_by_key(|row| row.id);
        }
        if self.has(Fault::ListsFewer) && rows.len() > 1 {
            rows.pop();
        }
        if let Some(after) = after {
            match self.fault {
                Some(Fault::CursorCounts) => {
                    let seen = shared.offsets.get(&after).copied().unwrap_or(0);
                    rows.drain(..seen.min(rows.len()));
                }
                Some(Fault::CursorIsToken) if shared.row(after).is_none() => rows.clear(),
                Some(Fault::ListsCursor) => rows.retain(|row| row.id >= after),
                Some(Fault::ListsByAge) => {
                    let at = rows.iter().position(|row| row.id == after).map_or(0, |at| at + 1);
                    rows.drain(..at);
                }
                _ => rows.retain(|row| row.id > after),
            }
        }
        let skipped = after.and_then(|after| shared.offsets.get(&after).copied()).unwrap_or(0);
        let page = self.cut(rows, limit, |row| row.id, &shared.unreadable)?;
        if let Some(next) = page.next {
            shared.offsets.insert(next, skipped + page.rows.len());
        }
        Ok(page)
    }

    /// Whether the row counts among the live ones of an owner.
    pub(crate) fn counts(&self, shared: &Shared, row: &ApiTokenRow, owner: &Owner, now: Millis) -> bool {
        let is_owner = row.owner == *owner || self.has(Fault::CountsEveryKind) && row.owner.id() == owner.id();
        if !is_owner || shared.unreadable.contains(&row.id) {
            return is_owner && !self.has(Fault::CountsReadable);
        }
        let is_live = row.is_live(now);
        match self.fault {
            Some(Fault::CountsRevoked) => is_live || row.revoked.is_some(),
            Some(Fault::CountsEnded) => row.revoked.is_none(),
            Some(Fault::CountsAtEnd) => is_live || row.revoked.is_none() && row.ends_at() == Some(now),
            Some(Fault::CountsWithoutOverlap) => row.revoked.is_none() && row.until.is_none_or(|until| now < until),
            Some(Fault::CountsNoSuperseded) => is_live && row.superseded.is_none(),
            Some(Fault::CountsNoDerived) => is_live && row.path.is_empty(),
            Some(Fault::CountsEndless) => is_live && row.ends_at().is_none(),
            _ => is_live,
        }
    }

    pub(crate) fn ends(&self, after: Cursor, before: Millis, limit: usize) -> Result<ApiTokenPage<Cursor>, StoreError> {
        if !self.reach(&[Fault::EmptyIfUnreachable])? {
            return Ok(ApiTokenPage::new(Vec::new()));
        }
        let shared = self.shared();
        let end = |row: &ApiTokenRow| match self.fault {
            Some(Fault::EndsWithoutOverlap) => row.until,
            Some(Fault::EndStays) => shared.first_ends.get(&row.id).copied().flatten(),
            Some(Fault::RevokedNeverEnds) if row.revoked.is_some() => None,
            _ => row.ends_at(),
        };
        let is_listed = |row: &&ApiTokenRow| {
            let Some(end) = end(row) else { return false };
            let is_after = match (self.has(Fault::EndsAfterStart), self.has(Fault::EndsSkipSame), after.1) {
                (true, _, None) | (_, true, Some(_)) => end > after.0,
                _ => (end, Some(row.id)) > after,
            };
            is_after && (end < before || self.has(Fault::EndsAtLast) && end == before)
        };
        let mut rows: Vec<_> = shared.rows.iter().filter(is_listed).cloned().collect();
        rows.sort_by_key(|row| (end(row), row.id));
        self.cut(rows, limit, |row| (end(row).unwrap(), Some(row.id)), &shared.unreadable)
    }

    fn cut<C>(
        &self,
        mut rows: Vec<ApiTokenRow>,
        limit: usize,
        cursor: impl Fn(&ApiTokenRow) -> C,
        unreadable: &std::collections::HashSet<ApiTokenId>,
    ) -> Result<ApiTokenPage<C>, StoreError> {
        let limit = if self.has(Fault::LongPages) { limit + 1 } else { limit };
        let is_more = rows.len() > limit && !self.has(Fault::OnePage);
        rows.truncate(limit);
        let mut next = rows.last().filter(|_| is_more).map(cursor);
        if self.has(Fault::UnreadableEndsLists)
            && let Some(at) = rows.iter().position(|row| unreadable.contains(&row.id))
        {
            rows.truncate(at + 1);
            next = None;
        }
        let (left_out, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| unreadable.contains(&row.id));
        if self.has(Fault::ListsFailIfUnreadable) && !left_out.is_empty() {
            return Err(StoreError::new("a later version wrote it"));
        }
        let named = left_out.iter().filter(|_| !self.has(Fault::LeavesOutUnreadable)).map(|row| row.id);
        Ok(ApiTokenPage::new(rows).with_unreadable(named.collect()).with_next(next))
    }
}
