//! [`KeyError`]: why a key cannot be used.

use std::borrow::Cow;

/// A key cannot be used. For the developer or operator: it says what is wrong and how to fix it, and never shows the key.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct KeyError {
    kind: KeyErrorKind,
    message: Cow<'static, str>,
}

impl KeyError {
    pub(crate) fn new(kind: KeyErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    /// Returns the kind of the error, for branching.
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }
}

/// The kinds of [`KeyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The text does not have the expected form: not JSON, not PEM, a member is missing or has the wrong type, base64url with padding.
    Malformed,
    /// The key type, curve or algorithm is not supported.
    Unsupported,
    /// The key is not for verifying signatures (`use`, `key_ops`).
    WrongUse,
    /// This kind of key does not support the named algorithm.
    Mismatch,
    /// It is a private key, where a public one is expected.
    PrivateKey,
    /// It is a shared secret, where a public key is expected.
    Secret,
    /// It is a public key, a private key or a certificate, where a shared secret is expected.
    NotASecret,
    /// It is too short, or of a form that is known to be breakable.
    Weak,
    /// The numbers are not a valid key: a point off its curve, coordinates of the wrong length, an even modulus.
    Invalid,
    /// The key id is empty, longer than 512 bytes, or has surrounding white space or invisible characters; or a thumbprint is invalid.
    BadId,
    /// Another key of the same set has the same id and supports the same algorithm.
    DuplicateId,
}

/// Returns untrusted text for a message: quoted, escaped, truncated.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    let cut: String = text.chars().take(SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_escaped_and_cut() {
        assert_eq!(quoted("RS256"), r#""RS256""#);
        assert_eq!(quoted("a\r\nX-Injected: 1"), r#""a\r\nX-Injected: 1""#);
        assert_eq!(quoted(&"é".repeat(1000)).chars().count(), 40 + 2 + 1);
    }
}
