//! [`StoreError`]: a store cannot be reached.

use std::{borrow::Cow, error::Error, fmt, sync::Arc};

use portcullis_core::revocation::LogError;

/// A store could not take a step, or does not know whether it has. Nothing that depends on the step is handed out.
#[derive(Clone, Debug)]
pub struct StoreError {
    detail: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Returns an error. `detail` says what happened, for the operator's log, without secrets.
    pub fn new(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: detail.into(), source: None }
    }

    /// Returns the error of [`end_all_of`](crate::refresh::RefreshStore::end_all_of) if so many sessions could not be ended, and all others were.
    pub fn not_ended(count: usize) -> Self {
        Self::new(format!(
            "{count} of the user's sessions could not be ended, and all others were: a later version of Portcullis wrote them, or they are \
             damaged; update this instance, or delete them"
        ))
    }

    /// Returns the error of what ends some sessions of a user, if so many could not be read, and may be among them.
    pub(crate) fn may_go_on(count: usize) -> Self {
        Self::new(format!(
            "{count} of the user's sessions cannot be read, and may be among those to end; all others of these were ended: a later version of \
             Portcullis wrote them, or they are damaged; update this instance, or delete them"
        ))
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }
}

/// For stores that share their connection with a log of revocations.
impl From<LogError> for StoreError {
    fn from(error: LogError) -> Self {
        Self::new(error.to_string()).with_source(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store is unavailable: {}", self.detail)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
