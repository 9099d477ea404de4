//! [`Policy`]: what a verifier accepts that the rules of NATS leave open.

use std::time::Duration;

/// What is accepted, where the rules of NATS leave it open, or have to be stricter for requests over HTTP. See each method for the default.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub(super) max_token_bytes: usize,
    pub(super) v1: V1,
    pub(super) bearer: Bearer,
    pub(super) connection: Connection,
    pub(super) unrestricted: Unrestricted,
    pub(super) template_dots: TemplateDots,
    pub(super) leeway: Duration,
    pub(super) clock_error: Duration,
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

/// Whether users need no proof whose tokens say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a question with two answers")]
pub enum Bearer {
    /// They need none, unless their account demands it. Anyone who reads such a token can use it.
    Accept,
    /// Tokens that need no proof are refused.
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

/// Whether users are accepted who have no permissions at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a question with two answers")]
pub enum Unrestricted {
    /// They are, and may do everything, as in NATS.
    Allow,
    /// They are refused: a forgotten list would open everything.
    Deny,
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
            bearer: Bearer::Refuse,
            connection: Connection::AllowUnnamed,
            unrestricted: Unrestricted::Deny,
            template_dots: TemplateDots::Allow,
            leeway: Duration::ZERO,
            clock_error: Duration::from_secs(300),
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

    /// Sets whether users need no proof whose tokens say so. Defaults to [`Bearer::Refuse`].
    #[must_use]
    pub const fn bearer(self, bearer: Bearer) -> Self {
        Self { bearer, ..self }
    }

    /// Sets which kinds of connection a token has to allow. Defaults to [`Connection::AllowUnnamed`].
    #[must_use]
    pub const fn connection(self, connection: Connection) -> Self {
        Self { connection, ..self }
    }

    /// Sets whether users are accepted who have no permissions at all. Defaults to [`Unrestricted::Deny`].
    #[must_use]
    pub const fn unrestricted(self, unrestricted: Unrestricted) -> Self {
        Self { unrestricted, ..self }
    }

    /// Sets whether what is filled into a template may have dots. Defaults to [`TemplateDots::Allow`]. Values with the words `*` or `>` are
    /// always refused: `own.{{name()}}.>` would otherwise be everyone's subjects for a user with the name `*`.
    #[must_use]
    pub const fn template_dots(self, dots: TemplateDots) -> Self {
        Self { template_dots: dots, ..self }
    }

    /// Sets how wrong clocks may be for `exp` and `nbf`. Defaults to zero, as in NATS.
    #[must_use]
    pub const fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Sets how far in the future `iat` may be. Defaults to five minutes. NATS does not check it, but a token from the future outlives
    /// revocations, and an account from the future would make every later one look old.
    #[must_use]
    pub const fn clock_error(self, clock_error: Duration) -> Self {
        Self { clock_error, ..self }
    }
}

impl Policy {
    pub(crate) const fn bearer_tokens(&self) -> Bearer {
        self.bearer
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
