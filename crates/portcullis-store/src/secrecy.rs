//! Checks whether the connection to a server could be intercepted.

use std::net::IpAddr;

/// Whether a host is this machine, so that the connection cannot be intercepted.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Returns a warning for the operator about a connection without encryption.
#[cfg(any(feature = "nats", feature = "redis"))]
pub(crate) fn warning(host: &str, scheme: &str) -> Option<String> {
    (!is_this_machine(host)).then(|| {
        format!(
            "the connection to {host} is not encrypted: an attacker on the network can read passwords and what is stored, and \
             can hold changes back: use a URL that begins with {scheme}"
        )
    })
}

#[cfg(all(test, any(feature = "nats", feature = "redis")))]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_in_the_clear_without_a_warning() {
        for host in ["localhost", "127.0.0.1", "127.8.0.1", "::1", "[::1]"] {
            assert_eq!(warning(host, "rediss://"), None, "{host}");
        }
        for host in ["redis.internal", "10.0.0.7", "localhost.evil.test", "::2", "0.0.0.0", ""] {
            assert!(warning(host, "rediss://").is_some_and(|warning| warning.contains("rediss://")), "{host}");
        }
    }
}
