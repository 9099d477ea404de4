//! An issuer with its store, its log of revocations, its users and a service, all in memory and on one clock.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    Admission, AuthError, Code, UnixTime, Verified,
    revocation::{Cursor, LogError, Page, Revocation, RevocationView, Revoker, ViewWriter},
};
use portcullis_issuer::{
    StoreError,
    api_tokens::{
        ApiTokenDigest, ApiTokenEvent, ApiTokenFormat, ApiTokenId, ApiTokenKind, ApiTokenPage, ApiTokenRow,
        ApiTokenStore, ApiTokenUse, ApiTokens, ApiTokensBuilder, Changed, CreatedApiToken, FoundApiToken, Grant,
        Grants, Inserted, MembershipError, Memberships, MemoryApiTokenStore, NewApiToken, Owner, Peppers,
    },
    refresh::Millis,
};
use portcullis_test::FixedClock;
use tokio::sync::Semaphore;

pub(crate) const ISSUER: &str = "https://id.test";
pub(crate) const T: UnixTime = UnixTime::from_secs(1_800_000_000);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) type Service = ApiTokens<Watched, Users, Log>;

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) struct House {
    pub(crate) clock: FixedClock,
    pub(crate) store: Watched,
    pub(crate) users: Users,
    pub(crate) log: Log,
    pub(crate) tokens: Service,
    pub(crate) admission: Admission,
    pub(crate) events: Arc<Mutex<Vec<ApiTokenEvent>>>,
}

impl House {
    pub(crate) fn new() -> Self {
        let clock = FixedClock::at(T);
        let (store, users, log) = (Watched::default(), Users::default(), Log::new(&clock));
        let events = Arc::<Mutex<Vec<ApiTokenEvent>>>::default();
        let tokens = instance(&clock, &store, &users, &log, &events, peppers());
        let admission = admission(&tokens, &log, &clock);
        Self { clock, store, users, log, tokens, admission, events }
    }

    /// Another instance, with a cache of its own and the same store and log.
    pub(crate) fn other_instance(&self) -> (Service, Admission) {
        self.instance_with(peppers())
    }

    pub(crate) fn instance_with(&self, peppers: Peppers) -> (Service, Admission) {
        let tokens = instance(&self.clock, &self.store, &self.users, &self.log, &self.events, peppers);
        let admission = admission(&tokens, &self.log, &self.clock);
        (tokens, admission)
    }

    /// What the service is made of, for one with other limits.
    pub(crate) fn builder(&self) -> ApiTokensBuilder<Watched, Users, Log> {
        builder(&self.clock, &self.store, &self.users, &self.log, &self.events, peppers())
    }

    /// A token of the organisation `acme` with two scopes.
    pub(crate) async fn service_account(&self) -> CreatedApiToken {
        self.tokens.create(service_account()).await.unwrap()
    }

    pub(crate) async fn child_of(&self, parent: &CreatedApiToken) -> CreatedApiToken {
        let new = NewApiToken::new(ApiTokenKind::ServiceAccount, acme(), "child").grant(Grant::scope("orders:read"));
        self.tokens.derive(parent.token().id(), new.created_by("alice")).await.unwrap()
    }

    pub(crate) async fn verify(&self, created: &CreatedApiToken) -> Result<Verified, AuthError> {
        self.admission.verify(created.secret().expose()).outcome().await
    }

    /// Whether it is accepted, or the code of the refusal.
    pub(crate) async fn code(&self, created: &CreatedApiToken) -> Option<Code> {
        code(&self.admission, created.secret().expose()).await
    }

