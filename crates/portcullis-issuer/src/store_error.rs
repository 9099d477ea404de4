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

/// For stores that share their connection with a log of revocations. The text is that of the log's error, so its source follows at once.
impl From<LogError> for StoreError {
    fn from(error: LogError) -> Self {
        let told = Self::new(error.to_string());
        if error.source().is_some() { told.with_source(CauseOf(error)) } else { told }
    }
}

/// What has caused an error of a log, whose own text was told before.
#[derive(Debug)]
struct CauseOf(LogError);

impl fmt::Display for CauseOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.source().map_or(Ok(()), |source| fmt::Display::fmt(source, f))
    }
}

impl Error for CauseOf {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()?.source()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(error: &StoreError) -> Vec<String> {
        let (mut causes, mut next) = (Vec::new(), error.source());
        while let Some(error) = next {
            causes.push(error.to_string());
            next = error.source();
        }
        causes
    }

    #[test]
    fn the_text_of_a_logs_error_is_told_once_and_its_causes_after_it() {
        let alone = StoreError::from(LogError::unavailable("no answer"));
        assert_eq!((alone.to_string().as_str(), causes(&alone)), ("the store is unavailable: no answer", vec![]));
        let inner = StoreError::new("cut off").with_source(std::io::Error::other("broken pipe"));
        let caused = StoreError::from(LogError::unavailable("no answer").with_source(inner));
        assert_eq!(caused.to_string(), alone.to_string());
        assert_eq!(causes(&caused), ["the store is unavailable: cut off", "broken pipe"]);
    }
}
