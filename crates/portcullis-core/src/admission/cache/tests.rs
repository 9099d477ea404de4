use std::sync::Arc;

use super::*;
use crate::{
    authenticator::Scheme,
    policy::testing,
    token::UnverifiedToken,
    verified::{Conventions, Facts, NoCustom},
};

fn verified() -> Verified {
    let conventions = Arc::new(Conventions::new("https://a.test"));
    let facts = Facts::assertion(r#"{"exp":1800000000,"iat":1700000000}"#, conventions).unwrap();
    Verified::assertion(facts, NoCustom)
}

fn cache(tokens: usize) -> TokenCache<NoCustom> {
    TokenCache::new(tokens, UnverifiedToken::MAX_LEN).unwrap()
}

/// With the keys of issuer 3.
fn entry(edition: u64) -> Entry<NoCustom> {
    let verified = verified();
    let window = testing::policy().window(&verified);
    Entry { verified, window, edition: Edition::of_part(3, edition), owes_proof: false }
}

const GOOD: UnixTime = UnixTime::from_secs(1_750_000_000);

#[test]
fn the_same_bytes_hit_and_others_do_not() {
    let cache = cache(10);
    let token = cache.probe(b"a.b.c", Scheme::Bearer).unwrap();
    assert!(cache.find(&token, GOOD, |edition| edition.number() == 7).is_none());
    cache.remember(&token, entry(7));
    assert!(cache.find(&token, GOOD, |edition| edition.number() == 7).is_some());
    for other in ["a.b.d", "a.b.", "a.b.cc", "A.b.c", "", " a.b.c"] {
        assert!(
            cache
                .find(&cache.probe(other.as_bytes(), Scheme::Bearer).unwrap(), GOOD, |edition| edition.number() == 7)
                .is_none(),
            "{other}"
        );
    }
}

#[test]
fn another_token_of_the_same_hash_does_not_hit() {
    let cache = cache(10);
    let token = cache.probe(b"a.b.c", Scheme::Bearer).unwrap();
    cache.remember(&token, entry(7));
    let colliding = Probe { hash: token.hash, scheme: Scheme::Bearer, text: b"x.y.z" };
    assert!(cache.find(&colliding, GOOD, |edition| edition.number() == 7).is_none());
    assert!(cache.find(&token, GOOD, |edition| edition.number() == 7).is_some(), "the twin");
}

#[test]
fn another_edition_of_the_keys_or_none_is_no_hit() {
    for edition in [Some(8), Some(6), None] {
        let cache = cache(10);
        let token = cache.probe(b"a.b.c", Scheme::Bearer).unwrap();
        cache.remember(&token, entry(7));
        assert!(cache.find(&token, GOOD, |old| Some(old.number()) == edition).is_none(), "{edition:?}");
        assert!(cache.find(&token, GOOD, |edition| edition.number() == 7).is_none(), "and the entry is gone");
    }
}

#[test]
fn the_edition_that_is_asked_about_is_the_tokens() {
    let cache = cache(10);
    let token = cache.probe(b"a.b.c", Scheme::Bearer).unwrap();
    cache.remember(&token, entry(7));
    assert!(cache.find(&token, GOOD, |edition| edition == Edition::of_part(3, 7)).is_some());
}

#[test]
fn another_scheme_is_no_hit() {
    let cache = cache(10);
    let token = cache.probe(b"a.b.c", Scheme::Bearer).unwrap();
    cache.remember(&token, entry(7));
    for other in [Scheme::DPoP, Scheme::Other("ApiKey")] {
        assert!(cache.find(&cache.probe(b"a.b.c", other).unwrap(), GOOD, |_| true).is_none());
    }
    assert!(cache.find(&token, GOOD, |_| true).is_some(), "and the entry stays");
}

#[test]
fn an_instant_outside_the_window_is_no_hit() {
    for now in [0, 1_699_999_969, 1_800_000_030, u64::MAX] {
        let cache = cache(10);
        let token = cache.probe(b"a.b.c", Scheme::Bearer).unwrap();
        cache.remember(&token, entry(7));
        assert!(cache.find(&token, UnixTime::from_secs(now), |edition| edition.number() == 7).is_none(), "{now}");
    }
    for now in [1_699_999_970, 1_800_000_029] {
        let cache = cache(10);
        let token = cache.probe(b"a.b.c", Scheme::Bearer).unwrap();
        cache.remember(&token, entry(7));
        assert!(cache.find(&token, UnixTime::from_secs(now), |edition| edition.number() == 7).is_some(), "{now}");
    }
}

#[test]
fn the_number_of_tokens_is_bounded() {
    let cache = cache(100);
    for n in 0..10_000 {
        let text = format!("token.{n}.signature");
        cache.remember(&cache.probe(text.as_bytes(), Scheme::Bearer).unwrap(), entry(7));
    }
    assert!((50..=120).contains(&cache.tokens.len()), "{}", cache.tokens.len());
}

#[test]
fn long_tokens_count_for_several() {
    let cache = cache(1000);
    for n in 0..2000 {
        let text = format!("{n}{}", "t".repeat(UnverifiedToken::MAX_LEN - 10));
        cache.remember(&cache.probe(text.as_bytes(), Scheme::Bearer).unwrap(), entry(7));
    }
    let bytes = (cache.tokens.len() * UnverifiedToken::MAX_LEN) as u64;
    assert!(bytes <= 1125 * BYTES_PER_TOKEN, "{bytes}");
}

/// Claims of an application whose own code panics when they are dropped.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "as planned");
    }
}

