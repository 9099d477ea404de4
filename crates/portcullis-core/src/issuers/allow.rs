//! [`Allow`]: which unknown issuers the resolver may be asked about.

use std::{fmt, sync::Arc};

use crate::{ConfigError, config_text::quoted};

/// A rule for the names of issuers that a resolver may be asked about: see [`Issuers::on_unknown`](crate::Issuers::on_unknown).
///
/// Anyone can send a token with any `iss`. The rule decides at once, without asking anything; a name that it does not allow costs as much
/// as an unknown name without a resolver. So make the rule as narrow as the names that can exist.
#[derive(Clone)]
pub struct Allow(Arc<Rule>);

struct Rule {
    /// The name for `Debug`.
    name: String,
    allows: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

/// A DNS name has at most this many bytes, and each label 63 (RFC 1035 section 2.3.4).
const LONGEST_HOST: usize = 253;
const LONGEST_LABEL: usize = 63;

impl Allow {
    /// Allows `https://`, one or more labels, and this suffix: `.tenants.example.com` allows `https://acme.tenants.example.com`, and
    /// `https://eu.acme.tenants.example.com`.
    ///
    /// A name with anything else in it is not allowed: a path or a slash at the end, a port, user information, capital letters, letters
    /// outside ASCII (write an internationalised name in its ASCII form, `xn--…`). So each host has exactly one name.
    ///
    /// # Errors
    ///
    /// If the suffix is not a dot followed by a domain of at least two labels in lower case.
    pub fn suffix(suffix: impl Into<String>) -> Result<Self, ConfigError> {
        let suffix = suffix.into();
        let domain = suffix.strip_prefix('.').filter(|domain| is_host(domain) && domain.contains('.'));
        if domain.is_none() {
            return Err(ConfigError::new(format!(
                "the suffix {} of allowed issuers is not a dot and a domain in lower case: write `.tenants.example.com`",
                quoted(&suffix)
            )));
        }
        let name = format!("https://*{suffix}");
        Ok(Self::named(name, move |issuer| {
            let host = issuer.strip_prefix("https://").filter(|host| is_host(host));
            host.and_then(|host| host.strip_suffix(suffix.as_str())).is_some_and(|labels| !labels.is_empty())
        }))
    }

    /// Allows names that match this text, with one segment in place of its only `*`: `https://login.example.com/*/v2.0`, or
    /// `https://*.example.com/realms/shop`.
    ///
    /// The segment has 1 to 63 characters: digits, `-`, letters, and in a path also `_`; in a host the letters are in lower case. It has
    /// no dot, slash or other character that could make it more than one segment.
    ///
    /// # Errors
    ///
    /// If it does not begin with `https://` and a host, or if `*` is neither a whole segment of the path nor the first label of a host
    /// with at least two more.
    pub fn pattern(pattern: impl Into<String>) -> Result<Self, ConfigError> {
        let pattern = pattern.into();
        let Some((before, after, in_host)) = parts(&pattern) else {
            return Err(ConfigError::new(format!(
                "the pattern {} of allowed issuers is not a URL with one `*` as a segment: write \
                 `https://login.example.com/*/v2.0` or `https://*.example.com`",
                quoted(&pattern)
            )));
        };
        Ok(Self::named(pattern, move |issuer| {
            let segment = issuer.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
            segment.is_some_and(|segment| if in_host { is_label(segment) } else { is_segment(segment) })
        }))
    }

    /// Allows names for which `rule` returns `true`. It is called for every token of an unknown issuer, so it must not wait.
    ///
    /// Names are compared and looked up as text. A rule that parses a URL has to be as strict: `https://evil.com/.example.com`,
    /// `https://example.com@evil.com` and `https://example.com.evil.com` all contain `example.com`.
    pub fn when(rule: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self::named("a rule".to_owned(), rule)
    }

    fn named(name: String, allows: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(Rule { name, allows: Box::new(allows) }))
    }

    /// Whether a resolver may be asked about the issuer with this name.
    pub fn allows(&self, issuer: &str) -> bool {
        (self.0.allows)(issuer)
    }
}

impl fmt::Debug for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allow").field(&self.0.name).finish()
    }
}

/// Returns the text before and after the `*` of a pattern, and whether it is in the host.
fn parts(pattern: &str) -> Option<(String, String, bool)> {
    let (before, after) = pattern.split_once('*')?;
    let rest = before.strip_prefix("https://")?;
    if after.contains('*') {
        return None;
    }
    let in_host = !rest.contains('/');
    let is_right = if in_host {
        let (domain, path) =
            after.strip_prefix('.')?.split_once('/').map_or((&after[1..], None), |(domain, path)| (domain, Some(path)));
        rest.is_empty() && is_host(domain) && domain.contains('.') && path.is_none_or(is_path)
    } else {
        let (host, path) = rest.split_once('/')?;
        let is_whole = rest.ends_with('/') && (after.is_empty() || after.starts_with('/'));
        is_host(host) && host.contains('.') && is_whole && is_path(path) && is_path(after)
    };
    is_right.then(|| (before.to_owned(), after.to_owned(), in_host))
}

