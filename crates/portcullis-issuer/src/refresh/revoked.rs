//! Whether a session was revoked in the log of revocations.

use std::sync::Arc;

use portcullis_core::{
    ConfigError,
    revocation::{Level, Revoker, Rungs, Verdict},
    verified::Facts,
};
use serde_json::json;

use super::{
    EndReason, Family, NotAccepted, RefreshError, RefreshStore, SessionEvent, Sessions, StoreError, Subjects,
    Unavailable, sessions::Inner,
};

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Makes sure that nothing in the log of revocations names the session. If something does, the family ends as well, because it lives longer
    /// than the log remembers.
    pub(super) async fn check_revocation(&self, family: &Family) -> Result<(), RefreshError> {
        if self.end_if_revoked(family).await? { Err(NotAccepted::Revoked.into()) } else { Ok(()) }
    }

    /// Ends the live sessions of a user that the log of revocations names, and has their clients told ([`tell_clients`](Self::tell_clients)). Returns
    /// how many.
    ///
    /// Each of them would end when it is refreshed, which a client with a session of its own may do late or never. Call this after a revocation that was
    /// not made through these sessions, as by a command line, if clients are to be told at once. It goes on if its caller goes away.
    ///
    /// # Errors
    ///
    /// If the log is not known well enough at the moment, or a part did not succeed: all others have ended. Also if sessions of the user cannot be read,
    /// of which the error says how many. Try again: what has ended stays ended.
    pub async fn end_revoked(&self, subject: &str) -> Result<usize, RefreshError> {
        let (sessions, subject) = (self.clone(), subject.to_owned());
        self.0.tasks.end_to_its_end(async move { sessions.end_revoked_now(&subject).await }).await?
    }

    async fn end_revoked_now(&self, subject: &str) -> Result<usize, RefreshError> {
        let (families, unreadable) = self.readable_of(subject).await?;
        let (mut count, mut outcome) = (0, Ok(()));
        for family in &families {
            match self.end_if_revoked(family).await {
                Ok(is_revoked) => count += usize::from(is_revoked),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome?;
        if unreadable > 0 { Err(StoreError::may_go_on(unreadable).into()) } else { Ok(count) }
    }

    async fn end_if_revoked(&self, family: &Family) -> Result<bool, RefreshError> {
        if self.0.revoked_by(family)?.is_none() {
            return Ok(false);
        }
        let (session, reason) = (family.id, EndReason::Revoked);
        let noted = self.note_ends(std::slice::from_ref(family), reason).await;
        self.0.store.end(session, reason).await?;
        self.wake_delivery();
        noted?;
        self.0.tell(|| SessionEvent::Ended { session, reason });
        Ok(true)
    }
}

impl<S, R, J> Inner<S, R, J> {
    /// Makes sure that nothing in the log of revocations names a session that is being opened. A stale view does not know: a refresh asks again.
    pub(super) fn check_log_in(&self, family: &Family) -> Result<(), RefreshError> {
        match self.revoked_by(family) {
            Ok(None) | Err(RefreshError::Unavailable(Unavailable::StaleView)) => Ok(()),
            Ok(Some(Level::Version)) => Err(version_needed(family).into()),
            Ok(Some(_)) => Err(NotAccepted::Revoked.into()),
            Err(error) => Err(error),
        }
    }

    /// Asks the view about the session. Returns the level that revokes it.
    fn revoked_by(&self, family: &Family) -> Result<Option<Level>, RefreshError> {
        let Some(view) = &self.view else { return Ok(None) };
        let log_in = &family.log_in;
        let mut claims = json!({
            "sub": log_in.subject,
            "client_id": log_in.client_id,
            "iat": log_in.at.0,
            "sid": family.id.session_id(),
        });
        if let Some(version) = log_in.version {
            claims["ver"] = version.into();
        }
        let rungs = Rungs::of([Level::Session, Level::Subject, Level::Version, Level::Client, Level::Issuer]);
        let facts = Facts::assertion_of(&claims, Arc::clone(&self.conventions)).map(|facts| facts.with_rungs(rungs));
        match facts.map(|facts| view.check(&facts, view.now())) {
            Ok(Verdict::Live) => Ok(None),
            Ok(Verdict::Stale(_)) => Err(RefreshError::Unavailable(Unavailable::StaleView)),
            Ok(Verdict::Revoked(level)) => Ok(Some(level)),
            // A log-in is checked when it is made, so this does not occur; it ends no session.
            Ok(_) | Err(_) => Err(StoreError::new("the log of revocations cannot judge what the session says").into()),
        }
    }
}

/// The user's token version was raised, and this log-in is not one of the new version: no token of it would be accepted.
fn version_needed(family: &Family) -> ConfigError {
    let has = match family.log_in.version {
        Some(version) => format!("has the token version {version}, which is no longer the user's current one"),
        None => "has no token version, and its user has one".to_owned(),
    };
    ConfigError::new(format!(
        "the log-in {has}: call `LogIn::version` with the version that was last given to `raise_version`"
    ))
}
