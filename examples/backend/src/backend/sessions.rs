//! [`UserSessions`]: the sessions of users.

use portcullis::Claims;
use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, LogIn, Outcome, RefreshError, RefreshPolicy, RefreshStore, Rotation, Sessions, Step,
    Tokens,
};
use portcullis_store::{RedbRefreshStore, Revocations};

use super::{CLIENT, Users, problem::Problem, users::USER_SCOPES};

/// The sessions of users. Each has a refresh token, and access tokens of ten minutes.
#[derive(Clone, Debug)]
pub(super) struct UserSessions {
    sessions: Sessions<RedbRefreshStore, Revocations, Users>,
    store: RedbRefreshStore,
    policy: RefreshPolicy,
}

impl UserSessions {
    pub(super) fn new(
        sessions: Sessions<RedbRefreshStore, Revocations, Users>,
        store: RedbRefreshStore,
        policy: RefreshPolicy,
    ) -> Self {
        Self { sessions, store, policy }
    }

    pub(super) async fn log_in(&self, name: &str) -> Result<Tokens, RefreshError> {
        self.sessions.log_in(LogIn::new(name, CLIENT).scope(USER_SCOPES), &self.policy).await
    }

    pub(super) async fn refresh(&self, refresh_token: &str) -> Result<Tokens, RefreshError> {
        self.sessions.refresh(refresh_token, CLIENT, &self.policy).await
    }

    /// Returns the session of a token as it is now, before this request counts as a use of it.
    pub(super) async fn of(&self, claims: &Claims) -> Result<Family, Problem> {
        let id = session_of(claims)?;
        let (family, now) = self.store.find(id).await?;
        family.filter(|family| family.is_live(now)).ok_or_else(Problem::session_over)
    }

    /// Counts as a use of the session, which then goes on for as long as after a refresh. Its refresh token stays as it is.
    pub(super) async fn touch(&self, family: &Family) -> Result<(), Problem> {
        let policy = self.policy.rotation(Rotation::Never);
        let step = Step::new(family.id, family.generation, family.share, CLIENT, family.key_id, &policy);
        match self.store.rotate(step).await? {
            // The last two say that the session was refreshed since it was read, which prolongs it as well.
            Outcome::Kept { .. } | Outcome::Early { .. } | Outcome::Retry { .. } | Outcome::Reuse { .. } => Ok(()),
            _ => Err(Problem::session_over()),
        }
    }

    /// Ends the session of a token: first its access tokens and JWTs, wherever they are, then its refresh token.
    pub(super) async fn end(&self, claims: &Claims) -> Result<(), Problem> {
        Ok(self.sessions.end(session_of(claims)?, EndReason::LoggedOut).await?)
    }

    /// Ends the user's other sessions.
    pub(super) async fn end_others(&self, claims: &Claims) -> Result<(), Problem> {
        let subject = claims.subject().unwrap_or_default();
        Ok(self.sessions.end_others(subject, session_of(claims)?, EndReason::LoggedOutEverywhere).await?)
    }

    /// Ends all sessions of a user.
    pub(super) async fn end_all_of(&self, name: &str) -> Result<(), Problem> {
        Ok(self.sessions.log_out_everywhere(name).await?)
    }

    /// Forgets sessions that are over, so that the file does not grow.
    pub(super) async fn forget_ended(&self) {
        if let Err(error) = self.sessions.forget_ended().await {
            tracing::warn!(%error, "sessions that are over could not be forgotten");
        }
    }
}

fn session_of(claims: &Claims) -> Result<FamilyId, Problem> {
    claims.session_id().and_then(FamilyId::from_session_id).ok_or_else(Problem::session_over)
}
