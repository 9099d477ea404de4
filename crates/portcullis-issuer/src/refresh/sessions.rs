//! [`Sessions`]: opens sessions, refreshes their tokens, and ends them.

use std::{fmt, sync::Arc};

use portcullis_core::{
    ConfigError,
    revocation::{RevocationView, Revoker},
    verified::Conventions,
};

use super::{
    Family, FamilyId, ForeignTokens, RefreshError, RefreshKeys, RefreshStore, SessionEvent, Subjects, foreign::Foreign,
    log_out::Outbox, room::MOST_SESSIONS,
};
use crate::{
    TokenIssuer,
    tasks::{MOST_AT_ONCE, Tasks},
};

/// Opens sessions, refreshes their tokens, and ends them. Cheap to clone.
///
/// A session is a family of refresh tokens in a [`RefreshStore`], and its id is the `sid` of all its access tokens. Ending it revokes that
/// `sid` first, and so every access token of the session on every service that follows the log of revocations.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_core::{Algorithm, policy::TokenSpec};
/// use portcullis_issuer::refresh::{
///     DangerUncheckedSubjects, LogIn, MemoryRefreshStore, RefreshKeys, RefreshPolicy, Sessions,
/// };
/// use portcullis_issuer::{SigningKey, TokenIssuer};
/// use portcullis_store::{MemoryLog, Revocations};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com");
/// let issuer = TokenIssuer::new(spec, SigningKey::generate(Algorithm::Es256)?)?;
/// let keys = RefreshKeys::new(1, [7; 32])?; // in production: 32 random bytes, the same on every instance
/// let revocations = Revocations::builder(MemoryLog::new()).start()?; // of portcullis-store
/// revocations.require(Duration::from_secs(5)).await?; // now its view is complete
/// let sessions = Sessions::new(issuer, MemoryRefreshStore::new(), keys, revocations, DangerUncheckedSubjects);
///
/// let policy = RefreshPolicy::new();
/// let first = sessions.log_in(LogIn::new("alice", "web").scope("orders:read"), &policy).await?;
/// let second = sessions.refresh(first.refresh_token(), "web", &policy).await?;
/// assert_ne!(first.refresh_token(), second.refresh_token());
///
/// // The answer got lost, and the client asks again: it gets the same refresh token.
/// let again = sessions.refresh(first.refresh_token(), "web", &policy).await?;
/// assert_eq!(again.refresh_token(), second.refresh_token());
/// # Ok(())
/// # }
/// ```
pub struct Sessions<S, R, J>(pub(super) Arc<Inner<S, R, J>>);

pub(super) struct Inner<S, R, J> {
    pub(super) issuer: TokenIssuer,
    pub(super) store: S,
    pub(super) keys: RefreshKeys,
    pub(super) revoker: R,
    pub(super) subjects: J,
    pub(super) view: Option<RevocationView>,
    pub(super) conventions: Arc<Conventions>,
    on_event: Option<Arc<Listener>>,
    pub(super) foreign: Option<Foreign>,
    pub(super) most_sessions: usize,
    pub(super) outbox: Option<Outbox>,
    pub(super) tasks: Tasks,
}

type Listener = dyn Fn(&SessionEvent) + Send + Sync;

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Returns sessions whose access tokens `issuer` mints. `revoker` ends them on all services; `subjects` is asked at every log-in and refresh.
    pub fn new(issuer: TokenIssuer, store: S, keys: RefreshKeys, revoker: R, subjects: J) -> Self {
        let conventions = Arc::new(Conventions::new(issuer.spec().issuer()));
        let view = revoker.view();
        Self(Arc::new(Inner {
            issuer,
            store,
            keys,
            revoker,
            subjects,
            view,
            conventions,
            on_event: None,
            foreign: None,
            most_sessions: MOST_SESSIONS,
            outbox: None,
            tasks: Tasks::at_most(MOST_AT_ONCE),
        }))
    }

    /// Asks this view, instead of the [revoker's own](Revoker::view), before each refresh whether the session, its subject, its client or its
    /// version was revoked in another way. Without any view, only what is ended through these sessions ends them. While the view is stale,
    /// nothing is refreshed.
    ///
    /// # Errors
    ///
    /// If the sessions are already in use: configure them first.
    pub fn revocations(self, view: impl Into<RevocationView>) -> Result<Self, ConfigError> {
        let view = view.into();
        self.configure(|inner| inner.view = Some(view))
    }

    /// Calls `listener` for every event. It must not block.
    ///
    /// # Errors
    ///
    /// If the sessions are already in use: configure them first.
    pub fn on_event(self, listener: impl Fn(&SessionEvent) + Send + Sync + 'static) -> Result<Self, ConfigError> {
        self.configure(|inner| inner.on_event = Some(Arc::new(listener)))
    }

    /// Accepts refresh tokens of the system that users come from, during a migration.
    ///
    /// # Errors
    ///
    /// If the sessions are already in use: configure them first.
    pub fn foreign_tokens(self, tokens: impl ForeignTokens) -> Result<Self, ConfigError> {
        self.configure(|inner| inner.foreign = Some(Arc::new(tokens)))
    }

    pub(super) fn configure(mut self, change: impl FnOnce(&mut Inner<S, R, J>)) -> Result<Self, ConfigError> {
        let inner = Arc::get_mut(&mut self.0).ok_or_else(|| {
            ConfigError::new("the sessions are already in use: configure them before they are cloned")
        })?;
        change(inner);
        Ok(self)
    }
}

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Returns the issuer of access tokens.
    pub fn issuer(&self) -> &TokenIssuer {
        &self.0.issuer
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    pub(crate) fn view(&self) -> Option<&RevocationView> {
        self.0.view.as_ref()
    }

    pub(crate) fn keys(&self) -> &RefreshKeys {
        &self.0.keys
    }

    /// Returns a session, ended or not; `None` if nothing is known about it.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    pub async fn find(&self, session: FamilyId) -> Result<Option<Family>, RefreshError> {
        Ok(self.0.store.find(session).await?.0)
    }
}

impl<S, R, J> Inner<S, R, J> {
    pub(super) fn tell(&self, event: impl FnOnce() -> SessionEvent) {
        if let Some(listener) = &self.on_event {
            listener(&event());
        }
    }
}

impl<S, R, J> Clone for Sessions<S, R, J> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: fmt::Debug, R, J> fmt::Debug for Sessions<S, R, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("issuer", &self.0.issuer)
            .field("store", &self.0.store)
            .field("keys", &self.0.keys)
            .finish_non_exhaustive()
    }
}
