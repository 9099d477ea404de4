//! [`RedirectUri`]: where the user's browser is sent back to.

use portcullis_core::ConfigError;

/// A redirect URI of a client, as it was registered.
///
/// A request has to name exactly this text (RFC 9700 section 4.1.3). The port alone may differ if the host is a loopback address or
/// `localhost` and the scheme is `http`, because an application on the user's own machine takes a free one (RFC 8252 section 7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct RedirectUri(String);

/// Schemes whose URIs are run, or show content, in the browser itself.
const NEVER: [&str; 7] = ["javascript", "data", "vbscript", "blob", "file", "about", "view-source"];

/// How long a redirect URI may be, in bytes.
const MOST_BYTES: usize = 2048;

impl RedirectUri {
    /// Reads a redirect URI: `https`, `http` of a loopback address, or a scheme of the application's own, with a dot in it (RFC 8252 section 7.1).
    pub(in crate::server) fn parse(text: &str) -> Result<Self, ConfigError> {
        let complain = |problem: &str| ConfigError::new(format!("the redirect URI {text:?} {problem}"));
        if text.len() > MOST_BYTES || !has_characters_of_uris(text) {
            return Err(complain("is too long, or has characters that cannot stand in a URI: percent-encode them"));
        }
        if text.contains('#') {
            return Err(complain("has a fragment: leave out `#` and what follows (RFC 6749 section 3.1.2)"));
        }
        let (scheme, rest) = text.split_once(':').ok_or_else(|| complain("is not absolute"))?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        let is_port = |rest: &str| rest.split(['/', '?']).next().is_some_and(|port| port.parse::<u16>().is_ok());
        if !is_scheme || is_port(rest) {
            return Err(complain("is not absolute: begin with https://"));
        }
        let scheme = scheme.to_ascii_lowercase();
        if NEVER.contains(&scheme.as_str()) {
            return Err(complain("would run or show content in the browser"));
        }
        match scheme.as_str() {
            "https" | "http" => check_authority(&scheme, rest).map_err(complain)?,
            // A name of the application's own, which no other is likely to have.
            own if own.contains('.') => {}
            _ => {
                return Err(complain(
                    "has a scheme that any application may claim: use https, or a reversed domain name such as com.example.app",
                ));
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether a request that names `asked` means this one.
    pub(in crate::server) fn allows(&self, asked: &str) -> bool {
        asked == self.0 || without_port(&self.0).is_some_and(|own| without_port(asked) == Some(own))
    }
}

/// Whether all characters can stand in a URI (RFC 3986 section 2). Browsers encode others, so that a server sees another text.
pub(in crate::server) fn has_characters_of_uris(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    })
}

fn check_authority(scheme: &str, rest: &str) -> Result<(), &'static str> {
    let authority = rest.strip_prefix("//").ok_or("has no host")?;
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = authority.split_at(host(authority).len());
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if host.is_empty() || authority.contains('@') || !is_port {
        return Err("has no host, a port that is no number, or user information before `@`");
    }
    if scheme == "http" && !is_loopback(host) {
        return Err("is not an https URL (http is for loopback addresses only)");
    }
    Ok(())
}

/// Returns the host and what stands after the port of an `http` URL; `None` for any other URI. Only those of loopback hosts are registered.
fn without_port(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = host(authority);
    let port = authority.get(host.len()..)?;
    let is_number = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|number| number > 0)
    };
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_number);
    (is_port && !path.contains('#')).then_some((host, path))
}

/// Returns the host of an authority, with the brackets of an address of IPv6.
fn host(authority: &str) -> &str {
    let end = if authority.starts_with('[') { authority.find(']').map(|at| at + 1) } else { authority.find(':') };
    &authority[..end.unwrap_or(authority.len())]
}

/// Whether it is an `http` URL of a loopback address.
pub(crate) fn is_own_machine(url: &str) -> bool {
    url.strip_prefix("http://").is_some_and(|rest| is_loopback(host(rest.split(['/', '?']).next().unwrap_or_default())))
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

#[cfg(test)]
mod tests;
