//! Writes all log events. The rest of the crate calls these functions, with or without the feature `tracing`.
//!
//! There is one event for each request that is not let through. Refusals are logged at `debug`, because clients cause them. So are
//! missing keys, which clients can provoke. Faults that an operator has to look at are logged at `warn` and `error`, with all causes; the
//! same fault at most once a second (the others at `debug`). A token is never written, not even in part; a keyed fingerprint, different
//! for every layer, distinguishes tokens. Foreign text is written as [`LogText`].
//!
//! [`LogText`]: portcullis_core::text::LogText

#[cfg(all(feature = "tracing", feature = "revocation"))]
pub(crate) use enabled::revocation_failed;
#[cfg(feature = "tracing")]
pub(crate) use enabled::{
    EnteredSpan, Fingerprint, FingerprintKey, VerificationSpan, key_file_swapped, key_file_unusable, request_refused,
};

#[cfg(all(not(feature = "tracing"), feature = "revocation"))]
pub(crate) use disabled::revocation_failed;
#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{
    EnteredSpan, Fingerprint, FingerprintKey, VerificationSpan, key_file_swapped, key_file_unusable, request_refused,
};

#[cfg(feature = "tracing")]
mod enabled {
    use std::{
        fmt,
        hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
        path::Path,
    };

    use portcullis_core::{
        AuthError, Clock, Code, ConfigError, clock::SystemClock, error::AuthErrorKind, text::LogText,
    };

    use crate::sparse::Sparse;

    /// The name for log filters: the crate, without the module that writes the event.
    const TARGET: &str = "portcullis";

    /// Faults that affect every request until they are fixed.
    static FAULTS: Sparse = Sparse::new();

    /// Logs that a request was refused, or could not be decided. `token` is the token that it presented, if known.
    pub(crate) fn request_refused(error: &AuthError, token: Option<Fingerprint>) {
        let (code, text) = (error.code().as_str(), LogText::of_error(error));
        match (error.kind(), withheld(error)) {
            // Every client can present a token with an unknown key, and the key source logs its own outage once for each attempt.
            (AuthErrorKind::Unavailable, None) => {
                tracing::debug!(target: TARGET, code, error = %text, "could not decide about a request");
            }
            (AuthErrorKind::Unavailable, Some(withheld)) => {
                tracing::warn!(target: TARGET, code, error = %text, withheld, "could not decide about a request");
            }
            (AuthErrorKind::Misconfigured, None) => {
                tracing::debug!(target: TARGET, code, error = %text, "the service is misconfigured");
            }
            (AuthErrorKind::Misconfigured, Some(withheld)) => {
                tracing::error!(target: TARGET, code, error = %text, withheld, "the service is misconfigured");
            }
            _ => {
                let (token_fingerprint, text) = (token.map(tracing::field::display), LogText::new(error));
                tracing::debug!(target: TARGET, code, error = %text, token_fingerprint, "request refused");
            }
        }
    }

    /// How many events like this one were withheld since the last one; `None` if this one is withheld too. The same fault is logged for
    /// operators once a second, and for every request only at `debug`.
    fn withheld(error: &AuthError) -> Option<u64> {
        let is_fault = matches!(error.kind(), AuthErrorKind::Unavailable | AuthErrorKind::Misconfigured);
        if !is_fault || error.code() == Code::KeysUnavailable {
            return None;
        }
        // A stale view's age differs from request to request; a misconfiguration differs from route to route.
        let explanation = error.explanation().filter(|_| error.code() != Code::RevocationsStale);
        let mut hasher = DefaultHasher::new();
        (error.code(), explanation).hash(&mut hasher);
        FAULTS.admit(hasher.finish(), SystemClock.uptime())
    }

