//! A store in memory that breaks one rule.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, MemoryRefreshStore, Millis, Opened, Outcome, RefreshStore, Step, StoreError,
};

crate::planted::faults! {
    OpensNothing, OpensAgain, OpensWhatHasEnded, ExistsIsAnError, NewIsToldAsExisting, OpensByCheckThenAct, UnknownIsExpired, LosesTheLabel, ListsByPrefix, ListsWhatIsOver, ForgetsEarly, ForgetsTwice,
    IgnoresTheShare, IgnoresTheClient, ClientsByPrefix, IgnoresTheEnd, IgnoresIdle, IgnoresAbsolute, RotatesWithinTheGrace,
    GraceForEver, GraceForGrandparents, StrictLetsThrough, RefusesLostWrites, AnyLostWrites, CountsNoLostWrites,
    ProlongsAlways, ProlongsNever, KeepsTheOldKey, MovesTheEnd, IdleBeyondTheEnd, WritesAtRetry, ChecksThenActs,
    LastReasonStays, EndMakesAFamily, EndAllSparesNone, EndAllByPrefix, EndAllReportsEnded, EndAllOverwrites, EndAllSparesWhatIsOver, RotationUndoesTheEnd,
    UnreadableIsUnknown, UnreadableFailsTheList, UnreadableHidesOthers, UnreadableIsListed, EndAllStopsAtUnreadable, EndAllSparesUnreadable,
    EndAllTellsNoCount, UnreadableIsNotCounted, SurplusIsTheNewest, SurplusCountsEnded, SurplusCountsOver, SurplusByPrefix, CrashLosesRotations, CrashLosesEnds,
}

#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) inner: MemoryRefreshStore,
    fault: Option<Fault>,
    unreadable: Mutex<HashSet<FamilyId>>,
    /// How it was when something was opened.
    opened: Mutex<Vec<Family>>,
}

impl Faulty {
    pub(crate) fn new(inner: MemoryRefreshStore, fault: Option<Fault>) -> Self {
        Self { inner, fault, unreadable: Mutex::default(), opened: Mutex::default() }
    }

    pub(crate) fn edit(&self, id: FamilyId, change: impl FnOnce(&mut Family)) {
        let mut families = self.inner.dump();
        if let Some(family) = families.iter_mut().find(|family| family.id == id) {
            change(family);
            self.inner.restore(families);
        }
    }

    pub(crate) fn make_readable(&self, family: FamilyId, is_readable: bool) {
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        if is_readable {
            unreadable.remove(&family);
        } else {
            unreadable.insert(family);
        }
    }

