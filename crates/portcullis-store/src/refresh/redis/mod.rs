//! [`RedisRefreshStore`]: sessions in Redis or Valkey. Its documentation has the rules.

mod connection;
pub(crate) mod layout;
mod survey;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use portcullis_core::ConfigError;
use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, Millis, Opened, Outcome, RefreshStore, Rotation, Step, StoreError,
};
use redis::{FromRedisValue, ScriptInvocation};

use self::{
    connection::{Connection, END, END_ALL, FIND, LIST, OPEN, ROTATE, SURPLUS},
    layout::{Fields, Layout},
};
use crate::{
    configuration::configuration,
    redis::{access::Access, error::Fault, survey::Eviction},
    refresh::unlisted::Unlisted,
};

/// The sessions of an issuer in Redis or Valkey, for several instances. It connects when it is first used, and again whenever necessary.
///
/// # The rules
///
/// - **A step is one script**, on the server's clock, that writes only if a token is replaced or the session is prolonged.
/// - **The server must not evict.** Sessions have an expiry, which `volatile-*` evicts first, so `maxmemory-policy` has to be `noeviction`.
///   A server with another one is refused, and so is a replica. Both are checked for every new connection.
/// - **A session mints nothing**: it has a digest of what all of its tokens share.
/// - The server forgets a session ten minutes after it is over. [`forget_before`](RefreshStore::forget_before) has nothing to do, and
///   returns 0.
/// - A session that cannot be read, because a later version wrote it, is left out of a list, and can be ended: `ended` means the same in every
///   version.
/// - A subject's list may name sessions that are gone or have ended, but never lacks one that goes on.
/// - Every call ends within about five seconds, whatever the server or the network do.
///
/// # What is on the server
///
/// - `{portcullis}:family:<sid>`, a hash, has a session.
/// - `{portcullis}:sessions:<subject>`, a sorted set, has the ids of a user's sessions.
/// - `{portcullis}:signing-keys`, a hash, has the document of the [key ring](Self::signing_keys), if it is kept here.
/// - `{portcullis}:record:` and `{portcullis}:records:` begin the keys of [records](Self::records), if they are kept here.
///
/// The name between the braces can be [chosen](Self::name). In a cluster, one server has all sessions.
///
/// # Rights
///
/// ```text
/// ACL SETUSER issuer on >PASSWORD resetkeys ~{portcullis}:* -@all +eval +evalsha +script|load +exists +get +mget +set +del
///   +hset +hsetnx +hget +hgetall +hmget +zadd +zcard +zrange +zrem +zremrangebyscore +pexpireat +persist +pttl +time +role +info +config|get +wait
///   +select
/// ```
///
/// # What a crash can lose
///
/// With `appendonly yes` and `appendfsync always`, nothing that was acknowledged. With less, the store [warns](Self::warnings). If
/// refreshes are lost, because a replica without them was promoted, their clients go on: their tokens are newer than the server knows, and
/// only this issuer can have made them. Lost log-ins are log-outs, unless [`acknowledged_by`](Self::acknowledged_by) prevents it.
///
/// # Example
///
/// ```no_run
/// use portcullis_store::RedisRefreshStore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisRefreshStore::new("rediss://redis.internal:6379")?
///     .credentials("issuer", &std::env::var("REDIS_PASSWORD")?);
/// # Ok(())
/// # }
/// ```
pub struct RedisRefreshStore {
    access: Access,
    layout: Layout,
    eviction: Eviction,
    replicas: u32,
    /// Shared by all callers.
    connection: tokio::sync::Mutex<Option<Connection>>,
    warnings: Mutex<Vec<String>>,
    unlisted: Unlisted,
}

/// The default name.
const NAME: &str = "portcullis";

