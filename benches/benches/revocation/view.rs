//! The view.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use portcullis::{
    Admission, Algorithm, JwtAuthenticator, KeySet, Secret, TrustedIssuer, Verified,
    clock::UnixTime,
    revocation::{Revocation, RevocationEntry, Verdict, ViewWriter},
    verified::NoCustom,
};
use portcullis_benches::{Budgets, Contender, Options, allocations, measure, memory_access_ns};
use portcullis_test::MockIssuer;

const HORIZON: Duration = Duration::from_secs(86_400);
const LATE: UnixTime = UnixTime::from_secs(4_000_000_000);

/// How many tokens take turns, so that what is looked up is not in the processor's cache for being asked a moment ago.
const TOKENS: usize = 4096;

/// So few that it is.
const FEW: usize = 64;

/// One row of the table.
pub(crate) fn row(options: &Options, entries: usize) -> Row {
    let issuer = MockIssuer::with_secret("k", Algorithm::Hs256, SECRET);
    let (tokens_view, token_bytes) = filled(entries, |at| Revocation::token(issuer.name(), &id(at), LATE));
    let (_, subject_bytes) = filled(entries, |at| Revocation::subject(issuer.name(), &id(at), UnixTime::from_secs(1)));
    let (absent, present) = look_ups(options, &issuer, &tokens_view);
    let (cold, cached, warm) = added(options, &issuer, &tokens_view);
    let (merge, wait) = merging(&issuer, &tokens_view, entries);
    println!(
        "| {entries} | {token_bytes:.1} | {subject_bytes:.1} | {absent:.0} | {present:.0} | {cold:.0} | {cached:.0} | {warm:.1} | {merge:.0} | {wait:.0} |"
    );
    for (name, ns) in [("absent", absent), ("cold", cold), ("cold, cached", cached), ("warm", warm)] {
        options.record_ns("revocation", &entries.to_string(), name, ns, 0);
    }
    Row { bytes: token_bytes.max(subject_bytes), absent, cold, warm }
}

/// What has a budget.
pub(crate) struct Row {
    bytes: f64,
    absent: f64,
    cold: f64,
    warm: f64,
}

impl Row {
    pub(crate) fn judge(&self, budgets: &mut Budgets) {
        budgets.judge(&format!("{:.1} bytes each (budget 64)", self.bytes), self.bytes <= 64.0);
        budgets.judge_ns("an absent id", self.absent, 60.0);
        budgets.judge_ns("added to a token seen before", self.warm, 10.0);
        let access = memory_access_ns();
        let what = format!("added to a token at first sight (100 ns and an access to main memory, {access:.0} ns)");
        budgets.judge_ns(&what, self.cold, 100.0 + access);
    }
}

const SECRET: &[u8; 33] = b"a secret of at least 32 bytes, ok";

/// As long as a UUID.
fn id(at: usize) -> String {
    format!("{at:08x}-4b1d-4e52-9d7c-{:012x}", at.wrapping_mul(0x9e37_79b9))
}

/// A view with that many entries, and what it takes for each.
fn filled(entries: usize, revocation: impl Fn(usize) -> Revocation) -> (ViewWriter, f64) {
    let writer = ViewWriter::builder(HORIZON).max_staleness(HORIZON).build(); // fresh for as long as this takes
    writer.confirm(writer.ask());
    let mut bytes = 0;
    for from in (0..entries).step_by(5000) {
        let page: Vec<_> =
            (from..entries.min(from + 5000)).map(|at| RevocationEntry::new(revocation(at), LATE)).collect();
        bytes += allocations(|| _ = writer.merge(&page)).bytes;
    }
    assert_eq!(writer.view().entries(), entries);
    (writer, bytes as f64 / entries as f64)
}

