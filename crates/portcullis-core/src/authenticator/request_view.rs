//! [`RequestView`]: a request without an HTTP library, for authenticators.

use std::{fmt, net::IpAddr};

/// Gives an authenticator access to the request that presents a credential: for proofs of possession (RFC 9449 section 4.3, RFC 8705) and
/// for rules about the origin of a request.
///
/// `portcullis` implements it for HTTP requests. A test may implement it for its own struct.
pub trait RequestView: fmt::Debug + Sync {
    /// Returns the method, such as `GET`. Methods are case-sensitive.
    fn method(&self) -> &str;

    /// Returns the path and the query as the client sent them, without changes by a nested router or a rewriting layer.
    fn target(&self) -> &str;

    /// Returns the HTTP header with this name, which is case-insensitive.
    fn header(&self, name: &str) -> Header<'_>;

    /// Returns what the server has said about the connection.
    fn channel(&self) -> Channel<'_>;
}

/// An HTTP header that must occur only once in a request. `Debug` does not show the value.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Header<'a> {
    /// The request has no header with that name.
    Absent,
    /// It has this one; surrounding white space is removed (RFC 9110 section 5.5).
    One(&'a [u8]),
    /// It has several. Do not choose one of them: refuse the request.
    Several,
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::One(_) => "One(REDACTED)",
            Self::Several => "Several",
        })
    }
}

/// What is known about the connection of a request. Unknown values are `None`, and a rule that needs one refuses the credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel<'a> {
    /// The address of the peer: the client, or the proxy in front.
    pub peer: Option<IpAddr>,
    /// The SHA-256 digest of the client's certificate, in DER (RFC 8705 section 3).
    pub certificate_sha256: Option<&'a [u8; 32]>,
}

impl<'a> Channel<'a> {
    /// Sets the address of the peer.
    #[must_use]
    pub const fn with_peer(self, peer: IpAddr) -> Self {
        Self { peer: Some(peer), ..self }
    }

    /// Sets the digest of the client's certificate.
    #[must_use]
    pub const fn with_certificate(self, sha256: &'a [u8; 32]) -> Self {
        Self { certificate_sha256: Some(sha256), ..self }
    }
}