    pub(crate) fn take_events(&self) -> Vec<ApiTokenEvent> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

pub(crate) async fn code(admission: &Admission, token: &str) -> Option<Code> {
    admission.verify(token).outcome().await.err().map(|error| error.code())
}

pub(crate) fn acme() -> Owner {
    Owner::organisation("acme")
}

pub(crate) fn service_account() -> NewApiToken {
    NewApiToken::new(ApiTokenKind::ServiceAccount, acme(), "CI")
        .grant(Grant::scope("orders:read"))
        .grant(Grant::scope("orders:write"))
        .created_by("alice")
}

pub(crate) fn peppers() -> Peppers {
    Peppers::new('1', [7; 32]).unwrap()
}

pub(crate) fn format() -> ApiTokenFormat {
    ApiTokenFormat::new("acme").unwrap()
}

fn instance(
    clock: &FixedClock,
    store: &Watched,
    users: &Users,
    log: &Log,
    events: &Arc<Mutex<Vec<ApiTokenEvent>>>,
    peppers: Peppers,
) -> Service {
    builder(clock, store, users, log, events, peppers).build().unwrap()
}

fn builder(
    clock: &FixedClock,
    store: &Watched,
    users: &Users,
    log: &Log,
    events: &Arc<Mutex<Vec<ApiTokenEvent>>>,
    peppers: Peppers,
) -> ApiTokensBuilder<Watched, Users, Log> {
    let events = Arc::clone(events);
    ApiTokens::builder(ISSUER, format(), peppers, store.clone())
        .memberships(users.clone())
        .revoker(log.clone())
        .clock(clock.clone())
        .on_event(move |event| events.lock().unwrap().push(event.clone()))
}

fn admission(tokens: &Service, log: &Log, clock: &FixedClock) -> Admission {
    Admission::explainable(tokens.authenticator()).clock(clock.clone()).revocations(log.view())
}

/// What owners may do: everything that tests grant, unless a test says otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    rights: Arc<Mutex<HashMap<Owner, Grants>>>,
    gone: Arc<Mutex<Vec<Owner>>>,
    is_down: Arc<AtomicBool>,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Users {
    pub(crate) fn may(&self, owner: &Owner, grants: impl IntoIterator<Item = Grant>) {
        self.rights.lock().unwrap().insert(owner.clone(), grants.into_iter().collect());
    }

    pub(crate) fn gone(&self, owner: Owner) {
        self.gone.lock().unwrap().push(owner);
    }

    pub(crate) fn back(&self, owner: &Owner) {
        self.gone.lock().unwrap().retain(|gone| gone != owner);
    }

    pub(crate) fn down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl Memberships for Users {
    async fn of(&self, owner: &Owner) -> Result<Grants, MembershipError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            return Err(MembershipError::Unavailable(StoreError::new("as the test wants it")));
        }
        if self.gone.lock().unwrap().contains(owner) {
            return Err(MembershipError::OwnerGone);
        }
        let usual = || [Grant::scope("orders:read"), Grant::scope("orders:write"), Grant::scope("admin")];
        let rights = self.rights.lock().unwrap().get(owner).cloned();
        Ok(rights.unwrap_or_else(|| usual().into_iter().collect()))
    }
}

/// A store that counts what it is asked, can be down, and can hold reads.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) store: MemoryApiTokenStore,
    pub(crate) reads: Arc<AtomicUsize>,
    pub(crate) recorded: Arc<Mutex<Vec<usize>>>,
    /// A row that cannot be read.
    pub(crate) unreadable: Arc<Mutex<Option<ApiTokenId>>>,
    is_down: Arc<AtomicBool>,
    /// If there is one, each read waits for a permit after it has read.
    pub(crate) held: Arc<Mutex<Option<Arc<Semaphore>>>>,
    /// By which digests it was asked.
    pub(crate) digests: Arc<Mutex<Vec<ApiTokenDigest>>>,
    /// If there is one, each change waits for a permit before it begins.
    pub(crate) held_changes: Arc<Mutex<Option<Arc<Semaphore>>>>,
    /// If there is one, each recording of uses waits for a permit before it begins.
    pub(crate) held_recordings: Arc<Mutex<Option<Arc<Semaphore>>>>,
    /// If there is one, each step gives way to others a random number of times before and after.
    pub(crate) pace: Arc<Mutex<Option<fastrand::Rng>>>,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            store: MemoryApiTokenStore::new(),
            reads: Arc::default(),
            recorded: Arc::default(),
            unreadable: Arc::default(),
            is_down: Arc::default(),
            held: Arc::default(),
            digests: Arc::default(),
            held_changes: Arc::default(),
            held_recordings: Arc::default(),
            pace: Arc::default(),
        }
    }
}

impl Watched {
    pub(crate) fn down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    async fn give_way(&self) {
        let times = self.pace.lock().unwrap().as_mut().map_or(0, |random| random.u8(0..4));
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }

