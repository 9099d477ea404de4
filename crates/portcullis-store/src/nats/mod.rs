//! [`JetStreamLog`]: a log in a stream of NATS. Its documentation has the rules.

pub(crate) mod access;
mod append;
pub(crate) mod connection;
pub(crate) mod error;
mod follow;
mod layout;
mod read;
pub(crate) mod survey;

use std::{
    fmt,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex as SyncMutex, PoisonError},
    time::Duration,
};

use portcullis_core::revocation::{Cursor, LogError, Page, RevocationEntry, RevocationLog};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use self::{
    access::{Access, Credentials},
    connection::Connection,
    follow::Feed,
    layout::Layout,
};

/// How much longer a call may take than its patience.
const CALL: Duration = Duration::from_secs(5);

/// Readers wait no longer than this, so that the end of the wait can be calculated for every argument.
const LONGEST_PATIENCE: Duration = Duration::from_secs(60 * 60);

/// A [`RevocationLog`] in a stream of NATS, for several instances of a service.
///
/// # The rules
///
/// - It works with nats-server 2.9 or later with `JetStream` turned on (`-js`). It connects at the first call, and
///   again after any failure. Each call answers within about five seconds beyond its patience.
/// - If there is no stream, it is created. An existing stream is used if it keeps entries long enough and never deletes
///   them too early; otherwise it is refused, and the error says what to change. This is checked at every read.
/// - One [`append`](RevocationLog::append) is one message, with a line of JSON for each entry: either all entries are
///   stored, or none. Only if they do not fit into one message (`max_payload`, by default one megabyte: about 8000
///   entries) they become several messages, one after the other, and after a failure the first ones may be stored. It
///   is always safe to append again.
/// - A page is the last one if the *server* has said during this call that the stream ends there.
/// - A reader starts again from the beginning if the stream is another one, if it was rolled back (even if it has since
///   grown beyond the reader's position), or if the next entries have been trimmed.
/// - Entries are read by an ephemeral pull consumer without acknowledgements, which the server forgets after a minute.
///   After anything unexpected a new one is created at the reader's position.
/// - A server that was cut off from the rest of its cluster may for about ten seconds still believe that it is the
///   leader, and say that nothing follows. This adds to the possible age of a view.
///
/// # What is on the server
///
/// A stream `PORTCULLIS_REVOCATIONS` ([`stream`](Self::stream)) with the single subject `portcullis.revocations`
/// ([`subject`](Self::subject)), stored in files, without any limit except the age: the horizon and twenty minutes.
/// (Entries are remembered for ten minutes longer than the horizon, and clocks may differ by ten.) Its description ends
/// with a random id that distinguishes it from another stream of that name. A stream that you create beforehand does
/// not need one. If an account requires a limit in bytes, create the stream with that limit and `--discard=new`: a full
/// stream then refuses new revocations, which callers notice, and does not forget any. (Servers before 2.10 forget
/// anyway, and are refused with a limit.)
///
/// To look at it: `nats stream info PORTCULLIS_REVOCATIONS`, `nats stream view PORTCULLIS_REVOCATIONS`.
///
/// # Rights
///
/// With permissions, the user needs to publish on `portcullis.revocations` and on the following subjects, where `S` is
/// the name of the stream, and to subscribe to `_INBOX.>`:
///
/// ```text
/// $JS.API.STREAM.INFO.S    $JS.API.STREAM.CREATE.S    $JS.API.STREAM.MSG.GET.S
/// $JS.API.CONSUMER.CREATE.S    $JS.API.CONSUMER.MSG.NEXT.S.*
/// ```
///
/// `STREAM.CREATE` is needed only if the stream does not exist yet. Give no other user the right to publish on the
/// subject: with it, one can log out every user.
///
/// # What a crash can lose
///
/// It depends on the settings of the stream and of the server which acknowledged entries `kill -9` of the server or a
/// power failure loses:
///
/// - File storage, one replica: `kill -9` loses nothing. A power failure loses up to the last two minutes with the default
///   `sync_interval`, and nothing with `sync_interval: always` (2.10 or later).
/// - Three replicas: nothing is lost, unless a power failure hits most of the servers at once.
/// - `persist_mode: async` (2.12): `kill -9` loses the entries that were not written yet, a power failure possibly more.
/// - Memory storage, one replica: both lose everything.
///
/// After the first call, [`warnings`](RevocationLog::warnings) lists the settings that an operator may want to change.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
///
/// use portcullis_store::JetStreamLog;
///
/// # fn main() -> Result<(), portcullis_core::revocation::LogError> {
/// let log = JetStreamLog::new("nats://nats-1.internal:4222,nats://nats-2.internal:4222")?
///     .creds_file("/run/secrets/nats.creds")
///     .horizon(Duration::from_secs(12 * 60 * 60))
///     .replicas(3);
/// # Ok(())
/// # }
/// ```
pub struct JetStreamLog {
    access: Access,
    layout: Layout,
    connection: Mutex<Option<Arc<Connection>>>,
    /// The feed of the reader that continues at its last position; other readers open their own.
    feed: Mutex<Option<Feed>>,
    warnings: SyncMutex<Vec<String>>,
}

