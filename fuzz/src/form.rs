//! Octets as the body of a form.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use portcullis::{
    location::form::{FormBody, FormBodyLayer},
    read_body::ReadBody,
};
use tower::{Layer, ServiceExt, service_fn};

use super::{
    location::{Outcome, find, hex, is_b64token, percent_decoded},
    now::now,
};

const NAME: &[u8] = b"access_token";
const FORM: &str = "application/x-www-form-urlencoded";

/// The one parameter with the name is found and taken out, all others stay byte for byte; what is no form stays whole.
pub fn check(body: &[u8]) {
    let pairs: Vec<&[u8]> = body.split(|&byte| byte == b'&').collect();
    let (ours, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|pair| is_ours(pair));
    let rest = if ours.is_empty() { body.to_vec() } else { others.join(&b'&') };
    assert_eq!(through_the_layer(Method::POST, FORM, body), (expected(&ours), rest));
    let untouched = (Outcome::Absent, body.to_vec());
    assert_eq!(through_the_layer(Method::GET, FORM, body), untouched);
    assert_eq!(through_the_layer(Method::POST, "application/json", body), untouched);
}

fn name_and_value(pair: &[u8]) -> (&[u8], &[u8]) {
    let place = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
    (&pair[..place], pair.get(place + 1..).unwrap_or_default())
}

/// As the handler behind the layer would read the name.
fn is_ours(pair: &[u8]) -> bool {
    percent_decoded(name_and_value(pair).0) == NAME
}

fn expected(ours: &[&[u8]]) -> Outcome<String> {
    match ours {
        [] => Outcome::Absent,
        [pair] => value(name_and_value(pair).1).map_or(Outcome::Malformed, |token| Outcome::token(&token)),
        _ => Outcome::Several,
    }
}

/// A `b64token` under a right encoding, in which `+` is a space.
fn value(encoded: &[u8]) -> Option<Vec<u8>> {
    let is_encoded = (0..encoded.len()).all(|at| encoded[at] != b'%' || hex(&encoded[at + 1..]).is_some());
    let decoded = percent_decoded(encoded);
    (is_encoded && !encoded.contains(&b'+') && is_b64token(&decoded)).then_some(decoded)
}

/// What the location finds behind the layer, and the body that is left.
fn through_the_layer(method: Method, content_type: &str, body: &[u8]) -> (Outcome<String>, Vec<u8>) {
    let seen = Arc::new(Mutex::new(None));
    let handler = Arc::clone(&seen);
    let inner = service_fn(move |request: Request<ReadBody<Full<Bytes>>>| {
        let handler = Arc::clone(&handler);
        async move {
            let found = find(&FormBody::new(), &request);
            let length = request.headers().get(header::CONTENT_LENGTH).cloned();
            let rest = request.into_body().collect().await.unwrap().to_bytes().to_vec();
            assert!(length.is_none_or(|length| length == rest.len().to_string()), "a length that is not the body's");
            *handler.lock().unwrap() = Some((found, rest));
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    let request = Request::builder().method(method).header(header::CONTENT_TYPE, content_type);
    let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
    let response = now(FormBodyLayer::new().layer(inner).oneshot(request)).unwrap();
    assert_eq!(response.status(), 200);
    seen.lock().unwrap().take().expect("the handler was called")
}
