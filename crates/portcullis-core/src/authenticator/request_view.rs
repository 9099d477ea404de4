//! A request as authenticators see it, without an HTTP library.

use std::{fmt, net::IpAddr};

/// What an authenticator can ask about the request that presents a credential: for proofs of possession (RFC 9449 section 4.3, RFC 8705)
/// and for rules about where a request comes from.
///
/// `portcullis` implements it for HTTP requests. A test may implement it for a struct of its own.
pub trait RequestView: fmt::Debug + Sync {
    /// The method, such as `GET`. Methods are told apart by case.
    fn method(&self) -> &str;

    /// The path and the query as the client sent them: not what a nested router or a rewriting proxy layer has made of them.
    fn target(&self) -> &str;

    /// The HTTP header of that name, which is compared without case.
    fn header(&self, name: &str) -> Header<'_>;

    /// From where the request came, as far as the server has said so.
    fn channel(&self) -> Channel<'_>;
}

/// An HTTP header that must not stand in a request twice. `Debug` does not show the value.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Header<'a> {
    /// The request has none of that name.
    Absent,
    /// It has this one, without the white space around it (RFC 9110 section 5.5).
    One(&'a [u8]),
    /// It has several. Which of them counts would be a guess: refuse the request, and never take the first.
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

/// What is known of the connection that a request came by. What is not known is `None`, and a rule that needs it refuses the credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel<'a> {
    /// The address of the peer: of the client, or of the proxy in front.
    pub peer: Option<IpAddr>,
    /// The SHA-256 digest of the certificate by which the client has authenticated itself (RFC 8705 section 3), in DER.
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
