//! Which URLs may be asked for.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

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
        check_host(authority.as_str())?;
        match url.uri.scheme_str() {
            Some("https") => Ok(url),
            Some("http") if is_loopback(&url.uri) => Ok(url),
            Some("http") => Err("is not encrypted: use `https` (only on this machine itself `http` will do)"),
            _ => Err("is no `https` URL"),
        }
    }

    /// Whether it leads, by its name or number, to this machine itself or into a network that is nobody's in the internet. (A name
    /// may lead there, too, when it is looked up: that is the network's to prevent.)
    pub(crate) fn is_local(&self) -> bool {
        match host_of(&self.uri) {
            Host::Name(name) => {
                let name = name.to_ascii_lowercase();
                name == "localhost" || name.ends_with(".localhost") // RFC 6761 section 6.3
            }
            Host::Address(IpAddr::V4(ip)) => is_local_v4(ip),
            Host::Address(IpAddr::V6(ip)) => {
                // NAT64 (RFC 6052 section 2.1) leads to the address in its last four bytes.
                let translated = |[.., a, b, c, d]: [u8; 16]| Ipv4Addr::new(a, b, c, d);
                let nat64 = ip.segments().starts_with(&[0x64, 0xff9b, 0, 0, 0, 0]).then(|| translated(ip.octets()));
                let within = ip.to_ipv4_mapped().or(nat64);
                within.is_some_and(is_local_v4)
                    || ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_unicast_link_local()
                    || ip.is_unique_local()
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// As logs and errors show it: without its query, which may hold what is nobody else's.
    pub(crate) fn shown(&self) -> String {
        shown(&self.text)
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }
}

/// A text that is meant to be a URL, without what may be nobody else's: user name, password and query.
pub(crate) fn shown(text: &str) -> String {
    let (before, query) = text.split_once('?').map_or((text, ""), |(before, _)| (before, "?…"));
    let (scheme, rest) =
        before.split_once("://").map_or(("", before), |(scheme, rest)| (&before[..scheme.len() + 3], rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("…@{host}"));
    format!("{scheme}{authority}{path}{query}")
}

/// Whether it leads to this machine itself, and so never over a network. By name or number, never by suffix:
/// `localhost.example.com` is somebody else.
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

/// Clients read hosts by the rules of browsers (WHATWG URL), where `127.1`, `0x7f.1` and `2130706433` are addresses, too. What is
/// judged here and what is connected to later have to be the same.
fn check_host(authority: &str) -> Result<(), &'static str> {
    if let Some((inside, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_address = Ipv6Addr::from_str(inside).is_ok() && (port.is_empty() || port.starts_with(':'));
        return if is_address { Ok(()) } else { Err("has something in brackets that is no IPv6 address") };
    }
    let host = authority.split(':').next().unwrap_or_default();
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_');
    if Ipv4Addr::from_str(host).is_ok() {
        return Ok(());
    }
    if !host.chars().all(plain) || host.ends_with('.') || host.is_empty() {
        return Err("has a host that is no plain name: letters, digits and hyphens, no dot at the end");
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    let number = last.chars().all(|char| char.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.chars().all(|char| char.is_ascii_hexdigit()));
    if number { Err("has an address that is not written as usual: four numbers with dots in between") } else { Ok(()) }
}

fn is_local_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let is_shared = a == 100 && b & 0xc0 == 64; // RFC 6598, where clouds keep their metadata, too
    ip.is_loopback() || ip.is_unspecified() || ip.is_link_local() || ip.is_private() || is_shared
}

impl fmt::Debug for DocumentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
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
            "https://10.0.0.1/",
            "https://my_idp.1st-floor.internal/",
            "https://0x7f.example.com/",
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
        ] {
            assert!(DocumentUrl::parse(url).is_err(), "{url}");
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
    fn what_is_not_in_the_internet_is_told_by_name_or_number() {
        let local = |host: &str| DocumentUrl::parse(&format!("https://{host}/k")).unwrap().is_local();
        for host in [
            "localhost",
            "A.LocalHost",
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "100.100.100.200",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00::1]",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
        ] {
            assert!(local(host), "{host}");
        }
        for host in [
            "a.test",
            "localhost.a.test",
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:4700::1111]",
            "[64:ff9b::1.1.1.1]",
            "notlocalhost",
        ] {
            assert!(!local(host), "{host}");
        }
    }
}
