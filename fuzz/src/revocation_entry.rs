//! Lines of a log of revocations.

use std::time::Duration;

use portcullis::{
    Algorithm, Verified,
    clock::UnixTime,
    revocation::{Level, Revocation, RevocationEntry, Verdict, ViewWriter},
    verified::NoCustom,
};
use portcullis_test::{FixedClock, MockIssuer};
use serde_json::{Map, Value};

use super::{
    scene,
    strict::{self, Reading},
};

/// The line is an entry exactly if the oracle reads one, it is the same entry again when it is written, and in a view it
/// hits the token that it names, and no other.
pub fn check(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    let expected = match strict::read(octets) {
        Reading::Strict(members) => expected(&members),
        Reading::PerhapsNumber => return,
        Reading::Other => None,
    };
    match (RevocationEntry::from_json(text), expected) {
        (Ok(entry), Some(expected)) => {
            assert_eq!(entry, expected);
            assert_eq!(RevocationEntry::from_json(&entry.to_json()), Ok(entry.clone()), "written otherwise than read");
            check_meaning(&entry);
        }
        (Ok(entry), None) => panic!("read as {entry:?}, which should not be"),
        (Err(error), Some(_)) => panic!("not read: {error}"),
        (Err(error), None) => {
            let version =
                serde_json::from_str::<Map<String, Value>>(text).ok().and_then(|members| members.get("v")?.as_u64());
            let is_later = error.is_of_later_version();
            assert!(!is_later || version.is_some_and(|version| version > 1), "of a later version by mistake");
        }
    }
}

fn expected(members: &Map<String, Value>) -> Option<RevocationEntry> {
    const NAMES: [&str; 7] = ["v", "level", "iss", "id", "cut_off", "current", "until"];
    let known = members.keys().all(|name| NAMES.contains(&name.as_str()));
    if !known || members.get("v")? != 1 {
        return None;
    }
    let number = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(number) => number.as_u64().map(Some),
    };
    let issuer = members.get("iss")?.as_str()?;
    let id = members.get("id").map_or(Some(""), Value::as_str)?;
    let level = members.get("level")?.as_str()?;
    let until = UnixTime::from_secs(members.get("until")?.as_u64()?);
    let revocation = match (level, number("cut_off")?.map(UnixTime::from_secs), number("current")?) {
        ("token", None, None) => Revocation::token(issuer, id, until),
        ("session", None, None) => Revocation::session(issuer, id),
        ("key", None, None) => Revocation::key(issuer, id),
        ("subject", Some(cut_off), None) => Revocation::subject(issuer, id, cut_off),
        ("client", Some(cut_off), None) => Revocation::client(issuer, id, cut_off),
        ("issuer", Some(cut_off), None) if id.is_empty() => Revocation::issuer(issuer, cut_off),
        ("version", None, Some(current)) => Revocation::version(issuer, id, current),
        _ => return None,
    };
    Some(RevocationEntry::new(revocation, until))
}

/// Asks a view about a token that has what the entry names, and about one that has not.
fn check_meaning(entry: &RevocationEntry) {
    let revocation = entry.revocation();
    let (issuer, id) = (revocation.of_issuer(), revocation.id());
    let is_named = !issuer.is_empty() && (!id.is_empty() || revocation.level() == Level::Issuer);
    // What a very long id is hashed to is no id of any token.
    // And which key signed a token only its verification tells.
    let is_told = is_named && revocation.level() != Level::Key;
    if !is_told || issuer.starts_with("sha256:") || id.starts_with("sha256:") {
        return;
    }
    let writer = ViewWriter::builder(Duration::from_secs(86_400)).clock(FixedClock::default()).build();
    writer.merge(std::slice::from_ref(entry));
    writer.confirm(writer.ask());
    let is_remembered = entry.until().as_secs() > scene::NOW;
    let cut_off = revocation.cut_off().map_or(scene::NOW, UnixTime::as_secs);
    let named = facts(revocation, id, cut_off.min(scene::NOW));
    let verdict = writer.view().check(&named, writer.view().now());
    let hits = is_remembered && !is_outlived(revocation);
    assert_eq!(matches!(verdict, Verdict::Revoked(_)), hits, "{revocation:?}, {verdict:?}");
    if revocation.level() != Level::Issuer {
        let other = facts(revocation, &format!("{id}x"), cut_off.min(scene::NOW));
        assert_eq!(writer.view().check(&other, writer.view().now()), Verdict::Live, "another one is hit");
    }
}

/// Whether the token below is newer than what the entry takes: no version is below 0.
fn is_outlived(revocation: &Revocation) -> bool {
    revocation.current_version() == Some(0)
}

/// What a token says that has `id` where the revocation's level looks for it.
fn facts(revocation: &Revocation, id: &str, issued_at: u64) -> Verified<NoCustom> {
    let issuer = MockIssuer::with_secret("fuzz-1", Algorithm::Hs256, [7; 32]).clock(FixedClock::default());
    let token = issuer.named(revocation.of_issuer()).token().claim("iat", issued_at).claim("exp", issued_at + 300);
    let token = match revocation.level() {
        Level::Token => token.token_id(id),
        Level::Session => token.claim("sid", id),
        Level::Subject => token.subject(id),
        Level::Version => token.subject(id).claim("ver", revocation.current_version().unwrap_or(1).saturating_sub(1)),
        Level::Client => token.claim("client_id", id),
        _ => token.subject("other-user"),
    };
    token.verified()
}
