//! [`ResourceServer`]: a service that may introspect tokens.

use std::{collections::HashMap, fmt, sync::Arc};

use portcullis_core::{ConfigError, keys::KeySource, policy::TokenSpec};

use super::{ClientSecret, assertion::AssertionKeys, client::ClientKeys, proof::Proof};

/// A service that may ask about the tokens that are for it (RFC 7662). It is not a client: it gets no tokens, and no client may ask.
///
/// ```
/// use portcullis_issuer::server::{ClientSecret, ResourceServer};
///
/// # let secret = "a secret of at least 32 characters, random";
/// let orders = ResourceServer::with_secret("https://orders.example.com", ClientSecret::from_secret(secret)?).id("orders");
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "a service may not ask before a server has it"]
pub struct ResourceServer {
    id: String,
    pub(super) audience: String,
    pub(super) proof: Proof,
}

impl ResourceServer {
    /// Begins a service of this audience, one of the specification, that authenticates with a secret (`client_secret_basic`).
    pub fn with_secret(audience: impl Into<String>, secret: ClientSecret) -> Self {
        Self::new(audience.into(), Proof::Secrets(vec![secret]))
    }

    /// Begins a service of this audience, one of the specification, that authenticates with assertions (`private_key_jwt`), by the rules of
    /// [`Client::with_keys`](super::Client::with_keys).
    pub fn with_keys(audience: impl Into<String>, keys: impl KeySource) -> Self {
        Self::new(audience.into(), Proof::Keys(AssertionKeys::new(ClientKeys::Source(Arc::new(keys)))))
    }

    fn new(audience: String, proof: Proof) -> Self {
        Self { id: audience.clone(), audience, proof }
    }

    /// Sets the name with which it authenticates. Defaults to its audience: a URL has to be form-encoded for `client_secret_basic` (RFC 6749 section
    /// 2.3.1), which not all libraries do.
    pub fn id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Adds another secret, while one is replaced.
    pub fn secret(mut self, secret: ClientSecret) -> Self {
        self.proof.add_secret(secret);
        self
    }

    fn problems(&self, spec: &TokenSpec) -> Vec<String> {
        let rules = [
            (
                self.id.is_empty() || self.id.len() > 255 || self.id.chars().any(char::is_control),
                "has no id, or one with a control character or of more than 255 bytes",
            ),
            (
                !spec.audiences().any(|known| known == self.audience),
                "has an audience that the specification does not have, so that there is no token for it",
            ),
        ];
        let broken = rules.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, rule)| rule.to_owned());
        let all = broken.chain(self.proof.problems(&self.id));
        all.map(|problem| format!("the resource server {:?} {problem}", self.id)).collect()
    }
}

/// Shows the id, and no secret.
impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer")
            .field("id", &self.id)
            .field("authentication", &self.proof)
            .finish_non_exhaustive()
    }
}

/// The services that may introspect, by their ids.
pub(super) type ResourceServers = HashMap<String, ResourceServer>;

/// Checks the services, for a server with or without a view of revocations.
pub(super) fn checked(
    services: Vec<ResourceServer>,
    spec: &TokenSpec,
    has_view: bool,
) -> Result<ResourceServers, ConfigError> {
    let (mut by_id, mut problems) = (HashMap::new(), Vec::new());
    if !services.is_empty() && !has_view {
        problems.push(
            "introspection needs a view of revocations, or a token that has ended would be active: give one to the sessions (`Sessions::revocations`)"
                .to_owned(),
        );
    }
    for service in services {
        problems.extend(service.problems(spec));
        if let Some(other) = by_id.insert(service.id.clone(), service) {
            problems.push(format!("two resource servers have the id {:?}: each needs its own", other.id));
        }
    }
    ConfigError::check(problems)?;
    Ok(by_id)
}
