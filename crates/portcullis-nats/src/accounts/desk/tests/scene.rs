//! An operator, its accounts, a resolver that does what the test says, and a clock on virtual time.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{AuthError, Clock, UnixTime};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    accounts::{
        AccountCache, AccountResolver, AccountUpdates, ResolverError,
        desk::{Desk, KnownAccount, Lookup},
    },
    chain::{Chain, Operators, Policy},
    nkey::{AccountKey, KeyPair, Role},
};

/// When the tests begin.
pub(super) const START: u64 = 1_800_000_000;

/// A clock that lets time pass with the runtime's. Its wall clock can be set.
#[derive(Debug)]
pub(super) struct VirtualClock {
    start: Instant,
    offset: AtomicI64,
}

impl VirtualClock {
    pub(super) fn set_back(&self, seconds: i64) {
        self.offset.fetch_sub(seconds, Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> UnixTime {
        let seconds = START + self.start.elapsed().as_secs();
        UnixTime::from_secs(seconds.saturating_add_signed(self.offset.load(Ordering::SeqCst)))
    }

    fn uptime(&self) -> Duration {
        self.start.elapsed()
    }
}

/// How a resolver behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Answer,
    Fail,
    Hang,
    Panic,
}

/// A resolver that does what the test says. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Scripted(Arc<Script>);

#[derive(Debug, Default)]
struct Script {
    accounts: Mutex<HashMap<AccountKey, String>>,
    mode: Mutex<Mode>,
    delay: Mutex<Duration>,
    asked: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    updates: Mutex<Option<AccountUpdates>>,
}

impl Scripted {
    pub(super) fn has(&self, id: &AccountKey, token: impl Into<String>) {
        self.0.accounts.lock().unwrap().insert(*id, token.into());
    }

    pub(super) fn lacks(&self, id: &AccountKey) {
        self.0.accounts.lock().unwrap().remove(id);
    }

    pub(super) fn behave(&self, mode: Mode) {
        *self.0.mode.lock().unwrap() = mode;
    }

    pub(super) fn take(&self, delay: Duration) {
        *self.0.delay.lock().unwrap() = delay;
    }

    pub(super) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    pub(super) fn most_under_way(&self) -> usize {
        self.0.most_under_way.load(Ordering::SeqCst)
    }

    pub(super) fn updates(&self) -> AccountUpdates {
        self.0.updates.lock().unwrap().clone().expect("it is followed")
    }
}

/// Counts a question until it is dropped.
struct Asking<'a>(&'a AtomicUsize);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AccountResolver for Scripted {
    async fn fetch(&self, id: &AccountKey) -> Result<Option<String>, ResolverError> {
        let script = &*self.0;
        script.asked.fetch_add(1, Ordering::SeqCst);
        let under_way = script.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        let _asking = Asking(&script.under_way);
        script.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        // What it says is what it has when it is asked.
        let (account, mode) = (script.accounts.lock().unwrap().get(id).cloned(), *script.mode.lock().unwrap());
        let delay = *script.delay.lock().unwrap();
        sleep(delay).await;
        match mode {
            Mode::Answer => Ok(account),
            Mode::Fail => Err(ResolverError::new("on purpose")),
            Mode::Hang => std::future::pending().await,
            Mode::Panic => panic!("on purpose"),
        }
    }

    async fn follow(&self, updates: AccountUpdates) {
        *self.0.updates.lock().unwrap() = Some(updates);
        std::future::pending::<()>().await;
    }
}

/// An operator, an account, and a desk with a resolver.
pub(super) struct Scene<R = Scripted> {
    pub(super) operator: KeyPair,
    pub(super) id: AccountKey,
    pub(super) resolver: Scripted,
    pub(super) desk: Arc<Desk<R>>,
    pub(super) clock: Arc<VirtualClock>,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with(AccountCache::new())
    }

    #[expect(clippy::needless_pass_by_value, reason = "tests are easier to read")]
    pub(super) fn with(config: AccountCache) -> Self {
        let resolver = Scripted::default();
        Self::of(&operator(), account_id(), resolver.clone(), resolver, &config)
    }
}

impl<R: AccountResolver> Scene<R> {
    pub(super) fn of(operator: &KeyPair, id: AccountKey, resolver: Scripted, own: R, config: &AccountCache) -> Self {
        let key = operator.public_key().to_string().parse().unwrap();
        let chain = Arc::new(Chain::new(Operators::new().key(key), Policy::new()));
        let desk = Arc::new(Desk::new(chain, own, config));
        let clock = Arc::new(VirtualClock { start: Instant::now(), offset: AtomicI64::new(0) });
        Self { operator: operator.clone(), id, resolver, desk, clock }
    }

    /// A token of the scene's account.
    pub(super) fn token(&self, issued_at: u64) -> String {
        self.token_with(issued_at, |_| {})
    }

    pub(super) fn token_with(&self, issued_at: u64, edit: impl FnOnce(&mut Value)) -> String {
        token(&self.operator, &self.id, issued_at, edit)
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        let clock: Arc<VirtualClock> = Arc::clone(&self.clock);
        clock
    }

    pub(super) fn look_up(&self, staple: Option<&str>) -> Lookup {
        self.desk.look_up(&self.id, staple, self.now(), &self.clock())
    }

    /// The account, after waiting if necessary.
    pub(super) async fn find(&self) -> Result<Arc<KnownAccount>, AuthError> {
        outcome(self.look_up(None)).await
    }

    pub(super) async fn find_with(&self, staple: &str) -> Result<Arc<KnownAccount>, AuthError> {
        outcome(self.look_up(Some(staple))).await
    }

    /// The account, which is there without waiting.
    pub(super) fn held(&self) -> Arc<KnownAccount> {
        match self.look_up(None) {
            Lookup::Known(known) => known,
            Lookup::Waiting(_) => panic!("a request has to wait"),
            Lookup::Refused(error) => panic!("{error}"),
        }
    }

    pub(super) fn is_current(&self, known: &KnownAccount) -> bool {
        self.desk.is_current(known.edition, self.now())
    }
}

pub(super) async fn outcome(lookup: Lookup) -> Result<Arc<KnownAccount>, AuthError> {
    match lookup {
        Lookup::Known(known) => Ok(known),
        Lookup::Waiting(waiting) => waiting.await,
        Lookup::Refused(error) => Err(error),
    }
}

pub(super) fn operator() -> KeyPair {
    KeyPair::generate(Role::Operator).unwrap()
}

pub(super) fn account_id() -> AccountKey {
    AccountKey::try_from(*KeyPair::generate(Role::Account).unwrap().public_key()).unwrap()
}

pub(super) fn token(signer: &KeyPair, id: &AccountKey, issued_at: u64, edit: impl FnOnce(&mut Value)) -> String {
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1});
    let mut claims = json!({
        "iss": signer.public_key().as_str(), "sub": id.as_str(), "iat": issued_at, "name": "shop",
        "nats": {"type": "account", "version": 2, "limits": limits},
    });
    edit(&mut claims);
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let input = format!("{header}.{}", encode(claims.to_string().as_bytes()));
    let signature = encode(&signer.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

pub(super) async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}
