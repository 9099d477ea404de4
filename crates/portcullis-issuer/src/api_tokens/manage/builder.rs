//! [`ApiTokensBuilder`]: what a service of API tokens is made of.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{
    Clock, ConfigError, clock::SystemClock, revocation::Revoker, text::exact_text_problem, verified::Conventions,
};

use super::{ApiTokens, Inner, limits::Limits, room::Turns};
use crate::{
    api_tokens::{
        ApiTokenAuthenticator, ApiTokenEvent, ApiTokenFormat, ApiTokenKind, ApiTokenStore, Memberships, Peppers,
        checker::{Checker, State},
        event::Listener,
        new::is_text,
    },
    tasks::Tasks,
};

/// Not set yet.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a unit that stands for what is missing")]
pub struct NotSet;

/// What a service of API tokens is made of. [`ApiTokens::builder`] returns it.
pub struct ApiTokensBuilder<S, M, R> {
    issuer: String,
    format: ApiTokenFormat,
    peppers: Peppers,
    store: S,
    memberships: M,
    revoker: R,
    environment: String,
    foreign: Vec<String>,
    limits: Limits,
    clock: Arc<dyn Clock>,
    listener: Option<Listener>,
}

impl<S: ApiTokenStore> ApiTokensBuilder<S, NotSet, NotSet> {
    pub(super) fn new(issuer: String, format: ApiTokenFormat, peppers: Peppers, store: S) -> Self {
        Self {
            issuer,
            format,
            peppers,
            store,
            memberships: NotSet,
            revoker: NotSet,
            environment: "live".to_owned(),
            foreign: Vec::new(),
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
            listener: None,
        }
    }
}

impl<S, M, R> ApiTokensBuilder<S, M, R> {
    /// Sets who says what owners may do now. It has to be said: [`DangerUncheckedMemberships`](crate::api_tokens::DangerUncheckedMemberships) is for
    /// applications in which no one leaves.
    #[must_use]
    pub fn memberships<N: Memberships>(self, memberships: N) -> ApiTokensBuilder<S, N, R> {
        self.with(|_, revoker| (memberships, revoker))
    }

    /// Sets who tells all instances that a token was revoked. They find out within a minute anyway; by this, they do at once.
    ///
    /// That works only if the [`Admission`](portcullis_core::Admission) of each service reads the same log: give it [the view](portcullis_core::Admission::revocations).
    #[must_use]
    pub fn revoker<Q: Revoker>(self, revoker: Q) -> ApiTokensBuilder<S, M, Q> {
        self.with(|memberships, _| (memberships, revoker))
    }

    /// Replaces the parts whose types are not fixed.
    fn with<N, Q>(self, replace: impl FnOnce(M, R) -> (N, Q)) -> ApiTokensBuilder<S, N, Q> {
        let Self {
            issuer,
            format,
            peppers,
            store,
            memberships,
            revoker,
            environment,
            foreign,
            limits,
            clock,
            listener,
        } = self;
        let (memberships, revoker) = replace(memberships, revoker);
        ApiTokensBuilder {
            issuer,
            format,
            peppers,
            store,
            memberships,
            revoker,
            environment,
            foreign,
            limits,
            clock,
            listener,
        }
    }

    /// Sets the environment: tokens are made for it, and those of another are refused. Defaults to `live`.
    #[must_use]
    pub fn environment(self, environment: impl Into<String>) -> Self {
        Self { environment: environment.into(), ..self }
    }

    /// Also recognises texts with this beginning, which an earlier system has made and whose digests are [imported](ApiTokens::import): at least two characters of a
    /// credential, such as `unkey_`. Texts that begin so are looked up in the store even if they are junk: leave it out when all programs have other tokens.
    #[must_use]
    pub fn also_recognise(mut self, beginning: impl Into<String>) -> Self {
        self.foreign.push(beginning.into());
        self
    }

    /// Sets how long tokens may live at most: up to ten years. Defaults to 366 days.
    #[doc(alias = "ttl")]
    #[must_use]
    pub fn longest_lifetime(mut self, lifetime: Duration) -> Self {
        self.limits.longest = lifetime;
        self
    }

