//! The one place that writes events: everything else calls these functions, with or without the feature `tracing`.
//!
//! One event for each request that is not let through. Refusals are the clients' doing and come at `debug`, and so does a
//! want of keys, which clients can provoke; what an operator has to look at comes at `warn` and `error`, with every cause.
//! A token is never written, not even in part; a keyed fingerprint, other for every layer, tells tokens apart.

#[cfg(all(feature = "tracing", feature = "revocation"))]
pub(crate) use enabled::revocation_failed;
#[cfg(feature = "tracing")]
pub(crate) use enabled::{Fingerprint, FingerprintKey, key_file_swapped, key_file_unusable, request_refused};

#[cfg(all(not(feature = "tracing"), feature = "revocation"))]
pub(crate) use disabled::revocation_failed;
#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{Fingerprint, FingerprintKey, key_file_swapped, key_file_unusable, request_refused};

#[cfg(feature = "tracing")]
mod enabled {
    use std::{
        error::Error,
        fmt,
        hash::{BuildHasher, RandomState},
        path::Path,
    };

    use portcullis_core::{AuthError, AuthErrorKind, Code, ConfigError};

    /// What filters name: the crate, and not where in it the event is written.
    const TARGET: &str = "portcullis";

    /// A request was refused, or could not be decided. `token` is the one that it presented, if it is known.
    pub(crate) fn request_refused(error: &AuthError, token: Option<Fingerprint>) {
        let code = error.code().as_str();
        match error.kind() {
            // Anybody can ask for keys that nobody has, and the source tells of its outage by itself, once an attempt.
            AuthErrorKind::Unavailable if error.code() == Code::KeysUnavailable => {
                tracing::debug!(target: TARGET, code, error = %WithCauses(error), "could not decide about a request");
            }
            AuthErrorKind::Unavailable => {
                tracing::warn!(target: TARGET, code, error = %WithCauses(error), "could not decide about a request");
            }
            AuthErrorKind::Misconfigured => {
                tracing::error!(target: TARGET, code, error = %WithCauses(error), "the service is misconfigured");
            }
            _ => {
                let token_fingerprint = token.map(tracing::field::display);
                tracing::debug!(target: TARGET, code, %error, token_fingerprint, "request refused");
            }
        }
    }

    /// A key file's new content is in use.
    pub(crate) fn key_file_swapped(path: &Path) {
        tracing::info!(target: TARGET, path = %path.display(), "keys swapped");
    }

    /// A key file's new content is not.
    pub(crate) fn key_file_unusable(error: &ConfigError) {
        tracing::warn!(target: TARGET, %error, "a key file cannot be used, the keys from before stay");
    }

    /// The log of revocations could not be written or listed, so somebody was told to try again.
    #[cfg(feature = "revocation")]
    pub(crate) fn revocation_failed(error: &portcullis_core::LogError) {
        tracing::error!(target: TARGET, error = %WithCauses(error), "the log of revocations could not be used");
    }

    /// What fingerprints are made with, so that nobody can look for a token that they guess (`SipHash`, a random key).
    #[derive(Clone, Debug)]
    pub(crate) struct FingerprintKey(RandomState);

    impl FingerprintKey {
        /// A key that no other layer has.
        pub(crate) fn new() -> Self {
            Self(RandomState::new())
        }

        /// The fingerprint of a token; `None` if nobody would see it.
        pub(crate) fn fingerprint(&self, token: &str) -> Option<Fingerprint> {
            tracing::enabled!(tracing::Level::DEBUG).then(|| Fingerprint(self.0.hash_one(token)))
        }
    }

    /// Tells one token from another, and says nothing else about it.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Fingerprint(u64);

    impl fmt::Display for Fingerprint {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:016x}", self.0)
        }
    }

    /// An error with everything that led to it: `what: because: because`.
    struct WithCauses<'a>(&'a dyn Error);

    impl fmt::Display for WithCauses<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)?;
            let mut cause = self.0.source();
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
            Ok(())
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
    pub(crate) fn revocation_failed(_: &portcullis_core::LogError) {}

    #[derive(Clone, Debug)]
    pub(crate) struct FingerprintKey;

    impl FingerprintKey {
        pub(crate) const fn new() -> Self {
            Self
        }

        pub(crate) fn fingerprint(&self, _: &str) -> Option<Fingerprint> {
            let Self = self;
            None
        }
    }

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Fingerprint;
}
