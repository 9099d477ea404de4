//! [`RedisLog`]: a log in a stream of Redis or Valkey. Its documentation has the rules.

pub(crate) mod access;
mod append;
mod connection;
pub(crate) mod error;
mod follow;
mod layout;
mod read;
pub(crate) mod survey;

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

/// A log in a stream of Redis or Valkey, for services with several instances. Each instance has its own `RedisLog`,
/// with the same server and [name](Self::name). It connects when it is first used, and again whenever necessary.
///
/// # The rules
///
/// - **It is a stream, and nothing else.** Pub/sub drops messages without a subscriber, and a full server evicts keys
///   with an expiry first. A stream keeps entries until it is trimmed, and a reader that was away continues at its
///   position.
/// - **The server must not evict entries.** A server whose `maxmemory-policy` evicts keys without an expiry is refused,
///   and so are a server where a key of the log has an expiry, and a replica. All of this is checked for every new
///   connection.
/// - **All or none**: one append is one transaction. Its entries may be stored twice if an answer was lost; they merge.
/// - **No gap goes unnoticed.** A reader continues only in the same incarnation of the log, and only if the last entry
///   that it read is still there. Otherwise it starts again from the beginning: the log was emptied, restored from a
///   backup, or trimmed, or a replica was promoted that lacked a part of it, even if it has been written to since.
/// - **Only a master confirms** that nothing new was revoked: at every read the server is asked for its role. The log
///   can be read while it does not accept writes because memory or replicas are missing.
/// - **Old entries are deleted by age**: an append trims the entries that are older than the longest horizon that any
///   instance has had, plus half an hour. The server's clock decides; keep it synchronized (NTP).
///
/// # What is on the server
///
/// - `{portcullis}:revocations`, a stream, has the entries. Each has a field `e` with a line of JSON. The server assigns
///   the ids.
/// - `{portcullis}:log`, a hash, has a random number in the field `incarnation`, and a field such as `horizon:86400` for
///   each horizon (in seconds) that any instance has had.
///
/// The name between the braces can be [chosen](Self::name). An entry takes 100 to 200 bytes of memory. To look at the log:
///
/// ```text
/// redis-cli XREVRANGE '{portcullis}:revocations' + - COUNT 10
/// redis-cli HGETALL '{portcullis}:log'
/// ```
///
/// Once no instance uses a horizon any more, remove it with `HDEL '{portcullis}:log' horizon:604800`. If the keys are
/// deleted, running instances keep the entries that they have read, and append those again that they made themselves.
/// New instances do not know the rest.
///
/// # Rights
///
/// Anyone who can write there can revoke, so give the log its own user. It needs only these rights:
///
/// ```text
/// ACL SETUSER portcullis on >PASSWORD resetkeys ~{portcullis}:* -@all +multi +exec +hsetnx +hgetall
///   +xadd +xtrim +xread +xrange +xrevrange +pttl +time +role +info +config|get +wait +select
/// ```
///
/// (`select` is for a database other than 0, `wait` for [`acknowledged_by`](Self::acknowledged_by). One of `info` and
/// `config|get` is enough to see the eviction policy; with both, the log can warn about more.)
///
/// # What a crash can lose
///
/// It depends on the settings of the server which acknowledged entries `kill -9` of the server or a power failure loses:
///
/// - `appendonly yes`: `kill -9` loses nothing. A power failure loses nothing with `appendfsync always`, a second or two
///   with `everysec` (the default), and up to half a minute with `no`.
/// - Only snapshots (`save`, Redis's default): both lose everything after the last snapshot.
/// - No persistence: both lose everything.
/// - Replicas without [`acknowledged_by`](Self::acknowledged_by): if a replica is promoted, the entries that it had not
///   received yet are lost.
/// - `acknowledged_by(n)`: nothing is lost if the promoted replica is one of those that have acknowledged the entry. After
///   a power failure, the entry must also be on that replica's disk.
///
/// Settings that lose acknowledged entries cause [warnings](RevocationLog::warnings), not errors. The instance that
/// revoked a lost entry appends it again, if it is still running.
///
/// # Clusters, Sentinel, managed servers
///
/// - **Redis Cluster** works: the URL names any node, and the log is on the node that has its slot. After a failover
///   the log is searched again from the URL, which should therefore be a name that leads to live nodes.
/// - **Sentinel** is not asked. The URL must name the current master, or a proxy that leads to it. An old master that
///   comes back as a replica is noticed and refused. An old master that is cut off, and believes that it is still the
///   master, confirms to the readers on its side that nothing new was revoked, as long as they do not reach another
///   server. This is true of every Redis.
/// - **Managed servers** without `CONFIG` work, because `INFO` tells the eviction policy. Valkey works, too, and so
///   does any other server that speaks Redis 6.2 or later with streams, `ROLE` and transactions.
/// - A promoted replica may lack entries that only the old master had, whatever `WAIT` said, if Redis picks the wrong
///   replica. Readers notice.
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
/// These are refused without connecting:
///
/// ```
/// # use portcullis_store::RedisLog;
/// assert!(RedisLog::new("http://redis.internal:6379").is_err());
/// assert!(RedisLog::new("rediss://redis.internal:6379#insecure").is_err());
/// ```
pub struct RedisLog {
    access: Access,
    wishes: Wishes,
    /// Shared by all callers that append.
    writer: tokio::sync::Mutex<Option<Connection>>,
    readers: Idle,
    warnings: Mutex<Vec<String>>,
}

