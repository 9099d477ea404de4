//! A log in a stream of Redis or Valkey. The rules are at [`RedisLog`], where users find them.

mod access;
mod append;
mod connection;
mod error;
mod follow;
mod layout;
mod read;
mod survey;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog};
use tokio::time::{Instant, timeout};

use self::{
    access::Access,
    connection::{Connection, Idle, Wishes},
    error::Fault,
    layout::Layout,
    survey::Eviction,
};

/// A log in a stream of Redis or Valkey, for services of several instances. Each instance has a `RedisLog` of its own, with the same
/// server and [name](Self::name). It connects when it is first used, and again whenever it has to.
///
/// # The rules
///
/// - **A stream, and nothing else.** Pub/sub drops messages that have no subscriber, and a key with an expiry is the first that a full server
///   forgets. A stream keeps what was added until it is trimmed, and a reader that was away reads on from where it was.
/// - **No server that forgets.** A server whose `maxmemory-policy` evicts keys without an expiry is refused, and so is one on which
///   a key of the log has an expiry, and a replica. All of that is checked each time that a connection is made.
/// - **All or none**: what is appended at once is one transaction. It may be there twice if an answer was lost; entries merge.
/// - **No gap goes unnoticed.** A reader goes on only in the same incarnation of the log, and only if the entry that it read last is
///   still there. Else it begins anew: the log was emptied, restored from a backup, or trimmed, or a replica was promoted that lacked
///   some of it, even if it has been written to since.
/// - **Only a master confirms** that nothing new was revoked: each time that the log is read, the server is asked what it is. It can be
///   read while it takes no writes, for want of memory or of replicas.
/// - **Old entries go by age**: what was added longer ago than the longest horizon that any instance has had, and half an hour, is
///   trimmed when something is appended. The server's clock decides; keep it set (NTP).
///
/// # What is on the server
///
/// | key | type | what |
/// |---|---|---|
/// | `{portcullis}:revocations` | stream | the entries: field `e`, a line of JSON; the ids are the server's |
/// | `{portcullis}:log` | hash | `incarnation`: a random number; `horizon:86400`: that an instance had this horizon, in seconds |
///
/// The name between the braces can be [chosen](Self::name). An entry takes 100 to 200 bytes of memory. To look at it:
///
/// ```text
/// redis-cli XREVRANGE '{portcullis}:revocations' + - COUNT 10
/// redis-cli HGETALL '{portcullis}:log'
/// ```
///
/// A horizon that nobody needs any more goes with `HDEL '{portcullis}:log' horizon:604800` once no instance has it. If the keys are
/// deleted, running instances keep what they know and append what they revoked themselves again; new ones do not know the rest.
///
/// # Rights
///
/// Anyone who can write there can revoke: give the log a user of its own. It needs no more than this:
///
/// ```text
/// ACL SETUSER portcullis on >PASSWORD resetkeys ~{portcullis}:* -@all +multi +exec +hsetnx +hgetall
///   +xadd +xtrim +xread +xrange +xrevrange +pttl +time +role +info +config|get +wait +select
/// ```
///
/// (`select` for a database other than 0, `wait` for [`acknowledged_by`](Self::acknowledged_by); one of `info` and `config|get` is enough to see
/// the eviction policy, both together see more to warn about.)
///
/// # What survives what
///
/// | setting of the server | `kill -9` of it loses | loss of power loses |
/// |---|---|---|
/// | `appendonly yes`, `appendfsync always` | nothing | nothing |
/// | `appendonly yes`, `appendfsync everysec` (default with `appendonly`) | nothing | a second or two |
/// | `appendonly yes`, `appendfsync no` | nothing | up to half a minute |
/// | snapshots only (`save`; the default) | what came after the last one | what came after the last one |
/// | none | everything | everything |
/// | replicas, and [`acknowledged_by`](Self::acknowledged_by) not set | what they did not have yet, when one is promoted | the same |
/// | `acknowledged_by(n)` | nothing, if the one that is promoted has acknowledged it | the same, as far as its disk has it |
///
/// Settings that lose what was acknowledged are [warnings](RevocationLog::warnings), not errors. What is lost is
/// appended again by the instance that revoked it, while that runs.
///
/// # Clusters, Sentinel, managed servers
///
/// - **Redis Cluster** works: the URL leads to any node, and the log lives on the one that has its slot. After a failover it is looked
///   for anew from the URL, so that should be a name that leads to nodes that live.
/// - **Sentinel** is not asked. The URL has to be a name, or a proxy, that leads to the current master. An old master that comes back
///   as a replica is noticed and refused. One that is cut off and believes that it is still the master confirms to the readers
///   on its side that nothing new was revoked, for as long as they reach no other: so does every Redis.
/// - **Managed servers** that allow no `CONFIG` work, as `INFO` tells the eviction policy. So do Valkey and what else speaks
///   Redis 6.2 or later with streams, `ROLE` and transactions.
/// - A promoted replica may lack what only the old master had, whatever `WAIT` said, if Redis picks the wrong one. Readers notice.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
///
/// use portcullis_store::{RedisLog, Revocations};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = RedisLog::new("rediss://redis.internal:6379")?
///     .credentials("portcullis", &std::env::var("REDIS_PASSWORD")?)
///     .horizon(Duration::from_secs(3600)) // no token lives longer
///     .acknowledged_by(1);
/// let revocations = Revocations::builder(log).start()?;
/// # let _ = revocations;
/// # Ok(())
/// # }
/// ```
///
/// Refused, before anything is connected:
///
/// ```
/// # use portcullis_store::RedisLog;
/// assert!(RedisLog::new("http://redis.internal:6379").is_err());
/// assert!(RedisLog::new("rediss://redis.internal:6379#insecure").is_err());
/// ```
pub struct RedisLog {
    access: Access,
    wishes: Wishes,
    /// Shared by all who append.
    writer: tokio::sync::Mutex<Option<Connection>>,
    readers: Idle,
    warnings: Mutex<Vec<String>>,
}