fn is_host(host: &str) -> bool {
    host.len() <= LONGEST_HOST && host.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let is_right = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    (1..=LONGEST_LABEL).contains(&bytes.len())
        && bytes.iter().all(is_right)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_segment(segment: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=LONGEST_LABEL).contains(&segment.len()) && segment.bytes().all(is_right)
}

fn is_path(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that are not tenants, although they look like one.
    const NOT_TENANTS: &[&str] = &[
        "https://tenants.example.com",
        "https://.tenants.example.com",
        "https://acme..tenants.example.com",
        "https://evil.com/.tenants.example.com",
        "https://evil.com/x.tenants.example.com",
        "https://evil.com?.tenants.example.com",
        "https://evil.com#a.tenants.example.com",
        "https://evil.com\\a.tenants.example.com",
        "https://evil.com:443.tenants.example.com",
        "https://user@acme.tenants.example.com",
        "https://user:pw@acme.tenants.example.com",
        "https://acme.tenants.example.com@evil.com",
        "https://acme.tenants.example.com.evil.com",
        "https://acme.tenants.example.com:443",
        "https://acme.tenants.example.com/",
        "https://acme.tenants.example.com/x",
        "https://acme.tenants.example.com.",
        "https://acme.tenants.example.com\n",
        " https://acme.tenants.example.com",
        "https://Acme.tenants.example.com",
        "https://acme.TENANTS.example.com",
        "HTTPS://acme.tenants.example.com",
        "http://acme.tenants.example.com",
        "https:acme.tenants.example.com",
        "https:///acme.tenants.example.com",
        "acme.tenants.example.com",
        "https://acmetenants.example.com",
        "https://b\u{fc}cher.tenants.example.com",
        "https://acme\u{3002}tenants.example.com",
        "https://acme%2etenants.example.com",
        "https://acme%00.tenants.example.com",
        "https://-acme.tenants.example.com",
        "https://acme_.tenants.example.com",
        "",
    ];

    #[test]
    fn a_suffix_is_compared_with_a_host_and_nothing_else() {
        let rule = Allow::suffix(".tenants.example.com").unwrap();
        for allowed in [
            "https://acme.tenants.example.com",
            "https://a.tenants.example.com",
            "https://eu.acme-2.tenants.example.com",
            "https://xn--bcher-kva.tenants.example.com",
        ] {
            assert!(rule.allows(allowed), "{allowed}");
        }
        for other in NOT_TENANTS {
            assert!(!rule.allows(other), "{other}");
        }
        assert!(!rule.allows(&format!("https://{}.tenants.example.com", "a".repeat(64))));
    }

    #[test]
    fn a_pattern_leaves_one_segment_open() {
        let path = Allow::pattern("https://login.example.com/*/v2.0").unwrap();
        let host = Allow::pattern("https://*.example.com/realms/shop").unwrap();
        let end = Allow::pattern("https://login.example.com/tenants/*").unwrap();
        for (rule, allowed) in [
            (&path, "https://login.example.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
            (&path, "https://login.example.com/Acme_1/v2.0"),
            (&host, "https://acme.example.com/realms/shop"),
            (&end, "https://login.example.com/tenants/acme"),
        ] {
            assert!(rule.allows(allowed), "{allowed}");
        }
        for (rule, other) in [
            (&path, "https://login.example.com//v2.0"),
            (&path, "https://login.example.com/../v2.0"),
            (&path, "https://login.example.com/a/b/v2.0"),
            (&path, "https://login.example.com/a%2fb/v2.0"),
            (&path, "https://login.example.com/a?x=/v2.0"),
            (&path, "https://login.example.com/a/v2.0/"),
            (&path, "https://login.example.com/v2.0"),
            (&host, "https://evil.com/.example.com/realms/shop"),
            (&host, "https://user@acme.example.com/realms/shop"),
            (&host, "https://a.b.example.com/realms/shop"),
            (&host, "https://Acme.example.com/realms/shop"),
            (&host, "https://.example.com/realms/shop"),
            (&end, "https://login.example.com/tenants/acme/"),
            (&end, "https://login.example.com/tenants/"),
        ] {
            assert!(!rule.allows(other), "{other}");
        }
    }

    #[test]
    fn a_rule_that_would_allow_too_much_is_refused() {
        for suffix in [
            "",
            ".",
            ".com",
            "example.com",
            ".Example.com",
            ".example.com/",
            ".example.com:443",
            "..example.com",
            "*.a.b",
        ] {
            assert!(Allow::suffix(suffix).is_err(), "{suffix}");
        }
        for pattern in [
            "https://example.com",
            "https://*",
            "https://*.com",
            "https://*.*.example.com",
            "https://x*.example.com",
            "https://*x.example.com",
            "https://a.*.example.com",
            "https://example.com/x*/y",
            "https://example.com/*x",
            "https://example.com*/x",
            "http://example.com/*",
            "https://user@example.com/*",
            "https://example.com:443/*",
            "https://example.com/*?x",
            "https://*.example.com:443",
            "*",
        ] {
            assert!(Allow::pattern(pattern).is_err(), "{pattern}");
        }
    }
}
