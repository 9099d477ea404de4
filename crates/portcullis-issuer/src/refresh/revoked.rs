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
        if self.0.revoked_by(family)?.is_none() {
            return Ok(());
        }
        let (session, reason) = (family.id, EndReason::Revoked);
        let noted = self.note_ends(std::slice::from_ref(family), reason).await;
        self.0.store.end(session, reason).await?;
        noted?;
        self.0.tell(|| SessionEvent::Ended { session, reason });
        Err(NotAccepted::Revoked.into())
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
