//! Redirect URIs: what can be registered, and which one a request may name.

use std::sync::{Arc, LazyLock, Mutex};

use portcullis_issuer::{
    StoreError,
    server::{AuthorizationError, Client, Clients},
};
use url::Url;

use super::{
    desk::{Desk, ORDERS, QUERY, encoded, is_text},
    now::now,
};

/// The lines: a redirect URI that is registered, and the one that a request names.
pub fn check(octets: &[u8]) {
    let Some((registered, asked)) = str::from_utf8(octets).ok().and_then(|text| text.split_once('\n')) else { return };
    // A longer one does not fit into a request.
    if asked.len() > 4096 {
        return;
    }
    let client = Client::public("page").redirect_uri(registered).resource(ORDERS);
    let is_registrable = client.problems().is_empty();
    if is_registrable {
        assert_leads_to_the_client(registered);
    }
    // A registry of an application's own checks nothing.
    *CLIENT.0.lock().unwrap() = Some(Arc::new(client));
    let accepted = accepted(asked);
    let may_be = is_registrable && is_text(asked) && (asked.is_empty() || is_same(registered, asked));
    assert_eq!(accepted.is_some(), may_be, "{registered} {asked}");
    if let Some(redirect_uri) = accepted {
        assert_eq!(redirect_uri, if asked.is_empty() { registered } else { asked });
    }
}

/// The redirect URI of a request that is accepted.
fn accepted(asked: &str) -> Option<String> {
    let query = format!("{QUERY}&redirect_uri={}", encoded(asked));
    match now(DESK.server.authorization_request(&query)) {
        Ok(request) => Some(request.redirect_uri().to_owned()),
        Err(AuthorizationError::Page(_)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

/// What may be registered is an address at which a browser, by its own rules, finds the client and no one else.
fn assert_leads_to_the_client(registered: &str) {
    assert!(registered.len() <= 2048 && registered.bytes().all(|byte| byte.is_ascii_graphic()), "{registered}");
    // A browser goes nowhere.
    let Ok(url) = Url::parse(registered) else { return };
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{registered}");
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => assert!(!host.is_empty(), "{registered}"),
        "http" => assert!(["127.0.0.1", "[::1]", "localhost"].contains(&host), "{registered}"),
        own => assert!(own.contains('.'), "{registered}"),
    }
}

/// Byte for byte the same, or RFC 8252 section 7.3: but for the port of a loopback address.
fn is_same(registered: &str, asked: &str) -> bool {
    let hosts = ["127.0.0.1", "[::1]", "localhost"];
    let is_loopback = |host: &&str| match (behind(registered, host), behind(asked, host)) {
        (Some(registered), Some(asked)) => registered == asked,
        _ => false,
    };
    registered == asked || hosts.iter().any(is_loopback)
}

/// What follows the host and the port, if there is one.
fn behind<'a>(uri: &'a str, host: &str) -> Option<&'a str> {
    let rest = uri.strip_prefix("http://")?.strip_prefix(host)?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let port = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u32 = rest[..port].parse().ok()?;
            (1..=65_535).contains(&number).then_some(&rest[port..])?
        }
    };
    let is_path = rest.is_empty() || rest.starts_with(['/', '?']);
    (is_path && !rest.contains('#')).then_some(rest)
}

/// The client of the moment.
#[derive(Clone, Debug)]
struct One(Arc<Mutex<Option<Arc<Client>>>>);

impl Clients for One {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(self.0.lock().unwrap().clone().filter(|client| client.id() == client_id))
    }
}

static CLIENT: LazyLock<One> = LazyLock::new(|| One(Arc::default()));

static DESK: LazyLock<Desk> = LazyLock::new(|| Desk::new(CLIENT.clone(), |builder| builder));