/// The default name of the log.
const NAME: &str = "portcullis";

/// The caller of an append is told the result within this time.
const APPENDING: Duration = Duration::from_secs(5);

impl RedisLog {
    /// Returns the log at a URL: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS with a
    /// certificate that the system trusts. (`valkey://` and `valkeys://` are the same.) The defaults are port 6379 and
    /// database 0. This does not connect yet.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if this is not such a URL.
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

    /// Sets the longest lifetime of tokens whose revocations are remembered. Defaults to 24 hours. Instances may have
    /// different horizons: the log keeps its entries for the longest one that any instance has had.
    #[must_use]
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.wishes.layout = self.wishes.layout.with_horizon(horizon);
        self
    }

    /// Sets the log's name on the server: its keys begin with the name in braces. Services that trust different issuers
    /// can share a server, each with its own name. The name should not contain braces. Defaults to `portcullis`.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.wishes.layout = self.wishes.layout.renamed(name);
        self
    }

    /// Logs in with this user and password instead of those in the URL. Servers without users have one called
    /// `default`.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.access = self.access.with_credentials(user, password);
        self
    }

    /// Trusts only these certificates, in PEM format, as authorities for the server's certificate. Defaults to those
    /// that the system trusts.
    ///
    /// # Errors
    ///
    /// If the text contains no certificates, or the URL does not begin with `rediss://`.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, LogError> {
        self.access = self.access.with_roots(pem)?;
        Ok(self)
    }

    /// Sets the certificate chain that identifies this client, and its key, both in PEM format. Defaults to none; Redis
    /// requires one unless `tls-auth-clients` is `no`.
    ///
    /// # Errors
    ///
    /// If they cannot be parsed, or the URL does not begin with `rediss://`.
    pub fn client_certificate(mut self, certificates: &[u8], key: &[u8]) -> Result<Self, LogError> {
        self.access = self.access.with_identity(certificates, key)?;
        Ok(self)
    }

    /// Sets how many replicas have to acknowledge a revocation before it counts as appended (`WAIT`, for up to a
    /// second). With fewer acknowledgements the append fails, although the revocation is in the log. Defaults to 0,
    /// because most servers have no replicas.
    #[must_use]
    pub fn acknowledged_by(mut self, count: u32) -> Self {
        self.wishes.replicas = count;
        self
    }

    /// Uses a server with any eviction policy, even if the policy cannot be read (neither `INFO` nor `CONFIG GET` is
    /// allowed).
    ///
    /// You then have to make sure that its `maxmemory-policy` is, and stays, `noeviction` or one of `volatile-*`.
    /// Otherwise it forgets all revocations at once when its memory is full.
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

    /// Returns the connection for appends, and whether it is new.
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
            // The server may have restarted meanwhile: this is not a reason to fail.
            Err(fault) if fault.is_closed && !is_new => self.append_by(self.writer().await?.0, entries).await,
            outcome => outcome,
        }
    }

    async fn append_by(&self, mut connection: Connection, entries: &[RevocationEntry]) -> Result<(), Fault> {
        // The connection is not used again if this is dropped half-way either: it may be one that no longer delivers
        // answers.
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
        // A connection is not put back if it failed, or if its reader was dropped and an answer is still due.
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
                    // Other connections of the same age are not better.
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

/// Shows where the log is, without user and password.
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
