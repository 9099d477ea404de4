//! [`EntraTenants`]: the preset for several tenants of Microsoft Entra ID.

use std::{fmt, sync::Arc};

use portcullis_core::{
    ConfigError, TrustedIssuer,
    issuers::{Allow, IssuerResolver, ResolveError},
};

use super::{Quirk, entra, entra::tenant_of_issuer};
use crate::{OnDemandKeys, RemoteKeysBuilder, TenantKeys, builder::Configured};

/// Microsoft Entra ID, tokens of version 2.0 of **several tenants**, or of all tenants: for an application that is registered for
/// "accounts in any organizational directory" (multitenant). For [`Issuers::on_unknown`](portcullis_core::Issuers::on_unknown).
///
/// - `iss` is `https://login.microsoftonline.com/TENANT/v2.0`, with the id of the user's tenant; `tid` has to be the same id. Microsoft signs
///   the tokens of all tenants with the same keys, so only these two claims say which tenant a user belongs to.
/// - [`allow`](Self::allow) decides which tenants are admitted. **Anyone can create a tenant**, and its users can get tokens for a multitenant
///   application. Either allow only the tenants of your customers, or decide by `tid` on each route.
/// - A subject is unique only within its tenant: compare [`Facts::identity`](portcullis_core::verified::Facts::identity), never `sub` alone.
/// - Microsoft publishes the keys of all tenants in one set, `https://login.microsoftonline.com/common/discovery/v2.0/keys`. It is first
///   fetched for the first token, and all tenants share it. Each key names the issuer that it signs for: any tenant, or only that of personal
///   accounts. A key is used for no other issuer. A token that names an invented tenant therefore causes no fetch, and the tenant is
///   [learned](portcullis_core::Issuers::learned) only after one of its tokens was verified.
/// - Keys of a single tenant or application (claims mapping) are not in that set: trust such a tenant with [`entra`] and
///   [`trust_with`](super::Provider::trust_with).
/// - A tenant that the rule no longer allows is refused: new tokens at once, cached ones within 10 minutes.
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
    keys: TenantKeys,
}

/// The set with the keys that sign for any tenant and those for personal accounts. "Validate the issuer" in
/// [Access tokens](https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens) describes it.
const ALL_KEYS: &str = "https://login.microsoftonline.com/common/discovery/v2.0/keys";

/// The literal value of `issuer` in a key that signs for any tenant.
const OF_ANY_TENANT: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

/// The id of the tenant of personal accounts, whose keys sign for no other tenant.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

impl EntraTenants {
    /// Trusts tokens with this audience, the API's client id.
    pub fn new(audience: impl Into<String>) -> Self {
        Self { audience: audience.into().into(), keys: TenantKeys::new() }
    }

    /// Changes how the keys are fetched. Defaults to the settings of [`RemoteKeysBuilder`]. `set` is called for the keys of organizations and
    /// for those of personal accounts, and again when they are needed after an hour in which they verified no token.
    #[must_use]
    pub fn keys(self, set: impl Fn(RemoteKeysBuilder) -> RemoteKeysBuilder + Send + Sync + 'static) -> Self {
        Self { keys: self.keys.keys(set), ..self }
    }

    /// Returns the rule that permits issuers of tenants that `admits` accepts. Its argument is the tenant's id, in lower case.
    pub fn allow(admits: impl Fn(&str) -> bool + Send + Sync + 'static) -> Allow {
        Allow::when(move |issuer| tenant_of_issuer(issuer).is_some_and(&admits))
    }

    fn trust(&self, issuer: &str) -> Result<Option<TrustedIssuer>, ResolveError> {
        let Some(tenant) = tenant_of_issuer(issuer) else { return Ok(None) };
        let provider = entra(tenant)?.with(Quirk::HasValue("/tid", tenant.to_owned()));
        Ok(Some(provider.trust_with(&*self.audience, self.keys_of(tenant)?)))
    }

    /// Returns one source for all organizations, and another for personal accounts.
    fn keys_of(&self, tenant: &str) -> Result<OnDemandKeys, ConfigError> {
        let mut issuers = vec![OF_ANY_TENANT.to_owned()];
        if tenant == PERSONAL {
            issuers.push(format!("https://login.microsoftonline.com/{PERSONAL}/v2.0"));
        }
        self.keys.source(Configured::SharedUrl(ALL_KEYS.to_owned(), issuers))
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
