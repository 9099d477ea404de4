//! [`Refusal`]: why a user is not let in.

use std::{borrow::Cow, fmt};

use portcullis_core::{AuthError, Code};

use crate::token::{TokenError, TokenErrorKind};

/// A user is not let in. It never contains a token's text or a claim's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: RefusalKind,
    explanation: Cow<'static, str>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $code:ident;)+) => {
        /// The reasons. [`as_str`](Self::as_str) is a stable name of each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RefusalKind {
            /// The user's token cannot be read.
            User(TokenErrorKind),
            /// The account's token cannot be read.
            Account(TokenErrorKind),
            $($(#[doc = $doc])+ $variant,)+
        }

        impl RefusalKind {
            /// Returns the stable name, in `snake_case`. What is wrong with a token has one name, whether it is the user's or the account's.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::User(TokenErrorKind::Invalid) => "user_invalid",
                    Self::Account(TokenErrorKind::Invalid) => "account_invalid",
                    Self::User(kind) | Self::Account(kind) => kind.as_str(),
                    $(Self::$variant => $name),+
                }
            }

            /// Returns the reason that the client is told.
            pub const fn code(self) -> Code {
                match self {
                    Self::User(TokenErrorKind::TooLong) => Code::TokenTooLong,
                    Self::User(TokenErrorKind::Malformed) => Code::TokenMalformed,
                    Self::User(TokenErrorKind::Header) => Code::HeaderMalformed,
                    Self::User(TokenErrorKind::WrongType) => Code::TypeNotAccepted,
                    Self::User(TokenErrorKind::Signature) => Code::SignatureInvalid,
                    Self::User(TokenErrorKind::IssuerRole) | Self::Account(_) => Code::IssuerNotTrusted,
                    Self::User(_) => Code::ClaimsMalformed,
                    $(Self::$variant => Code::$code),+
                }
            }
        }
    };
}

kinds! {
    /// `exp` of the user's token has passed.
    Expired = "expired", TokenExpired;
    /// `nbf` of the user's token is in the future.
    NotYetValid = "not_yet_valid", TokenNotYetValid;
    /// `iat` of the user's token is too far in the future: it would outlive revocations.
    IssuedInFuture = "issued_in_future", TokenIssuedInFuture;
    /// The account is not one of those that are let in.
    AccountNotPinned = "account_not_pinned", IssuerNotTrusted;
    /// The account is not known.
    AccountUnknown = "account_unknown", IssuerNotTrusted;
    /// The account's token is that of another account.
    AccountMismatch = "account_mismatch", IssuerNotTrusted;
    /// No trusted operator has signed the account's token.
    AccountUntrusted = "account_untrusted", IssuerNotTrusted;
    /// `exp` of the account's token has passed.
    AccountExpired = "account_expired", IssuerNotTrusted;
    /// `nbf` of the account's token is in the future.
    AccountNotYetValid = "account_not_yet_valid", IssuerNotTrusted;
    /// `iat` of the account's token is too far in the future, or older than one that was seen before.
    AccountRolledBack = "account_rolled_back", IssuerNotTrusted;
    /// The account allows no connections.
    AccountLocked = "account_locked", IssuerNotTrusted;
    /// The key that has signed the user's token does not sign for the account.
    IssuerNotInAccount = "issuer_not_in_account", IssuerNotTrusted;
    /// The account leaves it to an outside service who gets in, and the user is not one of that service.
    ExternalAuthorization = "external_authorization", IssuerNotTrusted;
    /// A user of a scoped signing key has permissions or limits of their own.
    ScopedUserNotEmpty = "scoped_user_not_empty", ClaimsMalformed;
    /// The template of the scope cannot be filled in for this user.
    Template = "template", ClaimsMalformed;
    /// The user's token, or an older one, was revoked by the account.
    Revoked = "revoked", TokenRevoked;
    /// Tokens that need no proof are not accepted: by the account, or here.
    BearerDisallowed = "bearer_disallowed", ProofMissing;
    /// The user may not come over this kind of connection.
    ConnectionType = "connection_type", ConditionNotMet;
    /// The user may not come from this address, or the address is not known.
    Source = "src", ConditionNotMet;
    /// The user may not come at this time of day.
    TimeRange = "time_range", ConditionNotMet;
    /// The user may only come through a trusted proxy.
    ProxyRequired = "proxy_required", ConditionNotMet;
    /// The user has no permissions at all, which NATS takes for every permission.
    Unrestricted = "unrestricted", IssuerNotTrusted;
    /// The user may have no subscriptions. A nats-server closes such a connection at once, so the user can do nothing there.
    NoSubscriptions = "no_subscriptions", IssuerNotTrusted;
    /// The account uses nothing of the account whose service this is.
    NotImported = "not_imported", IssuerNotTrusted;
}

impl Refusal {
    pub(crate) fn new(kind: RefusalKind, explanation: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, explanation: explanation.into() }
    }

    pub(crate) fn of_user(error: &TokenError) -> Self {
        Self::new(RefusalKind::User(error.kind()), format!("the user's token: {}", error.explanation()))
    }

    pub(crate) fn of_account(error: &TokenError) -> Self {
        Self::new(RefusalKind::Account(error.kind()), format!("the account's token: {}", error.explanation()))
    }

    /// Returns the reason.
    pub const fn kind(&self) -> RefusalKind {
        self.kind
    }

    /// Returns what happened, for the operator's log.
    pub fn explanation(&self) -> &str {
        &self.explanation
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.explanation)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for AuthError {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.kind.code()).with_explanation(refusal.to_string())
    }
}
