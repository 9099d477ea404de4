//! Tests that the cache of verified tokens never changes a verdict, whatever happens between requests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    Admission, Algorithm, Authenticator, Clock, Code, Issuers, JwtAuthenticator, KeyRing, Secret, TrustedIssuer,
    UnixTime, Verified,
    authenticator::{Attempt, Credential, Proven},
    keys::{KeyHint, KeyMatch, KeySource, Resolved},
    policy::{Leeway, Profile},
    revocation::{Level, Revocation, RevocationEntry, RevocationView, ViewWriter},
    verified::{Conventions, Facts},
};
use portcullis_test::{Defect, FixedClock, MockIssuer, MockKeys};
use proptest::{prelude::*, test_runner::RngSeed};
use serde::{Deserialize, de::DeserializeOwned};

/// An event in the life of a service and of the tokens that are presented to it.
#[derive(Clone, Debug)]
enum Event {
    /// A caller gets a token. The fields are the issuer, the caller, the lifetime, the delay until it is valid, and the defect.
    Issue {
        of: usize,
        who: usize,
        lives: u64,
        begins: u64,
        defect: Option<usize>,
    },
    /// Earlier tokens are presented, by number.
    Present(Vec<usize>),
    Forward(u64),
    Back(u64),
    Rotate(usize),
    RetireOld(usize),
    ReplaceKey(usize),
    /// The steps of the key ring: add a standby key, activate it while the old one retires, revoke a key, remove old keys.
    AddStandby,
    Activate {
        retire_after: u64,
    },
    Revoke(usize),
    Prune,
    /// A revocation of that issuer is merged into one of the views, on any level.
    Deny {
        view: usize,
        level: Level,
        of: usize,
        who: usize,
    },
    /// The view is confirmed, because the log had nothing newer.
    Confirm(usize),
    /// An admission that has cached tokens is changed: another policy, claims type, or view.
    ChangePolicy {
        pair: usize,
        policy: usize,
    },
    ChangeClaims(usize),
    ChangeView {
        pair: usize,
        view: usize,
    },
    /// An issuer is added, replaced by one with another policy, or removed.
    Insert {
        pair: usize,
        of: usize,
        policy: usize,
    },
    Remove {
        pair: usize,
        of: usize,
    },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![3 => tokens(), 1 => keys(), 1 => configuration()]
}

fn tokens() -> impl Strategy<Value = Event> {
    let defect = prop_oneof![3 => Just(None), 1 => (0..Defect::ALL.len()).prop_map(Some)];
    prop_oneof![
        6 => (0..3_usize, 0..12_usize, 0..900_u64, 0..60_u64, defect)
            .prop_map(|(of, who, lives, begins, defect)| Event::Issue { of, who, lives, begins, defect }),
        12 => prop::collection::vec(0..64_usize, 1..6).prop_map(Event::Present),
        3 => (0..400_u64).prop_map(Event::Forward),
        2 => (0..400_u64).prop_map(Event::Back),
    ]
}

fn keys() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..2_usize).prop_map(Event::Rotate),
        (0..2_usize).prop_map(Event::RetireOld),
        (0..2_usize).prop_map(Event::ReplaceKey),
        Just(Event::AddStandby),
        (0..600_u64).prop_map(|retire_after| Event::Activate { retire_after }),
        (0..4_usize).prop_map(Event::Revoke),
        Just(Event::Prune),
    ]
}

fn configuration() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..2_usize, prop::sample::select(Level::ALL.as_slice()), 0..3_usize, 0..12_usize)
            .prop_map(|(view, level, of, who)| Event::Deny { view, level, of, who }),
        3 => (0..2_usize).prop_map(Event::Confirm),
        1 => (0..4_usize, 0..4_usize).prop_map(|(pair, policy)| Event::ChangePolicy { pair, policy }),
        1 => (0..4_usize).prop_map(Event::ChangeClaims),
        1 => (0..4_usize, 0..2_usize).prop_map(|(pair, view)| Event::ChangeView { pair, view }),
        2 => (0..4_usize, 0..3_usize, 0..4_usize).prop_map(|(pair, of, policy)| Event::Insert { pair, of, policy }),
        1 => (0..4_usize, 0..3_usize).prop_map(|(pair, of)| Event::Remove { pair, of }),
    ]
}

#[derive(Debug, Deserialize)]
struct Custom {
    #[expect(dead_code, reason = "that it is there decides")]
    exp: u64,
}

#[derive(Debug, Deserialize)]
struct OfTenant {
    #[expect(dead_code, reason = "that it is there decides")]
    tenant: String,
}

