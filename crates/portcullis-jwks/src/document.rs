//! Fetches one JSON document over HTTP and checks the answer.

use std::time::Duration;

use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER},
};

use tokio::time::{Instant, timeout_at};

use crate::{DocumentLimit, FetchError, MAX_DOCUMENT_LEN, fetch::SharedFetch, freshness::freshness, url::DocumentUrl};

/// The time limit for a whole attempt, metadata and key set together.
pub(crate) const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);

/// The longest `ETag` that is sent back. No provider uses longer ones.
const MAX_ETAG: usize = 1024;

/// The `Accept` header for JSON documents.
pub(crate) const JSON: &str = "application/json";

/// The `Accept` header for key sets (RFC 7517 section 8.5).
pub(crate) const JWK_SET: &str = "application/jwk-set+json, application/json";

/// The result of a successful request.
#[derive(Debug)]
pub(crate) enum Fetched {
    New(Document),
    /// The previous document is still current.
    NotModified {
        freshness: Duration,
    },
}

#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) etag: Option<HeaderValue>,
    pub(crate) freshness: Duration,
}

/// Requests a document, until `deadline`. With an `etag`, the answer may be that the document has not changed.
pub(crate) async fn get(
    fetch: &SharedFetch,
    url: &DocumentUrl,
    accept: &'static str,
    etag: Option<&HeaderValue>,
    deadline: Instant,
) -> Result<Fetched, FetchError> {
    get_within(fetch, url, accept, etag, deadline, DocumentLimit::bytes(MAX_DOCUMENT_LEN)).await
}

/// Requests a document that has at most as many bytes as `limit` says.
pub(crate) async fn get_within(
    fetch: &SharedFetch,
    url: &DocumentUrl,
    accept: &'static str,
    etag: Option<&HeaderValue>,
    deadline: Instant,
    limit: DocumentLimit,
) -> Result<Fetched, FetchError> {
    let at = |error: FetchError| error.at(&url.shown());
    let (request, most_bytes) = request(url, accept, etag, limit);
    let response = send(fetch, request, deadline).await.map_err(at)?;
    read(response, etag.is_some(), most_bytes).map_err(at)
}

/// Requests a text of any type; `None` if there is no such document.
pub(crate) async fn get_text(
    fetch: &SharedFetch,
    url: &DocumentUrl,
    deadline: Instant,
    limit: DocumentLimit,
) -> Result<Option<String>, FetchError> {
    let at = |error: FetchError| error.at(&url.shown());
    let (request, most_bytes) = request(url, "*/*", None, limit);
    let (head, body) = send(fetch, request, deadline).await.map_err(at)?.into_parts();
    match head.status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status => return Err(at(FetchError::status(status))),
    }
    is_not_encoded(&head.headers).and_then(|()| read_text(body, most_bytes)).map(Some).map_err(at)
}

fn request(
    url: &DocumentUrl,
    accept: &'static str,
    etag: Option<&HeaderValue>,
    limit: DocumentLimit,
) -> (Request<Vec<u8>>, usize) {
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = url.uri().clone();
    request.extensions_mut().insert(limit);
    let most_bytes = DocumentLimit::of(&request);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
    // A request without this header accepts any coding (RFC 9110 section 12.5.3).
    request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(etag) = etag {
        request.headers_mut().insert(IF_NONE_MATCH, etag.clone());
    }
    (request, most_bytes)
}

async fn send(
    fetch: &SharedFetch,
    request: Request<Vec<u8>>,
    deadline: Instant,
) -> Result<Response<Vec<u8>>, FetchError> {
    let in_time = timeout_at(deadline, fetch.fetch(request)).await;
    in_time.unwrap_or_else(|_| Err(FetchError::timed_out(ATTEMPT_LIMIT)))
}

fn read(response: Response<Vec<u8>>, conditional: bool, most_bytes: usize) -> Result<Fetched, FetchError> {
    let (head, body) = response.into_parts();
    match head.status {
        StatusCode::NOT_MODIFIED if conditional => {
            return Ok(Fetched::NotModified { freshness: freshness(&head.headers) });
        }
        StatusCode::OK => {}
        status => return Err(FetchError::status(status).with_retry_after(retry_after(&head.headers))),
    }
    is_json(&head.headers)?;
    is_not_encoded(&head.headers)?;
    let text = read_text(body, most_bytes)?;
    let etag = head.headers.get(ETAG).filter(|etag| etag.len() <= MAX_ETAG).cloned();
    Ok(Fetched::New(Document { text, etag, freshness: freshness(&head.headers) }))
}

fn read_text(body: Vec<u8>, most_bytes: usize) -> Result<String, FetchError> {
    // A `Fetch` from outside this crate may not have checked this.
    if body.len() > most_bytes {
        return Err(FetchError::longer_than(most_bytes));
    }
    text(body)
}

