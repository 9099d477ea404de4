//! [`DocumentUrl`]: the URLs that may be requested.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use http::{Uri, uri::Authority};

use crate::zone::Zone;

/// An `https` URL, or an `http` URL of this machine or of a host that the developer has allowed.
///
/// Keys are the root of trust: anyone who can change them in transit can sign for the issuer (OpenID Connect Discovery 1.0 section 7.1
/// and RFC 8414 section 6.1 require TLS). URLs of this machine are for development and tests.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DocumentUrl {
    uri: Uri,
    text: Arc<str>,
}

/// The hosts for which the developer has lifted a rule, each with its port.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedHosts {
    /// May be requested without encryption.
    pub(crate) unencrypted: Vec<HostAndPort>,
    /// May be requested although a document from elsewhere names them.
    pub(crate) private: Vec<HostAndPort>,
}

/// A host and a port, without a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostAndPort {
    host: String,
    port: u16,
}

impl DocumentUrl {
    /// Parses a URL. The error is a clause that follows the URL.
    pub(crate) fn parse(text: &str, named: &NamedHosts) -> Result<Self, &'static str> {
        let url = Self::parse_any(text)?;
        match url.uri.scheme_str() {
            Some("https") => Ok(url),
            Some("http") if is_loopback(&url.uri) || url.is_one_of(&named.unencrypted) => Ok(url),
            Some("http") => Err(NOT_ENCRYPTED),
            _ => Err("is no `https` URL"),
        }
    }

    /// Parses a URL that an outsider names: `https`, and on the public Internet unless the developer has allowed its host. The error is a clause that
    /// follows the URL.
    pub(crate) fn parse_outside(text: &str, named: &NamedHosts) -> Result<Self, &'static str> {
        let url = Self::parse(text, named)?;
        if url.uri.scheme_str() != Some("https") {
            return Err("is no `https` URL");
        }
        if url.zone() != Zone::Internet && !url.is_one_of(&named.private) {
            return Err("leads to this machine or to a private network");
        }
        Ok(url)
    }

    /// Parses a URL of any scheme with an unambiguous host.
    pub(crate) fn parse_any(text: &str) -> Result<Self, &'static str> {
        // `Uri` would silently drop a fragment.
        if text.contains('#') {
            return Err("has a fragment: leave out `#` and what follows");
        }
        if !text.is_ascii() {
            return Err("has a character that is not ASCII: write it percent-encoded");
        }
        let uri = Uri::from_str(text).map_err(|_| "is no URL")?;
        let url = Self { uri, text: text.into() };
        let authority = url.uri.authority().ok_or("is not an absolute URL: begin with `https://`")?;
        if authority.as_str().contains('@') {
            return Err("has a user name in it: leave out what stands before the `@`");
        }
        check_authority(authority.as_str())?;
        Ok(url)
    }

    /// Returns where it leads, according to its name or address. (DNS may resolve a name to another place, but the server there then
    /// needs a certificate for that name.)
    pub(crate) fn zone(&self) -> Zone {
        match host_of(&self.uri) {
            Host::Name(name) => Zone::of_name(name),
            Host::Address(address) => Zone::of_address(address),
        }
    }

    pub(crate) fn is_one_of(&self, named: &[HostAndPort]) -> bool {
        named.iter().any(|named| HostAndPort::of(&self.uri).is_some_and(|own| own == *named))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the URL for logs and errors: without its query, which may contain a secret.
    pub(crate) fn shown(&self) -> String {
        shown(&self.text)
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }
}

const NOT_ENCRYPTED: &str = "is not encrypted: use `https`. (`http` is for this machine itself, and for a host that \
                             `danger_allow_http(\"host:port\")` names)";

impl HostAndPort {
    /// Parses `host` or `host:port`. The error is a clause that follows the text.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self, &'static str> {
        if text.contains("://") || text.contains(['/', '?', '#', '@']) {
            return Err("is more than a host and its port, as in `keycloak:8080`");
        }
        let authority = Authority::from_str(text).map_err(|_| "is not a host with a port, as in `keycloak:8080`")?;
        check_authority(text)?;
        Ok(Self::new(authority.host(), authority.port_u16().unwrap_or(default_port)))
    }

    /// Returns the host and port of a URL; `None` if it is neither `http` nor `https`.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let default_port = match uri.scheme_str()? {
            "http" => HTTP_PORT,
            "https" => HTTPS_PORT,
            _ => return None,
        };
        Some(Self::new(uri.host()?, uri.port_u16().unwrap_or(default_port)))
    }

    fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_ascii_lowercase(), port }
    }
}

pub(crate) const HTTP_PORT: u16 = 80;
pub(crate) const HTTPS_PORT: u16 = 443;

