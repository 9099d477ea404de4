//! Metadata documents of clients: a client's id, and the document that is at this URL.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use portcullis_issuer::{
    documents::ClientAuthentication,
    server::{Client, Clients, MetadataDocuments},
};
use portcullis_jwks::{Fetch, FetchError, OutsideDocuments};
use serde_json::Value;
use url::Url;

use super::{desk::ORDERS, now::now};

/// The first line is the id, and what follows is the document.
pub fn check(octets: &[u8]) {
    let Some(end) = octets.iter().position(|&octet| octet == b'\n') else { return };
    let (Ok(id), document) = (str::from_utf8(&octets[..end]), &octets[end + 1..]) else { return };
    let web = Web { document: document.to_vec(), fetched: Arc::default() };
    let hosts = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&hosts);
    let clients = MetadataDocuments::new(OutsideDocuments::new(web.clone()))
        .scope("orders:read orders:write")
        .resource(ORDERS)
        .allow_hosts(move |host| {
            asked.lock().unwrap().push(host.to_owned());
            true
        });
    let found = now(clients.find(id)).expect("the document was sent");
    let fetched = web.fetched.lock().unwrap().pop();
    if let Some(fetched) = &fetched {
        assert_is_url_of_a_document(id, fetched, &hosts.lock().unwrap());
    }
    if let Some(client) = found {
        assert!(fetched.is_some(), "{id}: a client without a document");
        assert_says_so(&client, id, document);
    }
}

/// The host that a rule was asked about is the one that is fetched from, also by the rules of browsers; and nothing else is in the URL than what
/// the user reads.
fn assert_is_url_of_a_document(id: &str, fetched: &str, hosts: &[String]) {
    assert_eq!(fetched, id);
    let url = Url::parse(id).expect("a URL that was fetched");
    assert_eq!(hosts.first().map(String::as_str), url.host_str(), "{id}");
    assert!(id.starts_with("https://") && url.path().len() > 1, "{id}");
    assert!(url.username().is_empty() && url.password().is_none(), "{id}");
    assert!(url.query().is_none() && url.fragment().is_none(), "{id}");
    // No dots were resolved.
    assert!(id.ends_with(url.path()), "{id}");
}

/// The document says what the client is, and asks for nothing that no such client may have.
fn assert_says_so(client: &Client, id: &str, document: &[u8]) {
    // What is not needed may be nested deeper than is read here.
    let said = match serde_json::from_slice::<Value>(document) {
        Ok(Value::Object(said)) => said,
        Err(error) if error.to_string().contains("recursion limit") => return,
        other => panic!("{id}: {other:?}"),
    };
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let is_there = |name: &str| said.get(name).is_some_and(|value| !value.is_null());
    assert_eq!((client.id(), text("client_id")), (id, Some(id)));
    assert!(!is_there("client_secret") && !is_there("client_secret_expires_at"), "{id}");
    assert!(!client.is_first_party() && client.problems().is_empty(), "{id}");
    match (client.authentication(), text("token_endpoint_auth_method")) {
        (ClientAuthentication::None, None) => assert!(!is_there("token_endpoint_auth_method"), "{id}"),
        (ClientAuthentication::None, Some(method)) => assert_eq!(method, "none", "{id}"),
        (ClientAuthentication::PrivateKeyJwt, Some("private_key_jwt")) => {
            assert!(is_there("jwks") != is_there("jwks_uri"), "{id}");
        }
        other => panic!("{id}: {other:?}"),
    }
    let uris = said["redirect_uris"].as_array().expect("redirect URIs");
    assert!((1..=32).contains(&uris.len()), "{id}");
    for uri in uris {
        assert_leads_to_the_client(id, uri.as_str().expect("a text"));
    }
    let is_shown = |shown: &str| shown == id || (text("client_name") == Some(shown) && is_name(shown));
    assert!(is_shown(client.display_name()), "{id}");
    let may_ask = |scope: &str| text("scope").is_none_or(|asked| asked.split(' ').any(|each| each == scope));
    assert!(client.allowed_scopes().all(|scope| scope.starts_with("orders:") && may_ask(scope)), "{id}");
    assert!(client.resources().eq([ORDERS]), "{id}");
    assert!(client.allowed_grants().all(|grant| ["authorization_code", "refresh_token"].contains(&grant.name())));
}

/// A browser goes to the origin of the client's id, or to the user's own machine.
fn assert_leads_to_the_client(id: &str, uri: &str) {
    let Ok(url) = Url::parse(uri) else { return };
    let is_own_machine =
        url.scheme() == "http" && ["127.0.0.1", "[::1]", "localhost"].contains(&url.host_str().unwrap_or_default());
    assert!(is_own_machine || url.origin() == Url::parse(id).unwrap().origin(), "{id} {uri}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{id} {uri}");
}

/// No character turns the text around, or is not seen.
fn is_name(name: &str) -> bool {
    let is_hidden = |each: char| each.is_control() || "\u{200b}\u{200e}\u{200f}\u{202e}\u{2066}\u{feff}".contains(each);
    name.chars().count() <= 100 && !name.trim().is_empty() && !name.chars().any(is_hidden)
}

/// Answers every request with the document.
#[derive(Clone, Debug)]
struct Web {
    document: Vec<u8>,
    fetched: Arc<Mutex<Vec<String>>>,
}

impl Fetch for Web {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        self.fetched.lock().unwrap().push(request.uri().to_string());
        let response = Response::builder().header("content-type", "application/json");
        Ok(response.body(self.document.clone()).unwrap())
    }
}
