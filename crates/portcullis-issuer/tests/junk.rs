//! Pitfall 8 of the design: text that this issuer has not written reaches no store.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    env,
    hash::{BuildHasher, RandomState},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_issuer::refresh::{NotAccepted, RefreshError, RefreshPolicy};
use support::House;

const MANY: usize = 1_000_000;

/// A generator of random numbers (`SplitMix64`), so that the same seed makes the same tokens.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let given = env::var("PORTCULLIS_SEED").ok().map(|text| text.parse().unwrap());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one("a seed"));
        eprintln!("to repeat: PORTCULLIS_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// A token that was not made: a good one with a few bits changed, or the right form with random content, or random text.
    fn junk(&mut self, good: &[u8]) -> String {
        let octets = match self.below(4) {
            0 => self.octets(good.len()),
            // The version and the number of the key are right, so the MAC decides.
            1 => [&good[..2], &self.octets(good.len() - 2)].concat(),
            2 => {
                let count = self.below(100);
                let octets = self.octets(count);
                return String::from_utf8_lossy(&octets).into_owned();
            }
            _ => {
                let mut octets = good.to_vec();
                for _ in 0..=self.below(3) {
                    let bit = self.below(octets.len() * 8);
                    octets[bit / 8] ^= 1 << (bit % 8);
                }
                octets
            }
        };
        format!("prt_{}", URL_SAFE_NO_PAD.encode(octets))
    }
}

#[tokio::test]
async fn pitfall_8_a_million_tokens_of_junk_reach_no_store() {
    let house = House::new();
    let tokens = house.log_in().await;
    let (good, calls) = (tokens.refresh_token(), house.store_calls());
    let octets = URL_SAFE_NO_PAD.decode(good.strip_prefix("prt_").unwrap()).unwrap();
    let mut random = Random::new();
    for _ in 0..MANY {
        let junk = random.junk(&octets);
        if junk == good {
            continue; // two changes of one bit
        }
        match house.sessions.refresh(&junk, "web", &RefreshPolicy::new()).await {
            Err(RefreshError::InvalidGrant(NotAccepted::NotOurs)) => {}
            other => panic!("{junk}: {other:?}"),
        }
    }
    assert_eq!(house.store_calls(), calls);
    assert!(house.refresh(&tokens).await.is_ok());
    assert!(house.store_calls() > calls, "calls are counted");
}
