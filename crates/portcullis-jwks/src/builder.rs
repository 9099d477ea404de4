//! [`RemoteKeysBuilder`]: the settings of a key source.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use portcullis_core::{Clock, ConfigError, clock::SystemClock};
use tokio::{runtime::Handle, task::JoinSet};

use crate::{
    Fetch, RemoteKeys, Snapshot,
    discovery::{DiscoverableIssuer, issuer_of_document},
    driver::{self, Shared, Task},
    fetch::SharedFetch,
    fetch_queue::QueuedSource,
    machine::{Machine, Settings},
    origin::{Origin, SharedKeySet},
    telemetry,
    url::{DocumentUrl, HTTP_PORT, HTTPS_PORT, HostAndPort, NamedHosts, shown},
};

/// Configures where keys are fetched from and how. Made by [`RemoteKeys::discover`] and [`RemoteKeys::from_url`].
#[derive(Debug)]
#[must_use = "nothing is fetched before `start`"]
pub struct RemoteKeysBuilder {
    configured: Configured,
    /// Hosts with their ports, as the developer wrote them.
    allow_http: Vec<String>,
    allow_private: Vec<String>,
    fetch: Option<SharedFetch>,
    queue: Option<QueuedSource>,
    outage: Duration,
    cool_down: Duration,
    first_fetch: FirstFetch,
    snapshot: Option<Snapshot>,
    clock: Arc<dyn Clock>,
}

