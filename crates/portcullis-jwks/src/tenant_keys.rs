//! [`TenantKeys`]: the keys of a service's tenants, with one HTTP client and one limit for all.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use portcullis_core::ConfigError;

use crate::{
    OnDemandKeys, RemoteKeysBuilder, builder::Configured, fetch::SharedFetch, fetch_queue::FetchQueue,
    on_demand::WeakSource,
};

/// The keys of many issuers, for a service with tenants: makes one [`OnDemandKeys`] for each. Clones share everything.
///
/// - An issuer's keys are fetched from its first token on, and released after an hour without a token that they verified.
/// - **The same issuer gets the same source**, as long as that is in use: by an issuer on a list, or by a clone of your own. So a resolver that is asked
///   about a tenant again loses no keys.
/// - All sources share one HTTP client.
/// - At most 64 sources fetch at once, and at most 32 of those that have not verified a token yet; the others wait for their turn. So a thousand names that
///   an attacker invents are 32 fetches at once, and do not hold up tenants that are in use. A request waits no longer than it does for
///   [`RemoteKeys`](crate::RemoteKeys): it gets HTTP 503 after two seconds, and the fetch is made all the same.
///
/// Make one for a service, and use it in the resolver of [`Issuers::on_unknown`](portcullis_core::Issuers::on_unknown), or for the tenants that you
/// [insert](portcullis_core::Issuers::insert):
///
/// ```no_run
/// use portcullis_core::{Issuers, TrustedIssuer};
/// use portcullis_core::issuers::Allow;
/// use portcullis_jwks::TenantKeys;
///
/// # async fn audience_of(tenant: &str) -> std::io::Result<Option<String>> { Ok(None) }
/// # fn main() -> Result<(), portcullis_core::ConfigError> {
/// let issuers = Issuers::new([])?;
/// let tenants = TenantKeys::new();
/// issuers.on_unknown(Allow::suffix(".tenants.example.com")?, move |issuer: String| {
///     let tenants = tenants.clone();
///     async move {
///         let Some(audience) = audience_of(&issuer).await? else { return Ok(None) };
///         let keys = tenants.discover(&*issuer)?;
///         Ok(Some(TrustedIssuer::new(issuer, keys).audience(audience)))
///     }
/// })?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[doc(alias = "multi-tenant")]
#[doc(alias = "pool")]
pub struct TenantKeys(Arc<Pool>);

/// What the sources share.
pub(crate) struct Pool {
    set: Arc<SetKeys>,
    /// Made when it is first needed, and used by each source that was given no other.
    client: OnceLock<SharedFetch>,
    pub(crate) queue: Arc<FetchQueue>,
    pub(crate) idle_after: Duration,
    sources: Mutex<Sources>,
}

type SetKeys = dyn Fn(RemoteKeysBuilder) -> RemoteKeysBuilder + Send + Sync;

/// The sources that are in use.
#[derive(Default)]
struct Sources {
    by_place: HashMap<Configured, WeakSource>,
    /// How many there were when the ones that are gone were last removed.
    kept: usize,
}

/// After a pause, a tenant costs a few requests for its key set and a fetch for its next token.
const DEFAULT_IDLE: Duration = Duration::from_secs(60 * 60);
const MIN_IDLE: Duration = Duration::from_secs(60);
const MAX_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Fewer sources are not worth a search for those that are gone.
const FEW: usize = 64;

impl TenantKeys {
    /// Returns a maker of sources with the default settings. Nothing is started or fetched.
    pub fn new() -> Self {
        Self::of(Arc::new(|keys| keys), DEFAULT_IDLE)
    }

    fn of(set: Arc<SetKeys>, idle_after: Duration) -> Self {
        let queue = Arc::new(FetchQueue::new());
        Self(Arc::new(Pool { set, client: OnceLock::new(), queue, idle_after, sources: Mutex::default() }))
    }

    /// Sets how keys are fetched, by a closure that is called for each source, and again when the source starts after a pause. Defaults to the defaults of
    /// [`RemoteKeysBuilder`]. Call it before any source is made: what was made earlier shares nothing with this.
    ///
    /// For a client of your own, give each source a clone of the same one:
    ///
    /// ```no_run
    /// # use portcullis_jwks::{HttpClient, TenantKeys};
    /// # fn example(client: HttpClient) {
    /// let tenants = TenantKeys::new().keys(move |keys| keys.fetch(client.clone()));
    /// # }
    /// ```
    #[must_use]
    pub fn keys(self, set: impl Fn(RemoteKeysBuilder) -> RemoteKeysBuilder + Send + Sync + 'static) -> Self {
        Self::of(Arc::new(set), self.0.idle_after)
    }

    /// Sets after what time without a token that they verified the keys of an issuer are released: a minute to a week. It may take a quarter longer.
    /// Defaults to an hour. Call it before any source is made: what was made earlier shares nothing with this.
    ///
    /// # Errors
    ///
    /// If the time is out of this range.
    pub fn idle_after(self, time: Duration) -> Result<Self, ConfigError> {
        if !(MIN_IDLE..=MAX_IDLE).contains(&time) {
            return Err(ConfigError::new(format!(
                "keys on demand: idle after {time:?} is not between a minute and a week"
            )));
        }
        Ok(Self::of(Arc::clone(&self.0.set), time))
    }