    /// How many events like this one were withheld, for a fault of a log of revocations.
    #[cfg(feature = "revocation")]
    fn withheld_of_log(error: &portcullis_core::revocation::LogError) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        ("log of revocations", error.to_string()).hash(&mut hasher);
        FAULTS.admit(hasher.finish(), SystemClock.uptime())
    }

    /// Logs that a key file's new content is in use.
    pub(crate) fn key_file_swapped(path: &Path) {
        tracing::info!(target: TARGET, path = %LogText::new(&path.display()), "keys swapped");
    }

    /// Logs that a key file's new content cannot be used.
    pub(crate) fn key_file_unusable(error: &ConfigError) {
        tracing::warn!(target: TARGET, error = %LogText::of_error(error), "a key file cannot be used; the previous keys stay in use");
    }

    /// Logs that the log of revocations could not be written or listed. The caller was told to try again.
    #[cfg(feature = "revocation")]
    pub(crate) fn revocation_failed(error: &portcullis_core::revocation::LogError) {
        let text = LogText::of_error(error);
        match withheld_of_log(error) {
            None => tracing::debug!(target: TARGET, error = %text, "the log of revocations could not be used"),
            Some(withheld) => {
                tracing::error!(target: TARGET, error = %text, withheld, "the log of revocations could not be used");
            }
        }
    }

    /// The key of the fingerprints, so that a guessed token cannot be searched in the log (`SipHash`, a random key).
    #[derive(Clone, Debug)]
    pub(crate) struct FingerprintKey(RandomState);

    impl FingerprintKey {
        /// Returns a random key, different for every layer.
        pub(crate) fn new() -> Self {
            Self(RandomState::new())
        }

        /// Returns the fingerprint of a token; `None` if no event would show it.
        pub(crate) fn fingerprint(&self, token: &[u8]) -> Option<Fingerprint> {
            tracing::enabled!(tracing::Level::DEBUG).then(|| Fingerprint(self.0.hash_one(token)))
        }
    }

    /// The span of a verification. It begins when a credential was not found in the cache.
    #[derive(Debug)]
    pub(crate) struct VerificationSpan(tracing::Span);

    /// A verification span that this thread has entered.
    pub(crate) type EnteredSpan = tracing::span::EnteredSpan;

    impl VerificationSpan {
        /// Whether there may be a span: only one comparison if `debug` is not enabled.
        #[inline]
        pub(crate) fn is_wanted() -> bool {
            tracing::enabled!(target: TARGET, tracing::Level::DEBUG)
        }

        pub(crate) fn enter(token: Option<Fingerprint>) -> EnteredSpan {
            let (issuer, code) = (tracing::field::Empty, tracing::field::Empty);
            let token_fingerprint = token.map(tracing::field::display);
            tracing::debug_span!(target: TARGET, "auth.verify", issuer, code, token_fingerprint).entered()
        }

        pub(crate) fn leave(entered: EnteredSpan) -> Self {
            Self(entered.exit())
        }

        pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
            self.0.in_scope(work)
        }

        /// Records the issuer of an admitted credential, or why it was not admitted.
        pub(crate) fn end(self, outcome: Result<&str, &AuthError>) {
            let issuer = outcome.map_or_else(AuthError::issuer, Some);
            if let Some(issuer) = issuer {
                self.0.record("issuer", tracing::field::display(LogText::new(&issuer)));
            }
            self.0.record("code", outcome.map_or_else(|error| error.code().as_str(), |_| "admitted"));
        }
    }

    /// Distinguishes one token from another, and reveals nothing else about it.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Fingerprint(u64);

    impl fmt::Display for Fingerprint {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:016x}", self.0)
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use std::path::Path;

    use portcullis_core::{AuthError, ConfigError};

    pub(crate) fn request_refused(_: &AuthError, _: Option<Fingerprint>) {}

    pub(crate) fn key_file_swapped(_: &Path) {}

    pub(crate) fn key_file_unusable(_: &ConfigError) {}

    #[cfg(feature = "revocation")]
    pub(crate) fn revocation_failed(_: &portcullis_core::revocation::LogError) {}

    #[derive(Clone, Debug)]
    pub(crate) struct FingerprintKey;

    impl FingerprintKey {
        pub(crate) const fn new() -> Self {
            Self
        }

        pub(crate) fn fingerprint(&self, _: &[u8]) -> Option<Fingerprint> {
            let Self = self;
            None
        }
    }

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Fingerprint;

    #[derive(Debug)]
    pub(crate) struct VerificationSpan;

    pub(crate) struct EnteredSpan;

    impl VerificationSpan {
        #[inline]
        pub(crate) const fn is_wanted() -> bool {
            false
        }

        pub(crate) fn enter(_: Option<Fingerprint>) -> EnteredSpan {
            EnteredSpan
        }

        pub(crate) fn leave(EnteredSpan: EnteredSpan) -> Self {
            Self
        }

        pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
            let Self = self;
            work()
        }

        pub(crate) fn end(self, _: Result<&str, &AuthError>) {
            let Self = self;
        }
    }
}
