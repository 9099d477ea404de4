//! Which URLs may be asked for.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use http::Uri;

/// An `https` URL, or an `http` one of this machine.
///
/// Keys are the root of trust: whoever can change them on the way can sign for the issuer (OpenID Connect Discovery 1.0
/// section 7.1 and RFC 8414 section 6.1 require TLS). What stays on the machine is for development and tests.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DocumentUrl {
    uri: Uri,
    text: Arc<str>,
}

impl DocumentUrl {
    /// Reads it; the error is what is wrong, in a sentence that follows the URL.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        // `Uri` would cut a fragment off silently.
        if text.contains('#') {
            return Err("has a fragment: leave out `#` and what follows");
        }
        let uri = Uri::from_str(text).map_err(|_| "is no URL")?;
        let url = Self { uri, text: text.into() };
        let authority = url.uri.authority().ok_or("is no absolute URL: begin with `https://`")?;
        if authority.as_str().contains('@') {
            return Err("has a user name in it: leave out what stands before the `@`");
        }
        match url.uri.scheme_str() {
            Some("https") => Ok(url),
            Some("http") if url.is_loopback() => Ok(url),
            Some("http") => Err("is not encrypted: use `https` (only on this machine itself `http` will do)"),
            _ => Err("is no `https` URL"),
        }
    }

    /// Whether it leads to this machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.uri.host().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        // By name or number, never by suffix: `localhost.example.com` is somebody else.
        host.eq_ignore_ascii_case("localhost") || IpAddr::from_str(address).is_ok_and(|ip| ip.is_loopback())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl fmt::Debug for DocumentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_this_machine_pass() {
        for url in [
            "https://login.example.com",
            "https://login.example.com:8443/a/b?c=d",
            "http://127.0.0.1:8080/jwks",
            "http://127.1.2.3",
            "http://[::1]:80/",
            "http://localhost/",
            "http://LOCALHOST/",
        ] {
            assert!(DocumentUrl::parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "",
            "/jwks.json",
            "login.example.com",
            "http://login.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@login.example.com",
            "https://user:word@login.example.com",
            "https://login.example.com/#keys",
            "ftp://127.0.0.1/",
            "file:///etc/jwks.json",
            "https://",
            "https://a b",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
        ] {
            assert!(DocumentUrl::parse(url).is_err(), "{url}");
        }
    }
}
