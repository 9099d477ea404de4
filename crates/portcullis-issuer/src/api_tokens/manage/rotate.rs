//! Replacing a token by another.

use std::{fmt, time::Duration};

use portcullis_core::{ConfigError, revocation::Revoker};
use zeroize::Zeroizing;

use super::{
    ApiTokens,
    revoke::{ATTEMPTS, busy},
};
use crate::{
    StoreError,
    api_tokens::{
        ApiTokenError, ApiTokenEvent, ApiTokenId, ApiTokenRow, ApiTokenStore, Changed, CreatedApiToken, Memberships,
        Owner, Superseded,
        format::RotationSeed,
        new::{Lifetime, is_text},
    },
    refresh::Millis,
};

/// A request for a successor, for [`ApiTokens::rotate`]. `Debug` shows nothing of the request's id.
#[derive(Clone)]
pub struct Rotation {
    request: Zeroizing<Vec<u8>>,
    overlap: Duration,
    created_by: Option<String>,
}

/// For how long the same request gets the same answer.
pub(super) const TOLD_AGAIN: Duration = Duration::from_secs(600);

const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 86_400);

impl Rotation {
    /// Returns a request for a successor. `request_id` is chosen by the client: at least 16 random bytes, new for each rotation. **It is a secret, like the
    /// token**: with it, and the pepper, the successor is computed.
    pub fn new(request_id: impl AsRef<[u8]>) -> Self {
        let request = Zeroizing::new(request_id.as_ref().to_vec());
        Self { request, overlap: Duration::from_secs(86_400), created_by: None }
    }

    /// Sets how long the earlier token is still accepted, at most 30 days. Defaults to 24 hours. Zero ends it at once, everywhere; otherwise, what another
    /// instance has in its cache is used for up to a minute longer.
    #[must_use]
    pub fn overlap(self, overlap: Duration) -> Self {
        Self { overlap, ..self }
    }