/// An admission with either type of claims, and the authenticator that it was made of.
#[derive(Clone)]
enum Service {
    Custom(Admission<Custom>, JwtAuthenticator),
    OfTenant(Admission<OfTenant>, JwtAuthenticator),
}

impl Service {
    fn with_other_claims(self) -> Self {
        match self {
            Self::Custom(service, jwt) => Self::OfTenant(service.around(jwt.clone().claims()), jwt),
            Self::OfTenant(service, jwt) => Self::Custom(service.around(jwt.clone().claims()), jwt),
        }
    }

    fn with_view(self, view: &RevocationView) -> Self {
        match self {
            Self::Custom(service, jwt) => Self::Custom(service.revocations(view), jwt),
            Self::OfTenant(service, jwt) => Self::OfTenant(service.revocations(view), jwt),
        }
    }

    fn without_cache(self) -> Self {
        match self {
            Self::Custom(service, jwt) => Self::Custom(service.without_cache(), jwt),
            Self::OfTenant(service, jwt) => Self::OfTenant(service.without_cache(), jwt),
        }
    }

    fn verdict(&self, token: &str) -> Result<(String, Option<UnixTime>), Code> {
        match self {
            Self::Custom(service, _) => verdict(service, token),
            Self::OfTenant(service, _) => verdict(service, token),
        }
    }
}

type Policy = fn(TrustedIssuer) -> TrustedIssuer;

const POLICIES: [Policy; 4] = [
    |issuer| issuer,
    |issuer| issuer.leeway(Leeway::NONE).max_age(Duration::from_millis(300_500)),
    |issuer| issuer.leeway(Leeway::MAX).max_lifetime(Duration::from_secs(600)),
    |issuer| issuer.profile(Profile::AccessToken).max_age(Duration::from_secs(100)).require_claim("/sub"),
];

const NAMES: [&str; 3] = ["https://one.test", "https://two.test", "https://ring.test"];

/// Two mock issuers and one with a ring of secrets, which services trust by several policies, with and without revocation.
struct World {
    clock: FixedClock,
    issuers: [MockIssuer; 2],
    ring: KeyRing,
    ring_issuers: Vec<MockIssuer>,
    views: [ViewWriter; 2],
    tokens: Vec<String>,
    /// In each pair, one service has a cache and the other has none.
    pairs: Vec<(Service, Service)>,
    /// The issuers that each pair trusts. Every second pair has a fixed list, which is `None` here.
    lists: Vec<Option<Issuers>>,
}

impl World {
    fn new() -> Self {
        let clock = FixedClock::default();
        let issuers = [0, 1].map(|of| MockIssuer::new().named(NAMES[of]).clock(clock.clone()));
        let ring = KeyRing::new(secret(0)).unwrap();
        let ring_issuers = vec![secret_issuer(0, &clock)];
        let views = [(); 2].map(|()| {
            // Chosen so that moving the clock forward makes the view stale sometimes, but not always.
            let hour = Duration::from_secs(3600);
            let writer = ViewWriter::builder(hour).max_staleness(hour / 4).clock(clock.clone()).build();
            writer.confirm(writer.ask());
            writer
        });
        let mut world = Self {
            clock,
            issuers,
            ring,
            ring_issuers,
            views,
            tokens: Vec::new(),
            pairs: Vec::new(),
            lists: Vec::new(),
        };
        for (at, policy) in POLICIES.iter().enumerate() {
            let list = (at % 2 == 1).then(|| Issuers::new(world.trusted(*policy)).unwrap());
            world.pairs.push(world.pair(*policy, list.as_ref()));
            world.lists.push(list);
        }
        for pair in 2..4 {
            world.happen(&Event::ChangeView { pair, view: 0 });
        }
        world
    }

    fn trusted(&self, policy: Policy) -> Vec<TrustedIssuer> {
        let ring = TrustedIssuer::new(NAMES[2], self.ring.clone()).audience(MockIssuer::DEFAULT_AUDIENCE);
        self.issuers.iter().map(MockIssuer::trusted).chain([ring]).map(policy).collect()
    }

