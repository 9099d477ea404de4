//! Who is at the other end of the connection.

use std::net::IpAddr;

/// What the server knows of the connection that a request came by, left in the request's extensions for rules and proofs that look at it.
///
/// Only the server knows, so it has to say so: in axum by a middleware that reads `ConnectInfo`, behind a proxy by one that
/// reads what this proxy has written, and has removed from what clients send. Without it nothing is known, and a rule that needs it refuses the credential.
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
    /// A peer of whom nothing is known yet.
    pub const fn new() -> Self {
        Self { address: None, certificate_sha256: None }
    }

    /// Sets the peer's address: the client's, or that of the proxy in front.
    #[must_use]
    pub fn address(self, address: IpAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// Sets the SHA-256 digest of the certificate, in DER, by which the client has authenticated itself (RFC 8705 section 3).
    #[must_use]
    pub fn certificate_sha256(self, digest: [u8; 32]) -> Self {
        Self { certificate_sha256: Some(Box::new(digest)), ..self }
    }
}
