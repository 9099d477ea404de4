//! What an issuer that is asked for its keys may answer, and what may stand in the file that they are kept in.

use std::{collections::BTreeMap, fmt, time::Duration};

use http::{HeaderValue, Request, Response, header};
use portcullis_jwks::{Fetch, FetchError, Health, RemoteKeys, Snapshot};
use serde_json::{Value, value::RawValue};
use tokio::runtime;

const ISSUER: &str = "https://issuer.test";

/// Stands between the parts of an input, as it stands in no text.
const BETWEEN: u8 = 0xff;

/// Answers by script, without end.
#[derive(Clone)]
struct Script {
    metadata: Vec<u8>,
    keys: Vec<u8>,
    cache_control: Option<HeaderValue>,
    content_type: Option<HeaderValue>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Fetch for Script {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let is_metadata = request.uri().path().contains("/.well-known/");
        let mut response = Response::new(if is_metadata { self.metadata.clone() } else { self.keys.clone() });
        for (name, value) in [(header::CACHE_CONTROL, &self.cache_control), (header::CONTENT_TYPE, &self.content_type)]
        {
            response.headers_mut().extend(value.clone().map(|value| (name, value)));
        }
        Ok(response)
    }
}

/// Takes the octets for metadata, a key set, `Cache-Control`, `Content-Type` and a snapshot, in this order.
pub fn check(octets: &[u8]) {
    let parts: Vec<&[u8]> = octets.splitn(5, |octet| *octet == BETWEEN).collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default();
    let script = Script {
        metadata: part(0).to_vec(),
        keys: part(1).to_vec(),
        cache_control: HeaderValue::from_bytes(part(2)).ok().filter(|value| !value.is_empty()),
        content_type: HeaderValue::from_bytes(part(3)).ok().filter(|value| !value.is_empty()),
    };
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        check_answers(script.clone()).await;
        if let Some(snapshot) = str::from_utf8(part(4)).ok().and_then(|text| Snapshot::from_json(text).ok()) {
            check_snapshot(&snapshot, script);
        }
    });
}

async fn check_answers(script: Script) {
    let keys = RemoteKeys::discover(ISSUER).fetch(script.clone()).start().unwrap();
    let usable = keys.require(Duration::from_millis(500)).await.is_ok();
    assert_eq!(usable, keys.health() == Health::Healthy);
    assert_eq!(usable, !keys.keys().is_empty());
    assert_eq!(usable, keys.last_error().is_none());
    assert_eq!(usable, keys.snapshot().is_some());
    if !usable {
        return;
    }
    let metadata: BTreeMap<String, &RawValue> =
        serde_json::from_slice(without_mark(&script.metadata)).expect("believed");
    assert_eq!(serde_json::from_str::<String>(metadata["issuer"].get()).unwrap(), ISSUER);
    let mut url: String = serde_json::from_str(metadata["jwks_uri"].get()).unwrap();
    url.make_ascii_lowercase(); // RFC 3986 section 3.1: `HTTPS` is the same scheme
    let authority = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?']).next());
    assert!(authority.is_some_and(|authority| !authority.contains('@')) && !url.contains(['#', ' ']), "{url}");
    assert_publishes_no_secret(&script.keys);
    let content_type =
        script.content_type.as_ref().map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase());
    assert!(content_type.is_none_or(|value| value.contains("json")));

    // What was believed is believed by the next process as well, however the file is written.
    let snapshot = Snapshot::from_json(&keys.snapshot().unwrap().to_json()).unwrap();
    let next = RemoteKeys::discover(ISSUER).fetch(script).restore(snapshot).start().unwrap();
    assert!(next.keys().has_same_keys_as(&keys.keys()));
}

/// One byte order mark before a JSON text is ignored (RFC 8259 section 8.1).
fn without_mark(octets: &[u8]) -> &[u8] {
    octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets)
}

/// Each key of the set is without a private member, or is one that cannot be read at all.
fn assert_publishes_no_secret(set: &[u8]) {
    let set: BTreeMap<String, &RawValue> = serde_json::from_slice(without_mark(set)).unwrap();
    let keys: Vec<&RawValue> = serde_json::from_str(set["keys"].get()).unwrap();
    for key in keys {
        let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(key.get()) else { continue };
        let is_repeated = key.get().matches("\"d\"").count() > 1 || key.get().contains('\\');
        assert!(!members.contains_key("d") || is_repeated, "a private key was published, and the set is used");
    }
}

fn check_snapshot(snapshot: &Snapshot, script: Script) {
    let text = snapshot.to_json();
    assert_eq!(Snapshot::from_json(&text).unwrap().to_json(), text);
    let keys = RemoteKeys::discover(ISSUER).fetch(script).restore(snapshot.clone()).start().unwrap();
    if !keys.keys().is_empty() {
        let written: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written["source"], ISSUER);
        assert_publishes_no_secret(written["key_set"].as_str().unwrap().as_bytes());
    }
}
