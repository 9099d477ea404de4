//! [`PeerAddress`]: where a request comes from.

use std::net::{IpAddr, Ipv6Addr};

/// The address that a request comes from, in the extensions of the request. A [limit of rates](crate::server::AuthorizationServerBuilder::rate_limit) gets
/// its [network](Self::network). Without it, the limit gets none.
///
/// Only the server knows the connection, so the application has to set it. In axum, use a middleware that reads `ConnectInfo`, as here. Behind a proxy,
/// use one that reads a header that the proxy sets, and that the proxy removes from clients' requests. The routes read no header for it: a client can
/// write what it wants into `X-Forwarded-For`, and would have a limit of its own in each request.
///
/// ```
/// use std::net::SocketAddr;
///
/// use axum::{Router, extract::{ConnectInfo, Request}, middleware::map_request};
/// use portcullis_issuer::routes::{PeerAddress, ServerRoutes};
///
/// async fn peer(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
///     request.extensions_mut().insert(PeerAddress::new(peer.ip()));
///     request
/// }
///
/// fn app(routes: ServerRoutes) -> Router {
///     // Serve it by `into_make_service_with_connect_info::<SocketAddr>()`.
///     Router::new().fallback_service(routes).layer(map_request(peer))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(IpAddr);

/// How many bits of an address of IPv6 name the network of one customer, at least (RFC 6177). In it, a customer has as many addresses as it wants.
const PREFIX: u32 = 64;

impl PeerAddress {
    /// Returns the peer with this address: that of the client, and not that of a proxy.
    pub const fn new(address: IpAddr) -> Self {
        Self(address)
    }

    /// Returns the network for a limit: an address of IPv4, as `192.0.2.7`, also if it is written in IPv6 (`::ffff:192.0.2.7`); of IPv6 the first 64
    /// bits, as `2001:db8:1:2::/64`.
    pub fn network(self) -> String {
        match self.0.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - PREFIX)));
                format!("{network}/{PREFIX}")
            }
        }
    }
}