/// The configuration as the developer wrote it. `start` parses it, and reports all mistakes in one error.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Configured {
    Issuer(String),
    Url(String),
    /// A URL that an outsider has named.
    OutsideUrl(String),
    /// The URL of a set that several issuers share, in which each key names its issuer in the member `issuer`, and the values of `issuer` of the
    /// keys that are used.
    SharedUrl(String, Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FirstFetch {
    AtOnce,
    WithTheFirstToken,
    /// And none without a token that asks, until there are keys.
    WhenAsked,
}

impl RemoteKeysBuilder {
    pub(crate) fn discover(issuer: String) -> Self {
        Self::new(Configured::Issuer(issuer))
    }

    pub(crate) fn from_url(url: String) -> Self {
        Self::new(Configured::Url(url))
    }

    /// Fetches with this client, which is made when it is first needed, unless another client was set.
    pub(crate) fn with_client(mut self, client: &OnceLock<SharedFetch>) -> Self {
        if self.fetch.is_none() {
            // `start` reports the problem.
            let made = || default_fetch().ok().map(|made| client.get_or_init(|| made));
            self.fetch = client.get().or_else(made).cloned();
        }
        self
    }

    /// Makes each attempt when it is its turn in a queue.
    pub(crate) fn queue(mut self, queue: QueuedSource) -> Self {
        self.queue = Some(queue);
        self
    }

    #[cfg(all(test, feature = "reqwest"))]
    pub(crate) fn client(self) -> Option<SharedFetch> {
        self.fetch
    }

    pub(crate) fn new(configured: Configured) -> Self {
        Self {
            configured,
            allow_http: Vec::new(),
            allow_private: Vec::new(),
            fetch: None,
            queue: None,
            outage: DEFAULT_OUTAGE,
            cool_down: DEFAULT_COOL_DOWN,
            first_fetch: FirstFetch::AtOnce,
            snapshot: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets how long stale keys stay in use while they cannot be fetched again: up to 24 hours. Defaults to one hour.
    ///
    /// With a longer time, your users notice an issuer's outage later, but a key that the issuer withdrew during the outage is also
    /// accepted longer. Zero means that keys are never used when they are stale.
    pub fn outage(mut self, outage: Duration) -> Self {
        self.outage = outage;
        self
    }

    /// Sets the minimum time between fetches that tokens with unknown keys trigger: one second to an hour. Defaults to 30 s.
    ///
    /// If a new key is used before it was fetched, its tokens are accepted within this time, and answered with 503 until then. If a token
    /// named the key's id before the issuer published it, by guessing or too early, tokens with this key are refused for up to five
    /// minutes. Of tokens without a key id, only those that were themselves presented too early are refused.
    pub fn cool_down(mut self, cool_down: Duration) -> Self {
        self.cool_down = cool_down;
        self
    }

    /// Fetches nothing before the first token arrives. By default, keys are fetched at once, without blocking the caller; to wait for
    /// them, see [`RemoteKeys::require`].
    pub fn lazy(mut self) -> Self {
        self.first_fetch = FirstFetch::WithTheFirstToken;
        self
    }

    /// Like [`lazy`](Self::lazy), but until there are keys, each attempt is made only for a token that needs one. For issuers that may not
    /// exist.
    pub(crate) fn only_when_asked(mut self) -> Self {
        self.first_fetch = FirstFetch::WhenAsked;
        self
    }

    /// Starts with the keys of an earlier process, if they may still be used. The full set is fetched nevertheless, and replaces them.
    ///
    /// A snapshot of another source, or one that is too old, is ignored with a warning.
    pub fn restore(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Fetches with this client. Defaults to [`HttpClient`](crate::HttpClient) (feature `reqwest`).
    pub fn fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(SharedFetch::new(fetch));
        self
    }

    /// Allows plain `http` for one host, `host:port` exactly (the default port is 80). By default, `http` is allowed only for this
    /// machine itself.
    ///
    /// For an issuer inside a compose network or a service mesh, such as `http://keycloak:8080/realms/shop`. Metadata from such a host
    /// may name a key set at the same host and port, or at an `https` URL, but no other. Each call allows one more host. Such a host is
    /// never contacted through a proxy.
    ///
    /// **The caller must make sure that no other party can read or change the traffic between this service and that host**: a party that
    /// can change it can publish its own key and sign tokens for every user of that issuer. A network that contains only containers of
    /// this application is suitable, and so is a mesh that encrypts; the network of an office or a data centre is not.
    ///
    /// ```no_run
    /// # use portcullis_jwks::RemoteKeys;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis_core::ConfigError> {
    /// let keys = RemoteKeys::discover("http://keycloak:8080/realms/shop").danger_allow_http("keycloak:8080").start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn danger_allow_http(mut self, host: impl Into<String>) -> Self {
        self.allow_http.push(host.into());
        self
    }

    /// Allows the issuer's metadata to name a key set at this host, `host:port` exactly (the default port is 443), although the host is
    /// this machine or in a private network, by address or by name, and the issuer is not. By default, no such host is allowed. Each call
    /// allows one more host.
    ///
    /// For issuers that have one name and are reached at another: the metadata of a Kubernetes API server names
    /// `https://172.18.0.2:6443/openid/v1/jwks`. A URL that is given to [`RemoteKeys::from_url`] may be anywhere, and one that is given to
    /// [`TenantKeys::from_outside_url`](crate::TenantKeys::from_outside_url) may be at such a host.
    ///
    /// **The caller must make sure that the server on that host publishes only keys of this issuer.** The issuer chooses the path and the
    /// query of the URL, so it can make this service send a `GET` for any of them to that host.
    pub fn danger_allow_private(mut self, host: impl Into<String>) -> Self {
        self.allow_private.push(host.into());
        self
    }

    /// Sets the clock for the times in [snapshots](Snapshot). Defaults to [`SystemClock`]. Everything else uses the runtime's monotonic
    /// clock, which cannot be set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Starts the task that fetches the keys and keeps them fresh. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong: a URL that is not allowed, a value out of range, no client, no runtime. The error lists all
    /// problems. An unreachable issuer is not a configuration error.
    pub fn start(self) -> Result<RemoteKeys, ConfigError> {
        let (runtime, origin, fetch) = self.check()?;
        Ok(self.start_on(&runtime, origin, fetch))
    }

    /// Returns what [`start`](Self::start) needs, with its errors.
    pub(crate) fn check(&self) -> Result<(Handle, Origin, SharedFetch), ConfigError> {
        let mut problems = self.out_of_range();
        let named = self.named_hosts(&mut problems);
        let origin = self.configured.read(&named).map_err(|problem| problems.push(problem)).ok();
        let fetch = self.fetch.clone().map_or_else(default_fetch, Ok).map_err(|problem| problems.push(problem)).ok();
        let runtime = Handle::try_current().map_err(|_| problems.push(NO_RUNTIME.to_owned())).ok();
        ConfigError::check(problems)?;
        match (origin, fetch, runtime) {
            (Some(origin), Some(fetch), Some(runtime)) => Ok((runtime, origin, fetch)),
            _ => Err(ConfigError::new("the keys cannot be fetched")),
        }
    }

    fn start_on(self, runtime: &Handle, origin: Origin, fetch: SharedFetch) -> RemoteKeys {
        let (source, name, now) = (origin.id().to_owned(), origin.name(), driver::now());
        let settings = Settings { cool_down: self.cool_down, outage: self.outage };
        let mut machine = Machine::new(settings, fastrand::Rng::new(), now);
        let mut first_fetch = self.first_fetch;
        if let Some(snapshot) = self.snapshot {
            let (restored, exposed) = snapshot.restore(&source, (now, self.clock.now()), self.outage);
            machine.remember_exposed(exposed);
            match restored {
                Ok(held) => {
                    machine.restore(held);
                    first_fetch = FirstFetch::AtOnce;
                }
                Err(reason) => telemetry::snapshot_not_restored(&name, reason),
            }
        }
        match first_fetch {
            FirstFetch::AtOnce => machine.fetch_at(now),
            FirstFetch::WithTheFirstToken => {}
            FirstFetch::WhenAsked => machine.only_when_asked(),
        }
        let shared = Arc::new(Shared::new(name.clone(), machine));
        let driver = Task { shared: Arc::clone(&shared), origin, fetch, queue: self.queue, clock: self.clock };
        let mut task = JoinSet::new();
        task.spawn_on(driver.run(), runtime);
        RemoteKeys::new(shared, source, name, task)
    }

    fn named_hosts(&self, problems: &mut Vec<String>) -> NamedHosts {
        let mut read = |method: &str, hosts: &[String], default_port| {
            let read = |host: &String| {
                HostAndPort::parse(host, default_port)
                    .map_err(|problem| problems.push(format!("{method}: `{}` {problem}", shown(host))))
                    .ok()
            };
            hosts.iter().filter_map(read).collect()
        };
        NamedHosts {
            unencrypted: read("danger_allow_http", &self.allow_http, HTTP_PORT),
            private: read("danger_allow_private", &self.allow_private, HTTPS_PORT),
        }
    }

    fn out_of_range(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.outage > MAX_OUTAGE {
            problems.push(format!("outage: {} s is more than a day (86400 s)", self.outage.as_secs()));
        }
        if !(MIN_COOL_DOWN..=MAX_COOL_DOWN).contains(&self.cool_down) {
            problems.push(format!("cool-down: {:?} is not between 1 s and 1 h", self.cool_down));
        }
        problems
    }
}

impl Configured {
    fn read(&self, named: &NamedHosts) -> Result<Origin, String> {
        match self {
            Self::Issuer(name) => {
                let issuer = DiscoverableIssuer::parse(name, named);
                let issuer = issuer.map_err(|problem| format!("issuer `{}` {problem}", shown(name)))?;
                Ok(Origin::Issuer(Arc::new(issuer)))
            }
            Self::Url(url) => {
                let wrong = |problem: &str| format!("key set `{}` {problem}", shown(url));
                let parsed = DocumentUrl::parse(url, named).map_err(wrong)?;
                if let Some(issuer) = issuer_of_document(url) {
                    let instead =
                        format!("is an issuer's metadata, not its keys: use `RemoteKeys::discover(\"{issuer}\")`");
                    return Err(wrong(&instead));
                }
                Ok(Origin::KeySet(parsed))
            }
            Self::OutsideUrl(url) => {
                let parsed = DocumentUrl::parse_outside(url, named);
                Ok(Origin::OutsideKeySet(parsed.map_err(|problem| format!("key set `{}` {problem}", shown(url)))?))
            }
            Self::SharedUrl(url, issuers) => {
                let parsed = DocumentUrl::parse(url, named);
                let parsed = parsed.map_err(|problem| format!("key set `{}` {problem}", shown(url)))?;
                Ok(Origin::SharedKeySet(Arc::new(SharedKeySet::new(parsed, issuers))))
            }
        }
    }
}

impl fmt::Debug for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Issuer(text) | Self::Url(text) | Self::OutsideUrl(text) | Self::SharedUrl(text, _)) = self;
        f.write_str(&shown(text))
    }
}

fn default_fetch() -> Result<SharedFetch, String> {
    let nothing = "nothing can fetch the keys: switch the feature `reqwest` on, or give a client by `fetch`".to_owned();
    CLIENTS.first().map_or(Err(nothing), |make| make())
}

/// The clients in this crate: one, or none.
const CLIENTS: &[fn() -> Result<SharedFetch, String>] = &[
    #[cfg(feature = "reqwest")]
    || crate::HttpClient::new().map(SharedFetch::new).map_err(|error| error.to_string()),
];

const NO_RUNTIME: &str =
    "keys are fetched by a task, and this is outside a tokio runtime: start it within `#[tokio::main]`";

/// Long enough for an hour's outage of the issuer, and short enough that a withdrawn key is not used for long.
const DEFAULT_OUTAGE: Duration = Duration::from_secs(60 * 60);
const MAX_OUTAGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Acceptable for large issuers, which get these requests from every instance of every client, and for the first user with a new key, who
/// has to wait.
const DEFAULT_COOL_DOWN: Duration = Duration::from_secs(30);
const MIN_COOL_DOWN: Duration = Duration::from_secs(1);
const MAX_COOL_DOWN: Duration = Duration::from_secs(60 * 60);
