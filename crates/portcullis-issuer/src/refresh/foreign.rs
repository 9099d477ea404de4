//! [`ForeignTokens`]: refresh tokens of the system that users come from.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use portcullis_core::revocation::Revoker;

use super::{
    EndReason, Family, FamilyId, LogIn, Narrowing, NotAccepted, Opened, RefreshError, RefreshKeys, RefreshPolicy,
    RefreshStore, SessionEvent, Sessions, StoreError, Subjects, Unavailable,
    sessions::Inner,
    token::{PREFIX, RefreshToken, Share},
};

/// Recognises refresh tokens of another system, during a migration, so that no user has to log in again.
///
/// A foreign token that is accepted becomes a session, and is replaced by a token of this issuer in the same call. From then on it is an old token of that
/// session: presented again within the grace, it gets the same successor, and later it ends the session. Remove this after the longest life of a
/// foreign token.
pub trait ForeignTokens: fmt::Debug + Send + Sync + 'static {
    /// Returns whether this text may be a token of the other system, by its form alone. It is asked about any text that a client sends, so it must be quick:
    /// what it refuses costs no further call.
    fn looks_like(&self, token: &str) -> bool;

    /// Returns who had logged in with this token, by which client, and with which scopes; `None` if the other system does not accept it.
    ///
    /// It is asked once for each token, and again if the answer was lost before the session was opened: it must not consume the token.
    ///
    /// # Errors
    ///
    /// If it could not be found out. The client may try again.
    fn log_in(&self, token: &str) -> impl Future<Output = Result<Option<LogIn>, StoreError>> + Send;

    /// Makes the token invalid in the other system: from now on, [`log_in`](Self::log_in) answers `None` for it. Otherwise it would open another
    /// session once the store has forgotten this one. It may be called again for the same token.
    ///
    /// # Errors
    ///
    /// If it may still be valid. The client gets nothing, and may try again.
    fn retire(&self, token: &str) -> impl Future<Output = Result<(), StoreError>> + Send;
}

type FoundLogIn<'a> = Pin<Box<dyn Future<Output = Result<Option<LogIn>, StoreError>> + Send + 'a>>;

/// The same for a value of any type.
pub(super) trait AnyForeignTokens: fmt::Debug + Send + Sync {
    fn looks_like(&self, token: &str) -> bool;
    fn log_in<'a>(&'a self, token: &'a str) -> FoundLogIn<'a>;
    fn retire<'a>(&'a self, token: &'a str) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;
}

impl<T: ForeignTokens> AnyForeignTokens for T {
    fn looks_like(&self, token: &str) -> bool {
        ForeignTokens::looks_like(self, token)
    }

    fn log_in<'a>(&'a self, token: &'a str) -> FoundLogIn<'a> {
        Box::pin(ForeignTokens::log_in(self, token))
    }

    fn retire<'a>(&'a self, token: &'a str) -> Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>> {
        Box::pin(ForeignTokens::retire(self, token))
    }
}

/// How many bytes of a foreign token are read at most: some systems issue tokens with claims in them.
const MOST_BYTES: usize = 8 * 1024;

/// What the MAC is for, so that no other MAC of the same key is one of a foreign token.
const CONTEXT: &[u8] = b"portcullis foreign rt 1";

pub(super) type Foreign = Arc<dyn AnyForeignTokens>;

/// Returns the first tokens of the sessions that this foreign token may have become, one for each key, beginning with the current one. Family and
/// share follow from the token and the key, so that a retry finds the session that the first call has opened.
fn first_tokens<'k>(token: &'k str, keys: &'k RefreshKeys) -> impl Iterator<Item = RefreshToken> + 'k {
    keys.all().filter_map(|key| {
        let tag = key.tag(CONTEXT, token.as_bytes());
        let (family, share) = tag.as_ref().split_first_chunk::<16>()?;
        let share: [u8; 16] = share.try_into().ok()?;
        Some(RefreshToken { family: FamilyId::from_bytes(*family), generation: 0, share: Share::new(share) })
    })
}

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Returns the first token of the session that a foreign token has become, or becomes now.
    pub(super) async fn foreign(
        &self,
        text: &str,
        client_id: &str,
        policy: &RefreshPolicy,
        narrowing: &Narrowing,
    ) -> Result<RefreshToken, RefreshError> {
        let inner = &*self.0;
        let foreign = inner.foreign_candidate(text).ok_or(NotAccepted::NotOurs)?;
        for token in first_tokens(text, &inner.keys) {
            if inner.store.find(token.family).await?.0.is_some() {
                foreign.retire(text).await.map_err(unavailable)?;
                return Ok(token);
            }
        }
        let log_in = foreign.log_in(text).await.map_err(unavailable)?.ok_or(NotAccepted::NotOurs)?;
        log_in.check()?;
        let token = first_tokens(text, &inner.keys).next().ok_or(NotAccepted::NotOurs)?;
        if log_in.client_id() != client_id {
            inner.tell(|| SessionEvent::ClientMismatch { session: token.family, client_id: client_id.to_owned() });
            return Err(NotAccepted::ClientMismatch.into());
        }
        let (key, now) = (inner.keys.current(), inner.store.now().await?);
        let family = Family::new(token.family, token.share.digest(), key.id(), log_in, policy, now);
        // The other system's token stays valid unless there will be one of this issuer.
        inner.check_mintable(&family)?;
        inner.check_log_in(&family)?;
        self.mint(&family, narrowing).await?;
        // Another tab may have been faster; then the session is there.
        if inner.store.open(family).await? == Opened::New {
            inner.tell(|| SessionEvent::Opened { session: token.family, client_id: client_id.to_owned() });
        }
        // From now on only the session decides. If this fails, the client asks again, and it is attempted again.
        foreign.retire(text).await.map_err(unavailable)?;
        Ok(token)
    }

    /// Ends the session that a foreign token has become, or makes the token invalid in the other system, for its own client. Returns whether it is a
    /// token of that system, by its form.
    pub(super) async fn end_foreign(&self, text: &str, client_id: &str) -> Result<bool, RefreshError> {
        let inner = &*self.0;
        let Some(foreign) = inner.foreign_candidate(text) else { return Ok(false) };
        for token in first_tokens(text, &inner.keys) {
            if let (Some(family), _) = inner.store.find(token.family).await? {
                if family.log_in.client_id() == client_id {
                    self.end(token.family, EndReason::LoggedOut).await?;
                }
                return Ok(true);
            }
        }
        let log_in = foreign.log_in(text).await.map_err(unavailable)?;
        if log_in.is_some_and(|log_in| log_in.client_id() == client_id) {
            foreign.retire(text).await.map_err(unavailable)?;
        }
        Ok(true)
    }
}

impl<S, R, J> Inner<S, R, J> {
    /// Returns the other system, if the text may be a token of it. One of our own form is none, and stays here.
    pub(super) fn foreign_candidate(&self, text: &str) -> Option<&Foreign> {
        let is_candidate = !text.starts_with(PREFIX) && text.len() <= MOST_BYTES;
        self.foreign.as_ref().filter(|foreign| is_candidate && foreign.looks_like(text))
    }
}

fn unavailable(error: StoreError) -> RefreshError {
    RefreshError::Unavailable(Unavailable::Foreign(error))
}
