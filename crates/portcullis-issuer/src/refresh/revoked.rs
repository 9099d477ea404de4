//! Whether a session was revoked in the log of revocations.

use std::sync::Arc;

use portcullis_core::{
    revocation::{Level, Revoker, Rungs, Verdict},
    verified::Facts,
};
use serde_json::json;

use super::{
    EndReason, Family, NotAccepted, RefreshError, RefreshStore, Sessions, StoreError, Subjects, Unavailable,
    sessions::Inner,
};

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Makes sure that nothing in the log of revocations names the session. If something does, the family ends as well, because it lives longer
    /// than the log remembers.
    pub(super) async fn check_revocation(&self, family: &Family) -> Result<(), RefreshError> {
        let outcome = self.0.check_revocation(family);
        if let Err(RefreshError::InvalidGrant(NotAccepted::Revoked)) = &outcome {
            self.0.store.end(family.id, EndReason::Revoked).await?;
        }
        outcome
    }
}

impl<S, R, J> Inner<S, R, J> {
    /// Asks the view about the session.
    fn check_revocation(&self, family: &Family) -> Result<(), RefreshError> {
        let Some(view) = &self.view else { return Ok(()) };
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
            Ok(Verdict::Live) => Ok(()),
            Ok(Verdict::Stale(_)) => Err(RefreshError::Unavailable(Unavailable::StaleView)),
            Ok(Verdict::Revoked(_)) => Err(NotAccepted::Revoked.into()),
            // A log-in is checked when it is made, so this does not occur; it ends no session.
            Ok(_) | Err(_) => Err(StoreError::new("the log of revocations cannot judge what the session says").into()),
        }
    }
}
