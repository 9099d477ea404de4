//! [`LogOutDelivery`]: tells clients.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use http::{Method, Request, header::CONTENT_TYPE};
use portcullis_core::{ConfigError, revocation::Revoker};
use portcullis_jwks::{DocumentLimit, Fetch};
use tokio::time::{Instant, sleep, timeout};

use super::{
    LogOutEvent, Outbox,
    attempt::LEASE,
    notice::Notice,
    outbox::{WAITING, waiting},
    work::{Attempted, Due, Work},
};
use crate::{
    LogOutToken, StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKind, RecordVersion, Swapped},
    refresh::{FamilyId, RefreshStore, Sessions, Subjects, random},
    tasks::to_its_end,
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

/// Why a client was not told.
enum Failure {
    NoAnswer,
    Other(String),
}

impl Failure {
    fn of(error: impl fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}

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
    ///
    /// A client that does not answer delays no other one: at most two attempts of a client are made at once, of 16 in all, and after one that was
    /// not answered it is left alone for 1 s, 2 s and so on up to 64 s. Looking for what is due takes a tenth of the time at most, so that it is done less
    /// often while very much is due.
    pub async fn run(&self) {
        let mut work = Work::default();
        loop {
            let began = Instant::now();
            match self.due().await {
                Ok(due) => work.replace_due(due),
                Err(error) => self.tell(&LogOutEvent::Unavailable { why: error.to_string() }),
            }
            let mut next_look = pin!(self.next_look(10 * began.elapsed()));
            loop {
                work.start(|due| self.clone().deliver(due));
                tokio::select! {
                    () = &mut next_look => break,
                    Some(outcome) = work.next() => {
                        if let Err(error) = outcome {
                            self.tell(&LogOutEvent::Unavailable { why: error.to_string() });
                        }
                    }
                }
            }
        }
    }

    /// Waits until it is time to look for notices again, but at least for `rest`.
    async fn next_look(&self, rest: Duration) {
        if timeout(PAUSE.max(rest), self.0.outbox.news.notified()).await.is_ok() {
            sleep(GATHERING.max(rest)).await;
        }
    }

    /// Makes one attempt for each notice that is due, except for those of a client that does not answer: it is attempted once. Returns how many clients
    /// were told.
    ///
    /// # Errors
    ///
    /// If the store of records cannot be reached, or an attempt has panicked. The others are made all the same.
    pub async fn deliver_due(&self) -> Result<usize, StoreError> {
        let mut work = Work::default();
        work.replace_due(self.due().await?);
        let (mut told, mut failure) = (0, Ok(()));
        loop {
            work.start(|due| self.clone().deliver(due));
            match work.next().await {
                None => return failure.map(|()| told),
                Some(Ok(attempted)) => told += usize::from(attempted == Attempted::Told),
                Some(Err(error)) => failure = failure.and(Err(error)),
            }
        }
    }

    /// Returns the notices that are due.
    async fn due(&self) -> Result<Vec<Due>, StoreError> {
        let records = &self.0.outbox.records;
        let group =
            RecordGroup::new(RecordKind::LogOut, WAITING).map_err(|error| StoreError::new(error.to_string()))?;
        let (all, now) = (records.list(&group).await?, records.now().await?);
        let read = |(id, record): (String, Record)| {
            let (session, notice) = (FamilyId::from_session_id(&id)?, Notice::from_json(record.text())?);
            notice.is_due(now).then(|| Due { session, notice, version: record.version() })
        };
        Ok(all.into_iter().filter_map(read).collect())
    }

    /// Makes an attempt, unless another worker does.
    async fn deliver(self, due: Due) -> Result<Attempted, StoreError> {
        let Some(leased) = self.lease(due).await? else { return Ok(Attempted::NotTold) };
        let attempt = timeout(ATTEMPT_LIMIT, self.tell_client(&leased)).await;
        match attempt.unwrap_or(Err(Failure::NoAnswer)) {
            Ok(()) => {
                self.told(leased).await?;
                Ok(Attempted::Told)
            }
            Err(Failure::NoAnswer) => {
                self.failed(leased, "the client did not answer in time".to_owned()).await?;
                Ok(Attempted::TimedOut)
            }
            Err(Failure::Other(why)) => {
                self.failed(leased, why).await?;
                Ok(Attempted::NotTold)
            }
        }
    }

    /// Takes a notice for this worker alone; `None` if another one was faster.
    async fn lease(&self, due: Due) -> Result<Option<Leased>, StoreError> {
        let Due { session, notice, version } = due;
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
    async fn tell_client(&self, leased: &Leased) -> Result<(), Failure> {
        let (sessions, notice, session) = (&self.0.sessions, &leased.notice, leased.session);
        let family = sessions.find(session).await.map_err(Failure::of)?;
        if family.is_some_and(|family| family.ended.is_none()) {
            sessions.end(session, notice.reason).await.map_err(Failure::of)?;
        }
        let content = LogOutToken::new(&notice.client_id, &notice.subject, session.session_id());
        let token = sessions.issuer().mint_log_out(&content).await.map_err(Failure::of)?;
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
        let request = Request::builder().method(Method::POST).uri(&notice.uri);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.extension(DocumentLimit::bytes(4096)).body(body.into_bytes());
        let request = request.map_err(|_| Failure::Other("the client's URI for log-outs cannot be used".to_owned()))?;
        let answer = timeout(ANSWER_LIMIT, self.0.fetch.fetch(request)).await;
        let answer = answer.map_err(|_| Failure::NoAnswer)?;
        match answer.map_err(Failure::of)?.status() {
            status if status.is_success() => Ok(()),
            status => Err(Failure::Other(format!("the client has answered with the status {}", status.as_u16()))),
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

    /// Tells the operator. A listener that panics, as one that writes to a closed pipe does, must not end the worker.
    fn tell(&self, event: &LogOutEvent) {
        let _is_told = catch_unwind(AssertUnwindSafe(|| (self.0.on_event)(event)));
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
