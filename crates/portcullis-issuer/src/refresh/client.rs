//! [`RefreshPolicy`]: by which rules a client refreshes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Rotation;

/// The rules by which a client refreshes. The defaults are for public clients: apps and pages in a browser.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_issuer::refresh::{RefreshPolicy, Rotation};
///
/// let backend = RefreshPolicy::new().rotation(Rotation::Never); // it authenticates with a secret
/// let patient = RefreshPolicy::new().grace(Duration::from_secs(120));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshPolicy {
    pub(super) grace: Duration,
    idle: Duration,
    /// The longest idle time, whatever was set.
    most_idle: Duration,
    pub(super) absolute: Duration,
    pub(super) rotation: Rotation,
    pub(super) late_retry: LateRetry,
}

/// What happens when the predecessor of the current token is presented after the grace: nearly always by a client that never got the answer,
/// but a thief who was faster than the client looks the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LateRetry {
    /// The session ends, as for any older token. The default.
    #[default]
    EndSession,
    /// The token is refused, and the session goes on with the current one.
    RefuseOnly,
}

impl RefreshPolicy {
    /// The longest grace: 300 s.
    pub const MOST_GRACE: Duration = Duration::from_secs(300);

    /// Returns the defaults.
    pub const fn new() -> Self {
        Self {
            grace: Duration::from_secs(60),
            idle: Duration::from_secs(7 * 86_400),
            most_idle: Duration::MAX,
            absolute: Duration::from_secs(30 * 86_400),
            rotation: Rotation::EveryUse,
            late_retry: LateRetry::EndSession,
        }
    }

    /// Returns how long a session lasts at most.
    #[cfg(feature = "axum")]
    pub(crate) const fn longest(&self) -> Duration {
        self.absolute
    }

    /// Sets how long the predecessor of the current token is answered by the same successor, for a client whose answer got lost, or which asks
    /// several times at once. A token is replaced at most once in this time. Zero is strict: one lost answer logs the user out.
    ///
    /// Defaults to 60 s, which is more than clients wait for an answer. More than [`MOST_GRACE`](Self::MOST_GRACE) counts as that: a longer grace
    /// mints nothing more, and only makes theft noticed later.
    #[must_use]
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace: grace.min(Self::MOST_GRACE), ..self }
    }

    /// Sets how long a session lasts without a refresh. Defaults to 7 days; never beyond the session's end.
    #[must_use]
    pub const fn idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// Returns how long a session lasts without a refresh.
    pub(super) fn longest_idle(&self) -> Duration {
        self.idle.min(self.most_idle)
    }

    /// Whether a public client would keep its token without a word about danger.
    pub(crate) fn keeps_its_token_unproven(&self) -> bool {
        self.rotation == Rotation::Never && self.most_idle == Duration::MAX
    }

    /// Sets how long a session lasts in any case. A refresh does not change its end. Defaults to 30 days.
    #[must_use]
    pub const fn absolute(self, absolute: Duration) -> Self {
        Self { absolute, ..self }
    }

    /// Returns how long a session lasts in any case.
    pub(crate) const fn longest_session(&self) -> Duration {
        self.absolute
    }

    /// Sets whether each use replaces the token. Defaults to [`Rotation::EveryUse`]. [`Rotation::Never`] is for clients that authenticate, or whose
    /// tokens are bound to a key (RFC 9700 section 4.14.2); for others, see
    /// [`danger_public_client_keeps_its_token`](Self::danger_public_client_keeps_its_token).
    #[must_use]
    pub const fn rotation(self, rotation: Rotation) -> Self {
        Self { rotation, ..self }
    }

    /// Lets a public client keep its token, because it cannot save a new one. Its sessions end after a day without use at the latest.
    ///
    /// A stolen token then serves the thief beside the client, unnoticed, until the session ends. Defaults to [`Rotation::EveryUse`].
    #[must_use]
    pub fn danger_public_client_keeps_its_token(self) -> Self {
        Self { rotation: Rotation::Never, most_idle: Duration::from_secs(86_400), ..self }
    }

    /// Sets what happens when the predecessor of the current token is presented after the grace. Defaults to [`LateRetry::EndSession`].
    #[must_use]
    pub const fn late_retry(self, late_retry: LateRetry) -> Self {
        Self { late_retry, ..self }
    }
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// A policy as it is stored: times in milliseconds.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StoredPolicy {
    grace: u64,
    idle: u64,
    absolute: u64,
    #[serde(default)]
    keeps: bool,
    /// Whether it keeps its token although it is public.
    #[serde(default)]
    danger: bool,
    #[serde(default)]
    refuses_late: bool,
}

impl StoredPolicy {
    pub(crate) fn of(policy: &RefreshPolicy) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        // Each field is named, so that one that is added is not forgotten.
        let RefreshPolicy { grace, idle, most_idle, absolute, rotation, late_retry } = *policy;
        Self {
            grace: millis(grace),
            idle: millis(idle),
            absolute: millis(absolute),
            keeps: rotation == Rotation::Never,
            danger: most_idle != Duration::MAX,
            refuses_late: late_retry == LateRetry::RefuseOnly,
        }
    }

    pub(crate) fn policy(self) -> RefreshPolicy {
        let mut policy = RefreshPolicy::new();
        if self.danger {
            policy = policy.danger_public_client_keeps_its_token();
        }
        policy
            .grace(Duration::from_millis(self.grace))
            .idle(Duration::from_millis(self.idle))
            .absolute(Duration::from_millis(self.absolute))
            .rotation(if self.keeps { Rotation::Never } else { Rotation::EveryUse })
            .late_retry(if self.refuses_late { LateRetry::RefuseOnly } else { LateRetry::EndSession })
    }
}
