//! [`LogOutDelivery`]: tells clients.

use std::{fmt, sync::Arc, time::Duration};

use http::{Method, Request, header::CONTENT_TYPE};
use portcullis_core::{ConfigError, revocation::Revoker};
use portcullis_jwks::{DocumentLimit, Fetch};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    LogOutEvent, Outbox,
    attempt::LEASE,
    notice::Notice,
    outbox::{WAITING, waiting},
};
use crate::{
    LogOutToken, StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKind, RecordVersion, Swapped},
    refresh::{FamilyId, RefreshStore, Sessions, Subjects, random, to_its_end},
};

/// Tells clients that sessions have ended: a worker, of which each instance has one. Cheap to clone.
///
/// A notice is leased to one worker for 30 s, so that no two tell the same client at once. Each attempt has a token of its own
/// ([`LogOutToken`](crate::LogOutToken)), which is sent as a form (OpenID Connect Back-Channel Logout 1.0 section 2.5). An attempt that fails is
/// repeated after 1 s, 2 s and so on up to an hour, for 24 hours. A client may be told twice.
#[must_use = "no client is told before `run`"]
pub struct LogOutDelivery<S, R, J, F>(Arc<Inner<S, R, J, F>>);

struct Inner<S, R, J, F> {
    sessions: Sessions<S, R, J>,
    outbox: Outbox,
    fetch: F,
    on_event: Box<Listener>,
}

type Listener = dyn Fn(&LogOutEvent) + Send + Sync;

/// A notice that this worker has alone.
struct Leased {
    session: FamilyId,
    notice: Notice,
    version: RecordVersion,
}

/// How many clients are told at once.
const AT_ONCE: usize = 16;

/// How long one attempt may take, all in all: so much less than the lease that none goes on after it.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);

/// How long a client has time to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// How often a worker looks for notices, if no session ends on its instance.
const PAUSE: Duration = Duration::from_secs(1);

/// How long it waits after the end of a session, so that it looks once for many that end together.
const GATHERING: Duration = Duration::from_millis(50);

const _: () = assert!(ATTEMPT_LIMIT.as_secs() < LEASE.as_secs());

impl<S: RefreshStore, R: Revoker, J: Subjects> Sessions<S, R, J> {
    /// Returns the worker that tells clients, by requests that `fetch` sends. Calls `listener` for every event, which must not block.
    ///
    /// # Errors
    ///
    /// If nothing is kept for it: see [`tell_clients`](Self::tell_clients).
    pub fn log_out_delivery<F: Fetch>(
        &self,
        fetch: F,
        listener: impl Fn(&LogOutEvent) + Send + Sync + 'static,
    ) -> Result<LogOutDelivery<S, R, J, F>, ConfigError> {
        let outbox = self.0.outbox.clone().ok_or_else(|| {
            ConfigError::new("no log-outs are kept to be delivered: call `Sessions::tell_clients` before")
        })?;
        let on_event = Box::new(listener);
        Ok(LogOutDelivery(Arc::new(Inner { sessions: self.clone(), outbox, fetch, on_event })))
    }
}

impl<S: RefreshStore, R: Revoker, J: Subjects, F: Fetch> LogOutDelivery<S, R, J, F> {
    /// Delivers what is due, and what becomes due, until it is dropped: about a twentieth of a second after a session has ended on this instance, and
    /// within a second if it has ended on another one.
    pub async fn run(&self) {
        loop {
            if let Err(error) = self.deliver_due().await {
                self.tell(&LogOutEvent::Unavailable { why: error.to_string() });
            }
            if timeout(PAUSE, self.0.outbox.news.notified()).await.is_ok() {
                sleep(GATHERING).await;
            }
        }
    }

    /// Makes one attempt for each notice that is due. Returns how many clients were told.
    ///
    /// # Errors
    ///
    /// If the store of records cannot be reached.
    pub async fn deliver_due(&self) -> Result<usize, StoreError> {
        let records = &self.0.outbox.records;
        let group =
            RecordGroup::new(RecordKind::LogOut, WAITING).map_err(|error| StoreError::new(error.to_string()))?;
        let (all, now) = (records.list(&group).await?, records.now().await?);
        let read = |(id, record): (String, Record)| {
            Some((FamilyId::from_session_id(&id)?, Notice::from_json(record.text())?, record))
        };
        let due: Vec<_> = all.into_iter().filter_map(read).filter(|(_, notice, _)| notice.is_due(now)).collect();
        let mut told = 0;
        for some in due.chunks(AT_ONCE) {
            let mut attempts = JoinSet::new();
            for (session, notice, record) in some.iter().cloned() {
                let delivery = self.clone();
                attempts.spawn(async move { delivery.deliver(session, notice, record.version()).await });
            }
            for outcome in attempts.join_all().await {
                told += usize::from(outcome?);
            }
        }
        Ok(told)
    }

