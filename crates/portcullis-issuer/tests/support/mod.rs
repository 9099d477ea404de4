//! An issuer with its store, its log of revocations, its users and a service, all in memory and on one clock.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

pub(crate) mod desk;
pub(crate) mod records;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{
    Admission, Algorithm, Clock, JwtAuthenticator, KeySet, UnixTime,
    policy::TokenSpec,
    revocation::{Cursor, Level, LogError, Page, Revocation, Revoker, ViewWriter},
    verified::NoCustom,
};
use portcullis_issuer::{
    SignError, SignErrorKind, Signer, Signing, SigningKey, TokenIssuer,
    refresh::{
        EndReason, Family, FamilyId, Grant, LogIn, MemoryRefreshStore, Millis, Opened, Outcome, RefreshCause,
        RefreshError, RefreshKeys, RefreshPolicy, RefreshStore, SessionEvent, Sessions, Step, StoreError, SubjectError,
        Subjects, Tokens,
    },
};
use portcullis_test::FixedClock;
use serde_json::Value;

pub(crate) const ISSUER: &str = "https://id.test";
pub(crate) const SERVICE: &str = "https://orders.test";
pub(crate) const T: UnixTime = UnixTime::from_secs(1_800_000_000);

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// The claims of an access token, unverified.
pub(crate) fn claims(tokens: &Tokens) -> Value {
    let text = tokens.access().token().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

pub(crate) struct House {
    pub(crate) clock: FixedClock,
    pub(crate) store: MemoryRefreshStore,
    pub(crate) subjects: TestSubjects,
    pub(crate) sessions: Sessions<Watched, TestLog, TestSubjects>,
    log: TestLog,
    issuer: TokenIssuer,
    admission: Admission,
    events: Arc<Mutex<Vec<SessionEvent>>>,
    calls: Arc<AtomicUsize>,
    mishap: Arc<Mishap>,
}

/// What happens while the sessions work.
#[derive(Debug, Default)]
struct Mishap {
    /// Is revoked while a family is being opened.
    revoked_at_open: Mutex<Option<Revocation>>,
    fails_to_end: AtomicBool,
    /// Why nothing is signed.
    unsigned: Mutex<Option<SignErrorKind>>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::signing_after(Duration::ZERO)
    }

    /// One whose signatures take this long, as those of a key management service.
    pub(crate) fn signing_after(delay: Duration) -> Self {
        let clock = FixedClock::at(T);
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let spec = TokenSpec::new(ISSUER).audience(SERVICE);
        let mishap = Arc::<Mishap>::default();
        let signer = SlowSigner(key.clone(), delay, Arc::clone(&mishap));
        let issuer = TokenIssuer::new(spec.clone(), signer).unwrap().clock(clock.clone());
        let order = Arc::<Mutex<Vec<&'static str>>>::default();
        let log = TestLog::new(&clock, &order);
        let trusted = spec.trusted_at(SERVICE, KeySet::from(key.verifying_key())).unwrap();
        let admission = Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(clock.clone());
        let admission = admission.revocations(log.writer.view());
        let (store, calls) = (MemoryRefreshStore::with_clock(clock.clone()), Arc::<AtomicUsize>::default());
        let subjects = TestSubjects::default();
        let events = Arc::<Mutex<Vec<SessionEvent>>>::default();
        let watched = Watched {
            store: store.clone(),
            log: log.clone(),
            calls: Arc::clone(&calls),
            mishap: Arc::clone(&mishap),
            order,
        };
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let told = Arc::clone(&events);
        let sessions = Sessions::new(issuer.clone(), watched, keys, log.clone(), subjects.clone())
            .revocations(log.writer.view())
            .unwrap()
            .on_event(move |event| told.lock().unwrap().push(event.clone()))
            .unwrap();
        Self { clock, store, subjects, sessions, log, issuer, admission, events, calls, mishap }
    }

    /// The same with other keys, as another instance has them.
    pub(crate) fn with_keys(&self, keys: RefreshKeys) -> Sessions<MemoryRefreshStore, TestLog, TestSubjects> {
        Sessions::new(self.issuer.clone(), self.store.clone(), keys, self.log.clone(), self.subjects.clone())
    }

    /// Another instance, whose clock is ahead, and which has not heard of any revocation yet.
    pub(crate) fn instance_ahead_by(&self, time: Duration) -> Sessions<MemoryRefreshStore, TestLog, TestSubjects> {
        let clock = FixedClock::at(self.clock.now().plus(time));
        let (issuer, keys) = (self.issuer.clone().clock(clock), RefreshKeys::new(1, [1; 32]).unwrap());
        Sessions::new(issuer, self.store.clone(), keys, self.log.clone(), self.subjects.clone())
    }

    pub(crate) async fn log_in(&self) -> Tokens {
        self.sessions.log_in(LogIn::new("alice", "web").version(1), &RefreshPolicy::new()).await.unwrap()
    }

    pub(crate) async fn refresh(&self, tokens: &Tokens) -> Result<Tokens, RefreshError> {
        self.refresh_by(tokens, &RefreshPolicy::new()).await
    }

    /// Refreshes by other rules.
    pub(crate) async fn refresh_by(&self, tokens: &Tokens, policy: &RefreshPolicy) -> Result<Tokens, RefreshError> {
        self.confirm();
        self.sessions.refresh(tokens.refresh_token(), "web", policy).await
    }

    /// Whether a service accepts the access token, apart from its time.
    pub(crate) fn accepts(&self, tokens: &Tokens) -> bool {
        self.confirm();
        self.admission.verify(tokens.access().token()).ready().unwrap().is_ok()
    }

    pub(crate) fn events<T>(&self, wanted: impl Fn(&SessionEvent) -> Option<T>) -> Vec<T> {
        self.events.lock().unwrap().iter().filter_map(wanted).collect()
    }

    pub(crate) fn causes(&self) -> Vec<RefreshCause> {
        self.events(|event| match event {
            SessionEvent::Refreshed { cause, .. } => Some(*cause),
            _ => None,
        })
    }

    pub(crate) fn store_calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// In which order sessions were ended in the log and in the store.
    pub(crate) fn order(&self) -> Vec<&'static str> {
        self.log.order.lock().unwrap().clone()
    }

    pub(crate) fn fail_log(&self, fails: bool) {
        self.log.fails.store(fails, Ordering::SeqCst);
    }

    /// As if the horizon of the log had passed.
    pub(crate) fn forget_revocations(&self) {
        self.log.forgets.store(true, Ordering::SeqCst);
    }

    /// Revokes this while the next session is being opened, as another instance does.
    pub(crate) fn revoke_at_open(&self, revocation: Revocation) {
        *self.mishap.revoked_at_open.lock().unwrap() = Some(revocation);
    }

    /// Lets the store fail when a session is to end.
    pub(crate) fn fail_to_end(&self, fails: bool) {
        self.mishap.fails_to_end.store(fails, Ordering::SeqCst);
    }

    /// Lets the signing key fail in this way.
    pub(crate) fn fail_to_sign(&self, why: Option<SignErrorKind>) {
        *self.mishap.unsigned.lock().unwrap() = why;
    }

    pub(crate) fn make_view_stale(&self) {
        self.log.is_stale.store(true, Ordering::SeqCst);
    }

    pub(crate) fn revoke(&self, level: Level, tokens: &Tokens) {
        let session = tokens.session().id.session_id();
        let revocation = match level {
            Level::Session => Revocation::session(ISSUER, &session),
            Level::Subject => Revocation::subject(ISSUER, "alice", T.plus(secs(1))),
            Level::Version => Revocation::version(ISSUER, "alice", 4),
            Level::Client => Revocation::client(ISSUER, "web", T.plus(secs(1))),
            other => panic!("{other:?}"),
        };
        self.log.merge(&[revocation]);
    }

    /// Revokes what was issued to `alice` up to then.
    pub(crate) fn revoke_up_to(&self, cut_off: UnixTime) {
        self.log.merge(&[Revocation::subject(ISSUER, "alice", cut_off)]);
    }

    pub(crate) fn confirm(&self) {
        if !self.log.is_stale.load(Ordering::SeqCst) {
            self.log.writer.confirm(self.log.writer.ask());
        }
    }
}

