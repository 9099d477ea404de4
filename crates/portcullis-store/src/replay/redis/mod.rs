//! [`RedisReplayStore`]: ids of used proofs in Redis or Valkey. Its documentation has the rules.

mod connection;
mod survey;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_core::{
    AuthError, ConfigError, UnixTime,
    authenticator::Attempt,
    metrics::{Measured, Snapshot},
    possession::{Once, ReplayKey, ReplayStore},
};
use tokio::time::timeout;

use self::connection::Connection;
use super::{counts::Counts, life, undecided};
use crate::{
    configuration::configuration,
    redis::{access::Access, error::Fault, survey::Eviction},
};

/// Ids of used proofs in Redis or Valkey, for services with several instances. Each instance has its own store, with the same server and
/// [name](Self::name). It connects when it is first used, and again whenever necessary. Clones share a connection.
///
/// # The rules
///
/// - **One command decides**: `SET … NX PX`. Of any number of instances, one writes the key.
/// - An id is remembered for a minute longer than its proof is accepted, because the clocks of the instances differ. The server's clock does
///   not matter.
/// - **The server must not evict.** Ids have an expiry, which `volatile-*` evicts first, so `maxmemory-policy` has to be `noeviction`. A
///   server with another one is refused, and so is a replica. Both are checked for every new connection.
/// - A server that cannot be reached, is out of memory, or does not answer within three seconds is an error: the request is answered with 503, and
///   [`Code::ReplayUndecided`](portcullis_core::Code::ReplayUndecided).
/// - If an idle connection was closed, the question is asked again on a new one. A key contains a random mark, by which a store recognises that it
///   has written the key itself.
///
/// # What is on the server
///
/// `{portcullis}:proof:<id>`, a string, for each used proof. The id is half of a SHA-256 digest; no name of a user is stored. A key takes about
/// 120 bytes for two minutes: 1000 requests per second take 15 MB. In a cluster, one server has all of them.
///
/// # Rights
///
/// ```text
/// ACL SETUSER proofs on >PASSWORD resetkeys ~{portcullis}:proof:* -@all +set +get +exists +role +info +config|get +select
/// ```
///
/// # What a crash can lose
///
/// With `appendonly yes` and `appendfsync always`, nothing that was acknowledged. With less, or if a replica is promoted that lacks the latest
/// ids, proofs of the last moments can be used a second time until their nonces end. The store [warns](Self::warnings) about such settings.
///
/// # Example
///
/// ```no_run
/// use portcullis_store::RedisReplayStore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let replays = RedisReplayStore::new("rediss://redis.internal:6379")?
///     .credentials("proofs", &std::env::var("REDIS_PASSWORD")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisReplayStore(Arc<Shared>);

struct Shared {
    settings: Settings,
    /// Used by all callers.
    connection: tokio::sync::Mutex<Option<Connection>>,
    warnings: Mutex<Vec<String>>,
    counts: Counts,
}

#[derive(Clone, Debug)]
struct Settings {
    access: Access,
    /// What all keys begin with.
    prefix: String,
    eviction: Eviction,
}

/// A request waits for it.
const LIMIT: Duration = Duration::from_secs(3);

