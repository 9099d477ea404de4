//! [`PublishedUrl`]: URLs that metadata may contain.

use std::net::{Ipv4Addr, Ipv6Addr};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// A URL that clients read as it is written: an `https` URL, or an `http` URL of a loopback address, without user information and fragment.
///
/// Parsed by hand: libraries normalise the host and the path, but an issuer is compared byte by byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublishedUrl<'a> {
    path: &'a str,
    has_query: bool,
}

/// Refuses a URL that is neither `https` nor `http` of a loopback address, or has user information or a fragment.
pub(crate) fn check_url(name: &str, text: &str) -> Result<(), String> {
    PublishedUrl::parse(name, text).map(|_| ())
}

impl<'a> PublishedUrl<'a> {
    /// Reads a URL. `name` is the member of the document.
    pub(super) fn parse(name: &str, text: &'a str) -> Result<Self, String> {
        parse(text).map_err(|problem| format!("{name}: {text:?} {problem}"))
    }

    /// Reads the URL of an issuer (RFC 8414 section 2).
    pub(super) fn parse_issuer(text: &'a str) -> Result<Self, String> {
        let url = Self::parse("issuer", text)?;
        let complain = |problem: &str| Err(format!("issuer: {text:?} {problem}"));
        if url.has_query {
            return complain("has a query: leave out `?` and what follows");
        }
        if url.path.contains("/.well-known/") {
            return complain("is the URL of a document: leave out `/.well-known` and what follows");
        }
        Ok(url)
    }

    /// Returns where the metadata of this issuer is: in the form that RFC 8414 section 3.1 prescribes, and at the root of the host if that is
    /// another path.
    pub(super) fn oauth_paths(self) -> Vec<String> {
        let inserted = format!("{OAUTH}{}", self.path_before_slash());
        let root = (inserted != OAUTH).then(|| OAUTH.to_owned());
        [inserted].into_iter().chain(root).collect()
    }

    /// Returns where OpenID Connect looks for the metadata of this issuer: appended to its path (Discovery 1.0 section 4), and inserted before
    /// it (RFC 8414 section 5) if that is another path.
    pub(super) fn openid_paths(self) -> Vec<String> {
        let path = self.path_before_slash();
        let appended = format!("{path}{OPENID}");
        let inserted = (!path.is_empty()).then(|| format!("{OPENID}{path}"));
        [appended].into_iter().chain(inserted).collect()
    }

    fn path_before_slash(self) -> &'a str {
        self.path.strip_suffix('/').unwrap_or(self.path)
    }
}

fn parse(text: &str) -> Result<PublishedUrl<'_>, &'static str> {
    if text.contains('#') {
        return Err("has a fragment: leave out `#` and what follows");
    }
    if !text.bytes().all(is_uri_byte) || !has_whole_escapes(text) {
        return Err("has characters that cannot stand in a URL: percent-encode them");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("is not an absolute URL such as https://id.example.com");
    };
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let (authority, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    if authority.contains('@') {
        return Err("has user information: leave out what stands before `@`");
    }
    let host = host(authority).ok_or("has no host, or a port that is no number")?;
    if !(scheme == "https" || scheme == "http" && is_loopback(host)) {
        return Err("is not an https URL (http is for loopback addresses only)");
    }
    if path.split('/').any(is_dot_segment) {
        return Err("has `.` or `..` in its path, which clients take out before they ask");
    }
    Ok(PublishedUrl { path, has_query: query.is_some() })
}

/// Returns the host of an authority, without brackets.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        (host, port)
    } else {
        authority.split_at(authority.find(':').unwrap_or(authority.len()))
    };
    let is_number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_number);
    (!host.is_empty() && !host.contains(['[', ']']) && is_port).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// Whether URL parsers take a segment for `.` or `..`, which may be percent-encoded.
fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// The characters that RFC 3986 section 2 allows in a URI.
const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// Whether every percent sign is followed by two hexadecimal digits.
fn has_whole_escapes(text: &str) -> bool {
    let is_escape =
        |rest: &str| rest.as_bytes().first_chunk::<2>().is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
    text.split('%').skip(1).all(is_escape)
}
