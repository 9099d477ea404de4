//! [`Proof`]: how a client, or a service that introspects, proves who it is.

use std::{fmt, slice};

use portcullis_core::UnixTime;

use super::{ClientSecret, assertion::AssertionKeys};
use crate::documents::ClientAuthentication;

/// How a client, or a service that introspects, proves who it is: in one way alone.
#[derive(Clone)]
pub(super) enum Proof {
    /// Not at all: a public client.
    None,
    /// With a secret, or while it is replaced, with either of two.
    Secrets(Vec<ClientSecret>),
    /// With an assertion that it has signed.
    Keys(AssertionKeys),
}

impl Proof {
    /// How many secrets there may be: the one before, and the one that replaces it.
    pub(super) const MOST_SECRETS: usize = 2;

    /// Returns the way, as the metadata names it.
    pub(super) fn method(&self) -> ClientAuthentication {
        match self {
            Self::None => ClientAuthentication::None,
            Self::Secrets(_) => ClientAuthentication::ClientSecretBasic,
            Self::Keys(_) => ClientAuthentication::PrivateKeyJwt,
        }
    }

    /// Adds a secret. One for a client with keys is a [problem](Self::problems).
    pub(super) fn add_secret(&mut self, secret: ClientSecret) {
        match self {
            Self::Secrets(secrets) => secrets.push(secret),
            Self::None => *self = Self::Secrets(vec![secret]),
            Self::Keys(keys) => keys.has_secret = true,
        }
    }

    /// Returns what is wrong with it, for the client or service of this id.
    pub(super) fn problems(&self, id: &str) -> Vec<String> {
        match self {
            Self::Secrets(secrets) if secrets.len() > Self::MOST_SECRETS => {
                vec!["has more than two secrets: leave out those that have been replaced".to_owned()]
            }
            Self::Keys(keys) => keys.problems(id),
            Self::None | Self::Secrets(_) => Vec::new(),
        }
    }
}

/// Whether this is one of the secrets now. It compares digests also if there is no secret, so that the time does not tell whether the name is
/// known.
pub(super) fn has_secret(proof: Option<&Proof>, secret: &str, now: UnixTime) -> bool {
    let decoy = ClientSecret::decoy();
    let (secrets, are_real) = match proof {
        Some(Proof::Secrets(secrets)) => (secrets.as_slice(), true),
        _ => (slice::from_ref(&decoy), false),
    };
    // All are compared, so that the time does not tell which it was.
    let is_one = secrets.iter().fold(false, |found, each| each.is(secret, now) | found);
    are_real && is_one
}

/// Shows the way, and no secret.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.method().fmt(f)
    }
}