    fn pair(&self, policy: Policy, list: Option<&Issuers>) -> (Service, Service) {
        let jwt = match list {
            Some(list) => JwtAuthenticator::issuers(list.clone()),
            None => JwtAuthenticator::trusting(self.trusted(policy)).unwrap(),
        };
        let cached = Service::Custom(Admission::new(jwt.clone().claims()).clock(self.clock.clone()), jwt);
        (cached.clone(), cached.without_cache())
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Issue { of, who, lives, begins, defect } => self.issue(*of, *who, (*lives, *begins), *defect),
            Event::Present(numbers) => numbers.iter().for_each(|number| self.present(*number)),
            Event::Forward(secs) => self.clock.advance(Duration::from_secs(*secs)),
            Event::Back(secs) => self.clock.set(self.clock.now().minus(Duration::from_secs(*secs))),
            Event::Rotate(of) => drop(self.issuers[*of].rotate()),
            Event::RetireOld(of) => self.issuers[*of].retire_old(),
            Event::ReplaceKey(of) => self.issuers[*of].replace_key(),
            Event::AddStandby | Event::Activate { .. } | Event::Revoke(_) | Event::Prune => self.turn_ring(event),
            Event::Deny { view, level, of, who } => {
                let entry = RevocationEntry::new(self.revocation(*level, *of, *who), UnixTime::MAX);
                self.views[*view].merge([&entry]);
            }
            Event::Confirm(view) => self.views[*view].confirm(self.views[*view].ask()),
            Event::ChangePolicy { pair, policy } => match &self.lists[*pair] {
                Some(list) => {
                    self.trusted(POLICIES[*policy]).into_iter().for_each(|issuer| list.insert(issuer).unwrap());
                }
                None => self.pairs[*pair] = self.pair(POLICIES[*policy], None),
            },
            Event::Insert { pair, of, policy } => {
                if let Some(list) = &self.lists[*pair] {
                    list.insert(self.trusted(POLICIES[*policy]).swap_remove(*of)).unwrap();
                }
            }
            Event::Remove { pair, of } => drop(self.lists[*pair].as_ref().map(|list| list.remove(NAMES[*of]))),
            Event::ChangeClaims(pair) => self.change(*pair, Service::with_other_claims),
            Event::ChangeView { pair, view } => {
                let view = self.views[*view].view().clone();
                self.change(*pair, |service| service.with_view(&view));
            }
        }
    }

    /// Changes the service with a cache, and makes the one without a cache from it.
    fn change(&mut self, pair: usize, change: impl Fn(Service) -> Service) {
        let changed = change(self.pairs[pair].0.clone());
        self.pairs[pair] = (changed.clone(), changed.without_cache());
    }

    fn issue(&mut self, of: usize, who: usize, (lives, begins): (u64, u64), defect: Option<usize>) {
        let issuer = self.issuers.get(of).or(self.ring_issuers.last()).unwrap();
        let begins = self.clock.now().plus(Duration::from_secs(begins)).as_secs();
        let token = issuer.token().subject(subject(who)).token_id(&format!("t{who}"));
        let token = token.claim("sid", session(who)).claim("client_id", client(who)).claim("ver", who as u64);
        let token = token.claim("nbf", begins).expires_in(Duration::from_secs(lives));
        let token = if who.is_multiple_of(3) { token } else { token.claim("tenant", "acme") };
        let token = defect.map_or(token.clone(), |defect| token.defect(Defect::ALL[defect]));
        self.tokens.push(token.sign());
    }

    fn turn_ring(&mut self, event: &Event) {
        let now = self.clock.now();
        match event {
            Event::AddStandby => {
                let number = self.ring_issuers.len();
                self.ring.add_standby(secret(number)).unwrap();
                self.ring_issuers.push(secret_issuer(number, &self.clock));
            }
            Event::Activate { retire_after } => {
                let newest = id(self.ring_issuers.len() - 1);
                drop(self.ring.activate(&newest, now.plus(Duration::from_secs(*retire_after))));
            }
            Event::Revoke(number) => drop(self.ring.revoke(&id(*number))),
            _ => drop(self.ring.prune(now)),
        }
    }

    fn revocation(&self, level: Level, of: usize, who: usize) -> Revocation {
        let (issuer, now) = (NAMES[of], self.clock.now());
        match level {
            Level::Token => Revocation::token(issuer, &format!("t{who}"), UnixTime::MAX),
            Level::Session => Revocation::session(issuer, session(who)),
            Level::Subject => Revocation::subject(issuer, subject(who), now),
            Level::Version => Revocation::version(issuer, subject(who), who as u64),
            Level::Client => Revocation::client(issuer, client(who), now),
            // The mock issuers' key ids are derived from their keys, so only keys of the ring are revoked here.
            Level::Key => Revocation::key(issuer, &id(who % 4)),
            // In the past, so that later tokens of this issuer are still accepted.
            _ => Revocation::issuer(issuer, now.minus(Duration::from_secs(300))),
        }
    }

    fn present(&self, number: usize) {
        let Some(token) = self.tokens.get(number % self.tokens.len().max(1)) else { return };
        for (at, (cached, full)) in self.pairs.iter().enumerate() {
            let expected = full.verdict(token);
            assert_eq!(cached.verdict(token), expected, "policy {at}");
            assert_eq!(cached.verdict(token), expected, "policy {at}, once more");
        }
    }
}

