//! Microsoft Entra ID, of many tenants.

use std::{fmt, sync::Arc};

use portcullis_core::{
    TrustedIssuer,
    issuers::{Allow, IssuerResolver, ResolveError},
};

use super::{Quirk, entra, entra::tenant_of_issuer};
use crate::{OnDemandKeys, RemoteKeysBuilder};

/// Microsoft Entra ID, tokens of version 2.0 of **several tenants**, or of all tenants: for an application that is registered for
/// "accounts in any organizational directory" (multitenant). For [`Issuers::on_unknown`](portcullis_core::Issuers::on_unknown).
///
/// - `iss` is `https://login.microsoftonline.com/TENANT/v2.0`, with the id of the user's tenant, and `tid` has to be the same id.
///   Microsoft signs the tokens of all tenants with the same keys, so only these two claims say which tenant the user belongs to.
/// - [`allow`](Self::allow) decides which tenants are admitted. **Anyone can create a tenant**, and let its users get tokens for a
///   multitenant application: either allow only tenants that are your customers, or decide by `tid` on each route.
/// - A subject is unique only within its tenant: compare [`Facts::identity`](portcullis_core::verified::Facts::identity), never `sub`
///   alone.
/// - Each tenant's keys are a separate source, fetched [on demand](OnDemandKeys).
///
/// Everything else is the same as for [`entra`].
///
/// ```no_run
/// use portcullis_core::{Issuers, JwtAuthenticator};
/// use portcullis_jwks::provider::EntraTenants;
///
/// # fn main() -> Result<(), portcullis_core::ConfigError> {
/// let issuers = Issuers::new([])?;
/// let customers = ["8eaef023-2b34-4da1-9baa-8bc8c9d6a490"];
/// let rule = EntraTenants::allow(move |tenant| customers.contains(&tenant));
/// issuers.on_unknown(rule, EntraTenants::new("6e74172b-be56-4843-9ff4-e66a39bb12e3"))?;
/// let authenticator = JwtAuthenticator::issuers(issuers);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[doc(alias = "multitenant")]
#[doc(alias = "organizations")]
pub struct EntraTenants {
    audience: Arc<str>,
    set: Arc<dyn Fn(RemoteKeysBuilder) -> RemoteKeysBuilder + Send + Sync>,
}

impl EntraTenants {
    /// Trusts tokens with this audience, the API's client id.
    pub fn new(audience: impl Into<String>) -> Self {
        Self { audience: audience.into().into(), set: Arc::new(|keys| keys) }
    }

    /// Sets how each tenant's keys are fetched. Defaults to the default settings.
    #[must_use]
    pub fn keys(self, set: impl Fn(RemoteKeysBuilder) -> RemoteKeysBuilder + Send + Sync + 'static) -> Self {
        Self { set: Arc::new(set), ..self }
    }

    /// Returns the rule that permits issuers of tenants that `admits` accepts. Its argument is the tenant's id, in lower case.
    pub fn allow(admits: impl Fn(&str) -> bool + Send + Sync + 'static) -> Allow {
        Allow::when(move |issuer| tenant_of_issuer(issuer).is_some_and(&admits))
    }

    fn trust(&self, issuer: &str) -> Result<Option<TrustedIssuer>, ResolveError> {
        let Some(tenant) = tenant_of_issuer(issuer) else { return Ok(None) };
        let provider = entra(tenant)?.with(Quirk::HasValue("/tid", tenant.to_owned()));
        let (set, of) = (Arc::clone(&self.set), provider.clone());
        let keys = OnDemandKeys::new(move || set(of.keys()))?;
        Ok(Some(provider.trust_with(&*self.audience, keys)))
    }
}

impl IssuerResolver for EntraTenants {
    async fn resolve(&self, issuer: &str) -> Result<Option<TrustedIssuer>, ResolveError> {
        self.trust(issuer)
    }
}

impl fmt::Debug for EntraTenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraTenants").field("audience", &self.audience).finish_non_exhaustive()
    }
}
