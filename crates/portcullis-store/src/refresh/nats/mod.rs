//! [`NatsRefreshStore`]: sessions in a bucket of NATS. Its documentation has the rules.

pub(crate) mod connection;
mod error;
mod families;
pub(crate) mod layout;
mod store;
mod survey;

use std::{
    fmt,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex as SyncMutex, PoisonError},
    time::Duration,
};

use portcullis_core::{Clock, ConfigError, clock::SystemClock, revocation::LogError};
use portcullis_issuer::refresh::{Millis, StoreError};
use tokio::{sync::Mutex, time::timeout};

use self::{connection::Connection, families::Families, layout::Layout};
use crate::{
    configuration::configuration,
    nats::access::{Access, Credentials},
    refresh::unlisted::Unlisted,
};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(5);

/// A [`RefreshStore`](portcullis_issuer::refresh::RefreshStore) in a key-value bucket of NATS, for several instances of an issuer.
///
/// # The rules
///
/// - It works with nats-server 2.10 or later with `JetStream` turned on (`-js`). Older servers are refused: after a crash, they delete keys from a
///   bucket that has a limit (observed with 2.9.10), and they have no `sync_interval: always`. It connects at the first call, and again after
///   any failure. Each call ends within about five seconds.
/// - **The time is that of the instance**, not that of the server: NATS cannot decide on its own clock. Keep the clocks of all instances
///   synchronised, to a second or so. The grace is longer or shorter by the difference between two of them.
/// - **The grace is at most 30 seconds** ([`MOST_GRACE`](Self::MOST_GRACE)), because clocks decide it that may differ. A policy with a longer
///   one is served with 30 seconds.
/// - A step reads the session from the leader of the stream, decides, and writes only if no other writer was faster (compare-and-swap on the
///   revision of the key); otherwise it reads and decides again. So one of many callers replaces a token, and all others get the outcome for a
///   token that has been replaced.
/// - A session that cannot be read, because a later version wrote it, is left out of a list. It cannot be ended by this version, and a log-out
///   everywhere fails after it has ended all others.
/// - An error means that the step was not taken, or that its answer was lost. The caller may repeat it: if it was taken, the outcome is that of
///   a retry.
/// - A server that was cut off from the rest of its cluster may for about ten seconds still believe that it is the leader. It writes nothing,
///   but may meanwhile answer a retry of a session that has ended elsewhere. (The log of revocations has its end all the same.)
/// - If there is no bucket, it is created. An existing one is used if it keeps sessions long enough and never deletes them too early;
///   otherwise it is refused, and the error says what to change. This is checked at each connect, and when sessions are listed.
///
/// # What is on the server
///
/// A bucket `portcullis_refresh` ([`bucket`](Self::bucket)), stored in files, with one value for each key:
///
/// - `f.<sid>` is a session: its row as JSON ([`Family::to_json`](portcullis_issuer::refresh::Family::to_json)). No token and no part of one is in it.
/// - `s.x<subject in hexadecimal digits>.<sid>` finds the sessions of a subject, which may have up to 255 bytes. It is written before the
///   session, so that a session can always be found; after a crash, it may name one that does not exist.
///
/// The server forgets a key when the longest session and twenty minutes have passed since it was written. Until then, sessions that have ended
/// are read when those of their subject are listed, and at a log-in of a subject that has more of them than
/// [allowed](portcullis_issuer::refresh::Sessions::most_sessions): for a subject with ten thousand log-ins in that time, this takes about a second.
///
/// To look at it: `nats kv ls portcullis_refresh`, `nats kv get portcullis_refresh f.<sid>`.
///
/// # Rights
///
/// With permissions, the user needs to publish on the following subjects, where `B` is the name of the bucket, and to subscribe to `_INBOX.>`:
///
/// ```text
/// $KV.B.>    $JS.API.STREAM.INFO.KV_B    $JS.API.STREAM.CREATE.KV_B    $JS.API.STREAM.MSG.GET.KV_B
/// ```
///
/// `STREAM.CREATE` is needed only if the bucket does not exist yet. Give no other user the right to publish on `$KV.B.>`: with it, one can
/// prolong sessions and end them.
///
/// # What a crash can lose
///
/// - File storage, one replica: `kill -9` of the server loses nothing. A power failure may undo up to the last two minutes with the default
///   `sync_interval`, and nothing with `sync_interval: always`. Rotations that are lost roll forward; a log-out is also in the log of
///   revocations.
/// - Three replicas: nothing is lost, unless a power failure hits most of the servers at once.
/// - Memory storage: a restart ends every session.
///
/// After the first call, [`warnings`](Self::warnings) lists the settings that an operator may want to change.
///
/// # Example
///
/// ```no_run
/// use portcullis_store::NatsRefreshStore;
///
/// # fn main() -> Result<(), portcullis_core::ConfigError> {
/// let store = NatsRefreshStore::new("nats://nats-1.internal:4222,nats://nats-2.internal:4222")?
///     .creds_file("/run/secrets/nats.creds")
///     .replicas(3);
/// # Ok(())
/// # }
/// ```
pub struct NatsRefreshStore {
    access: Access,
    layout: Layout,
    clock: Arc<dyn Clock>,
    connection: Mutex<Option<Arc<Connection>>>,
    warnings: SyncMutex<Vec<String>>,
    unlisted: Unlisted,
}

