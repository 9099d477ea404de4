//! A view in which all seven levels are in use, as an operator's is after a year; and what a change of it costs the next request.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use portcullis::{
    Admission, Algorithm, JwtAuthenticator, KeySet, Secret, TrustedIssuer, Verified,
    clock::UnixTime,
    revocation::{Level, Revocation, RevocationEntry, RevocationView, Verdict, ViewWriter},
    verified::NoCustom,
};
use portcullis_benches::{Contender, Options, measure, median};
use portcullis_test::MockIssuer;

const HORIZON: Duration = Duration::from_secs(86_400);
const LATE: UnixTime = UnixTime::from_secs(4_000_000_000);
const SECRET: &[u8; 33] = b"a secret of at least 32 bytes, ok";
const AUDIENCE: &str = "https://service.test";

/// How many tokens take turns where what they touch is not to be in the processor's cache, and where it is.
const MANY: usize = 4096;
const FEW: usize = 64;

/// Prints the rows for a view of that many entries. Returns by how much the first hit after a change is longer than a hit, by what has changed.
pub(crate) fn rows(options: &Options, entries: usize) -> Vec<(&'static str, f64)> {
    let issuer = MockIssuer::with_secret("k", Algorithm::Hs256, SECRET);
    let (single, mixed) = (filled(&issuer, entries, &[Level::Token]), filled(&issuer, entries, &Level::ALL));
    for (name, tokens) in [("absent", MANY), ("absent, cached", FEW)] {
        let (one, all) = look_ups(options, &issuer, [single.view(), mixed.view()], tokens);
        println!("| {name} | {entries} | {one:.0} | {all:.0} | {:.1} |", all / one);
        options.record_ns("revocation", &format!("mixed {entries}"), name, all, 0);
    }
    for (name, tokens, is_cached) in [("+ cold", MANY, false), ("+ cold, cached", FEW, false), ("+ warm", FEW, true)] {
        let added = |writer| added(options, &issuer, writer, tokens, is_cached);
        let (one, all) = (added(&single), added(&mixed));
        println!("| {name} | {entries} | {one:.0} | {all:.0} | {:.1} |", all / one);
        options.record_ns("revocation", &format!("mixed {entries}"), name, all, 0);
    }
    let mut first_hits = Vec::new();
    for (name, levels) in [("one level", &[Level::Subject][..]), ("all seven levels", &Level::ALL)] {
        let ns = first_hit(&issuer, entries, levels);
        println!("| first hit after a change of {name}, beyond a hit | {entries} | | {ns:.0} | |");
        options.record_ns("revocation", &format!("mixed {entries}"), &format!("first hit, {name}"), ns, 0);
        first_hits.push((name, ns));
    }
    let (quiet, busy) = under_traffic(options, &issuer, &mixed);
    println!(
        "| a hit while 1000 entries a second come in (and while none does) | {entries} | | {busy:.0} ({quiet:.0}) | |"
    );
    options.record_ns("revocation", &format!("mixed {entries}"), "hit under traffic", busy, 0);
    first_hits
}

/// The `at`th revocation on a level: of no token that is asked for.
fn revocation(issuer: &str, level: Level, at: usize) -> Revocation {
    let id = format!("{at:08x}-4b1d-4e52-9d7c-{:012x}", at.wrapping_mul(0x9e37_79b9));
    let second = UnixTime::from_secs(1 + at as u64);
    match level {
        Level::Token => Revocation::token(issuer, &id, LATE),
        Level::Session => Revocation::session(issuer, &id),
        Level::Subject => Revocation::subject(issuer, &id, second),
        Level::Version => Revocation::version(issuer, &id, at as u64 + 1),
        Level::Client => Revocation::client(issuer, &id, second),
        Level::Key => Revocation::key(issuer, &id),
        _ => Revocation::issuer(&id, second),
    }
}

/// A view with that many entries, spread over these levels; of keys and issuers a few.
fn filled(issuer: &MockIssuer, entries: usize, levels: &[Level]) -> ViewWriter {
    let writer = ViewWriter::builder(HORIZON).max_staleness(HORIZON).build();
    writer.confirm(writer.ask());
    for level in levels {
        let few = matches!(level, Level::Key | Level::Issuer);
        let count = if few { 8 } else { entries / levels.len().min(5) };
        for from in (0..count).step_by(5000) {
            let entry = |at| RevocationEntry::new(revocation(issuer.name(), *level, at), LATE);
            let page: Vec<_> = (from..count.min(from + 5000)).map(entry).collect();
            writer.merge(&page);
        }
    }
    writer
}

/// A token with a claim for each level.
fn token(issuer: &MockIssuer, n: usize) -> portcullis_test::TokenBuilder {
    let id = |what: &str| format!("{what}{n:07x}-0000-4e52-9d7c-{:012x}", n.wrapping_mul(0x9e37_79b9));
    let token = issuer.token().audience(AUDIENCE).subject(&id("u")).token_id(&id("t")).claim("sid", id("s"));
    token.claim("client_id", id("c")).claim("ver", 3)
}

