//! [`Policy`]: what a verifier accepts that the rules of NATS leave open.

use std::time::Duration;

use portcullis_core::policy::Leeway;

/// What is accepted, where the rules of NATS leave it open, or have to be stricter for requests over HTTP. See each method for the default.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub(super) max_token_bytes: usize,
    pub(super) v1: V1,
    pub(super) accepts_bearer_tokens: bool,
    pub(super) connection: Connection,
    pub(super) accepts_unrestricted_users: bool,
    pub(super) template_dots: TemplateDots,
    pub(super) leeway: Duration,
    pub(super) issued_at_leeway: Duration,
}

/// Whether tokens of version 1 are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a question with two answers")]
pub enum V1 {
    /// They are, as in nats-server. Their signature does not cover the header, which decides nothing.
    Accept,
    /// They are not.
    Refuse,
}

/// Which kinds of connection a token has to allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a question with two answers")]
pub enum Connection {
    /// A token that names kinds of connection has to name `HTTP`; one that names none is accepted.
    AllowUnnamed,
    /// A token has to name `HTTP`. A nats-server refuses one that names nothing else, so that no server can obtain what proves it.
    RequireHttp,
}

/// Whether what is filled into a template may have dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a question with two answers")]
pub enum TemplateDots {
    /// It may, as in NATS: a user with the name `a.b` gets the subject `own.a.b`.
    Allow,
    /// It may not.
    Refuse,
}

impl Policy {
    /// Returns the defaults.
    pub const fn new() -> Self {
        Self {
            max_token_bytes: 16 * 1024,
            v1: V1::Accept,
            accepts_bearer_tokens: false,
            connection: Connection::AllowUnnamed,
            accepts_unrestricted_users: false,
            template_dots: TemplateDots::Allow,
            leeway: Leeway::NONE.as_duration(),
            issued_at_leeway: Leeway::MAX.as_duration(),
        }
    }

    /// Sets how many bytes a user's token may have. Defaults to 16 KiB, which is also what common servers take for all HTTP headers.
    #[must_use]
    pub const fn max_token_bytes(self, bytes: usize) -> Self {
        Self { max_token_bytes: bytes, ..self }
    }

    /// Sets whether tokens of version 1 are accepted. Defaults to [`V1::Accept`].
    #[must_use]
    pub const fn v1(self, v1: V1) -> Self {
        Self { v1, ..self }
    }

    /// Accepts users without a proof whose tokens say that they need none (`bearer_token`), unless their account demands it. By default, they are refused.
    ///
    /// Anyone who reads such a token can use it: it is a password. Accept them over TLS only, and keep them out of logs.
    #[must_use]
    pub const fn danger_bearer_tokens(self) -> Self {
        Self { accepts_bearer_tokens: true, ..self }
    }

    /// Sets which kinds of connection a token has to allow. Defaults to [`Connection::AllowUnnamed`].
    #[must_use]
    pub const fn connection(self, connection: Connection) -> Self {
        Self { connection, ..self }
    }

    /// Accepts users who have no permissions at all, in their token and their account, and lets them do everything, as NATS does. By default, they
    /// are refused: a forgotten list would open everything. Handlers then have to check what such a user may do.
    #[must_use]
    pub const fn danger_unrestricted_users(self) -> Self {
        Self { accepts_unrestricted_users: true, ..self }
    }

    /// Sets whether what is filled into a template may have dots. Defaults to [`TemplateDots::Allow`]. Values with the words `*` or `>` are
    /// always refused: `own.{{name()}}.>` would otherwise be everyone's subjects for a user with the name `*`.
    #[must_use]
    pub const fn template_dots(self, dots: TemplateDots) -> Self {
        Self { template_dots: dots, ..self }
    }

    /// Sets the allowed clock skew for `exp` and `nbf` of users and accounts (RFC 7519 section 4.1.4). Defaults to [`Leeway::NONE`], as in NATS.
    /// Activations get none.
    #[doc(alias = "clock_skew")]
    #[must_use]
    pub const fn leeway(self, leeway: Leeway) -> Self {
        Self { leeway: leeway.as_duration(), ..self }
    }

    /// Sets how far in the future `iat` of users, accounts and activations may be. Defaults to [`Leeway::MAX`], five minutes. NATS does not check it, but a token from the future
    /// outlives revocations, and an account from the future would make every later one look old.
    #[must_use]
    pub const fn issued_at_leeway(self, leeway: Leeway) -> Self {
        Self { issued_at_leeway: leeway.as_duration(), ..self }
    }
}

impl Policy {
    pub(crate) const fn accepts_bearer_tokens(&self) -> bool {
        self.accepts_bearer_tokens
    }

    pub(crate) const fn token_bytes(&self) -> usize {
        self.max_token_bytes
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}
