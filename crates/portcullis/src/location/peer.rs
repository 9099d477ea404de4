//! [`Peer`]: the other end of the connection.

use std::net::IpAddr;

/// What the server knows about the connection of a request, put into the request's extensions for rules and proofs that need it.
///
/// Only the server knows the connection, so it has to provide this. In axum, use a middleware that reads `ConnectInfo`. Behind a proxy,
/// use one that reads a header that the proxy sets, and that the proxy removes from clients' requests. If it is missing, a rule that
/// needs it refuses the credential.
///
/// ```
/// use std::net::IpAddr;
///
/// use http::Request;
/// use portcullis::location::Peer;
///
/// let mut request = Request::new(());
/// request.extensions_mut().insert(Peer::new().address(IpAddr::from([192, 0, 2, 7])));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    pub(super) address: Option<IpAddr>,
    pub(super) certificate_sha256: Option<Box<[u8; 32]>>,
}

impl Peer {
    /// Returns a peer about which nothing is known yet.
    pub const fn new() -> Self {
        Self { address: None, certificate_sha256: None }
    }

    /// Sets the peer's address: that of the client, or of the proxy in front.
    #[must_use]
    pub fn address(self, address: IpAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// Sets the SHA-256 digest of the client's certificate, in DER, with which the client authenticated itself (RFC 8705 section 3).
    #[must_use]
    pub fn certificate_sha256(self, digest: [u8; 32]) -> Self {
        Self { certificate_sha256: Some(Box::new(digest)), ..self }
    }
}
