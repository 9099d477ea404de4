//! [`MintError`]: why no token was made.

use std::{borrow::Cow, error::Error, fmt};

use portcullis_core::signing::SignError;

use crate::token::{TokenError, TokenErrorKind};

/// No token was made. The error says what is wrong and how to mend it, and never contains a token or a seed.
#[derive(Clone, Debug)]
pub struct MintError {
    kind: MintErrorKind,
    explanation: Cow<'static, str>,
    source: Option<SignError>,
}

/// The kinds of [`MintError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MintErrorKind {
    /// The signing key is no nkey, or one of a role that does not sign tokens of this kind.
    SigningKey,
    /// The signing key does not sign for this operator or account.
    NotAllowed,
    /// The signing key has a scope, and the token is one of a user with terms of their own; or the other way round.
    Scope,
    /// A server would refuse the claims.
    Claims(TokenErrorKind),
    /// The times contradict each other, or the clock.
    Time,
    /// The token that is to be changed cannot be read.
    Unreadable(TokenErrorKind),
    /// The signer has made no signature, or one that is wrong.
    Signing,
}

impl MintError {
    pub(crate) fn new(kind: MintErrorKind, explanation: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, explanation: explanation.into(), source: None }
    }

    pub(super) fn claims(explanation: impl Into<Cow<'static, str>>) -> Self {
        Self::new(MintErrorKind::Claims(TokenErrorKind::Invalid), explanation)
    }

    pub(super) fn of_claims(error: &TokenError) -> Self {
        Self::new(MintErrorKind::Claims(error.kind()), error.explanation().to_owned())
    }

    pub(super) fn unreadable(error: &TokenError) -> Self {
        Self::new(MintErrorKind::Unreadable(error.kind()), format!("the token to change: {}", error.explanation()))
    }

    pub(super) fn signing(source: SignError) -> Self {
        Self { kind: MintErrorKind::Signing, explanation: Cow::Borrowed("there is no signature"), source: Some(source) }
    }

    /// Returns the kind.
    pub const fn kind(&self) -> MintErrorKind {
        self.kind
    }
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no token was made: {}", self.explanation)
    }
}

impl Error for MintError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn Error + 'static))
    }
}