impl RedisRefreshStore {
    /// Returns the store at a URL: `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS with a certificate that the
    /// system trusts. (`valkey://` and `valkeys://` are the same.) The defaults are port 6379 and database 0. This does not connect yet.
    ///
    /// # Errors
    ///
    /// If this is not such a URL. The error does not contain any part of it.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            access: Access::parse(url).map_err(|error| configuration(&error))?,
            layout: Layout::new(NAME),
            eviction: Eviction::Checked,
            replicas: 0,
            connection: tokio::sync::Mutex::new(None),
            warnings: Mutex::default(),
            unlisted: Unlisted::default(),
        })
    }

    /// Sets the name on the server: the keys begin with it, in braces. Issuers that share a server need one each. It should not contain
    /// braces. Defaults to `portcullis`.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        Self { layout: Layout::new(name), ..self }
    }

    /// Logs in with this user and password instead of those in the URL. Servers without users have one called `default`.
    #[must_use]
    pub fn credentials(self, user: &str, password: &str) -> Self {
        Self { access: self.access.with_credentials(user, password), ..self }
    }

    /// Trusts only these certificates, in PEM format, as authorities for the server's certificate. Defaults to those that the system trusts.
    ///
    /// # Errors
    ///
    /// If the text contains no certificates, or the URL does not begin with `rediss://`.
    pub fn root_certificates(self, pem: &[u8]) -> Result<Self, ConfigError> {
        Ok(Self { access: self.access.with_roots(pem).map_err(|error| configuration(&error))?, ..self })
    }

    /// Sets the certificate chain that identifies this client, and its key, both in PEM format. Defaults to none.
    ///
    /// # Errors
    ///
    /// If they cannot be parsed, or the URL does not begin with `rediss://`.
    pub fn client_certificate(self, certificates: &[u8], key: &[u8]) -> Result<Self, ConfigError> {
        let access = self.access.with_identity(certificates, key);
        Ok(Self { access: access.map_err(|error| configuration(&error))?, ..self })
    }

    /// Sets how many replicas have to acknowledge what was written (`WAIT`, for up to a second). With fewer, the call fails, although it is
    /// written. Defaults to 0, because most servers have no replicas.
    #[must_use]
    pub fn acknowledged_by(self, count: u32) -> Self {
        Self { replicas: count, ..self }
    }

    /// Uses a server with any eviction policy, even if the policy cannot be read (neither `INFO` nor `CONFIG GET` is allowed).
    ///
    /// You then have to make sure that its `maxmemory-policy` is, and stays, `noeviction`. Otherwise it logs users out when its memory is
    /// full.
    #[must_use]
    pub fn danger_trust_eviction_policy(self) -> Self {
        Self { eviction: Eviction::Trusted, ..self }
    }

    /// Returns what an operator should know about the server: settings with which it loses what was acknowledged, for example. It is empty
    /// before the first connection.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns another handle to the same server, with a connection of its own.
    pub(crate) fn apart(&self) -> Self {
        Self {
            access: self.access.clone(),
            layout: self.layout.clone(),
            eviction: self.eviction,
            replicas: self.replicas,
            connection: tokio::sync::Mutex::new(None),
            warnings: Mutex::default(),
            unlisted: Unlisted::default(),
        }
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the connection, and whether it is new.
    async fn connection(&self) -> Result<(Connection, bool), Fault> {
        let mut place = self.connection.lock().await;
        if let Some(connection) = place.as_ref().filter(|connection| !connection.is_doubtful()) {
            return Ok((connection.clone(), false));
        }
        *place = None;
        let (connection, warnings) = Box::pin(Connection::open(&self.access, &self.layout, self.eviction)).await?;
        let warnings = warnings.into_iter().chain(self.access.warning()).collect();
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = warnings;
        *place = Some(connection.clone());
        Ok((connection, true))
    }

    /// Runs a script that only reads. If the connection was closed while it was idle, a new one is used.
    pub(crate) async fn read<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let (mut connection, is_new) = self.connection().await.map_err(failed)?;
        match connection.run(script).await {
            Err(fault) if fault.is_closed && !is_new => {
                let (mut connection, _) = self.connection().await.map_err(failed)?;
                connection.run(script).await.map_err(failed)
            }
            outcome => outcome.map_err(failed),
        }
    }

    /// Runs a script that writes. It is not repeated: the answer may be lost, and the step taken.
    pub(crate) async fn write<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let (mut connection, _) = self.connection().await.map_err(failed)?;
        let answer = connection.run(script).await.map_err(failed)?;
        connection.acknowledged(self.replicas).await.map_err(failed)?;
        Ok(answer)
    }
}