impl JetStreamLog {
    /// Returns a log on the server at `nats://[user:password@]host:port` or `nats://token@host:port`, or `tls://…` for
    /// TLS; or on a cluster, with several of these separated by commas. The port defaults to 4222. This does not
    /// connect yet.
    ///
    /// Name all servers of a cluster that are to be used: the log does not use any others.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if this is not a URL of NATS, or if
    /// some are with TLS and some without. The error does not repeat the URL.
    pub fn new(url: &str) -> Result<Self, LogError> {
        Ok(Self {
            access: Access::parse(url)?,
            layout: Layout::default(),
            connection: Mutex::default(),
            feed: Mutex::default(),
            warnings: SyncMutex::default(),
        })
    }

    /// Sets the longest lifetime of tokens whose revocations are remembered. Defaults to 24 hours, the longest default
    /// lifetime of access tokens at the large identity providers. An existing stream that keeps entries for a shorter
    /// time is refused.
    #[must_use]
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.layout.horizon = horizon;
        self
    }

    /// Sets the name of the stream. Defaults to `PORTCULLIS_REVOCATIONS`. Services that trust the same issuers share
    /// one stream. Others in the same account of NATS need a different name and a different [subject](Self::subject).
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if NATS does not allow the name: if
    /// it is empty or has spaces, dots, slashes or wildcards in it.
    pub fn stream(mut self, name: &str) -> Result<Self, LogError> {
        self.layout = self.layout.with_stream(name)?;
        Ok(self)
    }

    /// Sets the subject of the stream. Defaults to `portcullis.revocations`.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if NATS does not allow the subject,
    /// or it has wildcards.
    pub fn subject(mut self, subject: &str) -> Result<Self, LogError> {
        self.layout = self.layout.with_subject(subject)?;
        Ok(self)
    }

    /// Sets how many servers of a cluster keep a copy of the stream if it is created here: 1, 3 or 5. Defaults to 1,
    /// the only number that a single server supports.
    #[must_use]
    pub fn replicas(mut self, count: u8) -> Self {
        self.layout.replicas = count.into();
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

    /// Logs in with a `.creds` file, which contains a user's JWT and seed. It is read at every connect, so it can be
    /// replaced while the service runs. Defaults to none.
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

    /// Trusts only these certificates, in PEM format, as authorities for the servers' certificates. Defaults to those
    /// that the system trusts.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if the text contains no
    /// certificates, or anything that is not a certificate, or if the URL does not begin with `tls://`.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, LogError> {
        self.access.trust(pem)?;
        Ok(self)
    }

    /// Returns the connection, or a new one if it is not good.
    async fn connection(&self) -> Result<Arc<Connection>, LogError> {
        let mut slot = self.connection.lock().await;
        if let Some(connection) = slot.as_ref().filter(|connection| connection.is_good()) {
            return Ok(Arc::clone(connection));
        }
        *slot = None;
        let (connection, warnings) = Box::pin(Connection::open(&self.access, &self.layout)).await?;
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) =
            warnings.into_iter().chain(self.access.warning()).collect();
        Ok(Arc::clone(slot.insert(Arc::new(connection))))
    }

    /// Ends a call that takes too long, and the connection with it.
    async fn within<T>(&self, limit: Duration, call: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
        if let Ok(outcome) = timeout(limit, call).await {
            return outcome;
        }
        if let Ok(slot) = self.connection.try_lock() {
            slot.iter().for_each(|connection| connection.give_up());
        }
        Err(LogError::unavailable("NATS takes too long"))
    }
}

impl RevocationLog for JetStreamLog {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        self.within(CALL, async {
            if entries.is_empty() {
                return Ok(());
            }
            let connection = self.connection().await?;
            append::append(&connection, entries).await
        })
        .await
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let patience = patience.min(LONGEST_PATIENCE);
        let until = Instant::now() + patience;
        let read = async {
            let connection = self.connection().await?;
            read::page(&connection, &self.layout, &self.feed, after, until).await
        };
        self.within(patience + CALL, Box::pin(read)).await
    }

    fn horizon(&self) -> Duration {
        self.layout.horizon
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Shows where the log is, and no credentials.
impl fmt::Debug for JetStreamLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStreamLog")
            .field("servers", &self.access)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