/// What the log is called unless set otherwise.
const NAME: &str = "portcullis";

/// Within this, whoever appends is told how it went.
const APPENDING: Duration = Duration::from_secs(5);

impl RedisLog {
    /// The log on the server that a URL leads to: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS with a
    /// certificate that the system trusts. (`valkey://` and `valkeys://` are the same.) Defaults to port 6379 and database 0.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if that is no such URL. Nothing is connected yet.
    pub fn new(url: &str) -> Result<Self, LogError> {
        let layout = Layout::new(NAME, crate::DEFAULT_HORIZON);
        Ok(Self {
            access: Access::parse(url)?,
            wishes: Wishes { layout, eviction: Eviction::Checked, replicas: 0 },
            writer: tokio::sync::Mutex::new(None),
            readers: Idle::default(),
            warnings: Mutex::default(),
        })
    }

    /// The longest life of a token whose revocation is remembered. Defaults to 24 hours. Instances may have different ones: the log
    /// keeps its entries for the longest that any has had.
    #[must_use]
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.wishes.layout = self.wishes.layout.with_horizon(horizon);
        self
    }

    /// What the log is called on the server: its keys begin with this in braces. Services that trust different issuers can share
    /// a server, each under its own name. Should have no braces in it. Defaults to `portcullis`.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.wishes.layout = self.wishes.layout.renamed(name);
        self
    }

    /// The user and the password to log in with, instead of what the URL says. Servers without users know one called `default`.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.access = self.access.with_credentials(user, password);
        self
    }

    /// The certificates, in PEM format, of the only authorities that may vouch for the server. Defaults to those that the system trusts.
    ///
    /// # Errors
    ///
    /// If there are none in it, or the URL does not begin with `rediss://`.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, LogError> {
        self.access = self.access.with_roots(pem)?;
        Ok(self)
    }

    /// The certificate chain by which the server knows us, and its key, both in PEM format. Defaults to none; Redis wants one
    /// unless `tls-auth-clients` is `no`.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or the URL does not begin with `rediss://`.
    pub fn client_certificate(mut self, certificates: &[u8], key: &[u8]) -> Result<Self, LogError> {
        self.access = self.access.with_identity(certificates, key)?;
        Ok(self)
    }

    /// How many replicas have to acknowledge a revocation before it counts as appended (`WAIT`, for up to a second). With fewer it is an
    /// error, though the revocation is in the log. Defaults to 0, as most servers have none.
    #[must_use]
    pub fn acknowledged_by(mut self, count: u32) -> Self {
        self.wishes.replicas = count;
        self
    }

    /// Uses a server whatever its eviction policy is, or if that cannot be seen (neither `INFO` nor `CONFIG GET` are allowed).
    ///
    /// You then have to know that its `maxmemory-policy` is `noeviction` or one of `volatile-*`, and stays so. Otherwise it forgets all
    /// revocations at once when its memory is full.
    #[must_use]
    pub fn danger_trust_eviction_policy(mut self) -> Self {
        self.wishes.eviction = Eviction::Trusted;
        self
    }

    async fn open(&self) -> Result<Connection, Fault> {
        let (connection, warnings) = Connection::open(&self.access, &self.wishes).await?;
        *self.known_warnings() = warnings.into_iter().chain(self.access.warning()).collect();
        Ok(connection)
    }

    fn known_warnings(&self) -> MutexGuard<'_, Vec<String>> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection for appending, and whether it is new.
    async fn writer(&self) -> Result<(Connection, bool), Fault> {
        let mut writer = self.writer.lock().await;
        if let Some(connection) = writer.as_ref().filter(|connection| !connection.is_doubtful()) {
            return Ok((connection.clone(), false));
        }
        *writer = None;
        let connection = self.open().await?;
        *writer = Some(connection.clone());
        Ok((connection, true))
    }

    async fn append_or_fail(&self, entries: &[RevocationEntry]) -> Result<(), Fault> {
        let (connection, is_new) = self.writer().await?;
        match self.append_by(connection, entries).await {
            // The server may have been away and be back: that is no reason to fail.
            Err(fault) if fault.is_closed && !is_new => self.append_by(self.writer().await?.0, entries).await,
            outcome => outcome,
        }
    }

    async fn append_by(&self, mut connection: Connection, entries: &[RevocationEntry]) -> Result<(), Fault> {
        // Dropped in the middle, too, it is not used again: it may be one on which nothing arrives any more.
        let doubt = connection.doubt();
        append::append(&mut connection, &self.wishes, entries).await?;
        doubt.settle();
        Ok(())
    }

    async fn read_by(
        &self,
        mut connection: Connection,
        after: Option<&Cursor>,
        deadline: Instant,
    ) -> Result<Page, Fault> {
        // A connection that failed, or that still waits for an answer because its reader was dropped, does not come back.
        let page = read::page(&mut connection, &self.wishes.layout, after, deadline).await?;
        self.readers.put(connection);
        Ok(page)
    }
}

