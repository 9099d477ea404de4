//! [`SecureUrl`]: the URLs that the document may contain.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

/// The well-known name, registered for RFC 9728.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A URL that may identify a resource or an issuer.
#[derive(Debug)]
pub(super) struct SecureUrl(Uri);

impl SecureUrl {
    /// Accepts `text` if it is an `https` URL, or an `http` URL of a loopback address, without a fragment; otherwise says what is wrong.
    /// `name` is the member of the document.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let complain = |what: &str| Err(format!("{name}: {text:?} {what}"));
        if text.contains('#') {
            return complain("has a fragment: leave out `#` and what follows");
        }
        if !text.bytes().all(is_uri_byte) {
            return complain("has characters that cannot stand in a URL: percent-encode them");
        }
        let Ok(uri) = text.parse::<Uri>() else {
            return complain("is not a URL");
        };
        let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
            return complain("has no host: write an absolute URL such as https://api.example.com");
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return complain("has user information: leave out what stands before `@`");
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if is_loopback(host) => Ok(Self(uri)),
            _ => complain("is not an https URL (http is for loopback addresses only)"),
        }
    }

    /// Whether the URL has a `?`.
    pub(super) fn has_query(&self) -> bool {
        self.0.query().is_some()
    }

    /// Returns the path of the metadata for a resource with this URL: the well-known name, then the URL's path.
    pub(super) fn metadata_path(&self) -> String {
        // RFC 9728 section 3.1: a slash directly after the host is left out.
        let path = Some(self.0.path()).filter(|&path| path != "/").unwrap_or_default();
        format!("{WELL_KNOWN}{path}")
    }

    /// Returns the URL of the metadata for a resource with this URL.
    pub(super) fn metadata_url(&self) -> String {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let host = self.0.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        let query = self.0.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{host}{}{query}", self.metadata_path())
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// The characters that RFC 3986 section 2 allows in a URI; `http::Uri` accepts more.
const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secure_urls_are_told_from_others() {
        let cases = [
            ("https://api.example.com", true),
            ("https://api.example.com:8443/v1?tenant=a", true),
            ("http://localhost:3000", true),
            ("http://127.0.0.1", true),
            ("http://127.8.0.1:1/x", true),
            ("http://[::1]:3000", true),
            ("http://api.example.com", false),
            ("http://localhost.example.com", false),
            ("http://128.0.0.1", false),
            ("http://[::2]", false),
            ("https://api.example.com#x", false),
            ("https://user@api.example.com", false),
            ("https://api.example.com/{x}", false),
            ("https://api.example.com/a b", false),
            ("https://äpi.example.com", false),
            ("ftp://api.example.com", false),
            ("api.example.com", false),
            ("/orders", false),
            ("https://", false),
            ("", false),
        ];
        for (text, accepted) in cases {
            assert_eq!(SecureUrl::parse("resource", text).is_ok(), accepted, "{text}");
        }
    }

    #[test]
    fn the_well_known_name_goes_between_host_and_path() {
        let cases = [
            ("https://a.example", "", ""),
            ("https://a.example/", "", ""),
            ("https://a.example/r1", "/r1", ""),
            ("https://a.example/r1/", "/r1/", ""),
            ("https://a.example:8443/r1/r2?x=1", "/r1/r2", "?x=1"),
            ("https://a.example?x=1", "", "?x=1"),
        ];
        for (text, path, query) in cases {
            let url = SecureUrl::parse("resource", text).unwrap();
            let host = text.split(['/', '?']).nth(2).unwrap();
            assert_eq!(url.metadata_path(), format!("/.well-known/oauth-protected-resource{path}"), "{text}");
            assert_eq!(url.metadata_url(), format!("https://{host}{}{query}", url.metadata_path()), "{text}");
        }
    }
}