#[test]
fn what_an_applications_claims_do_when_they_go_is_not_done_under_a_lock() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let cache: TokenCache<Bomb> = TokenCache::new(10, UnverifiedToken::MAX_LEN).unwrap();
    let text = |n: usize| format!("{n}.{}", "t".repeat(if n.is_multiple_of(7) { 15_000 } else { 10 }));
    let mut panics = 0;
    for n in 0..200 {
        let text = text(n);
        let facts = Facts::assertion(r#"{"exp":1800000000}"#, Arc::new(Conventions::new("https://a.test"))).unwrap();
        let verified = Verified::assertion(facts, Bomb);
        let window = testing::policy().window(&verified);
        let entry = Entry { verified, window, edition: Edition::of_part(3, 7), owes_proof: false };
        let token = cache.probe(text.as_bytes(), Scheme::Bearer).unwrap();
        panics += usize::from(catch_unwind(AssertUnwindSafe(|| cache.remember(&token, entry))).is_err());
    }
    assert!(panics > 0, "nothing had to make room");
    for n in 0..200 {
        let text = text(n);
        let found =
            cache.find(&cache.probe(text.as_bytes(), Scheme::Bearer).unwrap(), GOOD, |edition| edition.number() == 7);
        std::mem::forget(found);
    }
    std::mem::forget(cache);
}

#[test]
fn what_is_too_long_is_not_even_hashed() {
    let cache = cache(10);
    assert!(cache.probe("t".repeat(UnverifiedToken::MAX_LEN).as_bytes(), Scheme::Bearer).is_some());
    assert!(cache.probe("t".repeat(UnverifiedToken::MAX_LEN + 1).as_bytes(), Scheme::Bearer).is_none());
}

#[test]
fn a_scan_of_tokens_that_come_once_leaves_the_others_in() {
    let cache = cache(1000);
    let hot: Vec<String> = (0..500).map(|n| format!("hot.{n}.signature")).collect();
    let hits = || {
        hot.iter()
            .filter(|text| {
                cache
                    .find(&cache.probe(text.as_bytes(), Scheme::Bearer).unwrap(), GOOD, |edition| edition.number() == 7)
                    .is_some()
            })
            .count()
    };
    for text in hot.iter().chain(&hot) {
        let probe = cache.probe(text.as_bytes(), Scheme::Bearer).unwrap();
        if cache.find(&probe, GOOD, |edition| edition.number() == 7).is_none() {
            cache.remember(&probe, entry(7));
        }
    }
    assert!(hits() > 490);
    for n in 0..10_000 {
        let text = format!("once.{n}.signature");
        cache.remember(&cache.probe(text.as_bytes(), Scheme::Bearer).unwrap(), entry(7));
    }
    assert!(hits() > 450, "{}", hits());
}

#[test]
fn two_processes_hash_in_two_ways() {
    let (one, other) = (cache(10), cache(10));
    assert_ne!(one.probe(b"a.b.c", Scheme::Bearer).unwrap().hash, other.probe(b"a.b.c", Scheme::Bearer).unwrap().hash);
}

#[test]
fn debug_shows_no_token() {
    let cache = cache(10);
    cache.remember(&cache.probe(b"a.b.c", Scheme::Bearer).unwrap(), entry(7));
    let shown = format!("{cache:?}");
    assert!(shown.contains("tokens: 1") && !shown.contains("a.b.c"), "{shown}");
}

#[test]
fn the_text_of_a_token_is_wiped_from_memory() {
    // Checked by its type, because freed memory cannot be read without unsafe code.
    let _: fn(&CachedToken) -> &Zeroizing<Box<[u8]>> = |token| &token.text;
}
