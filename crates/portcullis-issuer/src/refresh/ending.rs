//! The ends of sessions.

use portcullis_core::revocation::{Revocation, Revoker};

use super::{
    EndReason, Family, FamilyId, RefreshError, RefreshStore, SessionEvent, Sessions, Subjects, Unavailable,
    log_in::{can_be_kept, check_name},
    to_its_end::to_its_end,
    token::RefreshToken,
};

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Ends a session, whatever user it is of: for what a user asks for, see [`end_of`](Self::end_of). Its access tokens end on every service
    /// first, then its refresh tokens. If one fails, the other is attempted all the same. It goes on if its caller goes away.
    ///
    /// # Errors
    ///
    /// If one of the two did not succeed. Try again: what has ended stays ended.
    pub async fn end(&self, session: FamilyId, reason: EndReason) -> Result<(), RefreshError> {
        let sessions = self.clone();
        to_its_end(async move { sessions.end_now(session, reason).await }).await?
    }

    pub(super) async fn end_now(&self, session: FamilyId, reason: EndReason) -> Result<(), RefreshError> {
        let inner = &*self.0;
        let revoked = self.revoke_session(session).await;
        let ended = inner.store.end(session, reason).await;
        revoked?;
        ended?;
        inner.tell(|| SessionEvent::Ended { session, reason });
        Ok(())
    }

    /// Ends a session if it is this user's, as from a list of devices. Returns whether it is: `false` if there is no such session, or it is another
    /// user's, which must not be told apart to a user. See [`end`](Self::end).
    ///
    /// # Errors
    ///
    /// If it could not be found out, or a part of it did not succeed. Try again: what has ended stays ended.
    pub async fn end_of(&self, subject: &str, session: FamilyId, reason: EndReason) -> Result<bool, RefreshError> {
        if !can_be_kept(subject) {
            return Ok(false);
        }
        let (family, _) = self.0.store.find(session).await?;
        let is_theirs = family.is_some_and(|family| family.log_in.subject() == subject);
        if is_theirs {
            self.end(session, reason).await?;
        }
        Ok(is_theirs)
    }

    /// Ends the session of a refresh token that this client presents, as for its log-out (RFC 7009 section 2.1). Returns whether the text is a
    /// refresh token of this issuer: if it is another client's, or its session is unknown, nothing changes. Authenticate the client before.
    ///
    /// # Errors
    ///
    /// See [`end`](Self::end).
    pub async fn end_by_token(&self, refresh_token: &str, client_id: &str) -> Result<bool, RefreshError> {
        let inner = &*self.0;
        let Some(token) = RefreshToken::open(refresh_token, |id| inner.keys.find(id)) else { return Ok(false) };
        let (family, _) = inner.store.find(token.family).await?;
        let is_theirs =
            |family: &Family| family.share == token.share.digest() && family.log_in.client_id() == client_id;
        if family.is_some_and(|family| is_theirs(&family)) {
            self.end(token.family, EndReason::LoggedOut).await?;
        }
        Ok(true)
    }

    pub(super) async fn revoke_session(&self, session: FamilyId) -> Result<(), RefreshError> {
        let revocation = Revocation::session(self.0.issuer.spec().issuer(), &session.session_id());
        self.revoke(revocation).await
    }

    pub(crate) async fn revoke(&self, revocation: Revocation) -> Result<(), RefreshError> {
        let revoked = self.0.revoker.revoke_all(vec![revocation]).await;
        revoked.map_err(|error| RefreshError::Unavailable(Unavailable::Log(error)))
    }

    /// Ends all sessions of a user, as after a change of the password. `version` is the user's **new** token version: access tokens with an
    /// earlier one end on every service, also those that are being minted meanwhile by another instance.
    ///
    /// # Errors
    ///
    /// [`RefreshError::LogIn`] for a name that no log-in can have, of which nothing was revoked. Otherwise, if a part did not succeed. Try again: what
    /// has ended stays ended. If sessions cannot be read, so that they could not be ended, the error says how many: all others have ended, and no
    /// service accepts access tokens of any.
    pub async fn log_out_everywhere(&self, subject: &str, version: u64) -> Result<(), RefreshError> {
        check_name("subject", subject)?;
        let (sessions, subject) = (self.clone(), subject.to_owned());
        to_its_end(async move { sessions.log_out_everywhere_now(&subject, version).await }).await?
    }

    async fn log_out_everywhere_now(&self, subject: &str, version: u64) -> Result<(), RefreshError> {
        let inner = &*self.0;
        let revocation = Revocation::version(inner.issuer.spec().issuer(), subject, version);
        let revoked = self.revoke(revocation).await;
        let ended = inner.store.end_all_of(subject, None, EndReason::LoggedOutEverywhere).await;
        revoked?;
        for session in ended? {
            inner.tell(|| SessionEvent::Ended { session, reason: EndReason::LoggedOutEverywhere });
        }
        Ok(())
    }

    /// Returns the live sessions of a user, for a list of devices. A name that no log-in can have has none. One that cannot be read is not in it, and
    /// the operator is told.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    pub async fn sessions_of(&self, subject: &str) -> Result<Vec<Family>, RefreshError> {
        if !can_be_kept(subject) {
            return Ok(Vec::new());
        }
        Ok(self.0.store.families_of(subject).await?)
    }
}
