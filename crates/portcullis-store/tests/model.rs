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

use std::{collections::HashSet, sync::atomic::Ordering::SeqCst, time::Duration};

use portcullis_core::{
    Conventions, Cursor, Facts, Level, Revocation, RevocationEntry, RevocationLog, RevocationView, UnixTime, Verdict,
};
use portcullis_store::{MemoryLog, Revocations};
use portcullis_test::{FixedClock, provider::VirtualClock};
use tokio::time::sleep;

use self::support::FaultyLog;

const T: UnixTime = FixedClock::DEFAULT;
const HORIZON: Duration = Duration::from_secs(3600);
const ISSUERS: [&str; 2] = ["https://a.test", "https://b.test"];
const IDS: [&str; 3] = ["1", "2", "3"];

/// A token's claims, as the reference sees them.
#[derive(Clone, Debug)]
struct Token {
    issuer: &'static str,
    id: &'static str,
    session: &'static str,
    subject: &'static str,
    client: Option<&'static str>,
    version: Option<u64>,
    issued_at: u64,
    expires_at: u64,
}

impl Token {
    fn random(chance: &mut fastrand::Rng, now: UnixTime) -> Self {
        let mut id = || IDS[chance.usize(..IDS.len())];
        let (token, session, subject, client) = (id(), id(), id(), id());
        let issued_at = now.as_secs() - chance.u64(0..60);
        Self {
            issuer: ISSUERS[chance.usize(..2)],
            id: token,
            session,
            subject,
            client: chance.bool().then_some(client),
            version: chance.bool().then(|| chance.u64(0..4)),
            issued_at,
            expires_at: issued_at + chance.u64(61..=HORIZON.as_secs()),
        }
    }

    fn facts(&self) -> Facts {
        let mut claims = serde_json::json!({
            "iss": self.issuer, "jti": self.id, "sid": self.session, "sub": self.subject,
            "iat": self.issued_at, "exp": self.expires_at,
        });
        if let Some(client) = self.client {
            claims["client_id"] = client.into();
        }
        if let Some(version) = self.version {
            claims["ver"] = version.into();
        }
        Facts::assertion(claims.to_string(), Conventions::new(self.issuer.to_owned())).unwrap()
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
                Level::Issuer => is_before(),
                level => unreachable!("{level}"),
            }
    }
}

