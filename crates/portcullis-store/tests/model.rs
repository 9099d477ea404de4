//! Random histories of instances and their log, against a reference that is too simple to be wrong: an instance refuses a token if and only if
//! something that it has revoked or read hits it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and its tasks end with it"
)]

mod support;

use std::{
    env,
    sync::{OnceLock, atomic::Ordering::SeqCst},
    time::Duration,
};

use portcullis_core::{
    Algorithm, Clock, UnixTime, Verified,
    revocation::{Cursor, Level, Revocation, RevocationEntry, RevocationLog, Verdict, ViewWriter},
};
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::{FixedClock, MockIssuer, provider::VirtualClock};
use tokio::time::sleep;

use self::support::{FaultyLog, holds};

const T: UnixTime = FixedClock::DEFAULT;
const HORIZON: Duration = Duration::from_secs(3600);
const ISSUERS: [&str; 2] = ["https://a.test", "https://b.test"];
const IDS: [&str; 3] = ["1", "2", "3"];

/// How far the clock moves at once, at least.
const STEP: Duration = Duration::from_secs(250);

/// How many steps the clock moves at once, at most.
const STEPS: u64 = 6;

/// How much happens in a history, at most.
const LONGEST: usize = 20;

/// A token's claims, as the reference sees them, and what verification made of them.
#[derive(Debug)]
struct Token {
    issuer: &'static str,
    key: &'static str,
    id: &'static str,
    session: &'static str,
    subject: &'static str,
    client: Option<&'static str>,
    version: Option<u64>,
    issued_at: u64,
    expires_at: u64,
    verified: Verified,
}

impl Token {
    /// One that is good at `now`.
    fn random(chance: &mut fastrand::Rng, now: UnixTime) -> Self {
        let mut id = || IDS[chance.usize(..IDS.len())];
        let (key, token, session, subject, client) = (id(), id(), id(), id(), id());
        let client = chance.bool().then_some(client);
        let version = chance.bool().then(|| chance.u64(0..4));
        let issuer = ISSUERS[chance.usize(..2)];
        let issued_at = now.as_secs() - chance.u64(0..60);
        let expires_at = issued_at + chance.u64(61..=HORIZON.as_secs());
        let signer = MockIssuer::with_secret(key, Algorithm::Hs256, [7; 32]).named(issuer).clock(FixedClock::at(now));
        let text = signer.token().issued_at(UnixTime::from_secs(issued_at)).expires_at(UnixTime::from_secs(expires_at));
        let mut text = text.token_id(token).claim("sid", session).subject(subject);
        if let Some(client) = client {
            text = text.claim("client_id", client);
        }
        if let Some(version) = version {
            text = text.claim("ver", version);
        }
        let verified = signer.admission().verify(&text.sign()).ready().unwrap().unwrap();
        Self { issuer, key, id: token, session, subject, client, version, issued_at, expires_at, verified }
    }

    /// Tokens that are good after so many steps: made once, because to sign and to verify one takes longer than a history.
    fn of_step(step: usize) -> &'static [Self] {
        static TOKENS: OnceLock<Vec<Vec<Token>>> = OnceLock::new();
        let tokens = TOKENS.get_or_init(|| {
            let mut chance = fastrand::Rng::with_seed(1);
            let steps = u64::try_from(LONGEST).unwrap() * STEPS;
            let at = |step| T.plus(STEP * u32::try_from(step).unwrap());
            (0..=steps).map(|step| (0..24).map(|_| Self::random(&mut chance, at(step))).collect()).collect()
        });
        &tokens[step]
    }

    /// The whole reference.
    fn is_hit_by(&self, revocation: &Revocation) -> bool {
        let is_before = || self.issued_at <= revocation.cut_off().unwrap().as_secs();
        revocation.of_issuer() == self.issuer
            && match revocation.level() {
                Level::Token => revocation.id() == self.id,
                Level::Session => revocation.id() == self.session,
                Level::Subject => revocation.id() == self.subject && is_before(),
                Level::Version => {
                    revocation.id() == self.subject
                        && self.version.is_none_or(|version| version < revocation.current_version().unwrap())
                }
                Level::Client => Some(revocation.id()) == self.client && is_before(),
                Level::Key => revocation.id() == self.key,
                Level::Issuer => is_before(),
                level => unreachable!("{level}"),
            }
    }
}

