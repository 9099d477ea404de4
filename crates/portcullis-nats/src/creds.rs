//! [`Creds`]: a user's token and seed in one text.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    claims::User,
    nkey::{KeyPair, NkeyError, NkeyErrorKind, Role, blocks},
    token::{Token, TokenError, TokenErrorKind},
};

/// A user's token and seed, as a credentials file has them (`.creds`). `Debug` does not show the seed, and the text is wiped.
///
/// ```text
/// -----BEGIN NATS USER JWT-----
/// eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ…
/// ------END NATS USER JWT------
///
/// -----BEGIN USER NKEY SEED-----
/// SUA…
/// ------END USER NKEY SEED------
/// ```
#[derive(Clone)]
pub struct Creds {
    token: String,
    key: KeyPair,
}

/// Why a text is no credentials file. It never contains the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct CredsError(Problem);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("a credentials file has a block with the user's token, an empty line, and a block with the seed")]
    Form,
    #[error("the token in the credentials file cannot be used")]
    Token(#[source] TokenError),
    #[error("the seed in the credentials file cannot be used")]
    Seed(#[source] NkeyError),
}

/// The kinds of [`CredsError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredsErrorKind {
    /// It does not have a block with a token and then one with a seed, separated by an empty line.
    Form,
    /// The token is none of a user.
    Token(TokenErrorKind),
    /// The seed is none of a user, or that of another one ([`NkeyErrorKind::Mismatch`]).
    Seed(NkeyErrorKind),
}

impl CredsError {
    /// Returns the kind of the error, for branching.
    pub const fn kind(&self) -> CredsErrorKind {
        match &self.0 {
            Problem::Form => CredsErrorKind::Form,
            Problem::Token(error) => CredsErrorKind::Token(error.kind()),
            Problem::Seed(error) => CredsErrorKind::Seed(error.kind()),
        }
    }
}

impl From<Problem> for CredsError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl Creds {
    /// Puts a token and its key together.
    ///
    /// # Errors
    ///
    /// If the token is none of a user, or the key is that of another one.
    pub fn new(token: impl Into<String>, key: KeyPair) -> Result<Self, CredsError> {
        let text = token.into();
        let token = Token::<User>::read(&text).map_err(Problem::Token)?;
        key.require(Role::User).map_err(Problem::Seed)?;
        if *key.public_key() != token.registered.subject {
            return Err(Problem::Seed(NkeyErrorKind::Mismatch.into()).into());
        }
        Ok(Self { token: text, key })
    }

    /// Reads the text of a credentials file. Text around the two blocks is ignored. For a file with a seed alone, use
    /// [`KeyPair::from_decorated`].
    ///
    /// # Errors
    ///
    /// If it is none, or its seed does not belong to its token.
    pub fn parse(text: &str) -> Result<Self, CredsError> {
        let mut blocks = blocks(text);
        let (Some(token), Some(seed)) = (blocks.next(), blocks.next()) else { return Err(Problem::Form.into()) };
        let key = KeyPair::from_seed(seed).map_err(Problem::Seed)?;
        Self::new(token, key)
    }

    /// Returns the text of a credentials file, which contains the seed. Give the file the mode 0600.
    pub fn format(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             ************************* IMPORTANT *************************\n\
             NKEY Seed printed below can be used to sign and prove identity.\n\
             NKEYs are sensitive and should be treated as secrets.\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n\n\
             *************************************************************\n",
            self.token,
            self.key.seed().reveal(),
        ))
    }

    /// Returns the token.
    #[doc(alias = "jwt")]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the key.
    pub const fn key(&self) -> &KeyPair {
        &self.key
    }
}

impl fmt::Debug for Creds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Creds").field("user", self.key.public_key()).finish_non_exhaustive()
    }
}
