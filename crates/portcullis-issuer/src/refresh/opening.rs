//! Opening sessions.

use portcullis_core::{ConfigError, revocation::Revoker};

use super::{
    EndReason, Family, FamilyId, Grant, LogIn, Narrowing, NotAccepted, Opened, RefreshError, RefreshPolicy,
    RefreshStore, SessionEvent, Sessions, StoreError, SubjectError, Subjects, Unavailable,
    sessions::Inner,
    token::{RefreshToken, Share},
    tokens::{Tokens, content},
};
use crate::Minted;

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Opens a session for a user who has just logged in, and returns its first tokens.
    ///
    /// # Errors
    ///
    /// [`RefreshError::LogIn`] for what cannot be in an access token by the issuer's specification: an empty subject, a scope with a forbidden character, an audience that it does not have.
    /// [`NotAccepted::SubjectRefused`] if the application's [`Subjects`] refuse the user: no session is opened then, and none ends. [`RefreshError::LogIn`] for a name of more than 255 bytes or with a control character, which not every store and log can keep. If the store's answer is lost, the session may be open, and no one
    /// has its token. If the user was logged out everywhere meanwhile, the session has ended again. If that was by a token version that this log-in
    /// does not have, the error is [`RefreshError::LogIn`] as well.
    pub async fn log_in(&self, log_in: LogIn, policy: &RefreshPolicy) -> Result<Tokens, RefreshError> {
        let (family, share) = (FamilyId::from_bytes(random()?), Share::new(random()?));
        let opened = self.log_in_as(family, share, log_in, policy, &Narrowing::new()).await?;
        opened.ok_or_else(|| {
            StoreError::new("a random id of a session exists already: is the system's randomness broken?").into()
        })
    }

    /// Opens the session of this id and share; `None` if there is one of this id.
    pub(crate) async fn log_in_as(
        &self,
        family: FamilyId,
        share: Share,
        log_in: LogIn,
        policy: &RefreshPolicy,
        narrowing: &Narrowing,
    ) -> Result<Option<Tokens>, RefreshError> {
        let inner = &*self.0;
        log_in.check()?;
        narrowing.check(&log_in, inner.issuer.spec())?;
        let now = inner.store.now().await?;
        let token = RefreshToken { family, generation: 0, share };
        let key = inner.keys.current();
        let family = Family::new(token.family, token.share.digest(), key.id(), log_in, policy, now);
        inner.check_mintable(&family)?;
        inner.check_log_in(&family)?;
        // Everything that can fail comes first, as for a refresh.
        let access = self.mint(&family, narrowing).await?;
        if inner.store.open(family.clone()).await? != Opened::New {
            return Ok(None);
        }
        // A log-out everywhere that ran meanwhile did not find this session.
        if let Err(error) = inner.check_log_in(&family) {
            inner.store.end(family.id, EndReason::Revoked).await?;
            return Err(error);
        }
        self.make_room(&family).await?;
        inner.tell(|| SessionEvent::Opened { session: family.id, client_id: family.log_in.client_id.clone() });
        let refresh = token.seal(key);
        Ok(Some(Tokens { access, refresh, family }))
    }

    pub(super) async fn mint(&self, family: &Family, narrowing: &Narrowing) -> Result<Minted, RefreshError> {
        let inner = &*self.0;
        narrowing.check(&family.log_in, inner.issuer.spec())?;
        let grant = match inner.subjects.current(family).await {
            Ok(grant) => grant,
            Err(SubjectError::Refused) => return Err(NotAccepted::SubjectRefused.into()),
            Err(SubjectError::Unavailable(error)) => {
                return Err(RefreshError::Unavailable(Unavailable::Subjects(error)));
            }
        };
        Ok(inner.issuer.mint(&content(family, grant, narrowing)).await?)
    }
}

impl<S, R, J> Inner<S, R, J> {
    /// Makes sure that access tokens with all that the log-in has granted could be minted, whatever is granted of it now.
    pub(super) fn check_mintable(&self, family: &Family) -> Result<(), ConfigError> {
        let checked = self.issuer.check(&content(family, Grant::all_scopes(), &Narrowing::new()));
        checked.map_err(|error| ConfigError::new(format!("no access token of this log-in can be minted: {error}")))
    }
}

pub(crate) fn random() -> Result<[u8; 16], StoreError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::new("the operating system has no randomness"))?;
    Ok(bytes)
}
