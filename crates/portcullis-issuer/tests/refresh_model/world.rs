//! [`World`]: an issuer with one session, and what its client has.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis_core::{
    Admission, Algorithm, Clock, JwtAuthenticator, KeySet,
    policy::TokenSpec,
    revocation::{Cursor, LogError, Page, Revocation, Revoker, ViewWriter},
};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    refresh::{
        EndReason, Family, FamilyId, LogIn, MemoryRefreshStore, RefreshError, RefreshKeys, RefreshPolicy, Sessions,
        Tokens,
    },
};
use portcullis_test::FixedClock;

use super::{
    gate::{Application, Fault, Gate, Gated},
    reference::{Expected, Reference, Rules},
};

const SERVICE: &str = "https://orders.test";

/// Longer than any history, so that the log forgets nothing.
const HORIZON: Duration = Duration::from_secs(400 * 86_400);

/// A refresh token, and its generation.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    text: String,
    generation: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Tokens,
    Refused,
    Unavailable,
    HungUp,
}

/// A call that ends with tokens, or without.
type Call<'a> = Pin<Box<dyn Future<Output = Option<Tokens>> + 'a>>;

pub(crate) struct World {
    issuer: TokenIssuer,
    clock: FixedClock,
    store: MemoryRefreshStore,
    gate: Arc<Gate>,
    log: Log,
    sessions: Sessions<Gated<MemoryRefreshStore>, Gated<Log>, Application>,
    admission: Admission,
    policy: RefreshPolicy,
    id: FamilyId,
    reference: Reference,
    /// The session as it was in the store, after each event.
    backups: Vec<Family>,
    /// What the client has, and all that was handed out.
    current: Held,
    handed_out: Vec<Held>,
    texts: HashMap<u64, String>,
    access: Vec<String>,
}

impl World {
    pub(crate) fn new(policy: RefreshPolicy) -> Self {
        let clock = FixedClock::default();
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let spec = TokenSpec::new("https://id.test").audience(SERVICE);
        let issuer = TokenIssuer::new(spec.clone(), key.clone()).unwrap().clock(clock.clone());
        let log = Log::new(&clock);
        let trusted = spec.trusted_at(SERVICE, KeySet::from(key.verifying_key())).unwrap();
        let admission = Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(clock.clone());
        let admission = admission.revocations(log.writer.view());
        let (store, gate) = (MemoryRefreshStore::with_clock(clock.clone()), Gate::new());
        let gated = Gated { inner: store.clone(), gate: Arc::clone(&gate) };
        let revoker = Gated { inner: log.clone(), gate: Arc::clone(&gate) };
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let sessions = Sessions::new(issuer.clone(), gated, keys, revoker, Application(Arc::clone(&gate)));
        let sessions = sessions.revocations(log.writer.view()).unwrap();
        let log_in = sessions.log_in(LogIn::new("alice", "web").version(1), &policy);
        let tokens = gate.drive(Fault::None, log_in).unwrap().unwrap();
        let current = Held { text: tokens.refresh_token().to_owned(), generation: 0 };
        let family = tokens.session().clone();
        let access = vec![tokens.access().token().to_owned()];
        Self {
            issuer,
            id: family.id,
            reference: Reference::of(&family),
            backups: vec![family],
            handed_out: vec![current.clone()],
            texts: HashMap::from([(0, current.text.clone())]),
            clock,
            store,
            gate,
            log,
            sessions,
            admission,
            policy,
            current,
            access,
        }
    }

    pub(crate) fn current(&self) -> Held {
        self.current.clone()
    }

    pub(crate) fn any(&self, chance: &mut fastrand::Rng) -> Held {
        chance.choice(&self.handed_out).unwrap().clone()
    }

    pub(crate) fn pass(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    pub(crate) fn set_back(&self, secs: u64) {
        self.clock.set(self.clock.now().minus(Duration::from_secs(secs)));
    }

    /// Restores the store as it was some events ago.
    pub(crate) fn roll_back(&mut self, events: usize) {
        let at = self.backups.len().saturating_sub(1 + events);
        let family = self.backups[at].clone();
        self.reference = Reference::of(&family);
        self.store.restore([family]);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.precise_now().as_millis()).unwrap()
    }

    fn stored(&self) -> Family {
        self.store.dump().pop().unwrap()
    }

    /// Presents a token. What the client gets, and what is stored then, is what the reference says; after a fault, the store is as before or as
    /// it should be, and a retry gets what the fault withheld.
    pub(crate) fn refresh(&mut self, held: &Held, fault: Fault, is_lost: bool) -> Answer {
        self.log.confirm();
        let (before, is_revoked) = (self.reference.clone(), self.log.has(self.id));
        let rules = Rules::of(&self.policy);
        let (expected, after) = before.refresh(held.generation, self.now(), rules, is_revoked);
        let outcome = self.gate.drive(fault, self.sessions.refresh(&held.text, "web", &self.policy));
        let stored = Reference::of(&self.stored());
        let answer = match outcome {
            Some(Ok(tokens)) => {
                assert_eq!(expected, Expected::Tokens(tokens.session().generation), "{before:?} {held:?} {rules:?}");
                assert_eq!(stored, after, "{fault:?}");
                self.take(&tokens, is_lost);
                Answer::Tokens
            }
            Some(Err(RefreshError::InvalidGrant(reason))) => {
                assert_eq!(expected, Expected::Refused, "{reason:?}: {before:?} {held:?} {rules:?}");
                assert_eq!(stored, after, "{fault:?} {reason:?}");
                assert!(!after.has_ended || before.has_ended || self.log.has(self.id), "ended, and not in the log");
                Answer::Refused
            }
            Some(Err(RefreshError::Unavailable(_))) => Answer::Unavailable,
            Some(Err(other)) => panic!("{other}"),
            None => Answer::HungUp,
        };
        if matches!(answer, Answer::Unavailable | Answer::HungUp) {
            assert_ne!(fault, Fault::None, "nothing failed, and it could not be decided");
            assert!(stored == before || stored == after, "{fault:?}: {before:?} became {stored:?}, not {after:?}");
        }
        self.remember(stored);
        if matches!(answer, Answer::Unavailable | Answer::HungUp) && rules.grace > 0 {
            // Whatever was withheld, the client gets it when it asks again.
            let retry = self.refresh(held, Fault::None, is_lost);
            assert_eq!(retry == Answer::Tokens, matches!(expected, Expected::Tokens(_)), "{fault:?} {expected:?}");
        }
        answer
    }