fn revocation(chance: &mut fastrand::Rng, now: UnixTime) -> Revocation {
    let (issuer, id) = (ISSUERS[chance.usize(..2)], IDS[chance.usize(..IDS.len())]);
    let cut_off = UnixTime::from_secs(now.as_secs() - chance.u64(0..90));
    match chance.u8(0..13) {
        12 => Revocation::key(issuer, id),
        0..4 => Revocation::token(issuer, id, now.plus(HORIZON)),
        4..6 => Revocation::session(issuer, id),
        6..8 => Revocation::subject(issuer, id, cut_off),
        8..10 => Revocation::version(issuer, id, chance.u64(0..5)),
        10 => Revocation::client(issuer, id, cut_off),
        _ => Revocation::issuer(issuer, UnixTime::from_secs(cut_off.as_secs() - 40)),
    }
}

/// An instance without its task: it reads when it is told to.
struct Instance {
    writer: ViewWriter,
    cursor: Option<Cursor>,
    known: Vec<RevocationEntry>,
}

impl Instance {
    fn new(clock: &FixedClock) -> Self {
        Self { writer: ViewWriter::builder(HORIZON).clock(clock.clone()).build(), cursor: None, known: Vec::new() }
    }

    async fn revoke(&mut self, revocation: Revocation, log: &MemoryLog) {
        let entry = self.writer.entry(&revocation);
        log.append(std::slice::from_ref(&entry)).await.unwrap();
        self.writer.merge([&entry]);
        self.known.push(entry);
    }

    async fn read(&mut self, log: &MemoryLog, chance: &mut fastrand::Rng) {
        let page = log.read(self.cursor.as_ref(), Duration::ZERO).await.unwrap();
        let mut entries = page.entries;
        chance.shuffle(&mut entries);
        self.writer.merge(&entries);
        self.writer.merge(entries.iter().take(2));
        self.writer.confirm(self.writer.ask());
        self.known.extend(entries);
        self.cursor = Some(page.cursor);
    }

    fn check(&self, token: &Token, now: UnixTime, seed: u64) {
        let hits = |entry: &&RevocationEntry| token.is_hit_by(entry.revocation());
        let mut hits = self.known.iter().filter(hits).peekable();
        let may_be_revoked = hits.peek().is_some();
        // A key is revoked for good.
        let must_be_revoked = hits.any(|entry| entry.until() > now || entry.revocation().level() == Level::Key);
        let verdict = self.writer.view().check(&token.verified, now);
        let is_right = if matches!(verdict, Verdict::Revoked(_)) { may_be_revoked } else { !must_be_revoked };
        assert!(is_right, "PORTCULLIS_SEED={seed}: {token:?} {verdict:?} by {:?}", self.known);
        assert_ne!(verdict, Verdict::BeyondHorizon, "PORTCULLIS_SEED={seed}");
    }
}

async fn history(seed: u64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let clock = FixedClock::default();
    let log = MemoryLog::new().horizon(HORIZON).clock(clock.clone());
    let mut instances = [Instance::new(&clock), Instance::new(&clock)];
    let mut tokens: Vec<&Token> = Vec::new();
    let mut steps = 0;
    for _ in 0..chance.usize(4..LONGEST) {
        let now = clock.now();
        let which = chance.usize(..2);
        match chance.u8(0..17) {
            0..4 => instances[which].revoke(revocation(&mut chance, now), &log).await,
            4..8 => instances[which].read(&log, &mut chance).await,
            8 => log.lose_everything(),
            9 => log.trim(chance.usize(..3)),
            10 => instances[which] = Instance::new(&clock), // restarts, and knows nothing
            11 => {
                let by = chance.u64(1..=STEPS);
                steps += usize::try_from(by).unwrap();
                clock.advance(STEP * u32::try_from(by).unwrap());
            }
            12 => (0..3).for_each(|_| instances[which].writer.forget_some()),
            13 => log.roll_back(chance.usize(..=log.len())),
            _ => tokens.push(chance.choice(Token::of_step(steps)).unwrap()),
        }
        let now = clock.now();
        tokens.retain(|token| token.expires_at > now.as_secs()); // an expired one is refused anyway
        if !tokens.is_empty() {
            let token = tokens[chance.usize(..tokens.len())];
            for instance in &instances {
                instance.check(token, now, seed);
            }
        }
    }
}

/// The seeds of so many histories: others in each run, or from the one in `PORTCULLIS_SEED` on. A history that fails names its seed; with
/// that one in the variable it is the first.
fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let given = env::var("PORTCULLIS_SEED").ok();
    let first = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("PORTCULLIS_SEED is a number"));
    eprintln!("{count} histories: PORTCULLIS_SEED={first} repeats them");
    (0..count).map(move |at| first.wrapping_add(at))
}

#[tokio::test]
async fn fifty_thousand_histories_end_as_the_reference_says() {
    for seed in seeds(50_000) {
        history(seed).await;
    }
}

#[tokio::test]
async fn fifty_thousand_further_histories_end_as_the_reference_says() {
    for seed in seeds(50_000) {
        history(seed).await;
    }
}