    /// Returns the keys of this issuer, which are found through its metadata: see [`RemoteKeys::discover`](crate::RemoteKeys::discover). Must be called
    /// inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// Those of [`RemoteKeysBuilder::start`]. Nothing is fetched.
    pub fn discover(&self, issuer: impl Into<String>) -> Result<OnDemandKeys, ConfigError> {
        self.source(Configured::Issuer(issuer.into()))
    }

    /// Returns the keys at this URL: see [`RemoteKeys::from_url`](crate::RemoteKeys::from_url). Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// Those of [`RemoteKeysBuilder::start`]. Nothing is fetched.
    pub fn from_url(&self, url: impl Into<String>) -> Result<OnDemandKeys, ConfigError> {
        self.source(Configured::Url(url.into()))
    }

    /// Returns the keys at a URL that an outsider names, such as the `jwks_uri` of an OAuth client, by the rules of
    /// [`OutsideDocuments`](crate::OutsideDocuments): `https`, and a host of the public Internet, or one of
    /// [`danger_allow_private`](RemoteKeysBuilder::danger_allow_private). A set has at most 64 KiB. Must be called inside a tokio runtime.
    ///
    /// Each source that is in use has a task and its keys: limit how many you keep, as outsiders name as many as they like.
    ///
    /// # Errors
    ///
    /// If the URL is not allowed. Otherwise those of [`RemoteKeysBuilder::start`]. Nothing is fetched.
    pub fn from_outside_url(&self, url: impl Into<String>) -> Result<OnDemandKeys, ConfigError> {
        self.source(Configured::OutsideUrl(url.into()))
    }

    pub(crate) fn source(&self, place: Configured) -> Result<OnDemandKeys, ConfigError> {
        if let Some(keys) = self.0.sources().find(&place) {
            return Ok(keys);
        }
        // Calls the application's closure, so not under the lock.
        self.0.builder(&place).check()?;
        Ok(self.0.sources().find_or_add(&self.0, place))
    }
}

impl Default for TenantKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool {
    /// Returns the settings of a source.
    pub(crate) fn builder(&self, place: &Configured) -> RemoteKeysBuilder {
        (self.set)(RemoteKeysBuilder::new(place.clone())).with_client(&self.client).only_when_asked()
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sources {
    fn find(&self, place: &Configured) -> Option<OnDemandKeys> {
        self.by_place.get(place)?.upgrade()
    }

    fn find_or_add(&mut self, pool: &Arc<Pool>, place: Configured) -> OnDemandKeys {
        if let Some(keys) = self.find(&place) {
            return keys;
        }
        if self.by_place.len() >= FEW.max(2 * self.kept) {
            self.by_place.retain(|_, source| !source.is_gone());
            self.kept = self.by_place.len();
        }
        let keys = OnDemandKeys::new(Arc::clone(pool), place.clone());
        self.by_place.insert(place, keys.downgrade());
        keys
    }
}

impl fmt::Debug for TenantKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantKeys").field("idle_after", &self.0.idle_after).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(number: usize) -> String {
        format!("https://tenant-{number}.example.com")
    }

    #[tokio::test]
    async fn one_place_has_one_source_for_as_long_as_it_is_in_use() {
        let tenants = TenantKeys::new();
        let keys = tenants.discover(issuer(0)).unwrap();
        assert!(keys.is(&tenants.clone().discover(issuer(0)).unwrap()));
        assert!(!keys.is(&tenants.discover(issuer(1)).unwrap()));
        assert!(!keys.is(&tenants.from_url(issuer(0)).unwrap()), "a key set is not an issuer");
        assert!(!keys.is(&TenantKeys::new().discover(issuer(0)).unwrap()));
    }

    #[cfg(feature = "reqwest")]
    #[tokio::test]
    async fn all_sources_have_one_client() {
        let tenants = TenantKeys::new();
        let client_of = |number| tenants.0.builder(&Configured::Issuer(issuer(number))).client().unwrap();
        let client = client_of(0);
        assert!(client.is(&client_of(1)));
        let own = crate::HttpClient::new().unwrap();
        let others = TenantKeys::new().keys(move |keys| keys.fetch(own.clone()));
        assert!(!client.is(&others.0.builder(&Configured::Issuer(issuer(0))).client().unwrap()));
        assert!(others.0.client.get().is_none(), "none is made that is not needed");
    }

    #[tokio::test]
    async fn places_whose_sources_are_gone_are_forgotten() {
        let tenants = TenantKeys::new();
        let kept: Vec<_> = (0..100).map(|number| tenants.discover(issuer(number)).unwrap()).collect();
        for number in 100..10_000 {
            tenants.discover(issuer(number)).unwrap();
        }
        assert!(tenants.0.sources().by_place.len() <= 2 * kept.len());
        assert!(kept.iter().enumerate().all(|(number, keys)| keys.is(&tenants.discover(issuer(number)).unwrap())));
    }
}