    fn asked(&self) -> Result<&MemoryApiTokenStore, StoreError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::new("as the test wants it"));
        }
        Ok(&self.store)
    }

    /// Changes a row as an attacker does who can write to the store.
    pub(crate) async fn tamper(&self, id: ApiTokenId, change: impl FnOnce(&mut ApiTokenRow)) {
        let mut row = self.store.find_by_id(id).await.unwrap().unwrap();
        change(&mut row);
        row.version += 1;
        assert_eq!(self.store.replace(&row, None).await.unwrap(), Changed::Stored);
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("store", &self.store).finish_non_exhaustive()
    }
}

impl ApiTokenStore for Watched {
    async fn insert(&self, row: &ApiTokenRow) -> Result<Inserted, StoreError> {
        self.give_way().await;
        self.asked()?.insert(row).await
    }

    async fn find(&self, digest: &ApiTokenDigest) -> Result<Option<FoundApiToken>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.digests.lock().unwrap().push(*digest);
        self.give_way().await;
        let found = self.asked()?.find(digest).await;
        self.give_way().await;
        let held = self.held.lock().unwrap().clone();
        if let Some(held) = held {
            held.acquire().await.unwrap().forget();
        }
        found
    }

    async fn find_by_id(&self, id: ApiTokenId) -> Result<Option<ApiTokenRow>, StoreError> {
        self.asked()?.find_by_id(id).await
    }

    async fn replace(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> Result<Changed, StoreError> {
        let held = self.held_changes.lock().unwrap().clone();
        if let Some(held) = held {
            held.acquire().await.unwrap().forget();
        }
        self.give_way().await;
        let changed = self.asked()?.replace(row, successor).await;
        self.give_way().await;
        changed
    }

    async fn list(&self, owner: &Owner, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        self.asked()?.list(owner, after, limit).await
    }

    async fn count_live(&self, owner: &Owner, now: Millis) -> Result<usize, StoreError> {
        self.give_way().await;
        let live = self.asked()?.count_live(owner, now).await;
        self.give_way().await;
        live
    }

    async fn derived_from(
        &self,
        ancestor: ApiTokenId,
        after: Option<ApiTokenId>,
        limit: usize,
    ) -> Result<ApiTokenPage, StoreError> {
        self.asked()?.derived_from(ancestor, after, limit).await
    }

    async fn all(&self, after: Option<ApiTokenId>, limit: usize) -> Result<ApiTokenPage, StoreError> {
        self.asked()?.all(after, limit).await
    }

    async fn ending(
        &self,
        after: (Millis, Option<ApiTokenId>),
        before: Millis,
        limit: usize,
    ) -> Result<ApiTokenPage<(Millis, Option<ApiTokenId>)>, StoreError> {
        let page = self.asked()?.ending(after, before, limit).await?;
        let unreadable = self.unreadable.lock().unwrap().iter().copied().collect();
        Ok(page.with_unreadable(unreadable))
    }

    async fn record_uses(&self, uses: &[ApiTokenUse]) -> Result<(), StoreError> {
        let held = self.held_recordings.lock().unwrap().clone();
        if let Some(held) = held {
            held.acquire().await.unwrap().forget();
        }
        let store = self.asked()?;
        self.recorded.lock().unwrap().push(uses.len());
        store.record_uses(uses).await
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.asked()?.forget_before(before).await
    }
}

/// A log of revocations that all instances see at once, unless it is down.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    writer: Arc<ViewWriter>,
    is_down: Arc<AtomicBool>,
    pub(crate) entries: Arc<AtomicUsize>,
}

impl Log {
    fn new(clock: &FixedClock) -> Self {
        let writer = ViewWriter::builder(secs(3600)).max_staleness(secs(86_400 * 400)).clock(clock.clone()).build();
        writer.confirm(writer.ask());
        Self { writer: Arc::new(writer), is_down: Arc::default(), entries: Arc::default() }
    }

    pub(crate) fn view(&self) -> RevocationView {
        self.writer.view().clone()
    }

    pub(crate) fn down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl Revoker for Log {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(LogError::unavailable("as the test wants it"));
        }
        self.entries.fetch_add(revocations.len(), Ordering::SeqCst);
        let entries: Vec<_> = revocations.iter().map(|revocation| self.writer.entry(revocation)).collect();
        self.writer.merge(&entries);
        Ok(())
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Err(LogError::unavailable("nothing is listed"))
    }
}