/// Converts the body to text. The error says what the bytes look like.
fn text(mut body: Vec<u8>) -> Result<String, FetchError> {
    // A reader may ignore one byte order mark (RFC 8259 section 8.1). A key set with a second one is refused here, because its parser would
    // ignore that one.
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    if body.starts_with(MARK) {
        body.drain(..MARK.len());
        if body.starts_with(MARK) {
            return Err(FetchError::malformed("the answer begins with two byte order marks"));
        }
    }
    String::from_utf8(body).map_err(|error| match error.as_bytes() {
        [0x1f, 0x8b, ..] => FetchError::content_coding("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => FetchError::content_coding("zstd"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => FetchError::malformed("the answer is UTF-16, and JSON has to be UTF-8"),
        _ => FetchError::malformed("the answer is not UTF-8"),
    })
}

/// Nothing is decoded here, so a small answer cannot become a large document.
fn is_not_encoded(headers: &HeaderMap) -> Result<(), FetchError> {
    let codings = headers.get_all(CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?").trim());
    let mut other = codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
    other.next().map_or(Ok(()), |coding| Err(FetchError::content_coding(coding)))
}

/// Returns when the issuer wants to be asked again, if it says so in seconds (RFC 9110 section 10.2.3). A date is ignored, because it
/// depends on an unknown clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Accepts `application/json` or a type based on it (RFC 6839 section 3.1). An answer without a type is left to the parser, which is
/// strict. An answer with another type is a page of a proxy or portal, whatever it looks like.
fn is_json(headers: &HeaderMap) -> Result<(), FetchError> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let value = value.to_str().unwrap_or("?");
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if json { Ok(()) } else { Err(FetchError::content_type(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FetchErrorKind as Kind;

    #[test]
    fn one_byte_order_mark_is_ignored_and_two_are_refused() {
        for (marks, is_read) in [("", true), ("\u{feff}", true), ("\u{feff}\u{feff}", false)] {
            assert_eq!(text(format!("{marks}{{}}").into_bytes()).is_ok(), is_read, "{marks:?}");
        }
    }

    fn answer(status: u16, content_type: &'static str) -> Result<Fetched, Kind> {
        let response = Response::builder().status(status).header(CONTENT_TYPE, content_type);
        read(response.body(b"{}".to_vec()).unwrap(), false, MAX_DOCUMENT_LEN).map_err(|error| error.kind())
    }

    #[test]
    fn json_by_any_of_its_names_passes() {
        for name in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/jwk-set+json",
            "application/vnd.company+json;v=1",
        ] {
            assert!(answer(200, name).is_ok(), "{name}");
        }
    }

    #[test]
    fn other_types_and_statuses_are_refused() {
        for name in ["text/html", "text/plain", "application/jsonp", "application/xml", "json", "text/x+json"] {
            assert_eq!(answer(200, name).unwrap_err(), Kind::ContentType, "{name}");
        }
        for status in [201, 204, 206, 301, 302, 304, 401, 404, 429, 500, 503] {
            assert_eq!(answer(status, JSON).unwrap_err(), Kind::Status, "{status}");
        }
    }

    #[test]
    fn unchanged_is_an_answer_only_to_who_asked_whether() {
        let response = |status: u16| Response::builder().status(status).body(Vec::new()).unwrap();
        assert!(matches!(read(response(304), true, MAX_DOCUMENT_LEN), Ok(Fetched::NotModified { .. })));
        assert!(read(response(304), false, MAX_DOCUMENT_LEN).is_err());
    }

    #[test]
    fn a_document_without_a_type_is_left_to_the_parser() {
        assert!(read(Response::new(b"{}".to_vec()), false, MAX_DOCUMENT_LEN).is_ok());
    }

    #[test]
    fn length_and_encoding_are_checked() {
        let long = read(Response::new(vec![b' '; MAX_DOCUMENT_LEN + 1]), false, MAX_DOCUMENT_LEN);
        assert_eq!(long.unwrap_err().kind(), Kind::TooLarge);
        assert!(read(Response::new(vec![b' '; MAX_DOCUMENT_LEN]), false, MAX_DOCUMENT_LEN).is_ok());
        assert_eq!(
            read(Response::new(vec![b'"', 0xff, b'"']), false, MAX_DOCUMENT_LEN).unwrap_err().kind(),
            Kind::Malformed
        );
    }

    #[test]
    fn codings_are_named() {
        let answer = |coding: &str| {
            let response = Response::builder().header(CONTENT_ENCODING, coding).body(b"{}".to_vec());
            read(response.unwrap(), false, MAX_DOCUMENT_LEN).map_err(|error| (error.kind(), error.to_string()))
        };
        for coding in ["br", "gzip", "deflate", "zstd", "x-gzip", "gzip, br"] {
            let (kind, text) = answer(coding).unwrap_err();
            assert!(kind == Kind::ContentCoding && text.contains(coding), "{text}");
        }
        for coding in ["", "identity", "Identity"] {
            assert!(answer(coding).is_ok(), "{coding}");
        }
    }
}
