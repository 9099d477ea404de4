//! [`DiscoverableIssuer`]: finds the key set's URL in the issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414).

use http::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    FetchError,
    document::{self, Fetched},
    fetch::SharedFetch,
    key_document::has_member,
    url::{DocumentUrl, NamedHosts, shown},
};

/// An issuer whose metadata names the URL of its keys.
#[derive(Clone, Debug)]
pub(crate) struct DiscoverableIssuer {
    /// The `iss` of its tokens, compared exactly.
    name: String,
    url: DocumentUrl,
    documents: [DocumentUrl; 2],
    named: NamedHosts,
}

impl DiscoverableIssuer {
    /// Parses the name. The error is a clause that follows it.
    pub(crate) fn parse(name: &str, named: &NamedHosts) -> Result<Self, String> {
        let url = DocumentUrl::parse(name, named)?;
        if let Some(issuer) = issuer_of_document(name) {
            return Err(format!("is where the metadata of an issuer is: give the issuer's name, which is `{issuer}`"));
        }
        if is_key_set(&url) {
            return Err(
                "is where a key set is, not an issuer: give it to `RemoteKeys::from_url`, or give the issuer's name"
                    .into(),
            );
        }
        if name.contains('?') {
            return Err("has a query: an issuer that can be discovered has none".into());
        }
        let (oidc, oauth) = (oidc_document(name), oauth_document(&url));
        let documents = [DocumentUrl::parse(&oidc, named)?, DocumentUrl::parse(&oauth, named)?];
        Ok(Self { name: name.to_owned(), url, documents, named: named.clone() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Finds the URL of the key set: through OpenID Connect, or, if there is no such document, through RFC 8414.
    pub(crate) async fn key_set_url(&self, fetch: &SharedFetch, deadline: Instant) -> Result<DocumentUrl, FetchError> {
        let [oidc, oauth] = &self.documents;
        match self.ask(fetch, oidc, deadline).await {
            // Issuers that have both documents are asked only once.
            Err(missing) if is_missing(&missing) => self.ask(fetch, oauth, deadline).await.map_err(|other| {
                if is_missing(&other) { FetchError::no_metadata_at(missing, &oauth.shown()) } else { other }
            }),
            outcome => outcome,
        }
    }

    async fn ask(
        &self,
        fetch: &SharedFetch,
        document: &DocumentUrl,
        deadline: Instant,
    ) -> Result<DocumentUrl, FetchError> {
        match document::get(fetch, document, document::JSON, None, deadline).await? {
            Fetched::New(found) => self.read(&found.text).map_err(|error| error.at(&document.shown())),
            Fetched::NotModified { .. } => Err(FetchError::status(StatusCode::NOT_MODIFIED).at(&document.shown())),
        }
    }

    fn read(&self, text: &str) -> Result<DocumentUrl, FetchError> {
        // A derived deserializer would also accept an array, by position.
        if !text.trim_start().starts_with('{') {
            return Err(no_metadata(text, "it is not a JSON object"));
        }
        let metadata: Metadata = serde_json::from_str(text).map_err(|error| no_metadata(text, &place(&error)))?;
        if metadata.issuer != self.name {
            return Err(FetchError::issuer_mismatch(&self.name, &metadata.issuer));
        }
        let not_allowed = |problem| FetchError::not_allowed(format!("its `jwks_uri` {problem}"));
        let url = DocumentUrl::parse(&metadata.jwks_uri, &self.named).map_err(not_allowed)?;
        // Otherwise a remote issuer could make us send requests to this machine or its network.
        if url.zone() < self.url.zone() && !self.is_named(&url) {
            return Err(not_allowed(LEADS_INSIDE));
        }
        Ok(url)
    }

    fn is_named(&self, url: &DocumentUrl) -> bool {
        url.is_one_of(&self.named.private) || url.is_one_of(&self.named.unencrypted)
    }
}

const LEADS_INSIDE: &str = "leads to this machine or into a private network, where its issuer is not: if the keys are meant to \
                            come from there, name its host and port by `danger_allow_private`";

/// Whether an answer means that there is no such document: 404, or what a gateway answers instead. If the issuer is down or asks for
/// patience, this says nothing about its documents.
fn is_missing(error: &FetchError) -> bool {
    let temporary = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    error.status_code().is_some_and(|status| status.is_client_error() && !temporary.contains(&status))
}

/// Only the members that are needed here; the others are for clients. A repeated member is refused.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Returns an error that says what is wrong, without quoting the document.
fn no_metadata(text: &str, problem: &str) -> FetchError {
    if has_member(text, "keys") {
        return FetchError::malformed(
            "this is a key set, not an issuer's metadata: give its URL to `RemoteKeys::from_url`",
        );
    }
    FetchError::malformed(format!(
        "this is not the metadata of an issuer, which has `issuer` and `jwks_uri`, each once and as text: {problem}"
    ))
}

fn place(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let end = if error.is_eof() { "it ends too early, " } else { "" };
    format!("{end}line {line}, column {column}")
}

const OIDC_DOCUMENT: &str = "/.well-known/openid-configuration";
const OAUTH_DOCUMENT: &str = "/.well-known/oauth-authorization-server";

/// Appended to the path, without a double slash (OpenID Connect Discovery 1.0 section 4).
fn oidc_document(issuer: &str) -> String {
    format!("{}{OIDC_DOCUMENT}", issuer.strip_suffix('/').unwrap_or(issuer))
}

/// Returns the issuer whose metadata is at this URL, if it looks like the URL of metadata.
pub(crate) fn issuer_of_document(url: &str) -> Option<String> {
    let url = url.split('?').next().unwrap_or(url);
    let url = url.strip_suffix('/').unwrap_or(url);
    if let Some(issuer) = url.strip_suffix(OIDC_DOCUMENT) {
        return Some(shown(issuer));
    }
    // Only this document may be followed by the issuer's path. URLs below the other one are not metadata: some servers have their key set
    // there.
    let (before, path) = url.split_once(OAUTH_DOCUMENT)?;
    (path.is_empty() || path.starts_with('/')).then(|| shown(&format!("{before}{path}")))
}

/// Whether a URL ends like those of key sets, and not like those of issuers.
fn is_key_set(url: &DocumentUrl) -> bool {
    let path = url.uri().path().to_ascii_lowercase();
    ["/jwks.json", "/keys.json", "/certs", "/jwks", "/discovery/keys", "/discovery/v2.0/keys", "/v1/keys"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// Inserted between host and path (RFC 8414 section 3).
fn oauth_document(issuer: &DocumentUrl) -> String {
    let uri = issuer.uri();
    let path = uri.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let (scheme, authority) = (uri.scheme_str().unwrap_or("https"), uri.authority().map_or("", |it| it.as_str()));
    format!("{scheme}://{authority}{OAUTH_DOCUMENT}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FetchErrorKind;

    fn parse(name: &str) -> Result<DiscoverableIssuer, String> {
        DiscoverableIssuer::parse(name, &NamedHosts::default())
    }

    fn documents(name: &str) -> [String; 2] {
        parse(name).unwrap().documents.map(|url| url.as_str().to_owned())
    }

    #[test]
    fn the_documents_are_where_the_standards_put_them() {
        for (name, oidc, oauth) in [
            ("https://a.test", "https://a.test/.well-known/openid-configuration", ""),
            ("https://a.test/", "https://a.test/.well-known/openid-configuration", ""),
            (
                "https://a.test:8443/realms/b",
                "https://a.test:8443/realms/b/.well-known/openid-configuration",
                "/realms/b",
            ),
            ("https://a.test/b/", "https://a.test/b/.well-known/openid-configuration", "/b"),
        ] {
            let authority = if name.contains("8443") { "a.test:8443" } else { "a.test" };
            let oauth = format!("https://{authority}/.well-known/oauth-authorization-server{oauth}");
            assert_eq!(documents(name), [oidc.to_owned(), oauth], "{name}");
        }
    }

    #[test]
    fn names_that_cannot_be_discovered_are_refused() {
        for name in ["accounts.google.com", "http://a.test", "https://a.test/?b=c", "https://a.test/#b", ""] {
            assert!(parse(name).is_err(), "{name}");
        }
    }

    fn read(issuer: &str, text: &str) -> Result<String, FetchErrorKind> {
        let outcome = parse(issuer).unwrap().read(text);
        outcome.map(|url| url.as_str().to_owned()).map_err(|error| error.kind())
    }

    #[test]
    fn metadata_of_this_very_issuer_is_read() {
        let text = r#"{"issuer":"https://a.test","jwks_uri":"https://keys.test/k","other":[1]}"#;
        assert_eq!(read("https://a.test", text).as_deref(), Ok("https://keys.test/k"));
    }

    #[test]
    fn another_issuer_is_refused_and_a_slash_makes_another() {
        let text = r#"{"issuer":"https://a.test/","jwks_uri":"https://a.test/k"}"#;
        assert_eq!(read("https://a.test", text), Err(FetchErrorKind::IssuerMismatch));
        assert!(read("https://a.test/", text).is_ok());
        let error = parse("https://a.test").unwrap().read(text).unwrap_err();
        assert!(error.to_string().contains("slash"), "{error}");
    }

    #[test]
    fn what_is_no_metadata_is_refused() {
        for text in [
            "",
            "[]",
            r#"["https://a.test","https://a.test/k"]"#,
            r#"{"issuer":"https://a.test"}"#,
            r#"{"issuer":["https://a.test"],"jwks_uri":"https://a.test/k"}"#,
            r#"{"issuer":"https://a.test","issuer":"https://a.test","jwks_uri":"https://a.test/k"}"#,
            r#"{"issuer":"https://a.test","jwks_uri":null}"#,
        ] {
            assert_eq!(read("https://a.test", text), Err(FetchErrorKind::Malformed), "{text}");
        }
    }

    #[test]
    fn a_key_set_that_may_not_be_asked_for_is_refused() {
        for url in [
            "http://a.test/k",
            "ftp://a.test/k",
            "/k",
            "http://127.0.0.1/k",
            "https://localhost/k",
            "https://[::]/k",
            "https://127.1/k",
            "https://169.254.169.254/k",
        ] {
            let text = format!(r#"{{"issuer":"https://a.test","jwks_uri":"{url}"}}"#);
            assert_eq!(read("https://a.test", &text), Err(FetchErrorKind::NotAllowed), "{url}");
        }
        let here = r#"{"issuer":"http://127.0.0.1:1","jwks_uri":"http://127.0.0.1:2/k"}"#;
        assert!(read("http://127.0.0.1:1", here).is_ok());
    }
}