fn subject(who: usize) -> &'static str {
    ["alice", "bob", "carol"][who % 3]
}

fn session(who: usize) -> &'static str {
    ["s-1", "s-2", "s-3", "s-4"][who % 4]
}

fn client(who: usize) -> &'static str {
    ["app", "web"][who % 2]
}

fn id(number: usize) -> String {
    format!("ring-{number}")
}

fn secret_bytes(number: usize) -> [u8; 32] {
    [u8::try_from(number % 251).unwrap(); 32]
}

fn secret(number: usize) -> Secret {
    Secret::new(id(number), Algorithm::Hs256, secret_bytes(number)).unwrap()
}

fn secret_issuer(number: usize, clock: &FixedClock) -> MockIssuer {
    let issuer = MockIssuer::with_secret(id(number), Algorithm::Hs256, secret_bytes(number));
    issuer.named("https://ring.test").clock(clock.clone())
}

fn verdict<C: DeserializeOwned + Send + Sync + 'static>(
    admission: &Admission<C>,
    token: &str,
) -> Result<(String, Option<UnixTime>), Code> {
    match admission.verify(token) {
        Attempt::Done(Ok(verified)) => Ok((verified.claims_json().to_owned(), verified.expires_at())),
        Attempt::Done(Err(error)) => Err(error.code()),
        _ => unreachable!("the keys are at hand"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(seed::seed()), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_changes_no_verdict(events in prop::collection::vec(event(), 1..80)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        for number in 0..world.tokens.len() {
            world.present(number);
        }
    }
}

/// A single example of the property above, which also shows that there are hits.
#[test]
fn a_token_seen_before_is_not_verified_again_until_something_changes() {
    let issuer = MockIssuer::new().clock(FixedClock::default());
    let service = issuer.admission();
    let token = issuer.token().subject("alice").sign();
    let first = accepted(&service, &token);
    assert!(is_hit(&accepted(&service, &token), &first));
    issuer.rotate();
    let second = accepted(&service, &token);
    assert!(!is_hit(&second, &first), "other keys: verified again");
    assert!(is_hit(&accepted(&service, &token), &second));

    let full = service.without_cache();
    let first = accepted(&full, &token);
    assert!(!is_hit(&accepted(&full, &token), &first));
}

#[test]
fn clones_share_the_cache_and_admissions_with_other_claims_do_not() {
    let issuer = MockIssuer::new();
    let service = issuer.admission();
    let token = issuer.token().subject("alice").sign();
    let first = accepted(&service, &token);
    assert!(is_hit(&accepted(&service.clone(), &token), &first));
    let other = service.around(JwtAuthenticator::new(issuer.trusted()).unwrap().claims::<Custom>());
    assert!(!is_hit(&accepted(&other, &token), &first));
}

fn accepted<C: DeserializeOwned + Send + Sync + 'static>(service: &Admission<C>, token: &str) -> Verified<C> {
    match service.verify(token) {
        Attempt::Done(Ok(verified)) => verified,
        _ => panic!("refused"),
    }
}

/// Whether both have the same claims in memory. Both exist at the same time, so equal addresses mean the same claims.
fn is_hit<C, D>(one: &Verified<C>, other: &Verified<D>) -> bool {
    std::ptr::eq(one.claims_json(), other.claims_json())
}

/// A key source whose keys change at the n-th call, before it answers.
#[derive(Debug)]
struct Changing {
    keys: MockKeys,
    issuer: MockIssuer,
    asked: AtomicUsize,
    change_at: [usize; 2],
}

impl Changing {
    fn asked(&self) {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        if number == self.change_at[0] {
            self.issuer.rotate();
        }
        if number == self.change_at[1] {
            self.issuer.retire_old();
        }
    }
}

impl KeySource for Changing {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.asked();
        self.keys.resolve(hint, now)
    }

    fn edition(&self, now: UnixTime) -> Option<u64> {
        self.asked();
        self.keys.edition(now)
    }
}