impl RefreshStore for RedisRefreshStore {
    async fn now(&self) -> Result<Millis, StoreError> {
        // No key of a family is as short.
        let (now, _): (u64, Fields) = self.read(&FIND.key(self.layout.families())).await?;
        Ok(Millis::new(now))
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        let mut open = OPEN.prepare_invoke();
        open.key(self.layout.family(family.id)).key(self.layout.sessions_of(family.log_in.subject()));
        open.arg(family.id.session_id()).arg(family.absolute_until.get()).arg(family.idle_until.get());
        for (field, value) in layout::fields(&family) {
            open.arg(field).arg(value);
        }
        Ok(if self.write::<bool>(&open).await? { Opened::New } else { Opened::Exists })
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        let (now, fields): (u64, Fields) = self.read(&FIND.key(self.layout.family(family))).await?;
        Ok((layout::family(&fields)?, Millis::new(now)))
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        let mut rotate = ROTATE.prepare_invoke();
        rotate.key(self.layout.family(step.family)).arg(step.share.as_bytes().as_slice()).arg(step.client_id);
        rotate.arg(step.generation).arg(millis(step.grace)).arg(millis(step.idle));
        rotate.arg(u8::from(step.rotation == Rotation::EveryUse)).arg(step.key_id);
        rotate.arg(Step::MOST_LOST_WRITES).arg(millis(step.least_prolongation()));
        // No replica has to acknowledge it: a rotation that is lost is made up for by the next one.
        let (mut connection, _) = self.connection().await.map_err(failed)?;
        let (now, is_written, fields): (u64, bool, Fields) = connection.run(&rotate).await.map_err(failed)?;
        let (outcome, written) = step.decide(layout::family(&fields)?.as_ref(), Millis::new(now));
        if is_written == written.is_some() {
            return Ok(outcome);
        }
        Err(StoreError::new("Redis decided about a refresh in another way than this version of Portcullis does"))
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        let mut end = END.key(self.layout.family(family));
        end.arg(reason.name()).arg(family.session_id()).arg(self.layout.sessions());
        self.write::<bool>(&end).await.map(drop)
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        let except = except.map(|except| except.session_id()).unwrap_or_default();
        let mut end = END_ALL.key(self.layout.sessions_of(subject));
        let end = end.arg(self.layout.families()).arg(reason.name()).arg(except);
        let (ended, left): (Vec<String>, usize) = self.write(end).await?;
        if left > 0 {
            return Err(StoreError::not_ended(left));
        }
        ids(&ended)
    }

    async fn surplus_of(&self, subject: &str, most: usize) -> Result<Vec<FamilyId>, StoreError> {
        let mut surplus = SURPLUS.key(self.layout.sessions_of(subject));
        let surplus: Vec<String> = self.read(surplus.arg(self.layout.families()).arg(most)).await?;
        ids(&surplus)
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        Ok(self.readable_of(subject).await?.0)
    }

    async fn readable_of(&self, subject: &str) -> Result<(Vec<Family>, usize), StoreError> {
        let mut list = LIST.key(self.layout.sessions_of(subject));
        let (found, unreadable): (Vec<Fields>, usize) = self.read(list.arg(self.layout.families())).await?;
        let families: Vec<_> = found.iter().filter_map(|fields| layout::family(fields).ok().flatten()).collect();
        let unreadable = unreadable + found.len() - families.len();
        self.unlisted.tell(unreadable);
        Ok((families, unreadable))
    }

    /// Does nothing: the server forgets by itself.
    async fn forget_before(&self, _: Millis) -> Result<usize, StoreError> {
        Ok(0)
    }
}

/// Shows where the sessions are, without user and password.
impl fmt::Debug for RedisRefreshStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRefreshStore")
            .field("server", &self.access)
            .field("layout", &self.layout)
            .field("eviction", &self.eviction)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}

fn ids(texts: &[String]) -> Result<Vec<FamilyId>, StoreError> {
    let ids = texts.iter().map(|text| FamilyId::from_session_id(text)).collect::<Option<_>>();
    ids.ok_or_else(|| StoreError::new("an id in Redis is not one of a session"))
}

fn failed(fault: Fault) -> StoreError {
    fault.error.into()
}

/// Returns a time in milliseconds, at most a century: the server's numbers have 53 bits.
fn millis(time: Duration) -> u64 {
    u64::try_from(Millis::whole(time).as_millis()).unwrap_or_default()
}