/// An instance with its task, and its way to the log.
struct Service {
    faulty: FaultyLog,
    revocations: Revocations,
    /// Which start it is of.
    run: usize,
}

/// A revocation, and the run of the instance that appended it.
struct Revoked {
    revocation: Revocation,
    which: usize,
    run: usize,
    is_acknowledged: bool,
    /// Whether the log has lost something since.
    is_at_risk: bool,
}

struct World {
    clock: VirtualClock,
    log: MemoryLog,
    services: Vec<Service>,
    revoked: Vec<Revoked>,
    runs: usize,
}

impl World {
    fn new() -> Self {
        let clock = VirtualClock::new();
        let log = MemoryLog::new().horizon(HORIZON).clock(clock.clone());
        let mut world = Self { clock, log, services: Vec::new(), revoked: Vec::new(), runs: 0 };
        world.services = (0..2).map(|_| world.start()).collect();
        world
    }

    fn start(&mut self) -> Service {
        let faulty = FaultyLog::over(&self.log);
        let revocations = Revocations::builder(faulty.clone()).clock(self.clock.clone()).start().unwrap();
        self.runs += 1;
        Service { faulty, revocations, run: self.runs }
    }

    async fn revoke(&mut self, which: usize, revocation: Revocation) {
        let Service { revocations, run, .. } = &self.services[which];
        let is_known = holds(revocations.view(), &revocation);
        let is_acknowledged = revocations.revoke(revocation.clone()).await.is_ok();
        // What it knows already it need not append, as long as it has not heard that the log has lost something.
        if !is_known {
            self.revoked.push(Revoked { revocation, which, run: *run, is_acknowledged, is_at_risk: false });
        }
    }

    async fn trouble(&mut self, which: usize, chance: &mut fastrand::Rng) {
        let switches = &self.services[which].faulty.switches;
        match chance.u8(0..8) {
            0..3 => {
                // (A log that is trimmed behind its readers cannot tell them, so that who starts later does not know what it forgot.)
                if chance.bool() {
                    self.log.lose_everything();
                } else {
                    self.log.roll_back(chance.usize(..=self.log.len()));
                }
                self.revoked.iter_mut().for_each(|revoked| revoked.is_at_risk = true);
            }
            3 => switches.refuses_writes.store(chance.bool(), SeqCst),
            4 => switches.refuses_reads.store(chance.bool(), SeqCst),
            5 => switches.loses_answers.store(chance.bool(), SeqCst),
            6 => switches.repeats.store(chance.bool(), SeqCst),
            _ => sleep(Duration::from_millis(chance.u64(0..3000))).await,
        }
    }

    fn end_trouble(&self) {
        for Service { faulty, .. } in &self.services {
            let switches = &faulty.switches;
            for switch in [&switches.refuses_reads, &switches.refuses_writes, &switches.loses_answers] {
                switch.store(false, SeqCst);
            }
        }
    }

    /// Whether every instance has to refuse what this hits: the one that revoked it runs on and appends it again, or the log has it.
    fn is_certain(&self, revoked: &Revoked) -> bool {
        let runs_on = self.services[revoked.which].run == revoked.run;
        runs_on || (revoked.is_acknowledged && !revoked.is_at_risk)
    }
}

/// The same with the task that follows the log: whatever happened to the log, ten seconds later every instance refuses what any of them has
/// revoked, and so does one that starts then; unless the log has lost it and the instance that revoked it has ended.
#[tokio::test(start_paused = true)]
async fn instances_agree_soon_after_the_trouble_is_over() {
    for seed in seeds(300) {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut world = World::new();
        for _ in 0..chance.usize(2..16) {
            let which = chance.usize(..2);
            match chance.u8(0..10) {
                0..4 => world.revoke(which, revocation(&mut chance, T)).await,
                4 => world.services[which] = world.start(), // restarts, and knows nothing
                _ => world.trouble(which, &mut chance).await,
            }
        }
        world.end_trouble();
        sleep(Duration::from_secs(10)).await; // the longest pauses of the reader and of the writer, and a few heartbeats
        let late = world.start();
        late.revocations.require(Duration::from_secs(1)).await.unwrap();
        for token in Token::of_step(0) {
            let hits = || world.revoked.iter().filter(|revoked| token.is_hit_by(&revoked.revocation));
            let (may, must) = (hits().next().is_some(), hits().any(|revoked| world.is_certain(revoked)));
            for (which, Service { revocations, .. }) in world.services.iter().chain([&late]).enumerate() {
                let verdict = revocations.view().check(&token.verified, T);
                let is_right = if matches!(verdict, Verdict::Revoked(_)) { may } else { !must };
                assert!(is_right, "PORTCULLIS_SEED={seed}, {which}: {token:?} {verdict:?}");
            }
        }
    }
}