/// A key whose signatures take time, on the runtime's clock.
#[derive(Debug)]
struct SlowSigner(SigningKey, Duration, Arc<Mishap>);

impl Signer for SlowSigner {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    fn key_id(&self) -> &str {
        self.0.key_id()
    }

    fn sign(&self, input: &[u8]) -> Signing {
        if let Some(kind) = *self.2.unsigned.lock().unwrap() {
            return Signing::Done(Err(SignError::new(kind, "as the test wants it")));
        }
        if self.1.is_zero() {
            return self.0.sign(input);
        }
        let (key, delay, input) = (self.0.clone(), self.1, input.to_vec());
        Signing::waiting(async move {
            tokio::time::sleep(delay).await;
            key.sign(&input).outcome().await
        })
    }
}

/// A log of revocations that every service follows at once.
#[derive(Clone, Debug)]
pub(crate) struct TestLog {
    writer: Arc<ViewWriter>,
    fails: Arc<AtomicBool>,
    forgets: Arc<AtomicBool>,
    is_stale: Arc<AtomicBool>,
    order: Arc<Mutex<Vec<&'static str>>>,
}

impl TestLog {
    pub(crate) fn new(clock: &FixedClock, order: &Arc<Mutex<Vec<&'static str>>>) -> Self {
        let writer = ViewWriter::builder(secs(3600)).clock(clock.clone()).build();
        writer.confirm(writer.ask());
        Self {
            writer: Arc::new(writer),
            fails: Arc::default(),
            forgets: Arc::default(),
            is_stale: Arc::default(),
            order: Arc::clone(order),
        }
    }

