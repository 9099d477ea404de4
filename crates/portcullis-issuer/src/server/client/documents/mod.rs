//! [`MetadataDocuments`]: clients whose id is the URL of a document about them.

mod cache;
mod document;
mod id;
mod name;
mod permits;

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::policy::TokenSpec;
use portcullis_jwks::{FetchError, FetchErrorKind, OutsideDocument, OutsideDocuments};

use self::{
    cache::{Cache, Known},
    document::Document,
    id::{DocumentId, host_of_url},
    permits::Permits,
};
use super::{Client, Clients, DeclaredClients};
use crate::{StoreError, refresh::RefreshPolicy, space_separated::space_separated};

/// Clients whose `client_id` is the `https` URL of a document about them (draft-ietf-oauth-client-id-metadata-document), as those of the Model
/// Context Protocol. They need no registration: any outsider can be such a client, so users are always asked.
///
/// The rules:
///
/// - The URL has a path, and no query, fragment, user name, or dot segment. It leads into the public Internet: see [`OutsideDocuments`].
/// - The document has at most 5 KiB, and its `client_id` is the URL, byte for byte. It has no secret. The client is public, or proves who it is by
///   keys in the document (`jwks`), or at a URL that leads into the public Internet, too (`jwks_uri`): see `client_key_sets` of the server's builder.
/// - Redirect URIs are those of the URL's own origin, or of the user's own machine. Others need a [rule](Self::allow_redirect_uris).
/// - A document is fetched again when it is no longer fresh by its `Cache-Control`, between 5 minutes and 24 hours; a failed attempt is repeated
///   after a minute at the earliest. While it cannot be fetched, the client that was accepted before is used for an hour; an answer that there is none ends
///   that at once. Requests of one client share a fetch, and 1 000 are kept.
/// - At most 64 documents are fetched at once, 4 of one host, and 16 more of clients that were accepted before, which no outsider keeps out.
/// - What such a client may ask for is said here, and not in its document, which can only ask for fewer scopes.
///
/// Show users the host of the client's id and of the redirect URI: the name is the client's own choice.
///
/// ```
/// use portcullis_issuer::server::{ClientList, Clients, MetadataDocuments};
/// use portcullis_jwks::{HttpClient, OutsideDocuments};
///
/// # fn main() -> Result<(), portcullis_core::ConfigError> {
/// let documents = OutsideDocuments::new(HttpClient::new()?);
/// let clients = ClientList::default().or(MetadataDocuments::new(documents)
///     .scope("orders:read")
///     .resource("https://orders.example.com")
///     .allow_hosts(|host| host.ends_with(".example.com")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a server knows these clients if its builder gets them"]
pub struct MetadataDocuments(Arc<Inner>);

struct Inner {
    documents: OutsideDocuments,
    settings: Settings,
    cache: Cache,
    permits: Permits,
}

/// What such a client may have.
#[derive(Clone, Default)]
struct Settings {
    scopes: Vec<String>,
    resources: Vec<String>,
    policy: RefreshPolicy,
    lifetime: Option<Duration>,
    hosts: Option<Arc<HostRule>>,
    redirect_uris: Option<Arc<RedirectRule>>,
    on_problem: Option<Arc<Listener>>,
}

type HostRule = dyn Fn(&str) -> bool + Send + Sync;
type RedirectRule = dyn Fn(&str, &str) -> bool + Send + Sync;
type Listener = dyn Fn(&str, &str) + Send + Sync;

/// How long a document may be, in bytes, as the draft suggests.
const MOST_BYTES: usize = 5 * 1024;

impl MetadataDocuments {
    /// Returns such clients. They may ask for nothing yet.
    pub fn new(documents: OutsideDocuments) -> Self {
        Self::with(documents, Settings::default())
    }

    fn with(documents: OutsideDocuments, settings: Settings) -> Self {
        Self(Arc::new(Inner { documents, settings, cache: Cache::new(), permits: Permits::new() }))
    }

    fn configure(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.0.settings.clone();
        change(&mut settings);
        Self::with(self.0.documents.clone(), settings)
    }

    /// Adds to the scopes that such a client may ask for: one, or several separated by spaces. Defaults to none.
    pub fn scope(self, scope: &str) -> Self {
        let scopes = space_separated(scope).map(str::to_owned);
        self.configure(|settings| settings.scopes.extend(scopes))
    }

    /// Adds a service that such a client may use. Defaults to none, and without one, there is no such client.
    pub fn resource(self, resource: impl Into<String>) -> Self {
        self.configure(|settings| settings.resources.push(resource.into()))
    }

