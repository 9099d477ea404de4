//! [`Behaviour`]: what an identity provider does.

use std::time::Duration;

/// How a [`ScriptedProvider`](super::ScriptedProvider) answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// Correctly.
    Normal,
    /// Correctly, after this time.
    Slow(Duration),
    /// Never.
    Hang,
    /// The connection is refused.
    Unreachable,
    /// With this status, and a JSON body that contains it.
    Status(u16),
    /// With a redirect to this URL.
    Redirect(String),
    /// With the first half of the document.
    Truncated,
    /// With the document, followed by so much white space that it exceeds every limit.
    Huge,
    /// With the document, as this content type (`text/plain`).
    ContentType(String),
    /// With a login page, as HTML and status 200.
    LoginPage,
    /// With text that is not JSON.
    Garbage,
    /// With a key set without keys.
    EmptySet,
    /// With a key set in which no key is of a supported kind.
    NoUsableKey,
    /// With the key set and one additional key that cannot be used.
    OddKey,
    /// With the key set, including the private members of its keys.
    PrivateKeys,
    /// With the key set and a shared secret.
    SharedSecret,
    /// With each key twice: its id also names another key.
    DuplicateIds,
    /// With more keys than the limit.
    TooManyKeys,
    /// With the metadata of another issuer.
    OtherIssuer(String),
    /// With metadata that name another URL for the key set.
    OtherKeySet(String),
}

impl Behaviour {
    /// Behaviours after which a service must continue with the keys that it has; if it has none, it must say that it could not decide.
    pub const FAULTS: &[Self] = &[
        Self::Hang,
        Self::Unreachable,
        Self::Status(201),
        Self::Status(304),
        Self::Status(404),
        Self::Status(429),
        Self::Status(500),
        Self::Status(503),
        Self::Truncated,
        Self::Huge,
        Self::LoginPage,
        Self::Garbage,
        Self::EmptySet,
        Self::NoUsableKey,
        Self::SharedSecret,
        Self::TooManyKeys,
    ];
}