    /// Loses what the fault says.
    pub(crate) fn crash(&self) {
        for before in self.opened.lock().unwrap().iter() {
            self.edit(before.id, |family| {
                if self.is(Fault::CrashLosesRotations) {
                    (family.generation, family.rotated_at) = (before.generation, before.rotated_at);
                }
                if self.is(Fault::CrashLosesEnds) {
                    family.ended = None;
                }
            });
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn readable(&self, family: FamilyId) -> Result<bool, StoreError> {
        if !self.unreadable.lock().unwrap().contains(&family) {
            return Ok(true);
        }
        if self.is(Fault::UnreadableIsUnknown) { Ok(false) } else { Err(StoreError::new("a row cannot be read")) }
    }

    fn get(&self, id: FamilyId) -> Option<Family> {
        self.inner.dump().into_iter().find(|family| family.id == id)
    }

    /// Changes the family or the step so that the fault decides.
    fn bend(&self, step: &mut Step<'_>, family: &Family, now: Millis) -> Option<Outcome> {
        let is_current = step.generation == family.generation;
        let age = family.rotated_at.map_or(Duration::MAX, |at| now.since(at));
        match self.fault? {
            Fault::IgnoresTheShare => step.share = family.share,
            Fault::RotatesWithinTheGrace if is_current => step.grace = Duration::ZERO,
            Fault::GraceForEver => step.grace = Duration::MAX,
            Fault::GraceForGrandparents if step.generation + 2 == family.generation && age < step.grace => {
                return Some(Outcome::Retry { family: family.clone(), age });
            }
            Fault::StrictLetsThrough => step.grace = step.grace.max(Duration::from_millis(5)),
            Fault::RefusesLostWrites if step.generation > family.generation => return Some(Outcome::Unknown),
            Fault::AnyLostWrites if step.generation > family.generation => {
                self.edit(step.family, |family| family.generation = step.generation);
            }
            Fault::IgnoresTheEnd => self.edit(step.family, |family| family.ended = None),
            Fault::IgnoresIdle => self.edit(step.family, |family| family.idle_until = family.absolute_until),
            Fault::IgnoresAbsolute => {
                self.edit(step.family, |family| family.absolute_until = Millis::new(u64::MAX >> 1));
            }
            _ => {}
        }
        None
    }

    /// Changes what was written.
    fn spoil(&self, step: &Step<'_>, before: &Family, outcome: &mut Outcome) {
        let day = Duration::from_secs(86_400);
        match (self.fault, &mut *outcome) {
            (Some(Fault::CountsNoLostWrites), Outcome::Rotated { lost_writes, .. }) => *lost_writes = 0,
            (Some(Fault::KeepsTheOldKey), Outcome::Rotated { .. }) => self.edit(step.family, |f| f.key_id = 0),
            (Some(Fault::MovesTheEnd), Outcome::Rotated { .. }) => {
                self.edit(step.family, |family| family.absolute_until = family.absolute_until.plus(day));
            }
            (Some(Fault::IdleBeyondTheEnd), Outcome::Rotated { .. }) => {
                self.edit(step.family, |family| family.idle_until = family.absolute_until.plus(day));
            }
            (Some(Fault::ProlongsAlways), Outcome::Kept { .. }) => {
                self.edit(step.family, |family| family.idle_until = family.idle_until.plus(Duration::from_millis(1)));
            }
            (Some(Fault::ProlongsNever), Outcome::Kept { .. }) => {
                self.edit(step.family, |family| family.idle_until = before.idle_until);
            }
            (Some(Fault::WritesAtRetry), Outcome::Retry { .. }) => {
                self.edit(step.family, |family| family.idle_until = family.idle_until.plus(Duration::from_millis(1)));
            }
            _ => {}
        }
    }
}

impl Faulty {
    /// Ends those that can be read; wrong in the case of any other.
    async fn end_all_readable(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        let is_unreadable = |id: &FamilyId| self.unreadable.lock().unwrap().contains(id);
        let live = self.inner.families_of(subject).await?;
        let all = self.inner.dump().into_iter().filter(|family| family.log_in.subject() == subject);
        let ids = all.map(|family| family.id).filter(|id| Some(*id) != except);
        let (unreadable, mut readable): (Vec<_>, Vec<_>) = ids.partition(is_unreadable);
        if !unreadable.is_empty() && self.is(Fault::EndAllStopsAtUnreadable) {
            return Err(StoreError::not_ended(unreadable.len() + readable.len()));
        }
        for id in &readable {
            self.inner.end(*id, reason).await?;
        }
        if !unreadable.is_empty() && self.is(Fault::EndAllTellsNoCount) {
            return Err(StoreError::new("some could not be ended"));
        }
        readable.retain(|id| live.iter().any(|family| family.id == *id));
        Ok(readable)
    }
}

impl RefreshStore for Faulty {
    async fn now(&self) -> Result<Millis, StoreError> {
        self.inner.now().await
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        let before = self.get(family.id);
        let is_ended = before.as_ref().is_some_and(|family| family.ended.is_some());
        match self.fault {
            Some(Fault::OpensNothing) => return Ok(Opened::New),
            Some(Fault::OpensAgain) if before.is_some() => {
                self.edit(family.id, |old| *old = family);
                return Ok(Opened::New);
            }
            Some(Fault::OpensWhatHasEnded) if is_ended => {
                self.edit(family.id, |old| *old = family);
                return Ok(Opened::New);
            }
            Some(Fault::ExistsIsAnError) if before.is_some() => return Err(StoreError::new("it exists")),
            Some(Fault::OpensByCheckThenAct) => {
                tokio::task::yield_now().await;
                if before.is_none() {
                    self.edit(family.id, |old| *old = family.clone());
                    let _ = self.inner.open(family).await?;
                    return Ok(Opened::New);
                }
            }
            _ => {}
        }
        self.opened.lock().unwrap().push(family.clone());
        let opened = self.inner.open(family).await?;
        Ok(if self.is(Fault::NewIsToldAsExisting) { Opened::Exists } else { opened })
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        if !self.readable(family)? {
            return Ok((None, self.inner.now().await?));
        }
        let (mut found, now) = self.inner.find(family).await?;
        if self.is(Fault::LosesTheLabel) {
            let plain = |family: Family| Family::from_json(&family.to_json().replace("quoted", "")).unwrap();
            found = found.map(plain);
        }
        Ok((found, now))
    }

    async fn rotate(&self, mut step: Step<'_>) -> Result<Outcome, StoreError> {
        if !self.readable(step.family)? {
            return Ok(Outcome::Unknown);
        }
        let Some(before) = self.get(step.family) else {
            return Ok(if self.is(Fault::UnknownIsExpired) { Outcome::Expired } else { Outcome::Unknown });
        };
        let client = before.log_in.client_id().to_owned();
        let is_prefix = self.is(Fault::ClientsByPrefix) && client.starts_with(step.client_id);
        if self.is(Fault::IgnoresTheClient) || is_prefix {
            step.client_id = &client;
        }
        let now = self.inner.now().await?;
        if let Some(outcome) = self.bend(&mut step, &before, now) {
            return Ok(outcome);
        }
        if self.is(Fault::ChecksThenActs) {
            let (outcome, written) = step.decide(self.get(step.family).as_ref(), now);
            tokio::task::yield_now().await;
            if let Some(written) = written {
                self.edit(step.family, |family| *family = written);
            }
            return Ok(outcome);
        }
        if self.is(Fault::RotationUndoesTheEnd) {
            tokio::task::yield_now().await;
            let mut outcome = step.decide(Some(&before), now);
            if let Some(written) = outcome.1.take() {
                self.edit(step.family, |family| *family = written);
            }
            return Ok(outcome.0);
        }
        let mut outcome = self.inner.rotate(step).await?;
        self.spoil(&step, &before, &mut outcome);
        Ok(outcome)
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        if self.is(Fault::LastReasonStays) {
            self.edit(family, |family| family.ended = Some(reason));
        }
        if self.is(Fault::EndMakesAFamily)
            && self.get(family).is_none()
            && let Some(mut made) = self.inner.dump().pop()
        {
            (made.id, made.ended) = (family, Some(reason));
            let _ = self.inner.open(made).await?;
        }
        self.inner.end(family, reason).await
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        let of_subject = |family: &Family| family.log_in.subject() == subject;
        if self.is(Fault::EndAllOverwrites) {
            for family in self.inner.dump().into_iter().filter(of_subject) {
                self.edit(family.id, |family| family.ended = Some(reason));
            }
        }
        if self.is(Fault::EndAllByPrefix) {
            for family in self.inner.dump() {
                if family.log_in.subject().starts_with(subject) && Some(family.id) != except {
                    self.inner.end(family.id, reason).await?;
                }
            }
        }
        if self.is(Fault::EndAllSparesWhatIsOver) {
            let live = self.inner.families_of(subject).await?;
            for family in live.iter().filter(|family| Some(family.id) != except) {
                self.inner.end(family.id, reason).await?;
            }
            return Ok(live.iter().map(|family| family.id).filter(|id| Some(*id) != except).collect());
        }
        if let Some(Fault::EndAllStopsAtUnreadable | Fault::EndAllSparesUnreadable | Fault::EndAllTellsNoCount) =
            self.fault
        {
            return self.end_all_readable(subject, except, reason).await;
        }
        let except = if self.is(Fault::EndAllSparesNone) { None } else { except };
        let mut ended = self.inner.end_all_of(subject, except, reason).await?;
        if self.is(Fault::EndAllReportsEnded) {
            ended = self.inner.dump().into_iter().filter(of_subject).map(|family| family.id).collect();
        }
        Ok(ended)
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        let families = self.inner.dump().into_iter();
        let is_unreadable = |family: &Family| self.unreadable.lock().unwrap().contains(&family.id);
        let has_unreadable = self.inner.families_of(subject).await?.iter().any(is_unreadable);
        Ok(match self.fault {
            Some(Fault::ListsByPrefix) => {
                families.filter(|family| family.log_in.subject().starts_with(subject)).collect()
            }
            Some(Fault::ListsWhatIsOver) => families.filter(|family| family.log_in.subject() == subject).collect(),
            Some(Fault::UnreadableFailsTheList) if has_unreadable => {
                return Err(StoreError::new("a row cannot be read"));
            }
            Some(Fault::UnreadableHidesOthers) if has_unreadable => Vec::new(),
            Some(Fault::UnreadableIsListed) => self.inner.families_of(subject).await?,
            _ => {
                let mut families = self.inner.families_of(subject).await?;
                families.retain(|family| !is_unreadable(family));
                families
            }
        })
    }

    async fn readable_of(&self, subject: &str) -> Result<(Vec<Family>, usize), StoreError> {
        let families = self.families_of(subject).await?;
        if self.is(Fault::UnreadableIsNotCounted) {
            return Ok((families, 0));
        }
        let is_unreadable = |family: &&Family| self.unreadable.lock().unwrap().contains(&family.id);
        Ok((families, self.inner.families_of(subject).await?.iter().filter(is_unreadable).count()))
    }

    async fn surplus_of(&self, subject: &str, most: usize) -> Result<Vec<FamilyId>, StoreError> {
        let now = self.inner.now().await?;
        let mut families = self.inner.dump();
        families.retain(|family| {
            let of = family.log_in.subject();
            let is_theirs = of == subject || self.is(Fault::SurplusByPrefix) && of.starts_with(subject);
            let is_over = now >= family.ends_at() && !self.is(Fault::SurplusCountsOver);
            is_theirs && !is_over && (family.ended.is_none() || self.is(Fault::SurplusCountsEnded))
        });
        families.sort_by_key(Family::ends_at);
        if self.is(Fault::SurplusIsTheNewest) {
            families.reverse();
        }
        let surplus = families.len().saturating_sub(most);
        Ok(families.iter().take(surplus).map(|family| family.id).collect())
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        if self.is(Fault::ForgetsEarly) {
            let over = |family: &Family| family.ends_at() < before.plus(Duration::from_secs(6 * 86_400));
            let (over, left): (Vec<_>, Vec<_>) = self.inner.dump().into_iter().partition(over);
            self.inner.restore(left);
            return Ok(over.len());
        }
        let forgotten = self.inner.forget_before(before).await?;
        Ok(if self.is(Fault::ForgetsTwice) { forgotten.max(1) } else { forgotten })
    }
}
