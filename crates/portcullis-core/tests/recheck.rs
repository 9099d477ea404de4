//! Tests that checking a cached token again after a change of the view, mostly by small tables, gives the same verdict as looking up
//! everything.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use portcullis_core::{
    Admission, Algorithm, Code, UnixTime, Verified,
    revocation::{Level, Revocation, RevocationEntry, Verdict, ViewWriter, WhenStale},
};
use portcullis_test::{FixedClock, MockIssuer, TokenBuilder};
use proptest::{prelude::*, test_runner::RngSeed};

const T: UnixTime = FixedClock::DEFAULT;
const HORIZON: Duration = Duration::from_secs(3600);
const LATE: UnixTime = UnixTime::from_secs(4_000_000_000);

/// The secret of all issuers: HMAC signs and verifies quickly.
const SECRET: &[u8; 33] = b"a secret of at least 32 bytes, ok";

/// The number of issuers, each with one key, and of tokens of each issuer. Each other claim has four possible values.
const ISSUERS: usize = 2;
const TOKENS: usize = 16;

#[derive(Clone, Debug)]
enum Event {
    /// A revocation of that issuer is merged, together with this number of entries that revoke no token.
    Revoke {
        level: Level,
        of: usize,
        who: usize,
        among: usize,
    },
    /// This number of tokens is presented, beginning with one of them.
    Present {
        from: usize,
        count: usize,
    },
    /// Time passes, and expired entries are forgotten.
    Forget {
        after: u64,
    },
    /// The view is no longer confirmed.
    Restart,
    Confirm,
}

fn event() -> impl Strategy<Value = Event> {
    let among = prop_oneof![4 => Just(0_usize), 3 => 1..40_usize, 1 => 1000..1100_usize];
    let revoke = (prop::sample::select(Level::ALL.to_vec()), 0..ISSUERS, 0..4_usize, among);
    prop_oneof![
        4 => revoke.prop_map(|(level, of, who, among)| Event::Revoke { level, of, who, among }),
        6 => (0..ISSUERS * TOKENS, 1..8_usize).prop_map(|(from, count)| Event::Present { from, count }),
        1 => (1..900_u64).prop_map(|after| Event::Forget { after }),
        1 => Just(Event::Restart),
        2 => Just(Event::Confirm),
    ]
}

/// Returns the `at`th token of an issuer. Each claim has one of four values, in another combination for each token.
fn token(issuer: &MockIssuer, at: usize) -> TokenBuilder {
    let token = issuer.token().token_id(&format!("{}", at % 4)).subject(&format!("{}", at / 4 % 4));
    let token = token.claim("sid", format!("{}", (at / 2) % 4)).claim("client_id", format!("{}", (at / 3) % 4));
    token.claim("ver", 3).expires_at(T.plus(HORIZON))
}

fn revocation(issuer: &MockIssuer, level: Level, who: usize) -> Revocation {
    let (name, id) = (issuer.name(), who.to_string());
    match level {
        Level::Token => Revocation::token(name, &id, LATE),
        Level::Session => Revocation::session(name, &id),
        Level::Subject => Revocation::subject(name, &id, T.plus(Duration::from_secs(60))),
        Level::Version => Revocation::version(name, &id, 2 + who as u64),
        Level::Client => Revocation::client(name, &id, T.plus(Duration::from_secs(60))),
        // Rare, because it revokes all tokens of the issuer.
        Level::Key if who == 0 => Revocation::key(name, &issuer.key_id()),
        Level::Key => Revocation::key(name, &id),
        _ if who == 1 => Revocation::issuer(name, T.plus(Duration::from_secs(60))),
        _ => Revocation::issuer(&id, T),
    }
}

fn noise(issuer: &str, at: usize) -> Revocation {
    match Level::ALL[at % 7] {
        Level::Token => Revocation::token(issuer, &format!("noise {at}"), LATE),
        Level::Session => Revocation::session(issuer, &format!("noise {at}")),
        Level::Subject => Revocation::subject(issuer, &format!("noise {at}"), T),
        Level::Version => Revocation::version(issuer, &format!("noise {at}"), 9),
        Level::Client => Revocation::client(issuer, &format!("noise {at}"), T),
        Level::Key => Revocation::key(issuer, &format!("noise {at}")),
        _ => Revocation::issuer(&format!("noise {at}"), T),
    }
}

