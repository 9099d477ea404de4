//! Telling owners that their tokens expire soon.

use std::time::Duration;

use portcullis_core::revocation::Revoker;

use super::{ApiTokens, list::PAGE};
use crate::{
    StoreError,
    api_tokens::{ApiTokenEvent, ApiTokenId, ApiTokenRow, ApiTokenStore, Changed, Memberships},
    refresh::Millis,
};

const DAY: Duration = Duration::from_secs(86_400);

/// How long before the end an owner is warned, the earliest first.
const STAGES: [Duration; 3] = [Duration::from_secs(14 * 86_400), Duration::from_secs(3 * 86_400), DAY];

/// What [`ApiTokens::warn_expiring`] has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warned {
    /// Of how many tokens it told.
    pub count: usize,
    /// The tokens whose rows cannot be read: a later version wrote them, or they are damaged. Their owners were not warned.
    pub unreadable: Vec<ApiTokenId>,
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokens<S, M, R> {
    /// Looks for tokens that expire soon, and tells of each [by an event](ApiTokenEvent::Expiring): 14 days, 3 days and 1 day before, each once, on one of the
    /// instances. **Call it at least once an hour**: an owner is told by so much later. If several warnings of a token are due, the last one is told alone.
    ///
    /// There is none for a token that has a successor or was revoked, nor for a time at which the token was not made yet. The store knows of a warning before it
    /// is told, so a crash in between loses it, and none is told twice.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached. What was told stays told: call it again.
    pub async fn warn_expiring(&self) -> Result<Warned, StoreError> {
        let (checker, now) = (&self.0.checker, self.0.checker.now());
        let (mut after, mut warned) = ((now, None), Warned::default());
        loop {
            let page = checker.store.ending(after, now.plus(STAGES[0]).plus(Duration::from_millis(1)), PAGE).await?;
            warned.unreadable.extend(page.unreadable);
            for row in page.rows {
                if let Some(within) = due(&row, now) {
                    warned.count += usize::from(self.warn(row, within, now).await?);
                }
            }
            match page.next {
                Some(next) => after = next,
                None => return Ok(warned),
            }
        }
    }

    /// Returns whether this instance was the one to tell.
    async fn warn(&self, mut row: ApiTokenRow, within: Duration, now: Millis) -> Result<bool, StoreError> {
        let checker = &self.0.checker;
        row.version += 1;
        row.warned_at = Some(now);
        let is_ours = checker.store.replace(&row, None).await? == Changed::Stored;
        if is_ours {
            checker.tell(|| ApiTokenEvent::Expiring { id: row.id, within });
        }
        Ok(is_ours)
    }
}

/// Returns in how long the token expires, if its owner is to be told now.
fn due(row: &ApiTokenRow, now: Millis) -> Option<Duration> {
    let until = row.until.filter(|_| row.is_live(now) && row.superseded.is_none())?;
    let has_come = |stage: &&Duration| {
        let time = super::list::before(until, **stage);
        time <= now && time > row.created_at
    };
    let latest = STAGES.iter().rfind(has_come)?;
    let is_news = row.warned_at.is_none_or(|warned_at| warned_at < super::list::before(until, *latest));
    is_news.then(|| until.since(now))
}