    /// Sets how long tokens live if nothing else is asked for. Defaults to 90 days.
    #[doc(alias = "ttl")]
    #[must_use]
    pub fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.limits.default = lifetime;
        self
    }

    /// Allows tokens that live until they are revoked. Defaults to refusing them.
    #[must_use]
    pub fn allow_unlimited(mut self) -> Self {
        self.limits.unlimited = true;
        self
    }

    /// Lets the holder of an expired token of a kind [rotate it by its text](ApiTokens::rotate_presented) for so long after its end, at most 30 days. Defaults
    /// to zero: a program that slept through the end of its token needs a new one. A revoked token is never rotated.
    ///
    /// [`rotate`](ApiTokens::rotate) gives no grace: an id is public, and an expired token authenticates no request.
    #[must_use]
    pub fn grace_after_expiry(mut self, kind: ApiTokenKind, grace: Duration) -> Self {
        self.limits.graces.retain(|(known, _)| *known != kind);
        self.limits.graces.push((kind, grace));
        self
    }

    /// Sets how many live tokens an owner may have: one more is [refused](crate::api_tokens::ApiTokenError::TooMany), whether it is made, derived or imported. A
    /// [rotation](ApiTokens::rotate) is not, because the earlier token ends: until its overlap is over, both count.
    ///
    /// Defaults to 1000. For [`usize::MAX`], nothing is counted. Instances do not wait for each other: if several of them make tokens for one owner at the same
    /// moment, each may add one beyond the limit, and the next one is refused.
    #[must_use]
    pub fn limit_per_owner(mut self, limit: usize) -> Self {
        self.limits.per_owner = limit;
        self
    }

    /// Sets how many rotations are under way at once in this instance: they go on if their client hangs up. Revocations and reports of leaks have room for as
    /// many of their own. One more is answered with [`TooManyAtOnce`](crate::api_tokens::ApiTokenError::TooManyAtOnce), and nothing was begun: the client may try again.
    ///
    /// Defaults to 4096.
    #[must_use]
    pub fn limit_at_once(mut self, limit: usize) -> Self {
        self.limits.at_once = limit;
        self
    }

    /// Reads the time from `clock`. Defaults to the system's.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Calls `listener` for every event. It must not block.
    #[must_use]
    pub fn on_event(self, listener: impl Fn(&ApiTokenEvent) + Send + Sync + 'static) -> Self {
        Self { listener: Some(Arc::new(listener)), ..self }
    }
}

impl<S: ApiTokenStore, M: Memberships, R> ApiTokensBuilder<S, M, R> {
    /// Returns an authenticator, for a service that checks tokens and makes none. It needs no revoker.
    ///
    /// # Errors
    ///
    /// If the issuer or the environment is empty or has other characters than it may have.
    pub fn build_authenticator(self) -> Result<ApiTokenAuthenticator<S, M>, ConfigError> {
        Ok(ApiTokenAuthenticator::new(Arc::new(self.checked()?.0)))
    }

    fn checked(self) -> Result<(Checker<S, M>, R, Limits), ConfigError> {
        let Self {
            issuer,
            format,
            peppers,
            store,
            memberships,
            revoker,
            environment,
            foreign,
            limits,
            clock,
            listener,
        } = self;
        if let Some(problem) = exact_text_problem(&issuer).filter(|_| !issuer.is_empty()) {
            return Err(ConfigError::new(format!("the issuer of API tokens {issuer:?} {problem}")));
        }
        if issuer.is_empty() || !is_text(&environment, 64) {
            return Err(ConfigError::new("the issuer or the environment of API tokens is empty, or cannot be kept"));
        }
        limits.check()?;
        if let Some(beginning) = foreign.iter().find(|beginning| !is_foreign(beginning, &format.beginning())) {
            return Err(ConfigError::new(format!(
                "no tokens of an earlier system begin with {beginning:?}: it is too short, has other characters, or is how our own begin"
            )));
        }
        let (conventions, state) = (Arc::new(Conventions::new(issuer)), State::default());
        let checker =
            Checker { conventions, format, peppers, foreign, store, memberships, environment, clock, listener, state };
        Ok((checker, revoker, limits))
    }
}

/// Whether texts with this beginning can be told from our own tokens.
fn is_foreign(beginning: &str, own: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    (2..=64).contains(&beginning.len())
        && beginning.bytes().all(is_fit)
        && !own.starts_with(beginning)
        && !beginning.starts_with(own)
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokensBuilder<S, M, R> {
    /// Returns the service.
    ///
    /// # Errors
    ///
    /// As for [`build_authenticator`](Self::build_authenticator), and if the default lifetime is zero or longer than the longest, a grace is longer than 30 days, or a limit is zero.
    pub fn build(self) -> Result<ApiTokens<S, M, R>, ConfigError> {
        let (checker, revoker, limits) = self.checked()?;
        let (checker, tasks, turns) = (Arc::new(checker), Tasks::at_most(limits.at_once), Turns::default());
        Ok(ApiTokens(Arc::new(Inner { checker, revoker, limits, tasks, turns })))
    }
}

impl<S, M, R> fmt::Debug for ApiTokensBuilder<S, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiTokensBuilder")
            .field("issuer", &self.issuer)
            .field("format", &self.format)
            .field("peppers", &self.peppers)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
