//! [`Operators`]: the roots of trust.

use portcullis_core::{ConfigError, UnixTime};

use crate::{
    claims::Operator,
    nkey::{OperatorKey, PublicKey},
    token::Token,
};

/// The operators that are trusted. An account is accepted if one of their keys has signed its token.
#[derive(Clone, Debug, Default)]
pub struct Operators {
    anchors: Vec<Anchor>,
}

/// An operator.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    own: OperatorKey,
    claims: Operator,
    expires_at: Option<UnixTime>,
}

impl Operators {
    /// Returns none, which accept no account.
    pub const fn new() -> Self {
        Self { anchors: Vec::new() }
    }

    /// Trusts an operator as its token describes it: its own key, unless it says that only signing keys sign, and its signing keys.
    ///
    /// # Errors
    ///
    /// If it is not the token of an operator, is not signed by the operator's own key, or trusts no key at all.
    #[doc(alias = "jwt")]
    pub fn token(mut self, text: &str) -> Result<Self, ConfigError> {
        let token = Token::<Operator>::read(text.trim())
            .map_err(|error| wrong(&format!("the token of the operator: {error}")))?;
        let own = OperatorKey::try_from(token.registered.subject).map_err(|error| wrong(&error.to_string()))?;
        if token.registered.issuer != token.registered.subject {
            return Err(wrong("the token of the operator is not signed by the operator's own key"));
        }
        if token.nats.strict_signing_key_usage && token.nats.signing_keys.is_empty() {
            return Err(wrong(
                "the operator lets only its signing keys sign, and has none: no account could be accepted",
            ));
        }
        self.anchors.push(Anchor { own, claims: token.nats, expires_at: token.registered.expires_at });
        Ok(self)
    }

    /// Trusts exactly this key of an operator: its own, or a signing key.
    #[must_use]
    pub fn key(mut self, key: OperatorKey) -> Self {
        self.anchors.push(Anchor { own: key, claims: Operator::default(), expires_at: None });
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Returns the own key of each operator.
    pub fn keys(&self) -> impl Iterator<Item = &OperatorKey> {
        self.anchors.iter().map(|anchor| &anchor.own)
    }

    /// Whether an account is accepted at this instant whose token this key has signed.
    pub fn trusts(&self, key: &OperatorKey, now: UnixTime) -> bool {
        self.find(key.public_key(), now).is_some()
    }

    /// Returns what the operator demands that has this key; `None` if no trusted one has it.
    pub(super) fn find(&self, key: &PublicKey, now: UnixTime) -> Option<Signs> {
        let key = OperatorKey::try_from(*key).ok()?;
        let live = self.anchors.iter().filter(|anchor| anchor.expires_at.is_none_or(|end| now < end));
        let mut anchors = live.filter(|anchor| anchor.claims.signs_accounts(&anchor.own, &key)).peekable();
        anchors.peek()?;
        let is_strict = anchors.any(|anchor| anchor.claims.strict_signing_key_usage);
        Some(if is_strict { Signs::WithSigningKeys } else { Signs::WithAnyKey })
    }
}

/// With which keys the accounts of an operator sign users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signs {
    WithAnyKey,
    WithSigningKeys,
}

fn wrong(problem: &str) -> ConfigError {
    ConfigError::new(problem.to_owned())
}
