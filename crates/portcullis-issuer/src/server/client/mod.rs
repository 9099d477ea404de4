//! [`Client`]: an application that gets tokens.

pub(super) mod allowed;
mod clients;
mod declared;
#[cfg(feature = "metadata-documents")]
mod documents;
mod exchange_policy;
mod keys;
mod list;
mod or;
mod problems;
mod redirect_uri;
#[cfg(feature = "jwks-uri")]
mod remote_keys;
mod secret;
mod stored;

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{ConfigError, keys::KeySource};

pub(super) use self::clients::AnyClients;
#[cfg(feature = "metadata-documents")]
pub use self::documents::MetadataDocuments;
pub(super) use self::keys::{ClientKeys, KeySets};
use self::redirect_uri::RedirectUri;
pub(crate) use self::redirect_uri::is_own_machine;
#[cfg(feature = "jwks-uri")]
pub(super) use self::remote_keys::RemoteKeySets;
pub use self::{
    clients::{Clients, Deletion},
    declared::DeclaredClients,
    exchange_policy::ExchangePolicy,
    list::ClientList,
    or::Either,
    secret::ClientSecret,
    stored::{StoredClient, StoredClientError, StoredClients},
};
use super::{assertion::AssertionKeys, proof::Proof};
use crate::{
    documents::{ClientAuthentication, GrantType},
    refresh::{LogIn, RefreshPolicy, Rotation},
    space_separated::space_separated,
};

/// An application that gets tokens: what it may ask for, and how it proves who it is.
///
/// ```
/// use portcullis_issuer::documents::GrantType;
/// use portcullis_issuer::server::{Client, ClientSecret};
///
/// // A page or an app: it has no secret.
/// let page = Client::public("web")
///     .redirect_uri("https://app.example.com/callback")
///     .scope("orders:read orders:write")
///     .resource("https://orders.example.com");
///
/// // A program that acts for itself.
/// # let secret = "a secret of at least 32 characters, random";
/// let worker = Client::confidential("worker", ClientSecret::from_secret(secret)?)
///     .grants([GrantType::ClientCredentials])
///     .scope("orders:read")
///     .resource("https://orders.example.com");
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "a client is unknown until a list has it"]
pub struct Client {
    id: String,
    name: Option<String>,
    proof: Proof,
    redirect_uris: Vec<String>,
    grants: Vec<GrantType>,
    scopes: Vec<String>,
    resources: Vec<String>,
    pub(super) policy: RefreshPolicy,
    pub(super) lifetime: Option<Duration>,
    pub(super) may_combine_resources: bool,
    standing: Standing,
    grants_without_question: bool,
    log_out_at: Option<String>,
    exchange: Option<ExchangePolicy>,
}

/// Who vouches for a client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// No one: its word is all that there is.
    Outsider,
    /// Who has registered it.
    Registered,
    /// The application, whose own it is.
    FirstParty,
}

impl Client {
    /// How many secrets a client has, at most: the one before, and the one that replaces it.
    pub const MOST_SECRETS: usize = Proof::MOST_SECRETS;