fn look_ups(options: &Options, issuer: &MockIssuer, views: [&RevocationView; 2], count: usize) -> (f64, f64) {
    let (rounds, slice) = options.rounds();
    let verified: Vec<Verified<NoCustom>> = (0..count).map(|n| token(issuer, n).verified()).collect();
    let now = views[0].now();
    let touch = |verified: &Verified<NoCustom>| {
        let read =
            |text: Option<&str>| text.map_or(0, |text| text.bytes().fold(0, |sum, byte| sum ^ usize::from(byte)));
        read(Some(verified.issuer()))
            ^ read(verified.token_id())
            ^ read(verified.subject())
            ^ read(verified.session_id())
    };
    let verified = &verified;
    let turn = || {
        let mut at = 0;
        move || {
            at = (at + 1) % count;
            &verified[at]
        }
    };
    let (mut a, mut b, mut c) = (turn(), turn(), turn());
    let mut contenders = [
        Contender::new("touched", move || touch(a())),
        Contender::new("single", move || assert_eq!(views[0].check(b(), now), Verdict::Live)),
        Contender::new("mixed", move || assert_eq!(views[1].check(c(), now), Verdict::Live)),
    ];
    let samples = measure(&mut contenders, rounds, slice);
    (samples.over(1, 0), samples.over(2, 0))
}

fn admission(issuer: &MockIssuer) -> Admission {
    let keys = KeySet::from(Secret::new("k", Algorithm::Hs256, *SECRET).expect("a secret"));
    Admission::new(JwtAuthenticator::new(TrustedIssuer::new(issuer.name(), keys).audience(AUDIENCE)).expect("sound"))
}

fn verify(admission: &Admission, token: &str) {
    assert!(admission.verify(token).ready().is_some_and(|outcome| outcome.is_ok()));
}

/// What the view adds to a token.
fn added(options: &Options, issuer: &MockIssuer, writer: &ViewWriter, count: usize, is_cached: bool) -> f64 {
    let (rounds, slice) = options.rounds();
    let of = |admission: Admission| if is_cached { admission } else { admission.without_cache() };
    let (without, with) = (of(admission(issuer)), of(admission(issuer).revocations(writer)));
    let tokens: Vec<String> = (0..count).map(|n| token(issuer, n).sign()).collect();
    let (mut at, mut at_too) = (0, 0);
    let next = |at: &mut usize| {
        *at = (*at + 1) % count;
        *at
    };
    let mut contenders = [
        Contender::new("without", || verify(&without, &tokens[next(&mut at)])),
        Contender::new("with", || verify(&with, &tokens[next(&mut at_too)])),
    ];
    measure(&mut contenders, 2 * rounds, slice).over(1, 0)
}

/// How much longer than a hit the first hit takes after something else was revoked on these levels: the median of many, each timed alone; what
/// the timing itself takes stands in both.
fn first_hit(issuer: &MockIssuer, entries: usize, levels: &[Level]) -> f64 {
    let writer = filled(issuer, entries, &Level::ALL);
    let admission = admission(issuer).revocations(&writer);
    let tokens: Vec<String> = (0..FEW).map(|n| token(issuer, n).sign()).collect();
    tokens.iter().for_each(|token| verify(&admission, token));
    let (mut hits, mut firsts) = (Vec::new(), Vec::new());
    for round in 0..400 {
        let page: Vec<_> = levels
            .iter()
            .map(|level| RevocationEntry::new(revocation(issuer.name(), *level, entries + round), LATE))
            .collect();
        assert_eq!(writer.merge(&page), levels.len());
        for (at, token) in tokens.iter().enumerate() {
            for times in [&mut firsts, &mut hits] {
                let started = Instant::now();
                verify(&admission, token);
                let took = started.elapsed().as_nanos() as f64;
                if at > 0 {
                    times.push(took);
                }
            }
        }
    }
    median(firsts) - median(hits)
}

/// Nanoseconds of a hit while nothing is revoked, and while a thousand entries a second are.
fn under_traffic(options: &Options, issuer: &MockIssuer, writer: &ViewWriter) -> (f64, f64) {
    let admission = admission(issuer).revocations(writer);
    let tokens: Vec<String> = (0..FEW).map(|n| token(issuer, n).sign()).collect();
    let hits = || {
        let (rounds, slice) = options.rounds();
        let mut at = 0;
        let mut contender = [Contender::new("hit", || {
            at = (at + 1) % FEW;
            verify(&admission, &tokens[at]);
        })];
        measure(&mut contender, rounds, slice).ns(0)
    };
    let quiet = hits();
    let over = AtomicBool::new(false);
    let busy = thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 100_000_000;
            while !over.load(Ordering::Relaxed) {
                let level = Level::ALL[at % 5]; // not keys and issuers, of which there are few
                writer.merge([&RevocationEntry::new(revocation(issuer.name(), level, at), LATE)]);
                at += 1;
                thread::sleep(Duration::from_millis(1));
            }
        });
        let busy = hits();
        over.store(true, Ordering::Relaxed);
        busy
    });
    (quiet, busy)
}
