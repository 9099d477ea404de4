//! A log in a stream of NATS. The rules are at [`JetStreamLog`], where users find them.

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

/// How long a call may take beyond its patience.
const CALL: Duration = Duration::from_secs(5);

/// No reader waits for longer: so that an instant can be calculated from whatever somebody passes.
const LONGEST_PATIENCE: Duration = Duration::from_secs(60 * 60);

/// A [`RevocationLog`] in a stream of NATS, for several instances of a service.
///
/// # The rules
///
/// - It works with nats-server from 2.9 on, with `JetStream` turned on (`-js`). It connects at the first call, and anew after whatever
///   went wrong; each call answers within about five seconds beyond its patience.
/// - If there is no stream it is created. One that is there is used if it remembers long enough and forgets nothing before its time,
///   and refused with a sentence that says what to change if not. That is looked at with every read.
/// - One [`append`](RevocationLog::append) is one message, a line of JSON for each entry: all of them are in, or none. Only what does not
///   fit in a message (`max_payload`, one megabyte unless set otherwise: about 8000 entries) becomes several, one after
///   the other, and a failure between leaves the first ones in. To append again is always right.
/// - A page is the last one if the *server* has said, when it was asked in this call, that it ends there.
/// - A reader starts anew if the stream is another one, if it was rolled back (even if it has grown beyond the reader's place since),
///   or if what followed has been trimmed.
/// - Reading is by an ephemeral pull consumer without acknowledgements, which the server forgets after a minute. It is made anew after
///   anything odd, from where the reader is.
/// - A server of a cluster that was cut off from the others may, until it notices (about ten seconds), take itself for the leader
///   and say that nothing follows. That adds to how old a view can be.
///
/// # What is on the server
///
/// A stream `PORTCULLIS_REVOCATIONS` ([`stream`](Self::stream)) of the one subject `portcullis.revocations`
/// ([`subject`](Self::subject)), with file storage, without limits but for the age: the horizon and twenty minutes. (Entries are remembered for
/// ten minutes longer than the horizon; clocks may differ by ten.) Its description ends with a random id, which tells it
/// from another one of that name. A stream that somebody creates beforehand needs none. Where an account demands a limit in
/// bytes, create it so, with `--discard=new`: then a full stream refuses revocations, which is heard, and forgets none. (Servers before 2.10
/// forget even so, and are refused with a limit.)
///
/// To look at it: `nats stream info PORTCULLIS_REVOCATIONS`, `nats stream view PORTCULLIS_REVOCATIONS`.
///
/// # Rights
///
/// With permissions, the user needs to publish on `portcullis.revocations` and on these, where `S` is the name of the stream, and to
/// subscribe to `_INBOX.>`:
///
/// ```text
/// $JS.API.STREAM.INFO.S    $JS.API.STREAM.CREATE.S    $JS.API.STREAM.MSG.GET.S
/// $JS.API.CONSUMER.CREATE.S    $JS.API.CONSUMER.MSG.NEXT.S.*
/// ```
///
/// `STREAM.CREATE` only if the stream is not there already. Give nobody else the subject: who can publish there can log out anybody.
///
/// # What survives what
///
/// | setting of the stream or the server | `kill -9` of the server | power failure |
/// |---|---|---|
/// | file storage, one replica, `sync_interval` 2 min (default) | nothing | up to the last two minutes |
/// | the same with `sync_interval: always` (from 2.10 on) | nothing | nothing |
/// | three replicas, default `sync_interval` | nothing | nothing, unless it hits most of the servers at once |
/// | `persist_mode: async` (2.12) | what was not written yet | the same and more |
/// | memory storage, one replica | everything | everything |
///
/// What somebody may want to change is in [`warnings`](RevocationLog::warnings) after the first call.
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
    /// Of the reader that goes on where it was; others have one of their own.
    feed: Mutex<Option<Feed>>,
    warnings: SyncMutex<Vec<String>>,
}

impl JetStreamLog {
    /// A log on the server at `nats://[user:password@]host:port` or `nats://token@host:port`, or `tls://…` for TLS; or in the cluster of several
    /// such, with commas between. The port defaults to 4222. Nothing is connected yet.
    ///
    /// Name the servers of a cluster that are to be used: others that it has are not.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if that is no URL of NATS, or some are with TLS and some
    /// without. The error does not repeat the URL.
    pub fn new(url: &str) -> Result<Self, LogError> {
        Ok(Self {
            access: Access::parse(url)?,
            layout: Layout::default(),
            connection: Mutex::default(),
            feed: Mutex::default(),
            warnings: SyncMutex::default(),
        })
    }

    /// The longest life of a token whose revocation is remembered. Defaults to 24 hours, the longest that the large identity providers
    /// give access tokens by default. A stream that is there already and remembers for less is refused.
    #[must_use]
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.layout.horizon = horizon;
        self
    }

    /// The name of the stream. Defaults to `PORTCULLIS_REVOCATIONS`. Services that trust the same issuers share one; others that share an
    /// account of NATS need a name and a [subject](Self::subject) each.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if NATS allows no such name: one that is empty, or has spaces, dots,
    /// slashes or wildcards in it.
    pub fn stream(mut self, name: &str) -> Result<Self, LogError> {
        self.layout = self.layout.with_stream(name)?;
        Ok(self)
    }

    /// The subject of the stream. Defaults to `portcullis.revocations`.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if NATS allows no such subject, or it has wildcards.
    pub fn subject(mut self, subject: &str) -> Result<Self, LogError> {
        self.layout = self.layout.with_subject(subject)?;
        Ok(self)
    }

    /// On how many servers of a cluster the stream is kept if it is created here: 1, 3 or 5. Defaults to 1, the only number that a
    /// single server can do.
    #[must_use]
    pub fn replicas(mut self, count: u8) -> Self {
        self.layout.replicas = count.into();
        self
    }

    /// The user and the password to log in with, instead of what the URL says.
    #[must_use]
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.access.credentials = Credentials::Password { user: user.into(), password: password.to_owned().into() };
        self
    }

    /// The token, where the server is set up with one. Defaults to what the URL has.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.access.credentials = Credentials::Token(token.to_owned().into());
        self
    }

    /// A `.creds` file, which has a user's JWT and seed. It is read at each connect, so that it can be replaced while the service
    /// runs. Defaults to none.
    #[doc(alias = "credentials_file")]
    #[must_use]
    pub fn creds_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.access.credentials = Credentials::CredsFile(path.into());
        self
    }

    /// What a `.creds` file has in it. Defaults to none.
    #[must_use]
    pub fn creds(mut self, text: &str) -> Self {
        self.access.credentials = Credentials::Creds(text.to_owned().into());
        self
    }

    /// The certificates, in PEM format, of the only authorities that may vouch for the servers. Defaults to those that the system trusts.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](portcullis_core::revocation::LogErrorKind::Misconfigured) if there are none in it, or something that is no certificate, or the
    /// URL does not begin with `tls://`.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, LogError> {
        self.access.trust(pem)?;
        Ok(self)
    }

    /// The connection, made anew if there is none that is good.
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

/// Shows where the log is, and nothing of who we are.
impl fmt::Debug for JetStreamLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStreamLog")
            .field("servers", &self.access)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