fn revocation(chance: &mut fastrand::Rng, now: UnixTime) -> Revocation {
    let (issuer, id) = (ISSUERS[chance.usize(..2)], IDS[chance.usize(..IDS.len())]);
    let cut_off = UnixTime::from_secs(now.as_secs() - chance.u64(0..90));
    match chance.u8(0..12) {
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
    view: RevocationView,
    cursor: Option<Cursor>,
    known: Vec<RevocationEntry>,
}

impl Instance {
    fn new(clock: &FixedClock) -> Self {
        Self { view: RevocationView::builder(HORIZON).clock(clock.clone()).build(), cursor: None, known: Vec::new() }
    }

    async fn revoke(&mut self, revocation: Revocation, log: &MemoryLog) {
        let entry = self.view.entry(&revocation);
        log.append(std::slice::from_ref(&entry)).await.unwrap();
        self.view.merge([&entry]);
        self.known.push(entry);
    }

    async fn read(&mut self, log: &MemoryLog, chance: &mut fastrand::Rng) {
        let page = log.read(self.cursor.as_ref(), Duration::ZERO).await.unwrap();
        let mut entries = page.entries;
        chance.shuffle(&mut entries);
        self.view.merge(&entries);
        self.view.merge(entries.iter().take(2));
        self.view.confirm(self.view.ask());
        self.known.extend(entries);
        self.cursor = Some(page.cursor);
    }

    fn check(&self, (token, facts): &(Token, Facts), now: UnixTime, seed: u64) {
        let hits = |entry: &&RevocationEntry| token.is_hit_by(entry.revocation());
        let mut hits = self.known.iter().filter(hits).peekable();
        let may_be_revoked = hits.peek().is_some();
        let must_be_revoked = hits.any(|entry| entry.until() > now);
        let verdict = self.view.check(facts, now);
        let is_right = if matches!(verdict, Verdict::Revoked(_)) { may_be_revoked } else { !must_be_revoked };
        assert!(is_right, "history {seed}: {token:?} {verdict:?} by {:?}", self.known);
        assert_ne!(verdict, Verdict::BeyondHorizon, "history {seed}");
    }
}

async fn history(seed: u64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let clock = FixedClock::default();
    let log = MemoryLog::new().horizon(HORIZON).clock(clock.clone());
    let mut instances = [Instance::new(&clock), Instance::new(&clock)];
    let mut tokens: Vec<(Token, Facts)> = Vec::new();
    for _ in 0..chance.usize(4..20) {
        let now = T.plus(clock_age(&clock));
        let which = chance.usize(..2);
        match chance.u8(0..16) {
            0..4 => instances[which].revoke(revocation(&mut chance, now), &log).await,
            4..8 => instances[which].read(&log, &mut chance).await,
            8 => log.lose_everything(),
            9 => log.trim(chance.usize(..3)),
            10 => instances[which] = Instance::new(&clock), // starts anew, knowing nothing
            11 => clock.advance(Duration::from_secs(chance.u64(1..1500))),
            12 => (0..3).for_each(|_| instances[which].view.forget_some()),
            _ => {
                let token = Token::random(&mut chance, now);
                let facts = token.facts();
                tokens.push((token, facts));
            }
        }
        let now = T.plus(clock_age(&clock));
        tokens.retain(|(token, _)| token.expires_at > now.as_secs()); // nobody asks about one that has expired
        if !tokens.is_empty() {
            let token = &tokens[chance.usize(..tokens.len())];
            for instance in &instances {
                instance.check(token, now, seed);
            }
        }
    }
}

fn clock_age(clock: &FixedClock) -> Duration {
    portcullis_core::Clock::uptime(clock)
}

#[tokio::test]
async fn the_first_fifty_thousand_histories_end_as_the_reference_says() {
    for seed in 0..50_000 {
        history(seed).await;
    }
}

#[tokio::test]
async fn the_next_fifty_thousand_histories_end_as_the_reference_says() {
    for seed in 50_000..100_000 {
        history(seed).await;
    }
}

async fn trouble(faulty: &FaultyLog, chance: &mut fastrand::Rng) {
    let switches = &faulty.switches;
    match chance.u8(0..6) {
        0 => faulty.log.lose_everything(),
        1 => switches.refuses_writes.store(chance.bool(), SeqCst),
        2 => switches.refuses_reads.store(chance.bool(), SeqCst),
        3 => switches.loses_answers.store(chance.bool(), SeqCst),
        4 => switches.repeats.store(chance.bool(), SeqCst),
        _ => sleep(Duration::from_millis(chance.u64(0..3000))).await,
    }
}

/// The same with the task that follows the log: whatever happened to the log, ten seconds later every instance refuses whatever any of
/// them has revoked, and so does one that starts then.
#[tokio::test(start_paused = true)]
async fn instances_agree_soon_after_the_trouble_is_over() {
    for seed in 0..100 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let clock = VirtualClock::new();
        let log = MemoryLog::new().horizon(HORIZON).clock(clock.clone());
        let start = || {
            let faulty = FaultyLog::over(&log);
            let revocations = Revocations::builder(faulty.clone()).clock(clock.clone()).start().unwrap();
            (faulty, revocations)
        };
        let instances = [start(), start()];
        let mut revoked = HashSet::new();
        for _ in 0..chance.usize(2..16) {
            let (faulty, revocations) = &instances[chance.usize(..2)];
            if chance.u8(0..10) < 4 {
                let revocation = revocation(&mut chance, T);
                let _ = revocations.revoke(revocation.clone()).await;
                revoked.insert(revocation);
            } else {
                trouble(faulty, &mut chance).await;
            }
        }
        for (faulty, _) in &instances {
            let switches = &faulty.switches;
            for switch in [&switches.refuses_reads, &switches.refuses_writes, &switches.loses_answers] {
                switch.store(false, SeqCst);
            }
        }
        sleep(Duration::from_secs(10)).await; // the longest pauses of the reader and of the writer, and a few heartbeats
        let late = start();
        late.1.require(Duration::from_secs(1)).await.unwrap();
        for _ in 0..20 {
            let token = Token::random(&mut chance, T);
            let expected = revoked.iter().any(|revocation| token.is_hit_by(revocation));
            for (which, (_, revocations)) in instances.iter().chain([&late]).enumerate() {
                let verdict = revocations.view().check(&token.facts(), T);
                assert_eq!(matches!(verdict, Verdict::Revoked(_)), expected, "history {seed}, {which}: {token:?}");
            }
        }
    }
}