impl RedisReplayStore {
    /// Returns the store at a URL: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS with a certificate that the
    /// system trusts. (`valkey://` and `valkeys://` are the same.) The defaults are port 6379 and database 0. This does not connect yet.
    ///
    /// # Errors
    ///
    /// If this is not such a URL. The error does not contain any part of it.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        let access = Access::parse(url).map_err(|error| configuration(&error))?;
        Ok(Self::with(Settings { access, prefix: prefix("portcullis"), eviction: Eviction::Checked }))
    }

    /// Sets the name on the server: the keys begin with it, in braces. Services that share a server need one each. It should not contain
    /// braces. Defaults to `portcullis`.
    #[must_use]
    pub fn name(&self, name: &str) -> Self {
        Self::with(Settings { prefix: prefix(name), ..self.0.settings.clone() })
    }

    /// Logs in with this user and password instead of those in the URL. Servers without users have one called `default`.
    #[must_use]
    pub fn credentials(&self, user: &str, password: &str) -> Self {
        let settings = self.0.settings.clone();
        Self::with(Settings { access: settings.access.with_credentials(user, password), ..settings })
    }

    /// Trusts only these certificates, in PEM format, as authorities for the server's certificate. Defaults to those that the system trusts.
    ///
    /// # Errors
    ///
    /// If the text contains no certificates, or the URL does not begin with `rediss://`.
    pub fn root_certificates(&self, pem: &[u8]) -> Result<Self, ConfigError> {
        let settings = self.0.settings.clone();
        let access = settings.access.with_roots(pem).map_err(|error| configuration(&error))?;
        Ok(Self::with(Settings { access, ..settings }))
    }

    /// Sets the certificate chain that identifies this client, and its key, both in PEM format. Defaults to none.
    ///
    /// # Errors
    ///
    /// If they cannot be parsed, or the URL does not begin with `rediss://`.
    pub fn client_certificate(&self, certificates: &[u8], key: &[u8]) -> Result<Self, ConfigError> {
        let settings = self.0.settings.clone();
        let access = settings.access.with_identity(certificates, key).map_err(|error| configuration(&error))?;
        Ok(Self::with(Settings { access, ..settings }))
    }

    /// Uses a server with any eviction policy, even if the policy cannot be read (neither `INFO` nor `CONFIG GET` is allowed).
    ///
    /// You then have to make sure that its `maxmemory-policy` is, and stays, `noeviction`. Otherwise it forgets which proofs were used when its
    /// memory is full, and each can be used again until its nonce ends.
    #[must_use]
    pub fn danger_trust_eviction_policy(&self) -> Self {
        Self::with(Settings { eviction: Eviction::Trusted, ..self.0.settings.clone() })
    }

    /// Returns what an operator should know about the server: settings with which it loses what was acknowledged, for example. It is empty
    /// before the first connection.
    pub fn warnings(&self) -> Vec<String> {
        self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with(settings: Settings) -> Self {
        Self(Arc::new(Shared {
            settings,
            connection: tokio::sync::Mutex::new(None),
            warnings: Mutex::default(),
            counts: Counts::default(),
        }))
    }
}

impl ReplayStore for RedisReplayStore {
    fn accept_once(&self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Attempt<Once> {
        let shared = Arc::clone(&self.0);
        Attempt::waiting(async move {
            let answer = match life(until, now) {
                Ok(life) => shared.accept(key, life).await,
                Err(error) => Err(error),
            };
            shared.counts.count(&answer);
            answer
        })
    }
}

impl Shared {
    async fn accept(&self, key: ReplayKey, life: Duration) -> Result<Once, AuthError> {
        let key = format!("{}{:032x}", self.settings.prefix, u128::from_be_bytes(*key.as_bytes()));
        let answer = timeout(LIMIT, self.claim(&key, life)).await;
        let answer = answer.unwrap_or_else(|_| Err(Fault::silence(&self.settings.access.to_string())));
        answer.map_err(|fault| undecided(fault.error))
    }

    /// Writes the key, if it is not there.
    async fn claim(&self, key: &str, life: Duration) -> Result<Once, Fault> {
        let mark = fastrand::u64(..).to_string();
        let (mut connection, is_new) = self.connection().await?;
        match connection.claim(key, &mark, life).await {
            // It was closed while it was idle. If the command was executed nevertheless, the key has our mark.
            Err(fault) if fault.is_closed && !is_new => self.connection().await?.0.claim(key, &mark, life).await,
            outcome => outcome,
        }
    }

    /// Returns the connection, and whether it is new.
    async fn connection(&self) -> Result<(Connection, bool), Fault> {
        let mut place = self.connection.lock().await;
        if let Some(connection) = place.as_ref().filter(|connection| !connection.is_doubtful()) {
            return Ok((connection.clone(), false));
        }
        *place = None;
        let Settings { access, prefix, eviction } = &self.settings;
        let (connection, warnings) = Box::pin(Connection::open(access, prefix, *eviction)).await?;
        let warnings = warnings.into_iter().chain(access.warning()).collect();
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        *place = Some(connection.clone());
        Ok((connection, true))
    }
}

/// How many proofs were repeated on this instance, and how often the server could not be asked.
impl Measured for RedisReplayStore {
    fn measure(&self, source: &str, snapshot: &mut Snapshot) {
        self.0.counts.measure(source, snapshot);
    }
}

/// Shows where the ids are, without user and password.
impl fmt::Debug for RedisReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { access, prefix, eviction } = &self.0.settings;
        f.debug_struct("RedisReplayStore")
            .field("server", access)
            .field("prefix", prefix)
            .field("eviction", eviction)
            .finish_non_exhaustive()
    }
}

fn prefix(name: &str) -> String {
    format!("{{{name}}}:proof:")
}
