//! [`Inspection`]: shows what a token or a credentials file says, without trusting it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    claims::{Account, Activation, Operator, User},
    creds::Creds,
    token::{Kind, Registered, Token, TokenError, TokenErrorKind, Version},
};

/// What a token says. `Display` shows it to people. The key in `iss` has signed it; nothing else is trusted: see [`not_checked`](Self::not_checked).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The token, by its kind.
    pub token: Inspected,
    /// All claims as JSON, with those that this crate does not model.
    pub claims: String,
    /// Whether the text was a credentials file, whose seed belongs to the token. The seed is not part of this value.
    pub has_seed: bool,
}

/// A token of any kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Inspected {
    /// An operator's.
    Operator(Box<Token<Operator>>),
    /// An account's.
    Account(Box<Token<Account>>),
    /// A user's.
    User(Box<Token<User>>),
    /// The permission to import an export.
    Activation(Box<Token<Activation>>),
}

/// Reads a token of any kind, or a credentials file.
///
/// # Errors
///
/// If it is neither, or the key in `iss` has not signed it.
pub fn inspect(text: &str) -> Result<Inspection, TokenError> {
    let text = text.trim();
    match Creds::parse(text) {
        Ok(creds) => Ok(Inspection { has_seed: true, ..inspect_token(creds.token())? }),
        // What is wrong with it is said without the text, which may have a seed in it.
        Err(error) if text.starts_with("---") => Err(TokenError::new(TokenErrorKind::Malformed, error.to_string())),
        Err(_) => inspect_token(text),
    }
}

fn inspect_token(text: &str) -> Result<Inspection, TokenError> {
    let token = read(text, Inspected::User)
        .or_else(|| read(text, Inspected::Account))
        .or_else(|| read(text, Inspected::Operator))
        .or_else(|| read(text, Inspected::Activation));
    let other = || {
        TokenError::new(
            TokenErrorKind::WrongType,
            "it is a token of NATS, but none of an operator, account, user or activation",
        )
    };
    let token = token.unwrap_or_else(|| Err(other()))?;
    let claims = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|json| String::from_utf8(json).ok()).unwrap_or_default();
    Ok(Inspection { token, claims, has_seed: false })
}

/// Returns the token if it is one of this kind, or what is wrong with it; `None` if it is one of another kind.
fn read<K: Kind>(text: &str, wrap: impl FnOnce(Box<Token<K>>) -> Inspected) -> Option<Result<Inspected, TokenError>> {
    match Token::read(text) {
        Err(error) if error.kind() == TokenErrorKind::WrongType => None,
        outcome => Some(outcome.map(|token| wrap(Box::new(token)))),
    }
}

impl Inspected {
    /// Returns the claims beside `nats`.
    pub fn registered(&self) -> &Registered {
        match self {
            Self::Operator(token) => &token.registered,
            Self::Account(token) => &token.registered,
            Self::User(token) => &token.registered,
            Self::Activation(token) => &token.registered,
        }
    }

    /// Returns the version.
    pub fn version(&self) -> Version {
        match self {
            Self::Operator(token) => token.version,
            Self::Account(token) => token.version,
            Self::User(token) => token.version,
            Self::Activation(token) => token.version,
        }
    }

    /// Returns the name of the kind, as tokens have it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Operator(_) => Operator::NAME,
            Self::Account(_) => Account::NAME,
            Self::User(_) => User::NAME,
            Self::Activation(_) => Activation::NAME,
        }
    }
}

impl Inspection {
    /// Returns what was not checked, in sentences. A [chain](crate::chain) checks it.
    pub fn not_checked(&self) -> &'static [&'static str] {
        match self.token {
            Inspected::Operator(_) => {
                &["whether the operator is one that you trust", "whether the token is within its times"]
            }
            Inspected::Account(_) => &[
                "whether a trusted operator has signed it",
                "whether it is within its times",
                "whether it is the newest one of the account",
            ],
            Inspected::User(_) => &[
                "whether the account exists, and lets the signing key sign",
                "whether it is within its times, and the network and the time of day are right",
                "whether the account has revoked it",
                "whether the caller holds the user's key",
            ],
            Inspected::Activation(_) => &[
                "whether the exporting account lets the signing key sign",
                "whether it is within its times",
                "whether the exporting account has revoked it",
            ],
        }
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registered = self.token.registered();
        let version = if self.token.version() == Version::V1 { 1 } else { 2 };
        writeln!(
            f,
            "{} token of version {version}{}",
            self.token.kind(),
            if self.has_seed { ", with its seed" } else { "" }
        )?;
        // Names are in quotation marks, so that they cannot pass for other lines.
        writeln!(f, "  subject   {} {:?}", registered.subject, registered.name)?;
        writeln!(f, "  signed by {}", registered.issuer)?;
        writeln!(f, "  issued at {}", registered.issued_at)?;
        if let Some(start) = registered.not_before {
            writeln!(f, "  not before {start}")?;
        }
        match registered.expires_at {
            Some(end) => writeln!(f, "  expires at {end}")?,
            None => writeln!(f, "  does not expire")?,
        }
        writeln!(f, "  claims    {}", printable(&self.claims))?;
        writeln!(f, "not checked:")?;
        self.not_checked().iter().try_for_each(|what| writeln!(f, "  - {what}"))
    }
}

/// Escapes what could move the cursor of a terminal.
fn printable(json: &str) -> String {
    json.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}
