//! Which structure a cache of verified tokens should have, by measurement.
//!
//! | column | what |
//! |---|---|
//! | hot | ns for a look-up of one token of 600 bytes, again and again |
//! | spread | ns for a look-up of 10 000 tokens in turn, whose entries lie scattered |
//! | two threads | how much more of the latter two threads get done than one |
//! | insert | ns for a new token into a full cache, its copy and the `Arc` included |
//! | Zipf | hits among 50 000 tokens by Zipf's law, with room for 10 000 |
//! | scan | the same, while three in ten requests bring tokens that never come again, in bursts |
//! | kept | how many of 10 000 tokens are still there when all have come, with room for just as many |
//! | holds | how many tokens there are at most |
//! | bytes | memory for each entry, beyond the token's bytes and the entry itself |
//!
//! The first row is the floor: hashing the token and comparing it with a copy.

mod candidates;
mod hit_rate;
mod sets;
mod sharded;
mod tokens;

use std::{
    hash::BuildHasher,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use candidates::{CANDIDATES, Cache, Candidate, Entry};
use portcullis_benches::{Contender, Options, Scaling, Work, allocations, measure, median, scaling};
use serde_json::json;
use tokens::Tokens;

const CAPACITY: usize = 10_000;

fn main() {
    let options = Options::from_args();
    let (rounds, slice) = if options.quick { (3, 20) } else { (21, 100) };
    let tokens = Tokens::new(0, CAPACITY);
    let mut works = vec![floor(&tokens)];
    works.extend(CANDIDATES.iter().map(|candidate| hits(candidate, &tokens)));
    let spread = scaling(&mut works, rounds, Duration::from_millis(slice));
    let hot = hot(&options);
    println!("| structure | hot | spread | two threads | insert | Zipf | scan | kept | holds | bytes |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    println!("| floor: hash and compare | {:.0} | {:.0} | {:.2} | | | | | | |", hot[0], spread[0].ns, spread[0].ratio);
    for ((candidate, spread), hot) in CANDIDATES.iter().zip(&spread[1..]).zip(&hot[1..]) {
        row(candidate, *hot, spread, &options);
    }
}

fn row(candidate: &Candidate, hot: f64, Scaling { ns, ratio, .. }: &Scaling, options: &Options) {
    let name = candidate.name;
    let insert = insert_ns(candidate, if options.quick { 3 } else { 11 });
    let requests = if options.quick { 200_000 } else { 2_000_000 };
    let zipf = 100.0 * hit_rate::zipf(&*(candidate.make)(CAPACITY), requests);
    let scan = 100.0 * hit_rate::zipf_with_scan(&*(candidate.make)(CAPACITY), requests);
    let (kept, holds) = (kept(candidate, CAPACITY), kept(candidate, 3 * CAPACITY));
    let bytes = overhead(candidate);
    println!(
        "| {name} | {hot:.0} | {ns:.0} | {ratio:.2} | {insert:.0} | {zipf:.1} % | {scan:.1} % | {kept} | {holds} | {bytes:.0} |"
    );
    options.record(json!({
        "bench": "caches", "name": name, "hot_ns": hot.round(), "ns": ns.round(), "ratio": ratio,
        "insert_ns": insert.round(), "zipf": zipf, "scan": scan, "kept": kept, "holds": holds, "bytes": bytes.round(),
    }));
}

/// The floor's and every candidate's time for a token that is in the processor's nearest cache, and so is its entry.
fn hot(options: &Options) -> Vec<f64> {
    let tokens = Tokens::new(0, 1);
    let token = tokens.get(0);
    let (hasher, copy) = (foldhash::fast::RandomState::default(), token.to_owned());
    let mut contenders =
        vec![Contender::new("floor", || (hasher.hash_one(black_box(token)), *black_box(token) == *copy))];
    contenders.extend(CANDIDATES.iter().map(|candidate| {
        let cache = (candidate.make)(CAPACITY);
        cache.insert(token, Entry::new(1));
        cache.settle();
        Contender::new(candidate.name, move || cache.get(black_box(token)).expect("it is there"))
    }));
    let (rounds, slice) = options.rounds();
    let samples = measure(&mut contenders, rounds, slice);
    (0..contenders.len()).map(|at| samples.ns(at)).collect()
}

/// What no cache that compares in full can avoid.
fn floor(tokens: &Tokens) -> Work {
    let hasher = foldhash::fast::RandomState::default();
    Work::new("floor", move |_| {
        let (tokens, copies, hasher, mut at) = (tokens.clone(), tokens.clone(), hasher.clone(), 0);
        move || {
            black_box(hasher.hash_one(tokens.get(at)));
            assert!(black_box(copies.get(at)) == tokens.get(at));
            at = if at + 1 < tokens.len() { at + 1 } else { 0 };
        }
    })
}

/// Look-ups of tokens that are there. How well a cache keeps them is another column, so there is room for twice as many,
/// and those that a set-associative one drops all the same are not asked for.
fn hits(candidate: &Candidate, tokens: &Tokens) -> Work {
    let cache: Arc<dyn Cache> = (candidate.make)(2 * CAPACITY).into();
    tokens.scattered().for_each(|token| cache.insert(token, Entry::new(1)));
    cache.settle();
    let tokens = tokens.only(|token| cache.get(token).is_some());
    assert!(tokens.len() > CAPACITY * 9 / 10, "{} kept {} of {CAPACITY} tokens", candidate.name, tokens.len());
    Work::new(candidate.name, move |_| {
        let (tokens, cache, mut at) = (tokens.clone(), Arc::clone(&cache), 0);
        move || {
            black_box(cache.get(tokens.get(at)).map(|entry| entry.expiry));
            at = if at + 1 < tokens.len() { at + 1 } else { 0 };
        }
    })
}

/// How many of `count` tokens are there when all of them have come.
fn kept(candidate: &Candidate, count: usize) -> usize {
    let (tokens, cache) = (Tokens::new(0, count), (candidate.make)(CAPACITY));
    tokens.iter().for_each(|token| cache.insert(token, Entry::new(1)));
    cache.settle();
    tokens.iter().filter(|token| cache.get(token).is_some()).count()
}

fn insert_ns(candidate: &Candidate, rounds: usize) -> f64 {
    let (first, more) = (Tokens::new(0, CAPACITY), Tokens::new(CAPACITY, CAPACITY));
    let round = |_| {
        let cache = (candidate.make)(CAPACITY);
        first.scattered().for_each(|token| cache.insert(token, Entry::new(1)));
        cache.settle();
        let start = Instant::now();
        more.iter().for_each(|token| cache.insert(token, Entry::new(1)));
        cache.settle();
        start.elapsed().as_nanos() as f64 / more.len() as f64
    };
    median((0..rounds).map(round).collect())
}

/// Bytes allocated for each of the tokens, without their own and without the entries.
fn overhead(candidate: &Candidate) -> f64 {
    let tokens = Tokens::new(0, CAPACITY);
    let mut kept = Vec::new();
    let mut entries = 0;
    let measured = allocations(|| {
        let cache = (candidate.make)(CAPACITY);
        tokens.iter().for_each(|token| cache.insert(token, Entry::new(1)));
        cache.settle();
        entries = tokens.iter().filter(|token| cache.get(token).is_some()).count();
        kept.push(cache);
    });
    let own = tokens.get(0).len() + size_of::<Entry>() + 2 * size_of::<usize>(); // two counts of references
    measured.bytes as f64 / entries as f64 - own as f64
}
