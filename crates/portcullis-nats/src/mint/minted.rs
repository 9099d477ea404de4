//! [`Minted`]: a token that was made here.

use std::fmt;

use crate::token::Token;

/// A token that was made here: its text, and what a reader gets from it. `Debug` does not show the text, which may be enough to call as the
/// user.
#[derive(Clone, PartialEq, Eq)]
pub struct Minted<K> {
    pub(super) text: String,
    pub(super) token: Token<K>,
}

impl<K> Minted<K> {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the text.
    pub fn into_string(self) -> String {
        self.text
    }

    /// Returns what a reader gets from it.
    pub const fn token(&self) -> &Token<K> {
        &self.token
    }
}

impl<K: fmt::Debug> fmt::Debug for Minted<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted").field("token", &self.token).finish_non_exhaustive()
    }
}
