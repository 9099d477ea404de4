//! The one place that writes events: everything else calls these functions, with or without the feature `tracing`.
//!
//! Refusals are the clients' doing and come at `debug`; what an operator has to look at comes at `warn` and `error`.
//! A token is never written, not even in part; a keyed fingerprint, other in every process, tells tokens apart.

#[cfg(feature = "tracing")]
pub(crate) use enabled::{credential_refused, key_file_swapped, key_file_unusable, request_refused};

#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{credential_refused, key_file_swapped, key_file_unusable, request_refused};

#[cfg(feature = "tracing")]
mod enabled {
    use std::{
        error::Error,
        hash::{BuildHasher, RandomState},
        path::Path,
        sync::LazyLock,
    };

    use portcullis_core::{AuthError, AuthErrorKind, ConfigError};

    /// A request was refused, or could not be decided.
    pub(crate) fn request_refused(error: &AuthError) {
        let code = error.code().as_str();
        match error.kind() {
            AuthErrorKind::Unavailable => {
                let source = error.source().map(tracing::field::display);
                tracing::warn!(code, %error, source, "could not decide about a request");
            }
            AuthErrorKind::Misconfigured => tracing::error!(code, %error, "the service is put together wrongly"),
            _ => tracing::debug!(code, %error, "request refused"),
        }
    }

    /// A credential was presented and not accepted.
    pub(crate) fn credential_refused(error: &AuthError, token: &str) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let token_fingerprint = format_args!("{:016x}", fingerprint(token)).to_string();
            tracing::debug!(code = error.code().as_str(), token_fingerprint, "credential refused");
        }
    }

    /// A key file's new content is in use.
    pub(crate) fn key_file_swapped(path: &Path) {
        tracing::info!(path = %path.display(), "keys swapped");
    }

    /// A key file's new content is not.
    pub(crate) fn key_file_unusable(error: &ConfigError) {
        tracing::warn!(%error, "a key file cannot be used, the keys from before stay");
    }

    /// Keyed, so that nobody can look for a token he guesses (`SipHash` with a random key per process).
    fn fingerprint(token: &str) -> u64 {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        KEY.hash_one(token)
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use std::path::Path;

    use portcullis_core::{AuthError, ConfigError};

    pub(crate) fn request_refused(_: &AuthError) {}

    pub(crate) fn credential_refused(_: &AuthError, _: &str) {}

    pub(crate) fn key_file_swapped(_: &Path) {}

    pub(crate) fn key_file_unusable(_: &ConfigError) {}
}
