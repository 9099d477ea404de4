//! Octets as the body of a back-channel logout, and as the claims of the logout token in it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use portcullis::{
    clock::UnixTime,
    revocation::{BackChannelLogout, Cursor, Level, LogError, Page, Revocation, Revoker},
};
use portcullis_test::{FixedClock, MockIssuer};
use serde_json::{Map, Value};
use tower::ServiceExt;

use super::{
    claims,
    now::now,
    scene,
    strict::{self, Reading},
};

type Members = Map<String, Value>;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Signs the octets as claims if they begin as an object does, and takes them for the whole form otherwise.
pub fn check(octets: &[u8]) {
    if octets.first() == Some(&b'{') {
        check_claims(octets);
    } else {
        let (status, revoked) = post(octets);
        assert!(status == 400 && revoked.is_empty(), "{status}: it is not signed, but {revoked:?} is revoked");
    }
}

/// What is revoked is exactly what OpenID Connect Back-Channel Logout 1.0 section 2.7 asks for.
fn check_claims(octets: &[u8]) {
    let token = scene::ISSUER.token().typ("logout+jwt").raw_claims(octets).sign();
    let (status, revoked) = post(format!("logout_token={token}").as_bytes());
    let expected = match strict::read(octets) {
        Reading::Strict(members) => ends(&members),
        // In claims, no object passes for a number.
        Reading::PerhapsNumber | Reading::Other => None,
    };
    match expected {
        Some(revocation) if status == 200 => assert_eq!(revoked, [revocation]),
        Some(_) => assert!(token.len() > 16 * 1024, "refused by {status}"),
        None => assert!(status == 400 && revoked.is_empty(), "{status}, {revoked:?}"),
    }
}

/// The one thing that these claims end, if they are a logout token's (section 2.6).
fn ends(members: &Members) -> Option<Revocation> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let has_event = members.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object);
    let issued_at = claims::seconds(members.get("iat")?)?;
    let is_readable = text("jti").is_some_and(|id| !id.is_empty()) && members.get("sid").is_none_or(Value::is_string);
    let is_sound = claims::is_acceptable(members) && has_event && !members.contains_key("nonce") && is_readable;
    let (issuer, cut_off) = (MockIssuer::DEFAULT_NAME, UnixTime::from_secs(issued_at));
    let [session, subject] = ["sid", "sub"].map(text);
    match (session, subject) {
        _ if !is_sound || session == Some("") || subject == Some("") => None,
        (Some(session), _) => Some(Revocation::session(issuer, session)),
        (None, Some(subject)) => Some(Revocation::subject(issuer, subject, cut_off)),
        (None, None) => None,
    }
}

/// Remembers what it is told to revoke.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<Revocation>>>);

impl Revoker for Recorder {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        assert!(revocations.iter().all(|revocation| matches!(revocation.level(), Level::Session | Level::Subject)));
        self.0.lock().unwrap().extend(revocations);
        Ok(())
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        panic!("nothing is listed by logging out");
    }
}

/// The status, and what was revoked.
fn post(body: &[u8]) -> (u16, Vec<Revocation>) {
    let recorder = Recorder::default();
    let service = BackChannelLogout::new(scene::ISSUER.trusted(), recorder.clone()).unwrap();
    let request = Request::post("/").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
    let response: Response<String> = now(service.clock(FixedClock::default()).oneshot(request)).unwrap();
    let revoked = recorder.0.lock().unwrap().clone();
    (response.status().as_u16(), revoked)
}
