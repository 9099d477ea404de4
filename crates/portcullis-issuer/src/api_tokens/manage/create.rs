//! Making tokens, also from others.

use portcullis_core::{ConfigError, revocation::Revoker};

use super::ApiTokens;
use crate::{
    StoreError,
    api_tokens::{
        ApiTokenError, ApiTokenEvent, ApiTokenId, ApiTokenKind, ApiTokenRow, ApiTokenSecret, ApiTokenStore,
        CreatedApiToken, Grants, Inserted, MembershipError, Memberships, NewApiToken, Owner,
    },
    refresh::Millis,
};

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokens<S, M, R> {
    /// Makes a token, and returns its text, which is never told again. Whether the caller may make it is the application's decision.
    ///
    /// # Errors
    ///
    /// [`ApiTokenError::Invalid`] for a token that there cannot be, [`ApiTokenError::OwnerGone`], [`ApiTokenError::TooMany`], or [`ApiTokenError::Unavailable`]. After the last one there may be
    /// a token whose text no one knows.
    pub async fn create(&self, new: NewApiToken) -> Result<CreatedApiToken, ApiTokenError> {
        let grants = new.check()?;
        let now = self.0.checker.now();
        let until = self.0.limits.end(new.lifetime, now)?;
        self.make(new, grants, Vec::new(), until, now).await
    }

    /// Makes a token from another one, of the same owner: it may do no more, ends no later, and ends with it. So it can be given to another program.
    ///
    /// When the other token is rotated, this one ends with the overlap, because that is when the token ends from which it was derived.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), and [`ApiTokenError::OtherOwner`], [`ApiTokenError::Exceeds`], [`ApiTokenError::TooDeep`], [`ApiTokenError::Revoked`] or [`ApiTokenError::Ended`].
    pub async fn derive(&self, parent: ApiTokenId, new: NewApiToken) -> Result<CreatedApiToken, ApiTokenError> {
        let grants = new.check()?;
        let parent = self.row_of_here(parent).await?;
        let now = self.0.checker.now();
        let end_of_parent = self.check_parent(&parent, now).await?;
        if parent.owner != new.owner {
            return Err(ApiTokenError::OtherOwner);
        }
        if !parent.grants.cover_all(&grants) {
            return Err(ApiTokenError::Exceeds);
        }
        if parent.path.len() >= ApiTokenRow::ANCESTOR_LIMIT {
            return Err(ApiTokenError::TooDeep);
        }
        let until = self.0.limits.end(new.lifetime, now)?;
        let until = [until, end_of_parent].into_iter().flatten().min();
        let path = parent.path.iter().copied().chain([parent.id]).collect();
        self.make(new, grants, path, until, now).await
    }

    /// Makes sure that a token, and those from which it was derived, are live. Returns when the first of them ends.
    async fn check_parent(&self, parent: &ApiTokenRow, now: Millis) -> Result<Option<Millis>, ApiTokenError> {
        let own = check_live(parent, now)?;
        Ok([own, self.end_of_path(parent, now).await?].into_iter().flatten().min())
    }

    /// Makes sure that all tokens are live from which one was derived. Returns when the first of them ends.
    pub(super) async fn end_of_path(&self, row: &ApiTokenRow, now: Millis) -> Result<Option<Millis>, ApiTokenError> {
        let mut end = None;
        for ancestor in &row.path {
            let Some(ancestor) = self.0.checker.store.find_by_id(*ancestor).await? else {
                return Err(ApiTokenError::Ended);
            };
            if ancestor.environment != row.environment {
                return Err(ApiTokenError::Ended);
            }
            end = [end, check_live(&ancestor, now)?].into_iter().flatten().min();
        }
        Ok(end)
    }

    async fn make(
        &self,
        new: NewApiToken,
        grants: Grants,
        path: Vec<ApiTokenId>,
        until: Option<Millis>,
        now: Millis,
    ) -> Result<CreatedApiToken, ApiTokenError> {
        let checker = &self.0.checker;
        if new.kind == ApiTokenKind::Imported {
            return Err(ConfigError::new("an imported token is imported, and not made").into());
        }
        self.check_owner(&new.owner).await?;
        let secret = checker.format.draw(new.kind, checker.peppers.newest())?;
        let parent = path.last().copied();
        let row = self.row_of(&new, grants, path, until, now, &secret)?;
        if row.to_json().len() > ApiTokenRow::BYTE_LIMIT {
            return Err(ConfigError::new("the token cannot be made: its grants are longer than 64 KiB").into());
        }
        let _room = self.room_for(&row.owner, now).await?;
        if checker.store.insert(&row).await? != Inserted::New {
            return Err(StoreError::new("a random id exists already: is the system's randomness broken?").into());
        }
        checker.tell(|| ApiTokenEvent::Created { id: row.id, parent });
        Ok(CreatedApiToken::new(secret, self.token(row)))
    }

    pub(super) async fn check_owner(&self, owner: &Owner) -> Result<(), ApiTokenError> {
        match self.0.checker.memberships.of(owner).await {
            Ok(_) => Ok(()),
            Err(MembershipError::OwnerGone) => Err(ApiTokenError::OwnerGone),
            Err(MembershipError::Unavailable(error)) => Err(error.into()),
        }
    }

    fn row_of(
        &self,
        new: &NewApiToken,
        grants: Grants,
        path: Vec<ApiTokenId>,
        until: Option<Millis>,
        now: Millis,
        secret: &ApiTokenSecret,
    ) -> Result<ApiTokenRow, ApiTokenError> {
        let checker = &self.0.checker;
        let pepper = checker.peppers.newest();
        Ok(ApiTokenRow {
            id: ApiTokenId::generate(now)?,
            version: 0,
            digest: pepper.digest(secret.expose()),
            pepper: Some(pepper.id()),
            last_four: secret.last_four().to_owned(),
            kind: new.kind,
            environment: checker.environment.clone(),
            name: new.name.clone(),
            owner: new.owner.clone(),
            grants,
            path,
            created_at: now,
            created_by: new.created_by.clone(),
            until,
            superseded: None,
            revoked: None,
            warned_at: None,
            last_used: None,
        })
    }
}

/// Makes sure that the token is live. Returns when it ends.
fn check_live(row: &ApiTokenRow, now: Millis) -> Result<Option<Millis>, ApiTokenError> {
    match &row.revoked {
        Some(revoked) => Err(ApiTokenError::Revoked(revoked.reason)),
        None if row.is_live(now) => Ok(row.ends_at()),
        None => Err(ApiTokenError::Ended),
    }
}
