//! [`SignError`]: why a request was not signed.

use portcullis_nats::token::TokenError;

/// A request was not signed, or a token not taken. It never contains a token.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.kind.text())]
pub struct SignError {
    kind: SignErrorKind,
    #[source]
    source: Option<TokenError>,
}

/// The kinds of [`SignError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignErrorKind {
    /// The request goes to another origin than the signer is for.
    OtherOrigin,
    /// The request has `Content-Digest` several times, or not as text.
    ContentDigest,
    /// It is no token of the same user, or none of the user's account.
    Token,
    /// The system has no random numbers.
    NoRandomNumbers,
}

impl SignErrorKind {
    const fn text(self) -> &'static str {
        match self {
            Self::OtherOrigin => {
                "the request goes to another origin than the signer is for: make a signer for each origin"
            }
            Self::ContentDigest => "the request has to have one Content-Digest of visible characters, or none",
            Self::Token => "a token of the same user is needed here, or one of that user's account",
            Self::NoRandomNumbers => "the system has no random numbers",
        }
    }
}

impl SignError {
    pub(crate) const fn new(kind: SignErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(crate) const fn token(source: TokenError) -> Self {
        Self { kind: SignErrorKind::Token, source: Some(source) }
    }

    /// Returns the kind of the error, for branching.
    pub const fn kind(&self) -> SignErrorKind {
        self.kind
    }
}
