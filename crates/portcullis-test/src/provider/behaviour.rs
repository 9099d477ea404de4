//! What an identity provider may do to whoever asks it.

use std::time::Duration;

/// How a [`ScriptedProvider`](super::ScriptedProvider) answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// As it should.
    Normal,
    /// As it should, after this time.
    Slow(Duration),
    /// Never.
    Hang,
    /// The connection is refused.
    Unreachable,
    /// With this status, and a body of JSON that says so.
    Status(u16),
    /// With a redirect to this URL.
    Redirect(String),
    /// With the first half of the document.
    Truncated,
    /// With the document and so much white space that it is longer than anybody should read.
    Huge,
    /// With the document, called this (`text/plain`).
    ContentType(String),
    /// With a page to log in, as HTML and status 200.
    LoginPage,
    /// With text that is no JSON.
    Garbage,
    /// With a key set without keys.
    EmptySet,
    /// With a key set in which no key is of a kind that can be used.
    NoUsableKey,
    /// With the key set and one key more that cannot be used.
    OddKey,
    /// With the key set, its keys with their private members.
    PrivateKeys,
    /// With the key set and a shared secret.
    SharedSecret,
    /// With each key twice: its id names another key, too.
    DuplicateIds,
    /// With more keys than anybody should read.
    TooManyKeys,
    /// With metadata of another issuer.
    OtherIssuer(String),
    /// With metadata that names another place for the key set.
    OtherKeySet(String),
}

impl Behaviour {
    /// Those after which a service must go on with the keys that it has, and say that it could not decide if it has none.
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
