//! Converts the errors of settings.

use std::error::Error as _;

use portcullis_core::{ConfigError, revocation::LogError};

/// Returns the error of a setting, as it is in the errors of logs, with its cause: it is the developer's, and not of a call.
pub(crate) fn configuration(error: &LogError) -> ConfigError {
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    ConfigError::new(format!("{error}{cause}"))
}