    /// Sets the rules of their refresh tokens. Defaults to those of [`RefreshPolicy::new`].
    #[doc(alias = "refresh_token")]
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        self.configure(|settings| settings.policy = policy)
    }

    /// Sets how long their access tokens are valid, if that is shorter than the lifetime of the specification.
    #[doc(alias = "expires_in")]
    pub fn access_token_lifetime(self, lifetime: Duration) -> Self {
        self.configure(|settings| settings.lifetime = Some(lifetime))
    }

    /// Allows only clients on hosts for which `rule` returns `true`, in lower case and without a port; their keys (`jwks_uri`) have to be on such a host,
    /// too. Defaults to all hosts.
    pub fn allow_hosts(self, rule: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.configure(|settings| settings.hosts = Some(Arc::new(rule)))
    }

    /// Allows also redirect URIs for which `rule` returns `true`, given the client's id and the URI. Defaults to those of the id's own origin and of
    /// the user's own machine: others would let a client that is trusted by its host send codes elsewhere.
    pub fn allow_redirect_uris(self, rule: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.configure(|settings| settings.redirect_uris = Some(Arc::new(rule)))
    }

    /// Calls `listener` with the client's id and the reason when a document is not accepted, or could not be fetched. It must not block. Both texts
    /// may come from an attacker. Defaults to none.
    pub fn on_problem(self, listener: impl Fn(&str, &str) + Send + Sync + 'static) -> Self {
        self.configure(|settings| settings.on_problem = Some(Arc::new(listener)))
    }

    /// Returns the id if there may be a client of it.
    fn allowed<'a>(&self, client_id: &'a str) -> Option<DocumentId<'a>> {
        let id = DocumentId::parse(client_id)?;
        self.0.settings.allows_host(&id.host()).then_some(id)
    }

    /// Fetches the document of a client; `None` if too many are fetched already.
    async fn fetch(&self, id: &DocumentId<'_>) -> Option<Known> {
        let is_known = self.0.cache.accepted(id.as_str()).is_some();
        let _permit = self.0.permits.permit(id.host(), is_known)?;
        Some(match self.0.documents.get(id.as_str(), MOST_BYTES).await {
            Ok(document) => self.read(id, &document),
            Err(error) if is_final(&error) => self.wrong(id, &error.to_string()),
            Err(error) => {
                self.tell(id, &error.to_string());
                Known::Unavailable(error.to_string())
            }
        })
    }

    fn read(&self, id: &DocumentId<'_>, document: &OutsideDocument) -> Known {
        let settings = &self.0.settings;
        let client = Document::parse(document.text());
        let client = client.and_then(|document| document.client(id, settings, |uri| self.check_keys(uri)));
        match client {
            Ok(client) => Known::Client(Arc::new(client), document.freshness()),
            Err(why) => self.wrong(id, &why),
        }
    }

    /// Checks the URL of keys now: otherwise the client would be one that can never prove who it is.
    fn check_keys(&self, uri: &str) -> Result<(), String> {
        if !host_of_url(uri).is_some_and(|host| self.0.settings.allows_host(&host)) {
            return Err("`jwks_uri` is on a host that is not allowed".to_owned());
        }
        self.0.documents.check(uri).map_err(|error| error.to_string())
    }

    fn wrong(&self, id: &DocumentId<'_>, why: &str) -> Known {
        self.tell(id, why);
        Known::Wrong
    }

    fn tell(&self, id: &DocumentId<'_>, why: &str) {
        if let Some(listener) = &self.0.settings.on_problem {
            listener(id.as_str(), why);
        }
    }
}

impl Settings {
    fn allows_host(&self, host: &str) -> bool {
        self.hosts.as_ref().is_none_or(|rule| rule(host))
    }
}

impl Clients for MetadataDocuments {
    async fn find(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let Some(id) = self.allowed(client_id) else { return Ok(None) };
        match self.0.cache.find(client_id, self.fetch(&id)).await {
            Some(Known::Client(client, _)) => Ok(Some(client)),
            Some(Known::Wrong) => Ok(None),
            None => Err(StoreError::new("too many documents of clients are fetched at once")),
            Some(Known::Unavailable(why)) => {
                Err(StoreError::new(format!("the document of the client could not be fetched: {why}")))
            }
        }
    }

    fn declared(&self, spec: &TokenSpec) -> DeclaredClients {
        let declared = DeclaredClients::new().have_keys().have_documents();
        let unknown = self.0.settings.resources.iter().filter(|own| !spec.audiences().any(|audience| audience == *own));
        unknown.fold(declared, |declared, resource| {
            declared.problem(format!(
                "clients with documents may use {resource:?}, which is no audience of the specification"
            ))
        })
    }

    /// By the form of the name and the rules alone.
    async fn may_have(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.allowed(name).is_some())
    }

    async fn why_fixed(&self, client_id: &str) -> Result<Option<&'static str>, StoreError> {
        let why = "its id is the URL of a document about it: refuse its host first (`MetadataDocuments::allow_hosts`)";
        Ok(self.allowed(client_id).map(|_| why))
    }
}

/// Whether the answer says that there is no such client, so that it is not an outage.
fn is_final(error: &FetchError) -> bool {
    match error.kind() {
        FetchErrorKind::Status => {
            let status = error.status_code().map_or(0, |status| status.as_u16());
            (300..500).contains(&status) && !matches!(status, 408 | 425 | 429)
        }
        FetchErrorKind::NotAllowed
        | FetchErrorKind::TooLarge
        | FetchErrorKind::ContentType
        | FetchErrorKind::ContentCoding
        | FetchErrorKind::Malformed => true,
        _ => false,
    }
}

impl fmt::Debug for MetadataDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataDocuments").field("documents", &self.0.documents).finish_non_exhaustive()
    }
}