    /// Makes an attempt, unless another worker does. Returns whether the client was told.
    async fn deliver(&self, session: FamilyId, notice: Notice, version: RecordVersion) -> Result<bool, StoreError> {
        let Some(leased) = self.lease(session, &notice, version).await? else { return Ok(false) };
        let attempt = timeout(ATTEMPT_LIMIT, self.tell_client(&leased)).await;
        match attempt.unwrap_or_else(|_| Err("the attempt took too long".to_owned())) {
            Ok(()) => {
                self.told(leased).await?;
                Ok(true)
            }
            Err(why) => {
                self.failed(leased, why).await?;
                Ok(false)
            }
        }
    }

    /// Takes a notice for this worker alone; `None` if another one was faster.
    async fn lease(
        &self,
        session: FamilyId,
        notice: &Notice,
        version: RecordVersion,
    ) -> Result<Option<Leased>, StoreError> {
        let (records, key) = (&self.0.outbox.records, waiting(session)?);
        let holder = FamilyId::from_bytes(random()?).session_id();
        let notice = notice.leased(records.now().await?, holder);
        let text = notice.to_json();
        let next = NewRecord::new(text.clone()).until(notice.kept_until());
        if records.swap(&key, Some(version), Some(next)).await? == Swapped::Conflict {
            return Ok(None);
        }
        // The version after the change is not told; the text names this worker.
        let own = records.find(&key).await?.filter(|record| record.text() == text);
        Ok(own.map(|record| Leased { session, notice, version: record.version() }))
    }

    /// Sends a token to the client. The session ends before, if the program crashed between the notice and the end.
    async fn tell_client(&self, leased: &Leased) -> Result<(), String> {
        let (sessions, notice, session) = (&self.0.sessions, &leased.notice, leased.session);
        let family = sessions.find(session).await.map_err(|error| error.to_string())?;
        if family.is_some_and(|family| family.ended.is_none()) {
            sessions.end(session, notice.reason).await.map_err(|error| error.to_string())?;
        }
        let content = LogOutToken::new(&notice.client_id, &notice.subject, session.session_id());
        let token = sessions.issuer().mint_log_out(&content).await.map_err(|error| error.to_string())?;
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
        let request = Request::builder().method(Method::POST).uri(&notice.uri);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.extension(DocumentLimit::bytes(4096)).body(body.into_bytes());
        let request = request.map_err(|_| "the client's URI for log-outs cannot be used".to_owned())?;
        let answer = timeout(ANSWER_LIMIT, self.0.fetch.fetch(request)).await;
        let answer = answer.map_err(|_| "the client did not answer in time".to_owned())?;
        match answer.map_err(|error| error.to_string())?.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the client has answered with the status {}", status.as_u16())),
        }
    }

    /// Keeps that the client was told, to its end: otherwise it would be told again.
    async fn told(&self, leased: Leased) -> Result<(), StoreError> {
        let Leased { session, notice, version } = leased;
        let (outbox, kept) = (self.0.outbox.clone(), notice.clone());
        to_its_end(async move {
            outbox.keep_told(session, &kept).await?;
            outbox.records.swap(&waiting(session)?, Some(version), None).await
        })
        .await??;
        self.tell(&LogOutEvent::Told { session, client_id: notice.client_id, attempts: notice.attempts });
        Ok(())
    }

    async fn failed(&self, leased: Leased, why: String) -> Result<(), StoreError> {
        let Leased { session, notice, version } = leased;
        let records = &self.0.outbox.records;
        let again = notice.failed(records.now().await?);
        if again.is_none() {
            // So that an old token of the session does not begin all of it again.
            self.0.outbox.keep_told(session, &notice).await?;
        }
        let next = again.as_ref().map(|again| NewRecord::new(again.to_json()).until(again.kept_until()));
        records.swap(&waiting(session)?, Some(version), next).await?;
        let (client_id, attempts) = (notice.client_id, notice.attempts);
        self.tell(&match again {
            Some(_) => LogOutEvent::Failed { session, client_id, attempts, why },
            None => LogOutEvent::GivenUp { session, client_id, attempts, why },
        });
        Ok(())
    }

    fn tell(&self, event: &LogOutEvent) {
        (self.0.on_event)(event);
    }
}

impl<S, R, J, F> Clone for LogOutDelivery<S, R, J, F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: fmt::Debug, R, J, F: fmt::Debug> fmt::Debug for LogOutDelivery<S, R, J, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogOutDelivery")
            .field("sessions", &self.0.sessions)
            .field("fetch", &self.0.fetch)
            .finish_non_exhaustive()
    }
}
