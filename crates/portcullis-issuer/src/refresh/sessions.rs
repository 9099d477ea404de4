//! [`Sessions`]: opens sessions, refreshes their tokens, and ends them.

use std::{fmt, sync::Arc};

use portcullis_core::{
    ConfigError,
    revocation::{RevocationView, Revoker},
    verified::Conventions,
};
use zeroize::Zeroizing;

use super::{
    EndReason, Family, FamilyId, ForeignTokens, Grant, LateRetry, LogIn, Narrowing, NotAccepted, Opened, Outcome,
    RefreshCause, RefreshError, RefreshKeys, RefreshPolicy, RefreshStore, SessionEvent, Step, StoreError, SubjectError,
    Subjects, Unavailable,
    foreign::Foreign,
    keys::RefreshKey,
    log_in::can_be_kept,
    log_out::Outbox,
    room::MOST_SESSIONS,
    tasks::{MOST_AT_ONCE, Tasks},
    token::{RefreshToken, Share},
    tokens::{Tokens, content},
};
use crate::{Minted, TokenIssuer};

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
    subjects: J,
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
    fn step<'a>(&self, token: &RefreshToken, client_id: &'a str, policy: &RefreshPolicy) -> Step<'a> {
        let key_id = self.keys.current().id();
        Step::new(token.family, token.generation, token.share.digest(), client_id, key_id, policy)
    }

    /// Makes sure that access tokens with all that the log-in has granted could be minted, whatever is granted of it now.
    pub(super) fn check_mintable(&self, family: &Family) -> Result<(), ConfigError> {
        let checked = self.issuer.check(&content(family, Grant::all_scopes(), &Narrowing::new()));
        checked.map_err(|error| ConfigError::new(format!("no access token of this log-in can be minted: {error}")))
    }

    /// Returns the key with which the current token was written, as the row says, so that all instances write the same one.
    fn key_of(&self, family: &Family) -> Result<&RefreshKey, StoreError> {
        self.keys.find(family.key_id).ok_or_else(|| {
            StoreError::new("the current token of the session was written with a key that is not configured here")
        })
    }

    pub(super) fn tell(&self, event: impl FnOnce() -> SessionEvent) {
        if let Some(listener) = &self.on_event {
            listener(&event());
        }
    }
}

pub(crate) fn random() -> Result<[u8; 16], StoreError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::new("the operating system has no randomness"))?;
    Ok(bytes)
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
