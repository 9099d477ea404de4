//! [`Destination`]: the service that a signer signs for.

use http::Uri;
use portcullis_core::ConfigError;
use portcullis_nats::proof::Origin;

/// The service that a signer signs for.
#[derive(Clone, Debug)]
pub(crate) struct Destination(Origin);

impl Destination {
    pub(crate) fn new(origin: String) -> Result<Self, ConfigError> {
        Origin::parse(origin).map(Self)
    }

    pub(crate) fn origin(&self) -> &str {
        self.0.as_str()
    }

    /// Whether a request with this URI goes there. If it has only a path, its connection decides where it goes.
    pub(crate) fn receives(&self, uri: &Uri) -> bool {
        let scheme = self.origin().split(':').next().unwrap_or_default();
        uri.authority().is_none() || origin_of(uri, scheme).is_some_and(|origin| origin == self.origin())
    }
}

/// Returns the origin of a URI in the form of [`Origin`].
fn origin_of(uri: &Uri, usual_scheme: &str) -> Option<String> {
    let scheme = uri.scheme_str().unwrap_or(usual_scheme);
    let host = uri.host().filter(|host| !host.is_empty())?.to_lowercase();
    let usual_port = if scheme == "https" { 443 } else { 80 };
    Some(match uri.port_u16().filter(|port| *port != usual_port) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_another_origin_is_told_apart() {
        for (origin, own) in [
            (
                "https://api.example.com",
                &["https://api.example.com/a?b", "https://API.example.com:443/", "/a", "*"][..],
            ),
            ("http://api.example.com:443", &["http://api.example.com:443/"]),
            ("https://[::1]:8443", &["https://[::1]:8443/a"]),
        ] {
            let destination = Destination::new(origin.to_owned()).unwrap();
            for own in own {
                assert!(destination.receives(&own.parse().unwrap()), "{own}");
            }
            for other in [
                "http://api.example.com/",
                "http://API.example.com:444/",
                "https://api.example.com:444/",
                "https://api.example.com.evil.example/",
                "https://api.example.com@evil.example/",
                "https://example.com/",
                "https://[::2]:8443/a",
            ] {
                assert!(!destination.receives(&other.parse().unwrap()), "{other}");
            }
        }
        let https = Destination::new("https://api.example.com".to_owned()).unwrap();
        assert!(!https.receives(&"http://api.example.com:443/".parse().unwrap()));
    }
}