    fn take(&mut self, tokens: &Tokens, is_lost: bool) {
        let held = Held { text: tokens.refresh_token().to_owned(), generation: tokens.session().generation };
        let first = self.texts.entry(held.generation).or_insert_with(|| held.text.clone());
        assert_eq!(*first, held.text, "two live refresh tokens of one generation");
        self.access.push(tokens.access().token().to_owned());
        self.handed_out.push(held.clone());
        if !is_lost {
            self.current = held;
        }
    }

    fn remember(&mut self, stored: Reference) {
        self.reference = stored;
        self.backups.push(self.stored());
    }

    /// Ends the session. Returns whether that was acknowledged.
    pub(crate) fn end(&mut self, fault: Fault) -> bool {
        let outcome = self.gate.drive(fault, self.sessions.end(self.id, EndReason::LoggedOut));
        self.acknowledged(matches!(outcome, Some(Ok(()))))
    }

    pub(crate) fn log_out_everywhere(&mut self, fault: Fault) -> bool {
        let outcome = self.gate.drive(fault, self.sessions.raise_version("alice", 2));
        self.acknowledged(matches!(outcome, Some(Ok(()))))
    }

    /// Refreshes many times and logs out everywhere, all at once. Returns how many refreshes succeeded. The user can log in again.
    pub(crate) fn log_out_everywhere_while_refreshing(&mut self, count: usize, chance: &mut fastrand::Rng) -> usize {
        self.log.confirm();
        let instances: Vec<_> = (0..3).map(|_| self.instance()).collect();
        let (text, policy) = (&self.current.text, &self.policy);
        let mut calls: Vec<Call<'_>> = Vec::new();
        for instance in instances.iter().cycle().take(count) {
            calls.push(Box::pin(async { instance.refresh(text, "web", policy).await.ok() }));
        }
        let log_out = self.sessions.raise_version("alice", 2);
        calls.push(Box::pin(async { log_out.await.map(|()| None).unwrap() }));
        let granted = self.gate.in_any_order(calls, chance);
        self.access.extend(granted.iter().flatten().map(|tokens| tokens.access().token().to_owned()));
        let again = self.sessions.log_in(LogIn::new("alice", "web").version(2), policy);
        let again = self.gate.drive(Fault::None, again).unwrap().unwrap();
        self.log.confirm();
        assert!(self.admission.verify(again.access().token()).ready().unwrap().is_ok(), "the new log-in is refused");
        granted.iter().flatten().count()
    }

    /// Returns another instance of the issuer.
    fn instance(&self) -> Sessions<Gated<MemoryRefreshStore>, Gated<Log>, Application> {
        let gate = || Arc::clone(&self.gate);
        let (store, revoker) =
            (Gated { inner: self.store.clone(), gate: gate() }, Gated { inner: self.log.clone(), gate: gate() });
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        let sessions = Sessions::new(self.issuer.clone(), store, keys, revoker, Application(gate()));
        sessions.revocations(self.log.writer.view()).unwrap()
    }

    fn acknowledged(&mut self, is_acknowledged: bool) -> bool {
        self.remember(Reference::of(&self.stored()));
        if is_acknowledged {
            let is_over = self.now() >= self.reference.idle_until.min(self.reference.absolute_until);
            assert!(self.reference.has_ended || is_over, "acknowledged, and the session goes on");
            assert!(self.log.has(self.id), "acknowledged, and not in the log");
        }
        is_acknowledged
    }

    pub(crate) fn is_in_log(&self) -> bool {
        self.log.has(self.id)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.stored().ended.is_some()
    }

    /// Once the log has it, no access token of the session is accepted.
    pub(crate) fn what_has_ended_is_dead(&self) {
        if !self.log.has(self.id) {
            return;
        }
        self.log.confirm();
        for token in &self.access {
            let verified = self.admission.verify(token).ready().unwrap();
            assert!(verified.is_err(), "an access token of a session that has ended is accepted");
        }
    }
}

/// A log of revocations that every service follows at once.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    writer: Arc<ViewWriter>,
    revoked: Arc<Mutex<Vec<String>>>,
}

impl Log {
    fn new(clock: &FixedClock) -> Self {
        let writer = ViewWriter::builder(HORIZON).clock(clock.clone()).build();
        Self { writer: Arc::new(writer), revoked: Arc::default() }
    }

    fn confirm(&self) {
        self.writer.confirm(self.writer.ask());
    }

    /// Whether it names the session, or the version of its log-in.
    fn has(&self, session: FamilyId) -> bool {
        let revoked = self.revoked.lock().unwrap();
        revoked.iter().any(|id| *id == session.session_id() || id == "alice")
    }
}

impl Revoker for Log {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        let entries: Vec<_> = revocations.iter().map(|revocation| self.writer.entry(revocation)).collect();
        self.writer.merge(&entries);
        self.revoked.lock().unwrap().extend(revocations.iter().map(|revocation| revocation.id().to_owned()));
        Ok(())
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Err(LogError::unavailable("nothing is listed"))
    }
}
