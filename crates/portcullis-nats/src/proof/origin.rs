//! [`Origin`]: for which service a proof is.

use std::{fmt, net::Ipv6Addr, sync::Arc};

use portcullis_core::ConfigError;

/// The origin of a service (RFC 6454 section 6.2), as its clients know it: `https://api.example.com`.
///
/// Service and client compare it as text, so it has one form: scheme and host in lower case, and a port unless it is the usual one. `ProofVerifier::new` and
/// `ProofSigner::new` take the text, and check it by these rules.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// Parses an origin, and keeps it as it is.
    ///
    /// # Errors
    ///
    /// If it does not have that form. Nothing is normalised: upper case, a path, a slash at the end, the usual port and an IPv6 address in another form are errors,
    /// which say what to change.
    pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, ConfigError> {
        let text = text.into();
        match problem(&text) {
            Some(problem) => {
                Err(ConfigError::new(format!("{text:?} is no origin such as https://api.example.com: {problem}")))
            }
            None => Ok(Self(text)),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Returns why a text is no origin.
fn problem(text: &str) -> Option<&'static str> {
    let (authority, usual_port) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(authority), _) => (authority, 443),
        (_, Some(authority)) => (authority, 80),
        _ => return Some("it begins with https:// (or http:// in a test)"),
    };
    // The colons of an IPv6 address are within brackets.
    let host_len =
        if authority.starts_with('[') { authority.find(']').map(|end| end + 1) } else { authority.find(':') };
    let (host, port) = authority.split_at(host_len.unwrap_or(authority.len()));
    if !is_host(host) {
        return Some("after https:// it has only the host, in lower case, and the port if it is not the usual one");
    }
    let Some(port) = port.strip_prefix(':') else {
        return (!port.is_empty()).then_some("after the host it has only the port, if it is not the usual one");
    };
    match port.parse::<u16>() {
        Ok(number) if number == usual_port => {
            Some("leave out the usual port, 443 of https and 80 of http: both sides compare the text")
        }
        Ok(number) if number.to_string() == port => None,
        _ => Some("its port has to be a number from 0 to 65535 without leading zeros"),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address);
    }
    let is_character = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    !host.is_empty() && host.bytes().all(is_character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for right in [
            "https://api.example.com",
            "https://api.example.com:8443",
            "https://api.example.com:80",
            "http://localhost:4700",
            "http://127.0.0.1",
            "https://[::1]",
            "https://[2001:db8::1]:8443",
        ] {
            assert_eq!(Origin::parse(right).unwrap().as_str(), right);
        }
        for wrong in [
            "",
            "https://",
            "api.example.com",
            "ftp://api.example.com",
            "HTTPS://api.example.com",
            "https://API.example.com",
            "https://api.example.com/",
            "https://api.example.com/a",
            "https://api.example.com?a",
            "https://alice@api.example.com",
            "https://:8443",
            "https://api.example.com:443",
            "http://api.example.com:80",
            "https://api.example.com:",
            "https://api.example.com:0443",
            "https://api.example.com:+1",
            "https://api.example.com:65536",
            "https://a:1:2",
            "https://[::1",
            "https://[::1]8443",
            "https://[0::1]",
            "https://[::A]",
            "https://::1",
        ] {
            let error = Origin::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("no origin"), "{wrong}: {error}");
        }
    }
}
