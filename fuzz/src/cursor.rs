//! Cursors: as the text that an administrator's program sends back, and as a position that a log is asked to go on from.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use portcullis::{
    AuthLayer,
    clock::UnixTime,
    requirement::scope,
    revocation::{Cursor, LogError, Page, Revocation, RevocationApi, RevocationEntry, RevocationLog, Revoker},
};
use portcullis_store::MemoryLog;
use tower::{Layer, ServiceExt};

use super::{now::now, scene};

/// Sends the octets as the query, and reads a log from the position that they spell.
pub fn check(octets: &[u8]) {
    check_text(octets);
    let number = |at: usize| octets.get(at..at + 16).map(|octets| u128::from_be_bytes(octets.try_into().unwrap()));
    if let (Some(incarnation), Some(position)) = (number(0), number(16)) {
        check_position(incarnation, position);
    }
}

/// The log is asked exactly if the query is one that the listing gives.
fn check_text(octets: &[u8]) {
    let target = [b"/revocations?", octets].concat();
    let Ok(uri) = Uri::try_from(target) else { return };
    let query = uri.query().unwrap_or_default().to_owned();
    let response = ask(uri);
    let Some(expected) = expected(&query) else { return assert_eq!(response.status(), 400, "{query}") };
    assert_eq!(response.status(), 200, "{query}: {}", response.body());
    let page: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(page["revocations"][0]["id"], expected, "{query}");
}

/// After what the log is to be asked: for no query at all, or 64 digits as the listing writes them.
fn expected(query: &str) -> Option<String> {
    if query.is_empty() {
        return Some(shown(None));
    }
    let text = query.strip_prefix("after=")?;
    let numbers = text.split_at_checked(32)?;
    let read = |digits: &str| {
        let number = u128::from_str_radix(digits, 16).ok()?;
        (format!("{number:032x}") == digits).then_some(number)
    };
    Some(shown(Some(&Cursor::new(read(numbers.0)?, read(numbers.1)?))))
}

fn shown(cursor: Option<&Cursor>) -> String {
    format!("{:?}", cursor.map(|cursor| (cursor.incarnation(), cursor.position())))
}

/// Lists one entry that tells after which cursor it was asked.
#[derive(Debug)]
struct Echo;

impl Revoker for Echo {
    async fn revoke_all(&self, _: Vec<Revocation>) -> Result<(), LogError> {
        panic!("nothing is revoked by reading");
    }

    async fn list(&self, after: Option<&Cursor>) -> Result<Page, LogError> {
        let entry = RevocationEntry::new(Revocation::session(scene::ISSUER.name(), &shown(after)), UnixTime::MAX);
        let mut page = Page::of(vec![entry], Cursor::new(0, 0));
        page.is_last = true;
        Ok(page)
    }
}

fn ask(uri: Uri) -> Response<String> {
    let token = scene::ISSUER.token().subject("admin").scope("revoke").bearer();
    let api = AuthLayer::new(scene::ISSUER.admission()).layer(RevocationApi::new(Echo, scope("revoke")));
    let request = Request::get(uri).header("authorization", token).body(Full::<Bytes>::default()).unwrap();
    now(api.oneshot(request)).unwrap()
}

/// From a position that the log did not give, everything is read again: to leave something out would let tokens live.
fn check_position(incarnation: u128, position: u128) {
    let log = MemoryLog::new();
    let entry = |n: usize| RevocationEntry::new(Revocation::session("issuer", &n.to_string()), UnixTime::MAX);
    now(log.append(&(0..8).map(entry).collect::<Vec<_>>())).unwrap();
    let own = now(log.read(None, Duration::ZERO)).unwrap().cursor;
    // The right incarnation cannot be guessed, and the right mark neither: given are both, and what is asked is the place.
    let near = Cursor::new(own.incarnation(), own.position() ^ (position & 0xf));
    for cursor in [Cursor::new(incarnation, position), Cursor::new(own.incarnation(), position), near] {
        let page = now(log.read(Some(&cursor), Duration::ZERO)).unwrap();
        let is_beginning = cursor == Cursor::new(own.incarnation(), 0);
        assert_eq!(page.entries.len(), if cursor == own { 0 } else { 8 }, "after {cursor:?}");
        assert_eq!(page.is_restart, cursor != own && !is_beginning, "after {cursor:?}");
    }
}
