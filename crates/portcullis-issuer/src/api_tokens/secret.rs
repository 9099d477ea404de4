//! [`ApiTokenSecret`]: the text of a token.

use std::fmt;

use zeroize::Zeroizing;

/// The text of a token, which is shown to its owner once. It is erased when it is dropped; `Debug` shows nothing of it, and there is no `Display`.
#[derive(Clone)]
pub struct ApiTokenSecret(Zeroizing<String>);

impl ApiTokenSecret {
    pub(super) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Returns the text, for the one answer that its owner gets.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the last four characters, by which its owner recognises it.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len().saturating_sub(4)..]
    }
}

impl fmt::Debug for ApiTokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiTokenSecret(..)")
    }
}