impl RevocationLog for RedisLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        if entries.is_empty() {
            return Ok(());
        }
        let outcome = timeout(APPENDING, self.append_or_fail(entries)).await;
        outcome.unwrap_or_else(|_| Err(Fault::silence(&self.access.to_string()))).map_err(LogError::from)
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let now = Instant::now();
        // Cap at one day so that the deadline cannot overflow.
        let deadline = now + patience.min(Duration::from_secs(24 * 60 * 60));
        if let Some(connection) = self.readers.take() {
            match self.read_by(connection, after, deadline).await {
                Ok(page) => return Ok(page),
                Err(fault) => {
                    // Others that are as old are no better.
                    self.readers.clear();
                    if !fault.is_closed {
                        return Err(fault.into());
                    }
                }
            }
        }
        Ok(self.read_by(self.open().await?, after, deadline).await?)
    }

    fn horizon(&self) -> Duration {
        self.wishes.layout.horizon()
    }

    fn warnings(&self) -> Vec<String> {
        self.known_warnings().clone()
    }
}

/// Where it is; no user and no password.
impl fmt::Debug for RedisLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Wishes { layout, eviction, replicas } = &self.wishes;
        f.debug_struct("RedisLog")
            .field("server", &self.access)
            .field("layout", layout)
            .field("eviction", eviction)
            .field("replicas", replicas)
            .finish_non_exhaustive()
    }
}