    pub(crate) fn view(&self) -> portcullis_core::revocation::RevocationView {
        self.writer.view().clone()
    }

    pub(crate) fn confirm(&self) {
        self.writer.confirm(self.writer.ask());
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    fn merge(&self, revocations: &[Revocation]) {
        let entries: Vec<_> = revocations.iter().map(|revocation| self.writer.entry(revocation)).collect();
        self.writer.merge(&entries);
    }
}

impl Revoker for TestLog {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(LogError::unavailable("as the test wants it"));
        }
        self.order.lock().unwrap().push(match revocations[0].level() {
            Level::Session => "revoke session",
            Level::Subject => "revoke subject",
            _ => "revoke version",
        });
        self.merge(&revocations);
        Ok(())
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Err(LogError::unavailable("nothing is listed"))
    }
}

/// A store that counts what it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    store: MemoryRefreshStore,
    log: TestLog,
    calls: Arc<AtomicUsize>,
    mishap: Arc<Mishap>,
    order: Arc<Mutex<Vec<&'static str>>>,
}

impl Watched {
    fn count(&self) -> &MemoryRefreshStore {
        self.calls.fetch_add(1, Ordering::SeqCst);
        &self.store
    }
}

impl RefreshStore for Watched {
    async fn now(&self) -> Result<Millis, StoreError> {
        self.count().now().await
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        let opened = self.count().open(family).await;
        if let Some(revoked) = self.mishap.revoked_at_open.lock().unwrap().take() {
            self.log.merge(&[revoked]);
        }
        opened
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        self.count().find(family).await
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        self.count().rotate(step).await
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        if self.mishap.fails_to_end.load(Ordering::SeqCst) {
            return Err(StoreError::new("as the test wants it"));
        }
        self.order.lock().unwrap().push("end");
        self.count().end(family, reason).await
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        self.order.lock().unwrap().push("end all");
        self.count().end_all_of(subject, except, reason).await
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        self.count().families_of(subject).await
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.count().forget_before(before).await
    }
}

/// Who the users are now.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestSubjects(Arc<Mutex<Users>>);

#[derive(Debug, Default)]
struct Users {
    refused: HashSet<String>,
    is_unavailable: bool,
    grant: Option<Grant>,
}

impl TestSubjects {
    pub(crate) fn refuse(&self, subject: &str) {
        self.0.lock().unwrap().refused.insert(subject.to_owned());
    }

    pub(crate) fn set_unavailable(&self, is_unavailable: bool) {
        self.0.lock().unwrap().is_unavailable = is_unavailable;
    }

    pub(crate) fn grant(&self, scopes: &[&str], role: &str) {
        self.0.lock().unwrap().grant = Some(Grant::scopes(scopes).role(role));
    }
}

impl Subjects for TestSubjects {
    type Custom = NoCustom;

    async fn current(&self, session: &Family) -> Result<Grant, SubjectError> {
        let users = self.0.lock().unwrap();
        if users.is_unavailable {
            return Err(SubjectError::Unavailable(StoreError::new("as the test wants it")));
        }
        if users.refused.contains(session.log_in.subject()) {
            return Err(SubjectError::Refused);
        }
        Ok(users.grant.clone().unwrap_or(Grant::all_scopes()))
    }
}
