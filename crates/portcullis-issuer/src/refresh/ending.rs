//! The ends of sessions.

use portcullis_core::revocation::{Revocation, Revoker};

use super::{
    EndReason, Family, FamilyId, RefreshError, RefreshStore, SessionEvent, Sessions, StoreError, Subjects, Unavailable,
    log_in::{can_be_kept, check_name},
    sessions::Inner,
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
        self.0.tasks.end_to_its_end(async move { sessions.end_now(session, reason).await }).await?
    }

    pub(crate) async fn end_now(&self, session: FamilyId, reason: EndReason) -> Result<(), RefreshError> {
        let inner = &*self.0;
        let revoked = self.revoke_session(session).await;
        // Before the session ends in the store: until then, the end is repeated if it is not completed.
        let noted = self.note_end(session, reason).await;
        let ended = inner.store.end(session, reason).await;
        self.wake_delivery();
        revoked?;
        ended?;
        noted?;
        inner.tell(|| SessionEvent::Ended { session, reason });
        Ok(())
    }

    /// Does what may have failed when a session ended that no one ends again.
    pub(super) async fn complete_end(&self, session: FamilyId, reason: EndReason) -> Result<(), RefreshError> {
        self.note_end(session, reason).await?;
        self.wake_delivery();
        if matches!(reason, EndReason::Reuse | EndReason::SubjectRefused) {
            // Its access tokens have to end, too.
            self.revoke_session(session).await?;
        }
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
    /// refresh token of this issuer, or by its form one of the system that users come from: if it is another client's, or its session is unknown, nothing changes. Authenticate the client before.
    ///
    /// # Errors
    ///
    /// See [`end`](Self::end).
    pub async fn end_by_token(&self, refresh_token: &str, client_id: &str) -> Result<bool, RefreshError> {
        let Some(token) = self.0.own(refresh_token) else {
            return self.end_foreign(refresh_token, client_id).await;
        };
        if let Some(family) = self.find_of(&token, client_id).await? {
            self.end(family.id, EndReason::LoggedOut).await?;
        }
        Ok(true)
    }

    /// Returns the session of a refresh token that this client presents; `None` if there is none.
    #[cfg(feature = "axum")]
    pub(crate) async fn find_by_token(
        &self,
        refresh_token: &str,
        client_id: &str,
    ) -> Result<Option<Family>, RefreshError> {
        match self.0.own(refresh_token) {
            Some(token) => self.find_of(&token, client_id).await,
            None => Ok(None),
        }
    }

    async fn find_of(&self, token: &RefreshToken, client_id: &str) -> Result<Option<Family>, RefreshError> {
        let (family, _) = self.0.store.find(token.family).await?;
        let is_theirs =
            |family: &Family| family.share == token.share.digest() && family.log_in.client_id() == client_id;
        Ok(family.filter(is_theirs))
    }

    pub(super) async fn revoke_session(&self, session: FamilyId) -> Result<(), RefreshError> {
        self.revoke(self.0.revocation_of(session)).await
    }

    pub(crate) async fn revoke(&self, revocation: Revocation) -> Result<(), RefreshError> {
        self.revoke_all(vec![revocation]).await
    }

    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), RefreshError> {
        if revocations.is_empty() {
            return Ok(());
        }
        let revoked = self.0.revoker.revoke_all(revocations).await;
        revoked.map_err(|error| RefreshError::Unavailable(Unavailable::Log(error)))
    }

    /// Ends all sessions of a user, on all devices, and the access tokens issued to this user up to now, on every service.
    ///
    /// Each session is revoked by its id as well, so that an access token that another instance is minting for it meanwhile ends, too. What is left: a
    /// log-in that is under way on another instance, before that has heard of this, may get an access token. It is not renewed. If your users have token
    /// versions, [`raise_version`](Self::raise_version) leaves nothing.
    ///
    /// The user can log in again from the next second on: a log-in within the second of this call is refused as
    /// [`Revoked`](super::NotAccepted::Revoked). To keep the session in which the user asks for it, call [`end_others`](Self::end_others).
    ///
    /// # Errors
    ///
    /// [`RefreshError::LogIn`] for a name that no log-in can have, of which nothing was revoked. Otherwise, if a part did not succeed. Try again: what
    /// has ended stays ended. If sessions cannot be read, so that they could not be ended, the error says how many: all others have ended, and no
    /// service accepts access tokens of any that were issued up to now.
    pub async fn log_out_everywhere(&self, subject: &str) -> Result<(), RefreshError> {
        check_name("subject", subject)?;
        let (sessions, subject) = (self.clone(), subject.to_owned());
        self.0
            .tasks
            .end_to_its_end(async move {
                let issuer = &sessions.0.issuer;
                let cut_off = Revocation::subject(issuer.spec().issuer(), &subject, issuer.now());
                let revoked = sessions.revoke(cut_off).await;
                revoked.and(sessions.end_all(&subject, None, EndReason::LoggedOutEverywhere).await)
            })
            .await?
    }

    /// Ends all sessions of a user except for one, such as the one in which the user has changed the password.
    ///
    /// Access tokens without a session, and a log-in that is under way meanwhile, go on: see [`log_out_everywhere`](Self::log_out_everywhere).
    ///
    /// # Errors
    ///
    /// As for [`log_out_everywhere`](Self::log_out_everywhere).
    pub async fn end_others(&self, subject: &str, keep: FamilyId, reason: EndReason) -> Result<(), RefreshError> {
        check_name("subject", subject)?;
        let (sessions, subject) = (self.clone(), subject.to_owned());
        self.0.tasks.end_to_its_end(async move { sessions.end_all(&subject, Some(keep), reason).await }).await?
    }

    /// Ends the sessions of a user except for `keep`: first in the log, then in the store, and then in the log those that were opened meanwhile. If one
    /// fails, the others are attempted all the same.
    async fn end_all(&self, subject: &str, keep: Option<FamilyId>, reason: EndReason) -> Result<(), RefreshError> {
        let inner = &*self.0;
        let listed = inner.store.families_of(subject).await;
        let known: Vec<_> = listed.iter().flatten().map(|family| family.id).filter(|id| Some(*id) != keep).collect();
        let revoked = self.revoke_all(known.iter().map(|session| inner.revocation_of(*session)).collect()).await;
        let noted = self.note_others(listed.as_deref().unwrap_or_default(), keep, reason).await;
        let ended = inner.store.end_all_of(subject, keep, reason).await;
        let news = ended.iter().flatten().filter(|session| !known.contains(session));
        let caught_up = self.revoke_all(news.map(|session| inner.revocation_of(*session)).collect()).await;
        let noted = noted.and(self.note_news(&ended, &known, reason).await);
        self.wake_delivery();
        revoked.and(caught_up)?;
        listed?;
        self.tell_ended(&ended?, reason);
        Ok(noted?)
    }

    /// Keeps that clients are to be told of the ends of these sessions, except for `keep`.
    async fn note_others(
        &self,
        listed: &[Family],
        keep: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<(), StoreError> {
        let others: Vec<_> = listed.iter().filter(|family| Some(family.id) != keep).cloned().collect();
        self.note_ends(&others, reason).await
    }

    /// Does the same for sessions that were opened after the list was made. They have ended already.
    async fn note_news(
        &self,
        ended: &Result<Vec<FamilyId>, StoreError>,
        known: &[FamilyId],
        reason: EndReason,
    ) -> Result<(), StoreError> {
        for session in ended.iter().flatten().filter(|session| !known.contains(session)) {
            self.note_end(*session, reason).await?;
        }
        Ok(())
    }

    fn tell_ended(&self, sessions: &[FamilyId], reason: EndReason) {
        for &session in sessions {
            self.0.tell(|| SessionEvent::Ended { session, reason });
        }
    }

    /// Raises the token version of a user, and ends all of the user's sessions: access tokens with an earlier version, or without one, end on every
    /// service, also those that another instance is minting meanwhile, for sessions or log-ins.
    ///
    /// **From then on, every log-in of this user needs that version** ([`LogIn::version`](super::LogIn::version)), or it is refused. So keep the version
    /// beside the user's password, raise it there first, and give it to every log-in. Without versions, use
    /// [`log_out_everywhere`](Self::log_out_everywhere).
    ///
    /// A session that another instance opens at this moment, before it has heard of this, is refused when it is first refreshed. If that is later than
    /// the log of revocations remembers the version, only [`Subjects`](super::Subjects) refuses it: compare
    /// [`LogIn::token_version`](super::LogIn::token_version) of the session with the user's there.
    ///
    /// # Errors
    ///
    /// As for [`log_out_everywhere`](Self::log_out_everywhere).
    #[doc(alias = "log_out_everywhere")]
    pub async fn raise_version(&self, subject: &str, new_version: u64) -> Result<(), RefreshError> {
        check_name("subject", subject)?;
        let (sessions, subject) = (self.clone(), subject.to_owned());
        self.0.tasks.end_to_its_end(async move { sessions.raise_version_now(&subject, new_version).await }).await?
    }

    async fn raise_version_now(&self, subject: &str, version: u64) -> Result<(), RefreshError> {
        let inner = &*self.0;
        let revocation = Revocation::version(inner.issuer.spec().issuer(), subject, version);
        let reason = EndReason::LoggedOutEverywhere;
        let revoked = self.revoke(revocation).await;
        let (listed, noted) = self.note_all_of(subject, reason).await;
        let ended = inner.store.end_all_of(subject, None, reason).await;
        let noted = noted.and(self.note_news(&ended, &listed, reason).await);
        self.wake_delivery();
        revoked?;
        self.tell_ended(&ended?, reason);
        Ok(noted?)
    }

    /// Keeps that the clients of a user's sessions are to be told, if clients are told at all. Returns these sessions.
    async fn note_all_of(&self, subject: &str, reason: EndReason) -> (Vec<FamilyId>, Result<(), StoreError>) {
        if self.0.outbox.is_none() {
            return (Vec::new(), Ok(()));
        }
        match self.0.store.families_of(subject).await {
            Ok(listed) => {
                let noted = self.note_ends(&listed, reason).await;
                (listed.into_iter().map(|family| family.id).collect(), noted)
            }
            Err(error) => (Vec::new(), Err(error)),
        }
    }

    /// Makes the store forget sessions that are over by their time. One that was ended earlier stays until then, so that its tokens are told from unknown ones.
    /// Returns how many were forgotten.
    ///
    /// **Call it about once an hour, on one instance or on all**: stores in a file or in PostgreSQL grow until it is called. Redis and NATS forget by
    /// themselves. The sessions have no task for it, because they need no runtime, and an operator may rather call it from a scheduled job.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached. Nothing is lost: the next call forgets more.
    pub async fn forget_ended(&self) -> Result<usize, RefreshError> {
        let store = &self.0.store;
        let now = store.now().await?;
        Ok(store.forget_before(now).await?)
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

    /// Returns the same, and how many sessions of the user cannot be read.
    pub(crate) async fn readable_of(&self, subject: &str) -> Result<(Vec<Family>, usize), RefreshError> {
        if !can_be_kept(subject) {
            return Ok((Vec::new(), 0));
        }
        Ok(self.0.store.readable_of(subject).await?)
    }
}

impl<S, R, J> Inner<S, R, J> {
    /// Returns what a refresh token says; `None` if it is none of this issuer.
    pub(super) fn own(&self, text: &str) -> Option<RefreshToken> {
        RefreshToken::open(text, |id| self.keys.find(id))
    }

    fn revocation_of(&self, session: FamilyId) -> Revocation {
        Revocation::session(self.issuer.spec().issuer(), &session.session_id())
    }
}
