//! Checks tokens. Nothing here needs a signing key.

mod authenticator;
mod claims;
mod editions;
mod recording;
mod refusal;
mod refused;
mod sought;
mod uses;

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{
    AuthError, Clock, Code, UnixTime,
    authenticator::Edition,
    explain::{Check, Recorder},
    verified::{Conventions, Facts},
};

pub use self::{authenticator::ApiTokenAuthenticator, recording::RecordingUses};
use self::{
    editions::Editions,
    refusal::{Names, Refusal},
    refused::Refusals,
    sought::Sought,
    uses::Uses,
};
use super::{
    ApiTokenEvent, ApiTokenFormat, ApiTokenId, ApiTokenRow, ApiTokenStore, FoundApiToken, Grants, LastUse,
    MembershipError, Memberships, Owner, Peppers, event::Listener,
};
use crate::{StoreError, refresh::Millis};

/// How long the result of a check is used again at most.
pub(super) const CACHED: Duration = Duration::from_secs(60);

/// When to ask again after an outage.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a check needs. Shared by the authenticator and the service that makes tokens.
pub(super) struct Checker<S, M> {
    pub(super) conventions: Arc<Conventions>,
    pub(super) format: ApiTokenFormat,
    pub(super) peppers: Peppers,
    /// The beginnings of texts that earlier systems have made.
    pub(super) foreign: Vec<String>,
    pub(super) store: S,
    pub(super) memberships: M,
    pub(super) environment: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) listener: Option<Listener>,
    pub(super) state: State,
}

/// What this instance remembers between requests.
#[derive(Debug, Default)]
pub(super) struct State {
    editions: Editions,
    refusals: Refusals,
    uses: Uses,
}

/// What is known about the request.
struct Presented {
    now: UnixTime,
    source: Option<String>,
}

/// The result of a check. The edition is `None` if it must not be used again.
struct Checked {
    facts: Facts,
    edition: Option<Edition>,
}

impl<S: ApiTokenStore, M: Memberships> Checker<S, M> {
    /// Decides about a token whose tag is right.
    async fn check(&self, sought: &Sought, presented: Presented) -> Result<Checked, AuthError> {
        let begun = self.state.editions.begin(); // before anything is read, so that a change meanwhile counts
        let found = match self.find(sought, &mut None).await? {
            Ok(found) => found,
            Err(refusal) => {
                if sought.is_kept(&refusal) {
                    self.state.refusals.keep(sought.digest, refusal.clone(), None, self.clock.uptime());
                }
                return Err(refusal.into_error(Names::Hidden));
            }
        };
        let of_owner = self.rights_of(&found.row).await?;
        let edition = self.state.editions.of(&found.row.owner, begun);
        let of_owner = match of_owner {
            Ok(of_owner) => of_owner,
            Err(refusal) => {
                // As long as nothing is heard of the owner, who may come back.
                if edition.is_some() {
                    self.state.refusals.keep(sought.digest, refusal.clone(), edition, self.clock.uptime());
                }
                return Err(refusal.into_error(Names::Hidden));
            }
        };
        let facts = claims::facts(&found, &claims::effective(&found, &of_owner), &self.conventions)?;
        self.adopt(&found.row, sought).await;
        self.state.uses.note(found.row.id, LastUse::new(self.now(), presented.source));
        Ok(Checked { facts, edition })
    }

    /// Returns why a token was refused lately, if that still holds.
    fn refused(&self, sought: &Sought) -> Option<Refusal> {
        let (refusal, edition) = self.state.refusals.find(&sought.digest, self.clock.uptime())?;
        edition.is_none_or(|edition| self.state.editions.is_current(edition)).then_some(refusal)
    }

    /// Does the same, and notes each check.
    async fn explain(&self, sought: &Sought, recorder: &mut Recorder) -> Result<Facts, AuthError> {
        let found =
            self.find(sought, &mut Some(recorder)).await?.map_err(|refusal| refusal.into_error(Names::Shown))?;
        let of_owner = self.rights_of(&found.row).await;
        let of_owner = of_owner.and_then(|of_owner| of_owner.map_err(|refusal| refusal.into_error(Names::Shown)));
        recorder.note(Check::Owner, &of_owner);
        claims::facts(&found, &claims::effective(&found, &of_owner?), &self.conventions)
    }

