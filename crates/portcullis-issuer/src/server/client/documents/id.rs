//! [`DocumentId`]: a client's id that is the URL of its document.

use crate::server::client::redirect_uri::has_characters_of_uris;

/// A client's id that is the URL of its document. Where it leads is checked when it is fetched.
#[derive(Clone, Copy)]
pub(super) struct DocumentId<'a> {
    text: &'a str,
    authority: &'a str,
}

impl<'a> DocumentId<'a> {
    /// Reads an id; `None` if it is not the URL of a document (section 3 of the draft).
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("https://")?;
        let (authority, path) = rest.split_at(rest.find('/')?);
        let has_more = path.contains(['?', '#']) || authority.contains(['@', '?', '#']) || authority.is_empty();
        // Encoded dots are dots for many servers.
        let is_dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        (has_characters_of_uris(text) && !has_more && path.len() > 1 && !path.split('/').any(is_dots))
            .then_some(Self { text, authority })
    }

    pub(super) fn as_str(&self) -> &'a str {
        self.text
    }

    /// Returns the host, in lower case and without the port.
    pub(super) fn host(&self) -> String {
        host_of(self.authority)
    }

    /// Whether a redirect URI has the same origin: the same scheme, host and port, in the same spelling.
    pub(super) fn has_origin_of(&self, redirect_uri: &str) -> bool {
        let authority = redirect_uri.strip_prefix("https://").and_then(|rest| rest.split(['/', '?']).next());
        authority.is_some_and(|authority| authority == self.authority)
    }
}

/// Returns the host of an `https` URL, in lower case and without the port. Where it leads is checked when it is fetched.
pub(super) fn host_of_url(text: &str) -> Option<String> {
    let authority = text.strip_prefix("https://")?.split(['/', '?', '#']).next()?;
    (!authority.contains(['@', '\\'])).then(|| host_of(authority))
}

fn host_of(authority: &str) -> String {
    let port = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
    authority[..port.unwrap_or(authority.len())].to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::DocumentId;

    #[test]
    fn an_id_is_an_https_url_with_a_path_and_no_more() {
        for id in
            ["https://app.test/client", "https://app.test:8443/a/b.json", "https://app.test/a..b/.c", "https://[::1]/c"]
        {
            assert!(DocumentId::parse(id).is_some(), "{id}");
        }
        for id in [
            "",
            "client",
            "https://app.test",
            "https://app.test/",
            "http://app.test/client",
            "HTTPS://app.test/client",
            "https:///client",
            "https://user@app.test/client",
            "https://app.test/client?a=b",
            "https://app.test/client#a",
            "https://app.test/a/../client",
            "https://app.test/./client",
            "https://app.test/a/%2e%2E/client",
            "https://app.test/a/.%2e",
            "https://app.test/a\\..\\client",
            "https://app.test/a client",
            "https://app.test/{client}",
            "https://app.test/client|a",
            "https://app.test/client^",
            "https://app.test/`client`",
            "https://app.test/\u{e9}",
        ] {
            assert!(DocumentId::parse(id).is_none(), "{id}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let id = DocumentId::parse("https://app.test:8443/client");
        let has = |uri: &str| id.is_some_and(|id| id.has_origin_of(uri));
        assert!(has("https://app.test:8443/callback") && has("https://app.test:8443?a=b"));
        for other in [
            "https://app.test/callback",
            "https://app.test:84430/callback",
            "https://app.test:8443.evil.test/callback",
            "https://app.test:8443@evil.test/callback",
            "http://app.test:8443/callback",
            "com.example.app:/callback",
        ] {
            assert!(!has(other), "{other}");
        }
        let hosts = ["https://App.Test:8443/c", "https://app.test/c", "https://[::1]:1/c", "https://[::1]/c"];
        let hosts = hosts.map(|id| DocumentId::parse(id).map(|id| id.host()).unwrap_or_default());
        assert_eq!(hosts, ["app.test", "app.test", "[::1]", "[::1]"]);
    }
}
