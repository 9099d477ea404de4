//! The methods of [`RefreshStore`].

use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, Millis, Opened, Outcome, RefreshStore, Step, StoreError,
};

use super::{
    NatsRefreshStore,
    error::{subject_too_long, too_long_a_session},
    layout::LONGEST_SUBJECT,
};
use crate::refresh::surplus::surplus;

impl RefreshStore for NatsRefreshStore {
    /// Returns the time of the [clock](NatsRefreshStore::clock), without asking the server.
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.time())
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        if family.log_in.subject().len() > LONGEST_SUBJECT {
            return Err(subject_too_long(LONGEST_SUBJECT));
        }
        let longest = self.layout.longest_session;
        if family.absolute_until.since(self.time()) > longest {
            return Err(too_long_a_session(longest.as_secs()));
        }
        self.within(Box::pin(async { self.families().await?.open(&family).await })).await
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        let found = self.within(Box::pin(async { self.families().await?.find(family).await })).await??;
        Ok((found, self.time()))
    }

    async fn rotate(&self, mut step: Step<'_>) -> Result<Outcome, StoreError> {
        step.grace = step.grace.min(Self::MOST_GRACE);
        // The time is read after the family, so that ages are never negative on one instance.
        let decide = |family: Option<&Family>| step.decide(family, self.time());
        let changed = self.within(Box::pin(async { self.families().await?.change(step.family, decide).await })).await?;
        Ok(changed?)
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        let end = |family: Option<&Family>| {
            let going_on = family.filter(|family| family.ended.is_none());
            ((), going_on.map(|family| ended(family, reason)))
        };
        let changed = self.within(Box::pin(async { self.families().await?.change(family, end).await })).await?;
        Ok(changed?)
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        let end = |family: Option<&Family>| match family {
            Some(family) if family.ended.is_none() && family.log_in.subject() == subject => {
                (is_live(family, subject, self.time()).then_some(family.id), Some(ended(family, reason)))
            }
            _ => (None, None),
        };
        let end_all = async {
            let families = self.families().await?;
            let end_one = async |id| if Some(id) == except { Ok(Ok(None)) } else { families.change(id, end).await };
            families.of_subject(subject, |id| end_one(id)).await
        };
        let (ended, left) = self.within(Box::pin(end_all)).await?;
        if left == 0 { Ok(ended) } else { Err(StoreError::not_ended(left)) }
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        Ok(self.readable_of(subject).await?.0)
    }

    async fn readable_of(&self, subject: &str) -> Result<(Vec<Family>, usize), StoreError> {
        let list = async {
            let families = self.families().await?;
            let find = async |id| {
                let found = families.find(id).await?;
                Ok(found.map(|found| found.filter(|family| is_live(family, subject, self.time()))))
            };
            families.of_subject(subject, find).await
        };
        let (families, unreadable) = self.within(Box::pin(list)).await?;
        self.unlisted.tell(unreadable);
        Ok((families, unreadable))
    }

    async fn surplus_of(&self, subject: &str, most: usize) -> Result<Vec<FamilyId>, StoreError> {
        let count = async { self.families().await?.count_of(subject).await };
        if self.within(Box::pin(count)).await? <= most {
            return Ok(Vec::new());
        }
        Ok(surplus(self.families_of(subject).await?, most))
    }

    /// Returns 0: the server forgets by itself, when the longest session has passed since a key was written.
    async fn forget_before(&self, _before: Millis) -> Result<usize, StoreError> {
        Ok(0)
    }
}

fn ended(family: &Family, reason: EndReason) -> Family {
    let mut family = family.clone();
    family.end(reason);
    family
}

/// Whether the family is one of this subject's, and goes on. The index may name another's, if its id was opened twice.
fn is_live(family: &Family, subject: &str, now: Millis) -> bool {
    family.log_in.subject() == subject && family.is_live(now)
}
