//! [`TokenError`]: why a text is no NATS token.

use std::{borrow::Cow, fmt};

use crate::nkey::{NkeyError, NkeyErrorKind};

/// A text is not a token that a key has signed in the form of NATS. It never contains the text or a claim's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    kind: TokenErrorKind,
    explanation: Cow<'static, str>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)+) => {
        /// The reasons. [`as_str`](Self::as_str) is a stable name of each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum TokenErrorKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl TokenErrorKind {
            /// Returns the stable name, in `snake_case`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

kinds! {
    /// It is longer than the limit. Nothing was decoded.
    TooLong = "too_long";
    /// It does not have three parts of base64url, its claims are not strict JSON, or a claim has the wrong type.
    Malformed = "malformed";
    /// The header is not that of a NATS token: `typ` is not `JWT`, or `alg` is neither `ed25519-nkey` nor `ed25519`.
    Header = "bad_header";
    /// The version of the claims is not 1 or 2, or tokens of version 1 are not accepted.
    Version = "unsupported_version";
    /// The header says one version and the claims another.
    VersionMismatch = "version_mismatch";
    /// It is a token of another kind than wanted, such as an account where a user belongs.
    WrongType = "wrong_type";
    /// A claim that has to be an nkey is none, or is one of another role.
    Key = "bad_key";
    /// A key is of small order, so anyone could sign for it.
    WeakKey = "weak_key";
    /// A key of a role that does not sign tokens of this kind has signed it.
    IssuerRole = "issuer_role";
    /// The key in `iss` has not signed it.
    Signature = "bad_signature";
    /// The claims contradict the rules for tokens of this kind.
    Invalid = "invalid";
}

impl TokenError {
    pub(crate) fn new(kind: TokenErrorKind, explanation: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, explanation: explanation.into() }
    }

    pub(crate) fn of_key(place: &str, error: NkeyError) -> Self {
        let kind = if error.kind() == NkeyErrorKind::Weak { TokenErrorKind::WeakKey } else { TokenErrorKind::Key };
        Self::new(kind, format!("the claim {place}: {error}"))
    }

    /// Returns the reason.
    pub const fn kind(&self) -> TokenErrorKind {
        self.kind
    }

    /// Returns what is wrong, for the operator's log.
    pub fn explanation(&self) -> &str {
        &self.explanation
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.explanation)
    }
}

impl std::error::Error for TokenError {}