    /// Says who asks for it, for the audit log. Defaults to the maker of the earlier token.
    #[must_use]
    pub fn created_by(self, who: impl Into<String>) -> Self {
        Self { created_by: Some(who.into()), ..self }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !(16..=256).contains(&self.request.len()) {
            return Err(ConfigError::new("the id of a rotation has 16 to 256 bytes, and they are random"));
        }
        if self.created_by.as_ref().is_some_and(|who| !is_text(who, Owner::BYTE_LIMIT)) {
            return Err(ConfigError::new("who asks for the rotation is empty, too long, or has a control character"));
        }
        if self.overlap > LONGEST_OVERLAP {
            return Err(ConfigError::new("a replaced token is accepted for 30 days at most"));
        }
        Ok(())
    }
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation").field("overlap", &self.overlap).finish_non_exhaustive()
    }
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokens<S, M, R> {
    /// Replaces a token by another with the same rights. The earlier one is accepted until the overlap is over or it expires, and so are the tokens that were derived
    /// from it: make those again from the successor.
    ///
    /// **Authorizing the caller is the application's job**: pass only the id of a token that authenticated this request, or that the user manages.
    ///
    /// The successor lives for as long as the earlier one did in total, counted from now: a token of 90 days that is rotated on day 80 has a successor that
    /// ends on day 170. It lives no longer than the service's [longest lifetime](super::ApiTokensBuilder::longest_lifetime), and ends no later than the tokens from which it was
    /// derived. The successor of a token without an end has none either, or the default lifetime if such tokens are no longer allowed.
    ///
    /// **A lost answer loses no token**: the same request gets the same successor, byte for byte, for 10 minutes, from every instance. Its text follows from the
    /// pepper and the id of the request, of which the store has a digest alone.
    ///
    /// A token can be rotated once. If two requests ask for it, the second gets [`ApiTokenError::AlreadyRotated`]: one of them may be a thief's.
    ///
    /// # Errors
    ///
    /// [`ApiTokenError::Revoked`] for a revoked token, [`ApiTokenError::Ended`] for one that has expired or whose parent has ended, [`ApiTokenError::OwnerGone`], and those above. After
    /// [`ApiTokenError::Unavailable`], and [`ApiTokenError::NotEverywhere`] if there is no overlap, ask again with the same request.
    pub async fn rotate(&self, id: ApiTokenId, rotation: Rotation) -> Result<CreatedApiToken, ApiTokenError> {
        rotation.check()?;
        self.rotate_within(id, rotation, Duration::ZERO).await
    }

    /// Replaces the token of this text, as [`rotate`](Self::rotate) does, also for the [grace](super::ApiTokensBuilder::grace_after_expiry) of its kind after it
    /// has expired. The text is the proof: its tag and its digest are checked, so a route that calls this needs no other authentication. Limit its rate.
    ///
    /// # Errors
    ///
    /// [`ApiTokenError::Unknown`] if the text is no token of this issuer and environment, and those of [`rotate`](Self::rotate).
    pub async fn rotate_presented(&self, text: &str, rotation: Rotation) -> Result<CreatedApiToken, ApiTokenError> {
        rotation.check()?;
        let checker = &self.0.checker;
        let row = checker.row_of_text(text).await?.filter(|row| row.environment == checker.environment);
        let row = row.ok_or(ApiTokenError::Unknown)?;
        self.rotate_within(row.id, rotation, self.0.limits.grace(row.kind)).await
    }

    async fn rotate_within(
        &self,
        id: ApiTokenId,
        rotation: Rotation,
        grace: Duration,
    ) -> Result<CreatedApiToken, ApiTokenError> {
        let this = self.clone();
        let rotated = async move {
            for _ in 0..ATTEMPTS {
                let row = this.row_of_here(id).await?;
                if let Some(created) = this.rotate_once(row, &rotation, grace).await? {
                    return Ok(created);
                }
            }
            Err(busy())
        };
        self.0.tasks.to_its_end(rotated).await?
    }

    /// Returns `None` if the row has changed meanwhile.
    async fn rotate_once(
        &self,
        row: ApiTokenRow,
        rotation: &Rotation,
        grace: Duration,
    ) -> Result<Option<CreatedApiToken>, ApiTokenError> {
        let (checker, now) = (&self.0.checker, self.0.checker.now());
        if let Some(revoked) = &row.revoked {
            return Err(ApiTokenError::Revoked(revoked.reason));
        }
        self.check_owner(&row.owner).await?;
        if let Some(superseded) = &row.superseded {
            return self.answer_again(&row, superseded, rotation, now).await.map(Some);
        }
        if row.until.is_some_and(|until| now >= until.plus(grace)) {
            return Err(ApiTokenError::Ended);
        }
        let (secret, successor) = self.successor(&row, rotation, now).await?;
        let mut earlier = row;
        earlier.version += 1;
        let overlap = now.plus(Millis::whole(rotation.overlap));
        let until = earlier.until.map_or(overlap, |until| until.min(overlap));
        let request = checker.peppers.newest().digest_of_request(earlier.id, &rotation.request);
        earlier.superseded = Some(Superseded::new(successor.id, now, until, request));
        if checker.store.replace(&earlier, Some(&successor)).await? == Changed::Conflict {
            return Ok(None);
        }
        checker.changed(&earlier.owner);
        checker.tell(|| ApiTokenEvent::Rotated { id: earlier.id, by: successor.id });
        self.end_at_once(&earlier).await?;
        Ok(Some(CreatedApiToken::new(secret, self.token(successor))))
    }

    /// Whether a live token can be made of it, or it is one: for those who end it.
    pub(super) fn is_of_use(&self, row: &ApiTokenRow, now: Millis) -> bool {
        let grace = self.0.limits.grace(row.kind);
        let can_be_rotated = row.superseded.is_none() && row.until.is_none_or(|until| now < until.plus(grace));
        row.revoked.is_none() && (row.is_live(now) || can_be_rotated)
    }

    /// Ends a token everywhere that has no overlap with its successor.
    async fn end_at_once(&self, row: &ApiTokenRow) -> Result<(), ApiTokenError> {
        let has_none = row.superseded.as_ref().is_some_and(|superseded| superseded.until <= superseded.at);
        if has_none { self.revoke_in_log([row.id]).await } else { Ok(()) }
    }

    async fn successor(
        &self,
        row: &ApiTokenRow,
        rotation: &Rotation,
        now: Millis,
    ) -> Result<(crate::api_tokens::ApiTokenSecret, ApiTokenRow), ApiTokenError> {
        let checker = &self.0.checker;
        let end_of_parent = self.end_of_path(row, now).await?;
        let lifetime = match row.until {
            Some(until) => Lifetime::For(until.since(row.created_at).min(self.0.limits.longest)),
            None if self.0.limits.unlimited => Lifetime::Unlimited,
            None => Lifetime::Default,
        };
        let until = [self.0.limits.end(lifetime, now)?, end_of_parent].into_iter().flatten().min();
        let pepper = checker.peppers.newest();
        let seed = RotationSeed { predecessor: row.id, request: &rotation.request };
        let secret = checker.format.derive(row.kind, pepper, seed)?;
        let successor = ApiTokenRow {
            id: ApiTokenId::generate(now)?,
            version: 0,
            digest: pepper.digest(secret.expose()),
            pepper: Some(pepper.id()),
            last_four: secret.last_four().to_owned(),
            created_at: now,
            created_by: rotation.created_by.clone().unwrap_or_else(|| row.created_by.clone()),
            until,
            superseded: None,
            revoked: None,
            warned_at: None,
            last_used: None,
            ..row.clone()
        };
        Ok((secret, successor))
    }

    /// Returns the successor's text again, for the request that has made it.
    async fn answer_again(
        &self,
        row: &ApiTokenRow,
        superseded: &Superseded,
        rotation: &Rotation,
        now: Millis,
    ) -> Result<CreatedApiToken, ApiTokenError> {
        let (checker, by) = (&self.0.checker, superseded.by);
        let successor = checker.store.find_by_id(by).await?.ok_or(ApiTokenError::AlreadyRotated { by })?;
        let pepper = successor.pepper.and_then(|id| checker.peppers.find(id));
        let pepper = pepper.ok_or(ApiTokenError::AnswerOver { by })?;
        if pepper.digest_of_request(row.id, &rotation.request) != superseded.request {
            return Err(ApiTokenError::AlreadyRotated { by });
        }
        if now.since(superseded.at) >= TOLD_AGAIN {
            return Err(ApiTokenError::AnswerOver { by });
        }
        if let Some(revoked) = &successor.revoked {
            return Err(ApiTokenError::Revoked(revoked.reason));
        }
        self.end_at_once(row).await?;
        let seed = RotationSeed { predecessor: row.id, request: &rotation.request };
        let secret = checker.format.derive(successor.kind, pepper, seed)?;
        if pepper.digest(secret.expose()) != successor.digest {
            return Err(StoreError::new("the successor's row is not that of its text").into());
        }
        Ok(CreatedApiToken::new(secret, self.token(successor)))
    }
}
