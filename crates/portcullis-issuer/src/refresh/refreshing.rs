//! Refreshing: a token that a client presents becomes new tokens.

use portcullis_core::revocation::Revoker;
use zeroize::Zeroizing;

use super::{
    EndReason, Family, LateRetry, Narrowing, NotAccepted, Outcome, RefreshCause, RefreshError, RefreshPolicy,
    RefreshStore, SessionEvent, Sessions, Step, StoreError, Subjects, keys::RefreshKey, log_in::can_be_kept,
    sessions::Inner, token::RefreshToken, tokens::Tokens,
};
use crate::Minted;

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Exchanges a refresh token that this client presents for new tokens. Authenticate the client before.
    ///
    /// # Errors
    ///
    /// See [`RefreshError`]. A `client_id` that no log-in can have (see [`log_in`](Self::log_in)) is refused as another client's, without a call of the
    /// store or an event. After an error that is not `InvalidGrant`, the client may present the same token again.
    pub async fn refresh(
        &self,
        refresh_token: &str,
        client_id: &str,
        policy: &RefreshPolicy,
    ) -> Result<Tokens, RefreshError> {
        self.refresh_narrowed(refresh_token, client_id, policy, Narrowing::new()).await
    }

    /// Does the same as [`refresh`](Self::refresh), for a client that asks for an access token with less than the session allows.
    ///
    /// # Errors
    ///
    /// [`RefreshError::Exceeds`] if it asks for more: the refresh token was not used then. Otherwise as for [`refresh`](Self::refresh).
    pub async fn refresh_narrowed(
        &self,
        refresh_token: &str,
        client_id: &str,
        policy: &RefreshPolicy,
        narrowing: Narrowing,
    ) -> Result<Tokens, RefreshError> {
        if !can_be_kept(client_id) {
            return Err(NotAccepted::ClientMismatch.into());
        }
        // Junk costs no task. The MAC is computed here, and not again.
        let own = self.0.own(refresh_token);
        if own.is_none() && self.0.foreign_candidate(refresh_token).is_none() {
            return Err(NotAccepted::NotOurs.into());
        }
        let (sessions, policy) = (self.clone(), *policy);
        let (text, client_id) = (Zeroizing::new(refresh_token.to_owned()), client_id.to_owned());
        let refreshed = async move { sessions.refresh_now(own, &text, &client_id, &policy, &narrowing).await };
        self.0.tasks.to_its_end(refreshed).await?
    }

    /// Exchanges a token: `own` is what it says if it is one of this issuer, and `refresh_token` its text.
    async fn refresh_now(
        &self,
        own: Option<RefreshToken>,
        refresh_token: &str,
        client_id: &str,
        policy: &RefreshPolicy,
        narrowing: &Narrowing,
    ) -> Result<Tokens, RefreshError> {
        let inner = &*self.0;
        let is_foreign = own.is_none();
        let token = match own {
            Some(token) => token,
            None => self.foreign(refresh_token, client_id, policy, narrowing).await?,
        };
        let step = inner.step(&token, client_id, policy);
        let prepared = self.prepare(&step, narrowing).await?;
        let outcome = inner.store.rotate(step).await?;
        let (family, cause) = self.go_on(outcome, &token, client_id, policy).await?;
        self.check_revocation(&family).await?;
        let access = match prepared {
            Some(access) => access,
            None => self.mint_again(&family, narrowing).await?,
        };
        let refresh = match cause {
            RefreshCause::Kept | RefreshCause::Early if !is_foreign => Zeroizing::new(refresh_token.to_owned()),
            RefreshCause::Kept | RefreshCause::Early => token.seal(inner.key_of(&family)?),
            RefreshCause::Rotated | RefreshCause::Retry => token.successor().seal(inner.key_of(&family)?),
        };
        inner.tell(|| SessionEvent::Refreshed { session: family.id, client_id: client_id.to_owned(), cause });
        Ok(Tokens { access, refresh, family })
    }

    /// Mints the access token before the step is taken, if it is going to be: everything that can fail comes first, so that an outage leaves the
    /// client its current token, however long it lasts.
    async fn prepare(&self, step: &Step<'_>, narrowing: &Narrowing) -> Result<Option<Minted>, RefreshError> {
        let (family, now) = self.0.store.find(step.family).await?;
        let Some(family) = step.decide(family.as_ref(), now).0.into_live_family() else { return Ok(None) };
        self.check_revocation(&family).await?;
        Ok(Some(self.mint_again(&family, narrowing).await?))
    }

    /// Returns the family to go on with, or does what the outcome asks for.
    async fn go_on(
        &self,
        outcome: Outcome,
        token: &RefreshToken,
        client_id: &str,
        policy: &RefreshPolicy,
    ) -> Result<(Family, RefreshCause), RefreshError> {
        let inner = &*self.0;
        let session = token.family;
        let reason = match outcome {
            Outcome::Rotated { family, lost_writes } => {
                if lost_writes > 0 {
                    inner.tell(|| SessionEvent::LostWrites { session, rotations: lost_writes });
                }
                return Ok((family, RefreshCause::Rotated));
            }
            Outcome::Kept { family } => return Ok((family, RefreshCause::Kept)),
            Outcome::Early { family, .. } => return Ok((family, RefreshCause::Early)),
            Outcome::Retry { family, .. } => return Ok((family, RefreshCause::Retry)),
            Outcome::Reuse { behind, age, .. } => {
                let is_late = behind == 1 && policy.late_retry == LateRetry::RefuseOnly;
                // The cause before its effect, also if that fails.
                inner.tell(|| SessionEvent::Reused { session, client_id: client_id.to_owned(), behind, age });
                if !is_late {
                    self.end_now(session, EndReason::Reuse).await?;
                }
                if is_late { NotAccepted::Late } else { NotAccepted::Reuse }
            }
            Outcome::Forged => {
                inner.tell(|| SessionEvent::KeyLeaked { session });
                NotAccepted::Forged
            }
            Outcome::ClientMismatch { .. } => {
                inner.tell(|| SessionEvent::ClientMismatch { session, client_id: client_id.to_owned() });
                NotAccepted::ClientMismatch
            }
            Outcome::Ended(reason) => {
                self.complete_end(session, reason).await?;
                NotAccepted::Ended(reason)
            }
            Outcome::Expired => NotAccepted::Expired,
            Outcome::Unknown => NotAccepted::Unknown,
        };
        Err(reason.into())
    }

    /// Mints an access token for a refresh. If the subject may not go on, the session ends.
    async fn mint_again(&self, family: &Family, narrowing: &Narrowing) -> Result<Minted, RefreshError> {
        let minted = self.mint(family, narrowing).await;
        if let Err(RefreshError::InvalidGrant(NotAccepted::SubjectRefused)) = &minted {
            self.end_now(family.id, EndReason::SubjectRefused).await?;
        }
        minted
    }
}

impl<S, R, J> Inner<S, R, J> {
    fn step<'a>(&self, token: &RefreshToken, client_id: &'a str, policy: &RefreshPolicy) -> Step<'a> {
        let key_id = self.keys.current().id();
        Step::new(token.family, token.generation, token.share.digest(), client_id, key_id, policy)
    }

    /// Returns the key with which the current token was written, as the row says, so that all instances write the same one.
    fn key_of(&self, family: &Family) -> Result<&RefreshKey, StoreError> {
        self.keys.find(family.key_id).ok_or_else(|| {
            StoreError::new("the current token of the session was written with a key that is not configured here")
        })
    }
}
