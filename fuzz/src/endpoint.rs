//! Requests to an endpoint: octets as the type, the `Authorization` header and the form of one.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex},
    time::Duration,
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::Full;
use portcullis_issuer::server::{Client, ClientList, Endpoint, RetryAfter};
use tower::ServiceExt;

use super::{
    desk::{CALLBACK, Desk, ORDERS, is_text},
    location::percent_decoded,
    now::now,
    sealed::base64url,
    strict::{self, Reading},
};

/// Sends the lines: the type of the body, the `Authorization` header, which is absent if it is empty, and the body.
///
/// The limit of rates is asked exactly if all that is read strictly is right, and about the one client that is named.
pub fn check(octets: &[u8]) {
    let mut lines = octets.splitn(3, |&octet| octet == b'\n');
    let (content_type, authorization, body) = (lines.next(), lines.next(), lines.next());
    let (Some(content_type), Some(authorization), Some(body)) = (content_type, authorization, body) else { return };
    let mut request = Request::post(DESK.server.path(Endpoint::Token));
    let Ok(value) = HeaderValue::from_bytes(content_type) else { return };
    request = request.header(header::CONTENT_TYPE, value);
    if !authorization.is_empty() {
        let Ok(value) = HeaderValue::from_bytes(authorization) else { return };
        request = request.header(header::AUTHORIZATION, value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
    let response = now(DESK.server.routes().oneshot(request)).unwrap();
    let asked = SEEN.lock().unwrap().pop();
    let (status, expected) = expected(content_type, authorization, body);
    assert_eq!((response.status().as_u16(), asked.is_some()), (status, expected.is_some()), "{}", response.body());
    if let (Some(asked), Some(Named::One(expected))) = (&asked, &expected) {
        assert_eq!(asked, expected);
    }
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
}

/// About which client the limit is asked.
enum Named {
    /// About this one; `None` if none is named, or more than one.
    One(Option<String>),
    /// That depends on an assertion that is refused later.
    Open,
}

/// The status, and about which client the limit is asked, if it is.
fn expected(content_type: &[u8], authorization: &[u8], body: &[u8]) -> (u16, Option<Named>) {
    if !is_form(content_type) {
        return (415, None);
    }
    let is_visible = |octet: &u8| matches!(octet, 0x20..0x7f | b'\t');
    if !authorization.iter().all(is_visible) {
        return (400, None);
    }
    if body.len() > 64 * 1024 {
        return (413, None);
    }
    let Some(parameters) = parameters(body) else { return (400, None) };
    let header = str::from_utf8(authorization).ok().filter(|header| !header.is_empty());
    (429, Some(client(&parameters, header)))
}

fn is_form(content_type: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content_type).to_ascii_lowercase();
    let (essence, _) = text.split_once(';').unwrap_or((&text, ""));
    essence.trim_matches([' ', '\t']) == "application/x-www-form-urlencoded"
}

/// The parameters that have a value; `None` if there are too many, one stands twice, is not text, or would change what the request means.
fn parameters(body: &[u8]) -> Option<Vec<(String, String)>> {
    let pairs: Vec<_> = body.split(|&octet| octet == b'&').filter(|pair| !pair.is_empty()).map(pair).collect();
    let mut names = HashSet::new();
    let is_right = |(name, value): &(String, String)| {
        let may_stand_again = ["resource", "audience"].contains(&name.as_str());
        let is_supported = value.is_empty() || !["authorization_details", "dpop_jkt"].contains(&name.as_str());
        is_text(name) && is_text(value) && is_supported && (names.insert(name.clone()) || may_stand_again)
    };
    let is_right = pairs.len() <= 64 && pairs.iter().all(is_right);
    is_right.then(|| pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
}

fn pair(octets: &[u8]) -> (String, String) {
    let end = octets.iter().position(|&octet| octet == b'=').unwrap_or(octets.len());
    (decoded(&octets[..end]), decoded(octets.get(end + 1..).unwrap_or_default()))
}

fn decoded(octets: &[u8]) -> String {
    let spaced: Vec<u8> = octets.iter().map(|&octet| if octet == b'+' { b' ' } else { octet }).collect();
    String::from_utf8_lossy(&percent_decoded(&spaced)).into_owned()
}

/// The client that a request names, in one way alone.
fn client(parameters: &[(String, String)], header: Option<&str>) -> Named {
    let get = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match get("client_assertion").map(claims) {
        Some(Some(Reading::Other | Reading::PerhapsNumber)) => Named::Open,
        _ => Named::One(one_client(get, header)),
    }
}

fn one_client<'a>(get: impl Fn(&str) -> Option<&'a str>, header: Option<&str>) -> Option<String> {
    let by_name = get("client_id").map(str::to_owned);
    let assertion = match (get("client_assertion"), get("client_assertion_type")) {
        (None, None) => None,
        (Some(text), Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")) => Some(text),
        _ => return None,
    };
    // In bodies, secrets are not accepted.
    if get("client_secret").is_some() {
        return None;
    }
    let proven = match (header, assertion) {
        (None, None) => return by_name,
        (Some(header), None) => basic(header),
        (None, Some(text)) => subject(text),
        (Some(_), Some(_)) => return None,
    };
    proven.filter(|proven| by_name.is_none_or(|by_name| by_name == *proven))
}

fn basic(header: &str) -> Option<String> {
    let (scheme, encoded) = header.split_once(' ')?;
    let encoded = Some(encoded).filter(|encoded| encoded.len() <= 4096)?.trim_matches(' ');
    let octets = STANDARD.decode(encoded).ok().filter(|octets| STANDARD.encode(octets) == encoded)?;
    let text = String::from_utf8(octets).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (name, _) = text.split_once(':')?;
    Some(if name.contains(['&', '=']) { name.to_owned() } else { decoded(name.as_bytes()) })
}

fn subject(assertion: &str) -> Option<String> {
    match claims(assertion)? {
        Reading::Strict(claims) => claims.get("sub")?.as_str().map(str::to_owned),
        _ => None,
    }
}

fn claims(assertion: &str) -> Option<Reading> {
    let part = assertion.split('.').nth(1)?;
    let octets = base64url(part).filter(|octets| URL_SAFE_NO_PAD.encode(octets) == part)?;
    Some(strict::read(&octets))
}

static SEEN: Mutex<Vec<Option<String>>> = Mutex::new(Vec::new());

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let page = Client::public("page").redirect_uri(CALLBACK).resource(ORDERS);
    Desk::new(ClientList::new([page]).unwrap(), |builder| {
        builder.rate_limit(|attempt| {
            SEEN.lock().unwrap().push(attempt.client_id.map(str::to_owned));
            Err(RetryAfter::new(Duration::from_secs(1)))
        })
    })
});
