//! [`ApiTokenPage`]: a part of a list of tokens.

use super::{ApiTokenId, ApiTokenRow};
use crate::StoreError;

/// A part of a list of tokens. `C` is what the next part is asked for by.
///
/// A row that cannot be read does not hide the others: it is left out of [`rows`](Self::rows), and named. A caller that shows a list says so; one that has
/// to act on every row, such as a log-out everywhere, asks for [`complete`](Self::complete).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiTokenPage<C = ApiTokenId> {
    /// The rows.
    pub rows: Vec<ApiTokenRow>,
    /// The tokens whose rows cannot be read: a later version of the store wrote them, or they are damaged.
    pub unreadable: Vec<ApiTokenId>,
    /// Where the next page begins; `None` if there is nothing left. Pages can be empty and not the last.
    pub next: Option<C>,
}

impl<C> ApiTokenPage<C> {
    /// Returns a page with these rows and nothing behind it.
    pub const fn new(rows: Vec<ApiTokenRow>) -> Self {
        Self { rows, unreadable: Vec::new(), next: None }
    }

    /// Adds that these cannot be read.
    #[must_use]
    pub fn with_unreadable(self, unreadable: Vec<ApiTokenId>) -> Self {
        Self { unreadable, ..self }
    }

    /// Adds where the next page begins.
    #[must_use]
    pub fn with_next(self, next: Option<C>) -> Self {
        Self { next, ..self }
    }

    /// Returns the rows, if none is left out.
    ///
    /// # Errors
    ///
    /// If there is one that cannot be read. The error names it.
    pub fn complete(&self) -> Result<&[ApiTokenRow], StoreError> {
        let Some(first) = self.unreadable.first() else { return Ok(&self.rows) };
        let count = self.unreadable.len();
        Err(StoreError::new(format!(
            "{count} API tokens cannot be read, such as {first}: a later version of Portcullis wrote them, or they are damaged; update this instance"
        )))
    }
}