impl NatsRefreshStore {
    /// The longest grace. Beyond it, the clocks of the instances matter too much.
    pub const MOST_GRACE: Duration = Duration::from_secs(30);

    /// Returns a store on the server at `nats://[user:password@]host:port` or `nats://token@host:port`, or `tls://…` for TLS; or on a cluster,
    /// with several of these separated by commas. The port defaults to 4222. This does not connect yet.
    ///
    /// Name all servers of a cluster that are to be used: the store does not use any others.
    ///
    /// # Errors
    ///
    /// If this is not a URL of NATS, or if some are with TLS and some without. The error does not repeat the URL.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            access: Access::parse(url).map_err(|error| configuration(&error))?,
            layout: Layout::default(),
            clock: Arc::new(SystemClock),
            connection: Mutex::default(),
            warnings: SyncMutex::default(),
            unlisted: Unlisted::default(),
        })
    }

    /// Sets the name of the bucket. Defaults to `portcullis_refresh`. Instances of one issuer share it; another issuer in the same account of
    /// NATS needs another one.
    ///
    /// # Errors
    ///
    /// If NATS does not allow the name: it has letters, digits, underscores and hyphens.
    pub fn bucket(mut self, name: &str) -> Result<Self, ConfigError> {
        self.layout = self.layout.with_bucket(name).map_err(|error| configuration(&error))?;
        Ok(self)
    }

    /// Sets how many servers of a cluster keep a copy of the bucket if it is created here: 1, 3 or 5. Defaults to 1, the only number that a
    /// single server supports.
    #[must_use]
    pub fn replicas(mut self, count: u8) -> Self {
        self.layout.replicas = count.into();
        self
    }

    /// Sets how long a session can last, of all clients ([`RefreshPolicy::absolute`](portcullis_issuer::refresh::RefreshPolicy::absolute)).
    /// Defaults to 31 days. The server forgets keys by it, so a session that may last longer is not opened, and an existing bucket that keeps keys
    /// for a shorter time is refused.
    #[must_use]
    pub fn longest_session(mut self, longest: Duration) -> Self {
        self.layout.longest_session = longest;
        self
    }

    /// Sets the clock. Defaults to [`SystemClock`]. All instances need the same time.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Logs in with this user and password instead of those in the URL.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.access.credentials = Credentials::Password { user: user.into(), password: password.to_owned().into() };
        self
    }

    /// Logs in with this token, if the server is configured with one. Defaults to the token in the URL.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.access.credentials = Credentials::Token(token.to_owned().into());
        self
    }

    /// Logs in with a `.creds` file, which contains a user's JWT and seed. It is read at every connect, so it can be replaced while the issuer
    /// runs. Defaults to none.
    #[doc(alias = "credentials_file")]
    #[must_use]
    pub fn creds_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.access.credentials = Credentials::CredsFile(path.into());
        self
    }

    /// Logs in with the content of a `.creds` file. Defaults to none.
    #[must_use]
    pub fn creds(mut self, text: &str) -> Self {
        self.access.credentials = Credentials::Creds(text.to_owned().into());
        self
    }

    /// Trusts only these certificates, in PEM format, as authorities for the servers' certificates. Defaults to those that the system trusts.
    ///
    /// # Errors
    ///
    /// If the text contains no certificates, or anything that is not a certificate, or if the URL does not begin with `tls://`.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        self.access.trust(pem).map_err(|error| configuration(&error))?;
        Ok(self)
    }

    /// Returns what an operator should know about the bucket's settings and the connection: a sentence each. Empty before the first call.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns a store in the bucket of records beside this one, with a connection of its own.
    pub(crate) fn apart(&self) -> Self {
        Self {
            access: self.access.clone(),
            layout: self.layout.of_records(),
            clock: Arc::clone(&self.clock),
            connection: Mutex::default(),
            warnings: SyncMutex::default(),
            unlisted: Unlisted::default(),
        }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn time(&self) -> Millis {
        self.clock.precise_now().into()
    }

    /// Returns the connection, or a new one if it is not good.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, LogError> {
        let mut slot = self.connection.lock().await;
        if let Some(connection) = slot.as_ref().filter(|connection| connection.is_good()) {
            return Ok(Arc::clone(connection));
        }
        *slot = None;
        let (connection, warnings) = Connection::open(&self.access, &self.layout).await?;
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) =
            warnings.into_iter().chain(self.access.warning()).collect();
        Ok(Arc::clone(slot.insert(Arc::new(connection))))
    }

    /// Ends a call that takes too long, and the connection with it. (The calls are boxed, as their futures are large.)
    pub(crate) async fn within<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if let Ok(outcome) = timeout(CALL, call).await {
            return outcome;
        }
        if let Ok(slot) = self.connection.try_lock() {
            slot.iter().for_each(|connection| connection.give_up());
        }
        Err(error::too_slow().into())
    }

    async fn families(&self) -> Result<Families<'_>, StoreError> {
        Ok(Families { connection: self.connection().await?, layout: &self.layout })
    }
}

/// Shows where the bucket is, and no credentials.
impl fmt::Debug for NatsRefreshStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsRefreshStore")
            .field("servers", &self.access)
            .field("layout", &self.layout)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