/// Returns a text that may be a URL, without the parts that may be secret: user name, password and query.
pub(crate) fn shown(text: &str) -> String {
    let (before, query) = text.split_once('?').map_or((text, ""), |(before, _)| (before, "?…"));
    let (scheme, rest) =
        before.split_once("://").map_or(("", before), |(scheme, rest)| (&before[..scheme.len() + 3], rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("…@{host}"));
    format!("{scheme}{authority}{path}{query}")
}

/// Whether it leads to this machine itself, and so never over a network. By name or address, never by suffix: `localhost.example.com` is
/// another host.
pub(crate) fn is_loopback(uri: &Uri) -> bool {
    match host_of(uri) {
        Host::Name(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Address(ip) => ip.is_loopback(),
    }
}

enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

fn host_of(uri: &Uri) -> Host<'_> {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    IpAddr::from_str(bare).map_or(Host::Name(host), Host::Address)
}

/// Clients parse hosts by the rules of browsers (WHATWG URL), where `127.1`, `0x7f.1` and `2130706433` are addresses too. The host that
/// is checked here must be the host that is contacted later.
fn check_authority(authority: &str) -> Result<(), &'static str> {
    if let Some((inside, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_address = Ipv6Addr::from_str(inside).is_ok() && (port.is_empty() || port.starts_with(':'));
        if !is_address {
            return Err("has brackets around something that is not an IPv6 address");
        }
        return port.strip_prefix(':').map_or(Ok(()), check_port);
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    port.map_or(Ok(()), check_port)?;
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_');
    if Ipv4Addr::from_str(host).is_ok() {
        return Ok(());
    }
    if !host.chars().all(plain) || host.ends_with('.') || host.is_empty() {
        return Err("has a host that is not a plain name: letters, digits and hyphens, no dot at the end");
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    let number = last.chars().all(|char| char.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.chars().all(|char| char.is_ascii_hexdigit()));
    if number { Err("has an address that is not written as usual: four numbers with dots in between") } else { Ok(()) }
}

/// A client may ignore a port that it cannot parse, and use another one.
fn check_port(port: &str) -> Result<(), &'static str> {
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0);
    if is_port { Ok(()) } else { Err("has an invalid port: write a number from 1 to 65535") }
}

impl fmt::Debug for DocumentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DocumentUrl, &'static str> {
        DocumentUrl::parse(text, &NamedHosts::default())
    }

    #[test]
    fn https_and_this_machine_pass() {
        for url in [
            "https://login.example.com",
            "https://login.example.com:8443/a/b?c=d",
            "https://login.example.com:65535/",
            "http://127.0.0.1:8080/jwks",
            "http://127.1.2.3",
            "http://[::1]:80/",
            "http://localhost/",
            "http://LOCALHOST/",
            "https://10.0.0.1/",
            "https://my_idp.1st-floor.internal/",
            "https://0x7f.example.com/",
        ] {
            assert!(parse(url).is_ok(), "{url}");
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
            "http://a.localhost/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://0X7F000001/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://127.0.0.01/",
            "https://1.2.3/",
            "https://0x/",
            "https://[localhost]/",
            "https://[127.0.0.1]/",
            "https://[::1%251]/",
            "https://[fe80::1%25eth0]/",
            "https://[::1]evil.com/",
            "https://[::1/",
            "https://localhost./",
            "https://127.0.0.1./",
            "https://login%2eexample.com/",
            "https://login.example.com/\u{202e}",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_port_is_a_number_that_can_be_one() {
        for port in ["99999", "65536", "0", ""] {
            for host in ["login.example.com", "127.0.0.1", "[::1]"] {
                assert!(parse(&format!("https://{host}:{port}/")).is_err(), "{host}:{port}");
                assert!(parse(&format!("https://{host}:65535/")).is_ok(), "{host}");
            }
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (text, expected) in [
            ("https://a.test/k", "https://a.test/k"),
            ("https://a.test/k?key=word&b", "https://a.test/k?…"),
            ("https://user:word@a.test/k@l", "https://…@a.test/k@l"),
            ("user:word@a.test", "…@a.test"),
            ("nonsense", "nonsense"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn only_the_host_that_was_named_is_asked_without_encryption() {
        let named = |text: &str| NamedHosts {
            unencrypted: vec![HostAndPort::parse(text, HTTP_PORT).unwrap()],
            ..NamedHosts::default()
        };
        for (host, url) in [
            ("keycloak:8080", "http://keycloak:8080/realms/shop"),
            ("KeyCloak:8080", "http://keycloak:8080/"),
            ("keycloak:8080", "http://KEYCLOAK:8080/"),
            ("keycloak", "http://keycloak/"),
            ("keycloak", "http://keycloak:80/"),
            ("keycloak:80", "http://keycloak/"),
            ("10.0.0.1:8080", "http://10.0.0.1:8080/"),
            ("[fd00::1]:8080", "http://[fd00::1]:8080/"),
        ] {
            assert!(DocumentUrl::parse(url, &named(host)).is_ok(), "{host}: {url}");
            assert!(parse(url).is_err(), "{url}, which was not named");
        }
        for (host, url) in [
            ("keycloak:8080", "http://keycloak/"),
            ("keycloak:8080", "http://keycloak:8081/"),
            ("keycloak", "http://keycloak:8080/"),
            ("keycloak:8080", "http://keycloak.evil.com:8080/"),
            ("keycloak:8080", "http://a.keycloak:8080/"),
            ("keycloak:8080", "http://keycloak:8080@evil.com/"),
            ("keycloak:8080", "ftp://keycloak:8080/"),
        ] {
            assert!(DocumentUrl::parse(url, &named(host)).is_err(), "{host}: {url}");
        }
    }

    #[test]
    fn a_named_host_is_a_host_and_no_more() {
        for text in [
            "",
            ":8080",
            "keycloak:",
            "keycloak:0",
            "keycloak:99999",
            "http://keycloak:8080",
            "keycloak:8080/realms",
            "user@keycloak",
            "*",
            "*.corp",
            "keycloak.",
            "key cloak",
            "127.1",
            "[::1",
            "a,b",
        ] {
            assert!(HostAndPort::parse(text, HTTP_PORT).is_err(), "{text:?}");
        }
    }
}
