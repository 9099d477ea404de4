//! [`ProofError`]: why a value is no proof.

use std::fmt;

/// A value of the HTTP header `Nats-Proof` is no proof. It never contains the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofError {
    kind: ProofErrorKind,
}

/// The kinds of [`ProofError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofErrorKind {
    /// It is longer than 1 KiB.
    TooLong,
    /// It does not consist of `name=value`, separated by `;`.
    Form,
    /// It has a parameter twice.
    Repeated,
    /// It has a parameter that is not known.
    Unknown,
    /// It is not of version 1.
    Version,
    /// The parameter with this name is missing, or has a wrong value.
    Value(&'static str),
}

impl ProofError {
    /// Returns the kind of the error, for branching.
    pub const fn kind(self) -> ProofErrorKind {
        self.kind
    }
}

impl From<ProofErrorKind> for ProofError {
    fn from(kind: ProofErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ProofErrorKind::TooLong => "the proof is too long",
            ProofErrorKind::Form => "the proof does not have the form v=1; ts=…; nonce=…; id=…; sig=…",
            ProofErrorKind::Repeated => "the proof has a parameter twice",
            ProofErrorKind::Unknown => "the proof has a parameter that is not known",
            ProofErrorKind::Version => "the proof is not of version 1",
            ProofErrorKind::Value(name) => return write!(f, "the proof has no right value of {name}"),
        })
    }
}

impl std::error::Error for ProofError {}
