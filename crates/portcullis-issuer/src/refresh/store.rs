//! [`RefreshStore`]: keeps families.

use std::{fmt, future::Future, sync::Arc};

use super::{EndReason, Family, FamilyId, Millis, Outcome, Step};
pub use crate::store_error::StoreError;

/// Keeps families of refresh tokens. Implement it to keep them in a new place. The rules:
///
/// * Each method is one atomic step, and durable when it returns `Ok`: for the caller, and for all later calls.
/// * The time is that of the store, and the same for all instances.
/// * [`rotate`](Self::rotate) decides as [`Step::decide`] does. It writes only if a token is replaced, or its session prolonged.
/// * "We could not find out" is an error, never [`Outcome::Unknown`].
/// * What has ended stays ended.
pub trait RefreshStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the store's time.
    fn now(&self) -> impl Future<Output = Result<Millis, StoreError>> + Send;

    /// Adds a family, unless there is one of this id. It can be found by its id and by its subject when this returns. Of several callers with one id,
    /// one gets [`Opened::New`].
    fn open(&self, family: Family) -> impl Future<Output = Result<Opened, StoreError>> + Send;

    /// Returns a family, ended or not, and the store's time.
    fn find(&self, family: FamilyId) -> impl Future<Output = Result<(Option<Family>, Millis), StoreError>> + Send;

    /// Takes a step.
    fn rotate(&self, step: Step<'_>) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Ends a family. Ending it again, or one that does not exist, changes nothing: the first reason stays.
    fn end(&self, family: FamilyId, reason: EndReason) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends all families of a subject, except for one: also those that are over by their time, as a clock may be set back. Returns those that
    /// were live. A family that is opened meanwhile may stay.
    ///
    /// One that cannot be read keeps no other alive. If it cannot be ended either, this fails, after all others have ended, with
    /// [`StoreError::not_ended`].
    fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> impl Future<Output = Result<Vec<FamilyId>, StoreError>> + Send;

    /// Returns the live families of a subject, in no particular order. One that cannot be read, because a later version wrote it, or it is
    /// damaged, is left out, and hides no other; the operator is told.
    fn families_of(&self, subject: &str) -> impl Future<Output = Result<Vec<Family>, StoreError>> + Send;

    /// Returns the same families, and how many are left out because they cannot be read, for a caller that has to end all of some kind.
    ///
    /// The default says that there are none. **A store whose rows may be those of a later version, or damaged, has to count them**, and one that wraps
    /// another store has to pass the call on: otherwise a consent is withdrawn, and a session of it goes on unnoticed.
    fn readable_of(&self, subject: &str) -> impl Future<Output = Result<(Vec<Family>, usize), StoreError>> + Send {
        async move { Ok((self.families_of(subject).await?, 0)) }
    }

    /// Returns live families of a subject that are too many: all but the `most` that end last, or the hundred of them that end first. It is
    /// asked at every log-in.
    ///
    /// The default lists the subject's families. A store that can count them should do that first.
    fn surplus_of(&self, subject: &str, most: usize) -> impl Future<Output = Result<Vec<FamilyId>, StoreError>> + Send {
        async move { Ok(surplus(self.families_of(subject).await?, most)) }
    }

    /// Forgets families that ended by their time before `before`, or before now if that is earlier. Returns how many.
    fn forget_before(&self, before: Millis) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// Whether a family was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a family of this id may have existed before, perhaps another one"]
#[non_exhaustive]
pub enum Opened {
    /// It was.
    New,
    /// There is a family of this id already, live or not, and it was left as it is. It may be the caller's own, if the answer to an earlier call
    /// was lost.
    Exists,
}

impl<T: RefreshStore> RefreshStore for Arc<T> {
    fn now(&self) -> impl Future<Output = Result<Millis, StoreError>> + Send {
        (**self).now()
    }

    fn open(&self, family: Family) -> impl Future<Output = Result<Opened, StoreError>> + Send {
        (**self).open(family)
    }

    fn find(&self, family: FamilyId) -> impl Future<Output = Result<(Option<Family>, Millis), StoreError>> + Send {
        (**self).find(family)
    }

    fn rotate(&self, step: Step<'_>) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        (**self).rotate(step)
    }

    fn end(&self, family: FamilyId, reason: EndReason) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).end(family, reason)
    }

    fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> impl Future<Output = Result<Vec<FamilyId>, StoreError>> + Send {
        (**self).end_all_of(subject, except, reason)
    }

    fn families_of(&self, subject: &str) -> impl Future<Output = Result<Vec<Family>, StoreError>> + Send {
        (**self).families_of(subject)
    }

    fn readable_of(&self, subject: &str) -> impl Future<Output = Result<(Vec<Family>, usize), StoreError>> + Send {
        (**self).readable_of(subject)
    }

    fn surplus_of(&self, subject: &str, most: usize) -> impl Future<Output = Result<Vec<FamilyId>, StoreError>> + Send {
        (**self).surplus_of(subject, most)
    }

    fn forget_before(&self, before: Millis) -> impl Future<Output = Result<usize, StoreError>> + Send {
        (**self).forget_before(before)
    }
}

/// How many surplus families are ended at a log-in.
const AT_ONCE: usize = 100;

fn surplus(mut families: Vec<Family>, most: usize) -> Vec<FamilyId> {
    families.sort_by_key(Family::ends_at);
    let surplus = families.len().saturating_sub(most).min(AT_ONCE);
    families.iter().take(surplus).map(|family| family.id).collect()
}
