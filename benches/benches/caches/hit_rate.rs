//! How often a cache has what it is asked for.

use crate::{
    candidates::{Cache, Entry},
    tokens::{Tokens, Zipf},
};

/// Five times as many tokens as have room.
const TOKENS: usize = 50_000;

/// Requests between two bursts, and in one: three in ten bring a token that never comes again.
const CALM: usize = 7_000;
const BURST: usize = 3_000;

/// The share of hits among `requests` by Zipf's law, after half as many to fill the cache.
pub fn zipf(cache: &dyn Cache, requests: usize) -> f64 {
    let (tokens, mut zipf) = (Tokens::new(0, TOKENS), Zipf::new(TOKENS));
    (0..requests / 2).for_each(|_| {
        ask(cache, tokens.get(zipf.next()));
    });
    let hits = (0..requests).filter(|_| ask(cache, tokens.get(zipf.next()))).count();
    hits as f64 / requests as f64
}

/// The same among the requests by Zipf's law alone, while bursts of one-time tokens push them out.
pub fn zipf_with_scan(cache: &dyn Cache, requests: usize) -> f64 {
    let (tokens, mut zipf) = (Tokens::new(0, TOKENS), Zipf::new(TOKENS));
    let (mut hits, mut strangers) = (0, TOKENS);
    let rounds = requests.div_ceil(CALM);
    for round in 0..rounds + rounds / 2 {
        let calm = (0..CALM).filter(|_| ask(cache, tokens.get(zipf.next()))).count();
        hits += if round < rounds / 2 { 0 } else { calm };
        Tokens::new(strangers, BURST).iter().for_each(|token| {
            ask(cache, token);
        });
        strangers += BURST;
    }
    hits as f64 / (rounds * CALM) as f64
}

/// As a service does it: what is not there is verified, and then it is.
fn ask(cache: &dyn Cache, token: &[u8]) -> bool {
    let hit = cache.get(token).is_some();
    if !hit {
        cache.insert(token, Entry::new(1));
    }
    hit
}