/// Nanoseconds for a token that is not revoked, and for one that is; beyond those that it takes to read its claims.
fn look_ups(options: &Options, issuer: &MockIssuer, writer: &ViewWriter) -> (f64, f64) {
    let (rounds, slice) = options.rounds();
    let entries = writer.view().entries();
    let now = writer.view().now();
    let verified = |revoked: bool| -> Vec<Verified<NoCustom>> {
        let at = |n: usize| if revoked { n * 7919 % entries } else { entries + n };
        (0..TOKENS).map(|n| issuer.token().subject("alice").token_id(&id(at(n))).verified()).collect()
    };
    let (absent, present) = (verified(false), verified(true));
    let (mut at, mut at_too, mut at_three) = (0, 0, 0);
    let next = |at: &mut usize| {
        *at = (*at + 1) % TOKENS;
        *at
    };
    // To read of a token what the view reads, which a request has at hand anyway.
    let touch = |verified: &Verified<NoCustom>| {
        let read =
            |text: Option<&str>| text.map_or(0, |text| text.bytes().fold(0, |sum, byte| sum ^ usize::from(byte)));
        read(Some(verified.issuer())) ^ read(verified.token_id()) ^ read(verified.subject())
    };
    let touched = absent.clone();
    let mut contenders = [
        Contender::new("touched", move || touch(&touched[next(&mut at_three)])),
        Contender::new("absent", move || assert_eq!(writer.view().check(&absent[next(&mut at)], now), Verdict::Live)),
        Contender::new("present", move || {
            assert!(matches!(writer.view().check(&present[next(&mut at_too)], now), Verdict::Revoked(_)));
        }),
    ];
    let samples = measure(&mut contenders, rounds, slice);
    (samples.over(1, 0), samples.over(2, 0))
}

/// What the view adds to a token at first sight, to one whose place in the view is in the processor's cache, and to one seen before.
fn added(options: &Options, issuer: &MockIssuer, writer: &ViewWriter) -> (f64, f64, f64) {
    let (rounds, slice) = options.rounds();
    let keys = || KeySet::from(Secret::new("k", Algorithm::Hs256, *SECRET).expect("a secret"));
    let trusted = || TrustedIssuer::new(issuer.name(), keys()).audience("https://service.test");
    let without = Admission::new(JwtAuthenticator::new(trusted()).expect("sound"));
    let with = Admission::new(JwtAuthenticator::new(trusted()).expect("sound")).revocations(writer);
    let token = |n: usize| {
        let token = issuer.token().audience("https://service.test").subject("alice");
        token.token_id(&id(usize::MAX / 2 + n)).sign()
    };
    let tokens: Vec<String> = (0..TOKENS).map(token).collect();
    let over = |without: Admission, with: Admission, tokens: &[String]| {
        let verify = |admission: &Admission, at: &mut usize| {
            *at = (*at + 1) % tokens.len();
            assert!(admission.verify(&tokens[*at]).ready().is_some_and(|outcome| outcome.is_ok()));
        };
        let (mut at, mut at_too) = (0, 0);
        let mut contenders = [
            Contender::new("without", || verify(&without, &mut at)),
            Contender::new("with", || verify(&with, &mut at_too)),
        ];
        measure(&mut contenders, 2 * rounds, slice).over(1, 0)
    };
    let at_first_sight = |tokens| over(without.clone().without_cache(), with.clone().without_cache(), tokens);
    let (cold, cached) = (at_first_sight(&tokens), at_first_sight(&tokens[..FEW]));
    // Few of them: nothing is looked up, and what is measured are not the gaps in the processor's cache.
    (cold, cached, over(without, with, &tokens[..FEW]))
}

/// Nanoseconds to take in an entry, and the longest that a look-up took while as many as there are came in.
fn merging(issuer: &MockIssuer, writer: &ViewWriter, entries: usize) -> (f64, f64) {
    let facts: Verified<NoCustom> = issuer.token().subject("alice").token_id("absent").verified();
    let (now, over) = (writer.view().now(), AtomicBool::new(false));
    thread::scope(|scope| {
        let waited = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                assert_eq!(writer.view().check(&facts, now), Verdict::Live);
                longest = longest.max(asked.elapsed());
            }
            longest
        });
        let mut took = Duration::ZERO;
        for from in (entries..2 * entries).step_by(5000) {
            let page: Vec<_> = (from..(2 * entries).min(from + 5000))
                .map(|at| RevocationEntry::new(Revocation::token(issuer.name(), &id(at), LATE), LATE))
                .collect();
            let started = Instant::now();
            writer.merge(&page);
            took += started.elapsed();
        }
        over.store(true, Ordering::Relaxed);
        let longest = waited.join().expect("the thread that asks");
        (took.as_nanos() as f64 / entries as f64, longest.as_secs_f64() * 1e6)
    })
}
