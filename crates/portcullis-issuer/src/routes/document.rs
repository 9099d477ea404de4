//! Published documents over HTTP.

use http::{
    HeaderMap, HeaderValue, Method, Response,
    header::{CONTENT_LENGTH, IF_NONE_MATCH},
    request::Parts,
};

use super::answer;
use crate::documents::PublishedDocument;

/// Answers a request for a document.
pub(super) fn serve(document: &PublishedDocument, request: &Parts) -> Response<String> {
    if request.method != Method::GET && request.method != Method::HEAD {
        return answer::method_not_allowed("GET, HEAD");
    }
    let known = if_none_match(&request.headers);
    let mut response = answer::document(&document.answer(known.as_deref()));
    if request.method == Method::HEAD {
        if !response.body().is_empty() {
            let length = HeaderValue::from(response.body().len());
            response.headers_mut().insert(CONTENT_LENGTH, length);
        }
        *response.body_mut() = String::new();
    }
    response
}

/// Several lines of the header are one list.
fn if_none_match(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<_> = headers.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}