    /// Returns the row with its ancestors if all of them are live, or why the token is refused.
    ///
    /// # Errors
    ///
    /// If the store does not answer.
    async fn find(
        &self,
        sought: &Sought,
        recorder: &mut Option<&mut Recorder>,
    ) -> Result<Result<FoundApiToken, Refusal>, AuthError> {
        let found = self.look_up(sought).await.map_err(unavailable);
        if let (Err(_), Some(recorder)) = (&found, recorder.as_mut()) {
            recorder.note(Check::Known, &found);
        }
        let Some(found) = found? else {
            return Ok(Err(note(Check::Known, Refusal::unknown(), recorder)));
        };
        let now = self.now();
        if let Err(refusal) = self.check_row(&found.row, sought, now) {
            self.tell_of_superseded(&found.row, false, recorder.is_some()).await;
            return Ok(Err(note(Check::Known, refusal, recorder)));
        }
        if let Err(refusal) = check_ancestors(&found, now) {
            note_passed(Check::Known, recorder);
            return Ok(Err(note(Check::Ancestors, refusal, recorder)));
        }
        note_passed(Check::Known, recorder);
        note_passed(Check::Ancestors, recorder);
        self.tell_of_superseded(&found.row, true, recorder.is_some()).await;
        Ok(Ok(found))
    }

    fn check_row(&self, row: &ApiTokenRow, sought: &Sought, now: Millis) -> Result<(), Refusal> {
        if row.kind != sought.kind {
            return Err(Refusal::of_other_kind(row));
        }
        if !sought.is_of(&row.digest, row.pepper) {
            return Err(Refusal::of_other_pepper(row));
        }
        if row.environment != self.environment {
            return Err(Refusal::of_other_environment(row, &self.environment));
        }
        if row.is_live(now) { Ok(()) } else { Err(Refusal::over(row)) }
    }

    /// Returns what the owner may do now, or that the owner is gone.
    async fn rights_of(&self, row: &ApiTokenRow) -> Result<Result<Grants, Refusal>, AuthError> {
        match self.memberships.of(&row.owner).await {
            Ok(grants) => Ok(Ok(grants)),
            Err(MembershipError::OwnerGone) => Ok(Err(Refusal::owner_gone(row))),
            Err(MembershipError::Unavailable(error)) => Err(unavailable(error)),
        }
    }

    /// Tells that a token was used after its successor was, once.
    async fn tell_of_superseded(&self, row: &ApiTokenRow, was_accepted: bool, is_explained: bool) {
        let (Some(superseded), false) = (&row.superseded, is_explained) else { return };
        if self.was_used(superseded.by).await && self.state.uses.is_news(row.id) {
            self.tell(|| ApiTokenEvent::SupersededUsed { id: row.id, by: superseded.by, was_accepted });
        }
    }

    /// Whether the token was ever used, as far as that is known. An outage is not the request's problem.
    async fn was_used(&self, id: ApiTokenId) -> bool {
        self.state.uses.has(id) || matches!(self.store.find_by_id(id).await, Ok(Some(row)) if row.last_used.is_some())
    }

    /// Makes this instance look up the owner's tokens again.
    pub(super) fn changed(&self, owner: &Owner) {
        self.state.editions.changed(owner);
    }

    /// Records in the store when tokens were used, all in one statement.
    pub(super) async fn record_uses(&self) -> Result<usize, StoreError> {
        let (taken, lost) = self.state.uses.take();
        if lost > 0 {
            self.tell(|| ApiTokenEvent::UsesLost { count: lost });
        }
        if taken.as_slice().is_empty() {
            return Ok(0);
        }
        self.store.record_uses(taken.as_slice()).await?;
        Ok(taken.recorded())
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.precise_now().into()
    }

    pub(super) fn tell(&self, event: impl FnOnce() -> ApiTokenEvent) {
        if let Some(listener) = &self.listener {
            listener(&event());
        }
    }
}

/// Makes sure that every token from which this one was derived is there, and live. One that is missing was forgotten after its end, or the store has lost it.
fn check_ancestors(found: &FoundApiToken, now: Millis) -> Result<(), Refusal> {
    for id in &found.row.path {
        let ancestor = found.ancestors.iter().find(|ancestor| ancestor.id == *id);
        if !ancestor.is_some_and(|ancestor| ancestor.is_live(now)) {
            return Err(Refusal::by_ancestor(id, ancestor));
        }
    }
    Ok(())
}

#[cold]
fn unavailable(error: StoreError) -> AuthError {
    AuthError::new(Code::CredentialUndecided).with_retry_after(RETRY_AFTER).with_source(error)
}

fn note(check: Check, refusal: Refusal, recorder: &mut Option<&mut Recorder>) -> Refusal {
    if let Some(recorder) = recorder {
        recorder.note::<()>(check, &Err(refusal.clone().into_error(Names::Shown)));
    }
    refusal
}

fn note_passed(check: Check, recorder: &mut Option<&mut Recorder>) {
    if let Some(recorder) = recorder {
        recorder.note(check, &Ok(()));
    }
}

impl<S: fmt::Debug, M: fmt::Debug> fmt::Debug for Checker<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker")
            .field("issuer", &self.conventions.issuer())
            .field("format", &self.format)
            .field("peppers", &self.peppers)
            .field("store", &self.store)
            .field("memberships", &self.memberships)
            .field("environment", &self.environment)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