    /// Begins a client that cannot keep a secret, such as a page or an app. It uses codes and refresh tokens.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            proof: Proof::None,
            redirect_uris: Vec::new(),
            grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scopes: Vec::new(),
            resources: Vec::new(),
            policy: RefreshPolicy::new(),
            lifetime: None,
            may_combine_resources: false,
            standing: Standing::Registered,
            grants_without_question: false,
            log_out_at: None,
            exchange: None,
        }
    }

    /// Begins a client that authenticates with a secret (`client_secret_basic`). It uses codes and refresh tokens, and keeps a refresh token
    /// that it has: a stolen one is worth nothing without the secret.
    pub fn confidential(id: impl Into<String>, secret: ClientSecret) -> Self {
        let policy = RefreshPolicy::new().rotation(Rotation::Never);
        Self { proof: Proof::Secrets(vec![secret]), policy, ..Self::public(id) }
    }

    /// Begins a client that authenticates with an assertion that it has signed (`private_key_jwt`, RFC 7523): `keys` are its public keys, in a
    /// [`KeySet`](portcullis_core::KeySet), or any other source. It uses codes and refresh tokens, and keeps a refresh token that it
    /// has.
    ///
    /// `iss` and `sub` of an assertion are the client's id, `aud` is the server's issuer identifier and nothing else, `exp` is at most five minutes
    /// after now and after `iat`, and `jti` is accepted once. A request that is sent again needs a new assertion.
    pub fn with_keys(id: impl Into<String>, keys: impl KeySource) -> Self {
        Self::with(id, ClientKeys::Source(Arc::new(keys)))
    }

    /// Begins a client that authenticates with an assertion, as by [`with_keys`](Self::with_keys), whose public keys are the JWK Set with this text:
    /// [`StoredClients`] can keep it. Of each key, only the members that are needed are kept.
    ///
    /// # Errors
    ///
    /// If it is not a set of public keys that can all be used ([`KeySet::from_jwks_strict`](portcullis_core::KeySet::from_jwks_strict)): also if one
    /// is private. Or if it has more than 16 KiB.
    pub fn with_jwks(id: impl Into<String>, jwks: &str) -> Result<Self, ConfigError> {
        Ok(Self::with(id, ClientKeys::of_jwks(jwks)?))
    }

    /// Begins a client that authenticates with an assertion, as by [`with_keys`](Self::with_keys), whose public keys are at this `https` URL (`jwks_uri`,
    /// RFC 7591 section 2). The server has to fetch them: see `client_key_sets` of its builder (feature `jwks-uri`).
    pub fn with_jwks_uri(id: impl Into<String>, uri: impl Into<String>) -> Self {
        Self::with(id, ClientKeys::At(uri.into().into()))
    }

    fn with(id: impl Into<String>, keys: ClientKeys) -> Self {
        let policy = RefreshPolicy::new().rotation(Rotation::Never);
        Self { proof: Proof::Keys(AssertionKeys::new(keys)), policy, ..Self::public(id) }
    }

    /// Adds another secret, while one is replaced.
    pub fn secret(mut self, secret: ClientSecret) -> Self {
        self.proof.add_secret(secret);
        self
    }

    /// Takes from a client with keys only assertions whose `typ` is `client-authentication+jwt`, which nothing else has. Defaults to also taking
    /// `JWT` and no type, which most clients write.
    pub fn typed_assertions_only(mut self) -> Self {
        if let Proof::Keys(keys) = &mut self.proof {
            keys.typed_only = true;
        }
        self
    }

    /// Sets the name that users see. Defaults to none: they see the id.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Adds a redirect URI: `https`, or `http` of a loopback address, or a scheme of the application's own such as `com.example.app:/done`. A
    /// request has to name it exactly; the port of a loopback address may differ (RFC 8252 section 7.3).
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// Sets the grants that the client may use. Defaults to codes and refresh tokens.
    pub fn grants(self, grants: impl IntoIterator<Item = GrantType>) -> Self {
        Self { grants: grants.into_iter().collect(), ..self }
    }

    /// Adds to the scopes that the client may ask for: one, or several separated by spaces. Defaults to none.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scopes.extend(space_separated(scope).map(str::to_owned));
        self
    }

    /// Adds a service that the client may use (RFC 8707): an audience of the specification. Defaults to none, and without one, it gets no
    /// token.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Sets the rules of its refresh tokens. Defaults to those of [`RefreshPolicy::new`]; a confidential client keeps its token.
    #[doc(alias = "refresh_token")]
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Sets how long its access tokens are valid, if that is shorter than the lifetime of the specification.
    #[doc(alias = "expires_in")]
    pub fn access_token_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// Lets one access token be for several services. Then each of them can act as the client at the others. Defaults to one service for each
    /// token, which the client names by `resource` if it may use several.
    pub fn combines_resources(self) -> Self {
        Self { may_combine_resources: true, ..self }
    }

    /// Lets the client exchange access tokens, by these rules (RFC 8693): it gets the grant. Call it after [`grants`](Self::grants). Defaults to no
    /// exchange.
    pub fn exchange(mut self, policy: ExchangePolicy) -> Self {
        if !self.may_use(GrantType::TokenExchange) {
            self.grants.push(GrantType::TokenExchange);
        }
        Self { exchange: Some(policy), ..self }
    }

    /// Says that the client is the application's own, so that users are not asked for consent. Defaults to asking them.
    pub fn first_party(self) -> Self {
        Self { standing: Standing::FirstParty, ..self }
    }

    /// Grants requests of a public client without a question also if its redirect URI is one of the user's own machine, or has a scheme of its own.
    ///
    /// Any program on that machine can use such an address, and so take the client's name: it gets a session without a click, as soon as the user
    /// has logged in (RFC 8252 section 8.6). Defaults to a question each time.
    pub fn danger_without_question(self) -> Self {
        Self { grants_without_question: true, ..self }
    }

    /// Sets the URI at which it is told that a session has ended (OpenID Connect Back-Channel Logout 1.0): a session keeps the one of its log-in.
    /// The sessions have to [keep](crate::refresh::Sessions::tell_clients) what is to be told. Defaults to none.
    #[doc(alias = "backchannel_logout_uri")]
    pub fn back_channel_logout_uri(self, uri: impl Into<String>) -> Self {
        Self { log_out_at: Some(uri.into()), ..self }
    }

    /// Returns the id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name that users see: the id, if it has no other.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// Returns whether it is the application's own.
    pub fn is_first_party(&self) -> bool {
        self.standing == Standing::FirstParty
    }

    /// Returns how it proves who it is.
    pub fn authentication(&self) -> ClientAuthentication {
        self.proof.method()
    }

    /// Returns the grants that it may use.
    pub fn allowed_grants(&self) -> impl ExactSizeIterator<Item = GrantType> {
        self.grants.iter().copied()
    }

    /// Returns the scopes that it may ask for.
    pub fn allowed_scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    /// Returns the services that it may use.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = &str> {
        self.resources.iter().map(String::as_str)
    }

    /// Begins the log-in of a user at this client.
    pub(super) fn log_in(&self, subject: &str) -> LogIn {
        let log_in = LogIn::new(subject, &self.id);
        match &self.log_out_at {
            Some(uri) => log_in.back_channel_logout_uri(uri),
            None => log_in,
        }
    }

    pub(super) fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    pub(super) fn exchange_policy(&self) -> Option<&ExchangePolicy> {
        self.exchange.as_ref()
    }

    pub(super) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Returns the redirect URI that a request means: the one that it names, or the only one.
    pub(super) fn find_redirect_uri(&self, asked: Option<&str>) -> Option<String> {
        match (asked, self.redirect_uris.as_slice()) {
            (None, [only]) => RedirectUri::parse(only).is_ok().then(|| only.clone()),
            (None, _) => None,
            (Some(asked), registered) => {
                let is_it = |text: &String| RedirectUri::parse(text).is_ok_and(|uri| uri.allows(asked));
                registered.iter().any(is_it).then(|| asked.to_owned())
            }
        }
    }

    /// Says that no one has registered the client: its word is all that there is.
    #[cfg(feature = "metadata-documents")]
    fn outsider(self) -> Self {
        Self { standing: Standing::Outsider, ..self }
    }

    /// Whether no one has registered the client.
    pub(super) fn is_outsider(&self) -> bool {
        self.standing == Standing::Outsider
    }

    /// Whether the one who gets the answer at this address may be another program than the client.
    pub(super) fn may_be_another_program(&self, redirect_uri: &str) -> bool {
        let is_public = matches!(self.proof, Proof::None);
        is_public && !self.grants_without_question && !redirect_uri.starts_with("https://")
    }
}

/// Shows the id and what it may do, and no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("authentication", &self.authentication())
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}
