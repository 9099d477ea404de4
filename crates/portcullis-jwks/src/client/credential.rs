//! [`Credential`]: an HTTP header that proves that a request may read the document, sent to one origin only.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header::AUTHORIZATION};
use portcullis_core::ConfigError;
use tokio::task::spawn_blocking;

use crate::{
    FetchError,
    url::{DocumentUrl, HostAndPort, NamedHosts, shown},
};

/// An HTTP header for the requests to one origin, and to no other.
#[derive(Clone)]
pub(super) struct Credential {
    scheme: String,
    place: HostAndPort,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Header(HeaderName, HeaderValue),
    /// The path of a file that contains a bearer token.
    TokenFile(PathBuf),
}

impl Credential {
    pub(super) fn header(origin: &str, name: &str, value: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| ConfigError::new(format!("the HTTP header for `{}`: {problem}", shown(origin)));
        let name = HeaderName::try_from(name).map_err(|_| wrong("its name is no name of an HTTP header"))?;
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            wrong("its value has a character that an HTTP header cannot carry: a line break, for example")
        })?;
        value.set_sensitive(true);
        Self::new(origin, Content::Header(name, value))
    }

    pub(super) fn token_file(origin: &str, path: PathBuf) -> Result<Self, ConfigError> {
        Self::new(origin, Content::TokenFile(path))
    }

    fn new(origin: &str, content: Content) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| ConfigError::new(format!("a credential for `{}`: that {problem}", shown(origin)));
        let url = DocumentUrl::parse(origin, &NamedHosts::default()).map_err(wrong)?;
        if url.uri().path_and_query().is_some_and(|rest| rest.as_str() != "/") {
            return Err(wrong("has a path: give the origin alone, as in `https://kubernetes.default.svc`"));
        }
        let scheme = url.uri().scheme_str().unwrap_or("https").to_owned();
        let place = HostAndPort::of(url.uri()).ok_or_else(|| wrong("names no host"))?;
        Ok(Self { scheme, place, content })
    }

    /// Adds the header to a request for `uri`, if `uri` has the credential's origin.
    pub(super) async fn add_to(&self, uri: &Uri, headers: &mut HeaderMap) -> Result<(), FetchError> {
        if uri.scheme_str() != Some(&self.scheme) || HostAndPort::of(uri).as_ref() != Some(&self.place) {
            return Ok(());
        }
        match &self.content {
            Content::Header(name, value) => headers.append(name, value.clone()),
            Content::TokenFile(path) => headers.append(AUTHORIZATION, bearer(path).await?),
        };
        Ok(())
    }
}

/// Returns the token that is in the file now, as the value of `Authorization`.
async fn bearer(path: &Path) -> Result<HeaderValue, FetchError> {
    let owned = path.to_owned();
    let read = spawn_blocking(move || read_token(&owned)).await.unwrap_or_else(|_| Err("it could not be read".into()));
    let problem = |problem: String| {
        FetchError::credential(format!("the request needs the token in `{}`, and {problem}", path.display()))
    };
    let mut value = read.map_err(problem)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads the token. The error is a clause that follows the file's name.
fn read_token(path: &Path) -> Result<HeaderValue, String> {
    let failed = |error: io::Error| format!("the file cannot be read: {}", error.kind());
    // Opening a pipe would block until another process writes to it.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err("that is no file".into());
    }
    let mut text = Vec::new();
    File::open(path).map_err(failed)?.take(MAX_TOKEN_FILE + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_TOKEN_FILE {
        return Err(format!("the file has more than {MAX_TOKEN_FILE} bytes"));
    }
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text).trim_ascii();
    if text.is_empty() {
        return Err("the file is empty".into());
    }
    if !text.iter().all(u8::is_ascii_graphic) {
        return Err(
            "the file has to contain exactly one token: it has white space, or a character that is not ASCII".into()
        );
    }
    HeaderValue::from_bytes(&[b"Bearer ", text].concat()).map_err(|_| "the file does not contain a token".into())
}

/// The length of the longest token that is verified here; tokens of service accounts have one or two thousand bytes.
const MAX_TOKEN_FILE: u64 = 16 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Shows where it is sent and its kind, never its value.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content: &dyn fmt::Debug = match &self.content {
            Content::Header(name, _) => name,
            Content::TokenFile(path) => path,
        };
        f.debug_struct("Credential").field("to", &self.place).field("content", content).finish_non_exhaustive()
    }
}