/// Models two threads. The cache only makes these two calls to its keys, so a change between any two calls, and another one
/// after it, covers every interleaving with a thread that changes the keys.
#[test]
fn no_cached_token_outlives_a_change_of_its_keys() {
    for first in 0..12 {
        for second in 0..12 {
            let issuer = MockIssuer::new();
            let token = issuer.token().sign();
            let change_at = [first, second];
            let source =
                Changing { keys: issuer.keys(), issuer: issuer.clone(), asked: AtomicUsize::new(0), change_at };
            let service = Admission::new(JwtAuthenticator::new(issuer.trusted_with(source)).unwrap());
            for _ in 0..6 {
                let was_valid = matches!(issuer.admission().without_cache().verify(&token), Attempt::Done(Ok(_)));
                let accepted = matches!(service.verify(&token), Attempt::Done(Ok(_)));
                assert!(was_valid || !accepted, "accepted after its key was gone, {change_at:?}");
            }
        }
    }
}

/// An authenticator that looks keys up in a table, and counts how often it is called.
#[derive(Debug, Default)]
struct Table(AtomicUsize);

impl Authenticator for Table {
    type Custom = portcullis_core::verified::NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let facts = Facts::assertion(r#"{"sub":"alice","exp":1800003600}"#, Conventions::new("https://table.test"));
        let now = credential.now();
        let proven = facts.map(|facts| {
            Proven::new(facts, portcullis_core::verified::NoCustom).cache_until(now.plus(Duration::from_secs(60)))
        });
        Attempt::Done(proven)
    }
}

#[test]
fn a_custom_authenticator_is_asked_again_once_its_time_is_up_and_never_after_exp() {
    let clock = FixedClock::at(UnixTime::from_secs(1_800_000_000));
    let table = Arc::new(Table::default());
    let admission = Admission::new(Arc::clone(&table)).clock(clock.clone());
    let asked = || {
        assert!(admission.verify("key").ready().unwrap().is_ok());
        table.0.load(Ordering::SeqCst)
    };
    assert_eq!([asked(), asked()], [1, 1]);
    clock.advance(Duration::from_secs(59));
    assert_eq!(asked(), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!([asked(), asked()], [2, 2]);
    clock.advance(Duration::from_secs(3600 - 60 - 10));
    assert_eq!([asked(), asked()], [3, 3]);
    clock.advance(Duration::from_secs(10)); // less than a minute, but the credential has expired
    assert_eq!([asked(), asked()], [4, 5], "what has expired is not remembered");
}

/// A key source that has newer keys as soon as it is asked to reconsider.
#[derive(Debug)]
struct Newer {
    before: MockKeys,
    after: MockKeys,
}

impl KeySource for Newer {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.before.resolve(hint, now)
    }

    fn reconsider(&self, hint: KeyHint<'_>, _: &KeyMatch) -> Resolved {
        self.after.resolve(hint, UnixTime::EPOCH)
    }

    fn edition(&self, _: UnixTime) -> Option<u64> {
        Some(7)
    }
}

#[test]
fn newer_keys_that_need_no_fetch_are_tried_at_once() {
    let (before, after, other) = (MockIssuer::new(), MockIssuer::new(), MockIssuer::new());
    let keys = Newer { before: before.keys(), after: after.keys() };
    let service: Admission = Admission::new(JwtAuthenticator::new(before.trusted_with(keys)).unwrap());
    let accepted =
        |issuer: &MockIssuer| service.verify(&issuer.token().sign()).ready().expect("no request waits").is_ok();
    assert!(accepted(&before) && accepted(&after) && !accepted(&other));
    let token = after.token().sign();
    let [first, second] = [(); 2].map(|()| service.verify(&token).ready().unwrap().unwrap());
    assert!(!std::ptr::eq(first.claims_json(), second.claims_json()), "of which edition those keys are is not known");
}

/// The number of ended keys is the same before and after, so the ring's edition has to count the changes.
#[test]
fn a_token_does_not_outlive_a_key_that_was_revoked_and_forgotten() {
    let secret = |id: &str, byte: u8| Secret::new(id, Algorithm::Hs256, [byte; 32]).unwrap();
    let issuer = MockIssuer::with_secret("old", Algorithm::Hs256, [1; 32]);
    let ring = KeyRing::new(secret("old", 1)).unwrap();
    let service: Admission = Admission::new(JwtAuthenticator::new(issuer.trusted_with(ring.clone())).unwrap());
    let token = issuer.token().sign();
    let code = || service.verify(&token).ready().expect("no request waits").err().map(|error| error.code());
    ring.add_standby(secret("new", 2)).unwrap();
    ring.activate("new", UnixTime::MAX).unwrap();
    assert_eq!((code(), code()), (None, None), "and remembered");
    ring.revoke("old").unwrap();
    ring.remove("old", UnixTime::MAX).unwrap();
    assert_eq!(code(), Some(Code::KeyUnknown));
}