struct World {
    clock: FixedClock,
    issuers: Vec<MockIssuer>,
    writer: ViewWriter,
    /// For each issuer, one admission that refuses while the view is stale, and one that does not.
    admissions: Vec<[Admission; 2]>,
    /// Each token with its verified form, for the full look-up.
    tokens: Vec<(usize, String, Verified)>,
    made: usize,
}

impl World {
    fn new() -> Self {
        let clock = FixedClock::default();
        let issuers: Vec<_> = (0..ISSUERS)
            .map(|n| {
                MockIssuer::with_secret("k", Algorithm::Hs256, SECRET)
                    .named(format!("https://{n}.test"))
                    .clock(clock.clone())
            })
            .collect();
        let writer = ViewWriter::builder(HORIZON).clock(clock.clone()).max_staleness(HORIZON).build();
        writer.confirm(writer.ask());
        let both = |issuer: &MockIssuer| {
            let closed = issuer.admission().clock(clock.clone()).revocations(&writer);
            [closed.clone(), closed.when_stale(WhenStale::DangerFailOpen)]
        };
        let admissions = issuers.iter().map(both).collect();
        let token = |n: usize| {
            let issuer = &issuers[n / TOKENS];
            let token = token(issuer, n % TOKENS).sign();
            let verified = issuer.admission().clock(clock.clone()).verify(&token).ready().unwrap().unwrap();
            (n / TOKENS, token, verified)
        };
        let tokens = (0..ISSUERS * TOKENS).map(token).collect();
        Self { clock, issuers, writer, admissions, tokens, made: 0 }
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Revoke { level, of, who, among } => {
                let entry = |revocation: &Revocation| self.writer.entry(revocation);
                let mut entries: Vec<RevocationEntry> =
                    (0..among).map(|at| entry(&noise(self.issuers[of].name(), self.made + at))).collect();
                self.made += among;
                entries.insert(among / 2, entry(&revocation(&self.issuers[of], level, who)));
                self.writer.merge(&entries);
            }
            Event::Present { from, count } => (from..from + count).for_each(|at| self.present(at)),
            Event::Forget { after } => {
                self.clock.advance(Duration::from_secs(after));
                (0..257).for_each(|_| self.writer.forget_some());
            }
            Event::Restart => self.writer.restart(),
            Event::Confirm => self.writer.confirm(self.writer.ask()),
        }
    }

    fn present(&self, at: usize) {
        let (of, token, verified) = &self.tokens[at % self.tokens.len()];
        for (admission, is_open) in self.admissions[*of].iter().zip([false, true]) {
            let expected = match self.writer.view().check(verified, self.writer.view().now()) {
                Verdict::Live => Ok(()),
                Verdict::Stale(_) if is_open => Ok(()),
                Verdict::Stale(_) => Err(Code::RevocationsStale),
                Verdict::Revoked(_) => Err(Code::TokenRevoked),
                other => unreachable!("{other:?}"),
            };
            let outcome = admission.verify(token).ready().unwrap().map(drop).map_err(|error| error.code());
            // An expired token is refused as expired, whatever the view says.
            if outcome != Err(Code::TokenExpired) {
                assert_eq!(outcome, expected, "token {at}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, rng_seed: RngSeed::Fixed(seed::seed()), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cached_token_is_admitted_exactly_if_a_full_look_up_finds_no_revocation(
        events in prop::collection::vec(event(), 1..80)
    ) {
        let mut world = World::new();
        (0..world.tokens.len()).for_each(|at| world.present(at));
        for event in &events {
            world.happen(event);
        }
        (0..world.tokens.len()).for_each(|at| world.present(at));
    }
}

/// The number of tokens that are revoked while they are presented, and of those that are not.
const VICTIMS: usize = 600;
const OTHERS: usize = 40;

/// Two threads revoke, in batches of any size; one forgets, restarts and confirms; one presents tokens of both kinds. If a token was
/// revoked when a request began, that request and all later ones are refused.
#[test]
fn a_token_is_refused_as_soon_as_its_revocation_is_merged() {
    let (scene, seed) = (Scene::new(), seed::seed());
    (0..scene.tokens.len()).for_each(|at| assert!(scene.admits(at)));
    thread::scope(|scope| {
        let scene = &scene;
        let revoking = [0, 1].map(|writer| scope.spawn(move || scene.revoke(writer, chance(seed ^ writer as u64))));
        scope.spawn(|| scene.forget_and_confirm());
        scope.spawn(|| scene.present(chance(!seed)));
        let outcomes = revoking.map(thread::ScopedJoinHandle::join);
        scene.is_over.store(true, Ordering::Release);
        assert!(outcomes.iter().all(Result::is_ok));
    });
    for at in 0..scene.tokens.len() {
        assert_eq!(scene.admits(at), at >= VICTIMS, "token {at}");
    }
}

struct Scene {
    issuer: MockIssuer,
    writer: ViewWriter,
    admission: Admission,
    tokens: Vec<String>,
    /// The tokens whose revocations were merged.
    revoked: Vec<AtomicBool>,
    /// The tokens whose revocations are being merged, by writer.
    revoked_now: [AtomicUsize; 2],
    is_over: AtomicBool,
}

impl Scene {
    fn new() -> Self {
        let clock = FixedClock::default();
        let issuer = MockIssuer::with_secret("k", Algorithm::Hs256, SECRET).clock(clock.clone());
        let writer = ViewWriter::builder(HORIZON).clock(clock).build();
        writer.confirm(writer.ask());
        let admission = issuer.admission().revocations(&writer).when_stale(WhenStale::DangerFailOpen);
        let token = |at: usize| {
            let token = issuer.token().token_id(&format!("t{at}")).subject(&format!("u{at}"));
            let token = token.claim("sid", format!("s{at}")).claim("client_id", format!("c{at}"));
            token.claim("ver", 3).sign()
        };
        let tokens = (0..VICTIMS + OTHERS).map(token).collect();
        let revoked = (0..VICTIMS).map(|_| AtomicBool::new(false)).collect();
        let revoked_now = [AtomicUsize::new(0), AtomicUsize::new(1)];
        Self { issuer, writer, admission, tokens, revoked, revoked_now, is_over: AtomicBool::new(false) }
    }

    fn admits(&self, at: usize) -> bool {
        let outcome = self.admission.verify(&self.tokens[at]).ready().unwrap();
        outcome.map_err(|error| assert_eq!(error.code(), Code::TokenRevoked, "token {at}")).is_ok()
    }

    /// Revokes every second token, among others that are never presented.
    fn revoke(&self, writer: usize, mut chance: impl FnMut(usize) -> usize) {
        let issuer = self.issuer.name();
        for victim in (writer..VICTIMS).step_by(2) {
            self.revoked_now[writer].store(victim, Ordering::Relaxed);
            let among = if chance(40) == 0 { 1100 } else { chance(300) };
            // Not keys and issuers, because there are only a few.
            let others = (0..among).map(|n| noise(issuer, (victim * 2000 + n) * 7 + n % 5));
            let id = |of: &str| format!("{of}{victim}");
            let own = match victim / 2 % 5 {
                0 => Revocation::token(issuer, &id("t"), LATE),
                1 => Revocation::session(issuer, &id("s")),
                2 => Revocation::subject(issuer, &id("u"), LATE),
                3 => Revocation::version(issuer, &id("u"), 4),
                _ => Revocation::client(issuer, &id("c"), LATE),
            };
            let entries: Vec<_> = others.chain([own]).map(|revocation| self.writer.entry(&revocation)).collect();
            assert_eq!(self.writer.merge(&entries), among + 1);
            self.revoked[victim].store(true, Ordering::Release);
        }
    }

    fn forget_and_confirm(&self) {
        while !self.is_over.load(Ordering::Acquire) {
            self.writer.forget_some();
            self.writer.restart();
            self.writer.confirm(self.writer.ask());
        }
    }

    /// Presents mostly tokens that are being revoked at this moment.
    fn present(&self, mut chance: impl FnMut(usize) -> usize) {
        while !self.is_over.load(Ordering::Acquire) {
            let is_any = chance(4) == 0;
            let at =
                if is_any { chance(self.tokens.len()) } else { self.revoked_now[chance(2)].load(Ordering::Relaxed) };
            let was_revoked = self.revoked.get(at).is_some_and(|revoked| revoked.load(Ordering::Acquire));
            let is_admitted = self.admits(at);
            assert!(!(was_revoked && is_admitted), "token {at} was revoked before");
            assert!(is_admitted || at < VICTIMS, "nothing revokes token {at}");
        }
    }
}

/// Returns pseudorandom numbers below a limit (xorshift).
fn chance(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from((state >> 3) % below as u64).unwrap()
    }
}
