//! [`Origin`]: the service that a signer signs for.

use http::Uri;
use portcullis_core::ConfigError;

/// The origin of a service (RFC 6454), as its clients know it and the service itself was told.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    text: String,
    normal: String,
}

impl Origin {
    pub(crate) fn new(text: String) -> Result<Self, ConfigError> {
        let uri: Option<Uri> = text.parse().ok();
        // What is signed is compared as text, so that there has to be one way to write it.
        let is_plain = |uri: &Uri| {
            let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
            let is_web = scheme == "https" || scheme == "http";
            let usual = if scheme == "https" { 443 } else { 80 };
            let is_as_written = format!("{scheme}://{authority}") == text && text == text.to_lowercase();
            is_web && is_as_written && !text.contains('@') && uri.port_u16() != Some(usual)
        };
        match uri.filter(is_plain).and_then(|uri| normal(&uri, "")) {
            Some(normal) => Ok(Self { text, normal }),
            None => Err(ConfigError::new(format!(
                "{text:?} is no origin such as https://api.example.com: scheme, host, and a port unless it is the usual one, in lower case"
            ))),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a request with this URI goes there. If it has only a path, its connection decides where it goes.
    pub(crate) fn is_of(&self, uri: &Uri) -> bool {
        let scheme = self.text.split(':').next().unwrap_or_default();
        uri.authority().is_none() || normal(uri, scheme).is_some_and(|of_uri| of_uri == self.normal)
    }
}

/// Returns the origin of a URI in one form: with the port, and the host in lower case.
fn normal(uri: &Uri, usual_scheme: &str) -> Option<String> {
    let scheme = uri.scheme_str().unwrap_or(usual_scheme);
    let usual_port = if scheme == "https" { 443 } else { 80 };
    let port = uri.port_u16().unwrap_or(usual_port);
    let host = uri.host().filter(|host| !host.is_empty())?;
    Some(format!("{scheme}://{}:{port}", host.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<Origin, ConfigError> {
        Origin::new(text.to_owned())
    }

    #[test]
    fn an_origin_has_one_way_to_write_it() {
        for right in ["https://api.example.com", "http://localhost:8080", "https://[::1]:8443", "http://127.0.0.1"] {
            assert_eq!(origin(right).unwrap().as_str(), right);
        }
        for wrong in [
            "api.example.com",
            "https://api.example.com/",
            "https://api.example.com/a",
            "https://api.example.com?a",
            "https://API.example.com",
            "https://alice@api.example.com",
            "ftp://api.example.com",
            "https://",
            "",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_request_for_another_origin_is_told_apart() {
        let api = origin("https://api.example.com").unwrap();
        for own in ["https://api.example.com/a?b", "https://API.example.com:443/", "/a", "*"] {
            assert!(api.is_of(&own.parse().unwrap()), "{own}");
        }
        for other in [
            "http://api.example.com/",
            "http://api.example.com:443/",
            "https://api.example.com:444/",
            "https://api.example.com.evil.example/",
            "https://api.example.com@evil.example/",
            "https://example.com/",
        ] {
            assert!(!api.is_of(&other.parse().unwrap()), "{other}");
        }
    }
}
