//! Why a key cannot be used.

use std::borrow::Cow;

/// A key cannot be used. For the developer or operator: it says what is wrong and how to fix it, and never shows
/// the key.
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

    /// What is wrong, to branch on.
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }
}

/// The kinds of [`KeyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The text is not a key in the form expected: not JSON, not PEM, a member missing or of the wrong type, base64url
    /// with padding.
    Malformed,
    /// The key type, curve or algorithm is not one of ours.
    Unsupported,
    /// The key is for something else than checking signatures (`use`, `key_ops`).
    WrongUse,
    /// The algorithm named is not one this kind of key can do.
    Mismatch,
    /// A private key in a place for public ones.
    PrivateKey,
    /// A shared secret in a place for public keys.
    Secret,
    /// A public key, a private key or a certificate in a place for shared secrets.
    NotASecret,
    /// Too short, or of a form that is known to be breakable.
    Weak,
    /// The numbers are no key: a point off its curve, coordinates of the wrong length, an even modulus.
    Invalid,
    /// The key id is empty, longer than 512 bytes, has white space around it or an invisible character in it; or a thumbprint is not one.
    BadId,
    /// Another key of the same set has the same id and can do the same algorithm.
    DuplicateId,
}

/// Untrusted text for a message: quoted, escaped, cut.
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
