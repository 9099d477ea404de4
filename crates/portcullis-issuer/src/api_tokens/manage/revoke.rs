//! Ending tokens.

use std::{collections::HashSet, time::Duration};

use portcullis_core::revocation::{Revocation, Revoker};

use super::ApiTokens;
use crate::{
    StoreError,
    api_tokens::{
        ApiToken, ApiTokenError, ApiTokenEvent, ApiTokenId, ApiTokenPage, ApiTokenRow, ApiTokenState, ApiTokenStore,
        Changed, Memberships, Owner, RevokedReason, TokenRevoked,
    },
};

/// How long the log remembers that a token has ended: longer than any cache keeps it. From then on the store alone says so.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// How often a step is tried again if another caller was first.
pub(super) const ATTEMPTS: usize = 16;

impl<S, M, R> ApiTokens<S, M, R>
where
    S: ApiTokenStore,
    M: Memberships,
    R: Revoker,
{
    /// Revokes a token, and with it all that were derived from it: in the store first, and then in the log of revocations, by one entry. When it returns, no
    /// instance accepts them that has read the log. A token that was revoked before keeps its time and reason, and is named in the log again.
    ///
    /// It is done to its end, also if the caller stops waiting.
    ///
    /// # Errors
    ///
    /// [`ApiTokenError::Unknown`], [`ApiTokenError::Unavailable`], or [`ApiTokenError::NotEverywhere`]. Call it again after the last two.
    pub async fn revoke(&self, id: ApiTokenId, reason: RevokedReason) -> Result<ApiToken, ApiTokenError> {
        let this = self.clone();
        let revoked = async move {
            let row = this.revoke_in_store(id, reason).await?;
            this.revoke_in_log([row.id]).await?;
            Ok(this.token(row))
        };
        self.0.tasks.end_to_its_end(revoked).await?
    }

    /// Revokes all tokens of an owner, as when an account is deleted: those that are live, and those that could still be [rotated](Self::rotate). Returns how
    /// many were not revoked before.
    ///
    /// # Errors
    ///
    /// If a part did not succeed. All are attempted: call it again. If a row cannot be read, the error says so, and all others are revoked.
    pub async fn revoke_all_of(&self, owner: &Owner, reason: RevokedReason) -> Result<usize, ApiTokenError> {
        let (this, owner) = (self.clone(), owner.clone());
        let revoked = async move {
            // Those that are being looked up must not be used again.
            this.0.checker.changed(&owner);
            let now = this.0.checker.now();
            let list = this.list(&owner).await?;
            let is_of_use = |token: &&ApiToken| this.is_of_use(token.row(), now);
            let live: Vec<_> = list.tokens.iter().filter(is_of_use).map(ApiToken::id).collect();
            let mut outcome = Ok(live.len());
            for id in &live {
                if let Err(error) = this.revoke_in_store(*id, reason).await {
                    outcome = Err(error);
                }
            }
            // Also those that an earlier call has revoked in the store alone.
            let is_recent = |token: &&ApiToken| matches!(token.state(), ApiTokenState::Revoked { at, .. } if now.since(at) < REMEMBERED);
            let recent = list.tokens.iter().filter(is_recent).map(ApiToken::id);
            let named: HashSet<_> = live.iter().copied().chain(recent).collect();
            // An entry ends what was derived, too: the log gets one for each tree.
            let is_root = |token: &&ApiToken| !token.row().path.iter().any(|ancestor| named.contains(ancestor));
            let roots = list.tokens.iter().filter(|token| named.contains(&token.id())).filter(is_root);
            this.revoke_in_log(roots.map(ApiToken::id).chain(list.unreadable.iter().copied())).await?;
            ApiTokenPage::<ApiTokenId>::new(Vec::new()).with_unreadable(list.unreadable).complete()?;
            outcome
        };
        self.0.tasks.end_to_its_end(revoked).await?
    }

    pub(super) async fn revoke_in_store(
        &self,
        id: ApiTokenId,
        reason: RevokedReason,
    ) -> Result<ApiTokenRow, ApiTokenError> {
        let checker = &self.0.checker;
        for _ in 0..ATTEMPTS {
            let mut row = self.row(id).await?;
            if row.revoked.is_some() {
                checker.changed(&row.owner);
                return Ok(row);
            }
            row.version += 1;
            row.revoked = Some(TokenRevoked::new(checker.now(), reason));
            if checker.store.replace(&row, None).await? == Changed::Stored {
                // After it is stored: what is looked up from now on finds it.
                checker.changed(&row.owner);
                checker.tell(|| ApiTokenEvent::Revoked { id, reason });
                return Ok(row);
            }
        }
        Err(busy())
    }

    pub(super) async fn revoke_in_log(&self, ids: impl IntoIterator<Item = ApiTokenId>) -> Result<(), ApiTokenError> {
        let checker = &self.0.checker;
        let (issuer, until) = (checker.conventions.issuer(), checker.clock.now().plus(REMEMBERED));
        let revocations: Vec<_> = ids.into_iter().map(|id| Revocation::token(issuer, &id.to_string(), until)).collect();
        if revocations.is_empty() {
            return Ok(());
        }
        self.0.revoker.revoke_all(revocations).await.map_err(ApiTokenError::NotEverywhere)
    }
}

/// The step lost against others every time.
pub(super) fn busy() -> ApiTokenError {
    StoreError::new("the token is being changed by others again and again").into()
}
