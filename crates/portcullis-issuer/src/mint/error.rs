//! [`MintError`]: why no token was minted.

use std::{error::Error, fmt};

use crate::signer::{SignError, SignErrorKind};

/// No token was minted. The error says why, without values of claims.
#[derive(Clone, Debug)]
pub struct MintError {
    kind: MintErrorKind,
    message: String,
    source: Option<SignError>,
}

/// The kinds of [`MintError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MintErrorKind {
    /// The content cannot be a token: an audience that the specification does not have, an empty subject, custom claims with the name of
    /// a registered claim. A mistake of the program.
    Content,
    /// The token would be longer than the specification allows.
    TooLong,
    /// The token would already have expired: its session has ended.
    Ended,
    /// The signing key, or the document of the key ring, cannot be reached. Trying again may help; see the source.
    SignerUnavailable,
    /// The signing key refuses to sign, or its signature is malformed. Trying again does not help; see the source.
    SignerFailed,
    /// The operating system has no randomness.
    Randomness,
}

impl MintError {
    fn new(kind: MintErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(super) fn custom(problem: &str) -> Self {
        Self::new(MintErrorKind::Content, format!("the custom claims {problem}"))
    }

    pub(super) fn reserved(name: &str) -> Self {
        Self::new(
            MintErrorKind::Content,
            format!(
                "the custom claims have a member `{name}`, which is a registered claim: rename it, or use the method of `AccessToken`"
            ),
        )
    }

    pub(super) fn audience(message: String) -> Self {
        Self::new(MintErrorKind::Content, message)
    }

    pub(super) fn claim(name: &str, problem: &str) -> Self {
        Self::new(MintErrorKind::Content, format!("`{name}` cannot be minted: {problem}"))
    }

    pub(super) fn ended() -> Self {
        Self::new(
            MintErrorKind::Ended,
            "the token would have expired already: its session has ended, or its lifetime is zero",
        )
    }

    pub(super) fn too_long(bytes: usize, most: usize, claim: &str, size: usize) -> Self {
        Self::new(
            MintErrorKind::TooLong,
            format!(
                "the token would have {bytes} bytes, and {most} are allowed (`TokenSpec::max_token_bytes`): its largest claim is `{claim}`, \
                 with {size} bytes"
            ),
        )
    }

    pub(super) fn no_randomness() -> Self {
        Self::new(MintErrorKind::Randomness, "the operating system has no randomness for the token's id")
    }

    /// Returns the kind.
    pub fn kind(&self) -> MintErrorKind {
        self.kind
    }
}

impl From<SignError> for MintError {
    fn from(error: SignError) -> Self {
        let kind = match error.kind() {
            SignErrorKind::Unavailable => MintErrorKind::SignerUnavailable,
            _ => MintErrorKind::SignerFailed,
        };
        Self { kind, message: "the token was not signed".to_owned(), source: Some(error) }
    }
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for MintError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn Error + 'static))
    }
}
