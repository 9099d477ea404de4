//! Whether the time of an answer says something about a token.

use std::time::Instant;

use portcullis::Admission;
use portcullis_benches::{Difference, Options, uncached};
use portcullis_issuer::api_tokens::{
    ApiTokenDigest, ApiTokenKind, ApiTokenStore, Grant, MemoryApiTokenStore, NewApiToken, Owner,
};
use tokio::runtime::Runtime;

use crate::{log::Counted, places::Place, tokens};

/// How many tokens there are. No owner has more than a thousand.
const TOKENS: u32 = 2_000;

/// How many of each kind are timed.
fn rounds(options: &Options) -> usize {
    if options.quick { 500 } else { 100_000 }
}

/// Looks digests up that there are and that there are not, in turns. A found one takes longer, because its row is read: but no one outside can choose a digest, or ask
/// for one without a tag that only the issuer can make.
pub fn by_digest(options: &Options, runtime: &Runtime, place: &Place) {
    let (store, tokens) = (place.store(), tokens(place.store(), Counted::default()));
    let mut random = fastrand::Rng::with_seed(8);
    let mut found = Vec::new();
    for number in 0..TOKENS {
        let owner = Owner::organisation(format!("organisation-{}", number % 100));
        let new = NewApiToken::new(ApiTokenKind::ServiceAccount, owner, "CI");
        let new = new.grant(Grant::scope("orders:read")).created_by("alice");
        let created = runtime.block_on(tokens.create(new)).expect("a token");
        let row = runtime.block_on(store.find_by_id(created.token().id())).expect("an answer").expect("the row");
        found.push(row.digest);
    }
    let difference = in_turns(rounds(options), &mut random, |is_found, random| {
        let digest = if is_found {
            found[random.usize(..found.len())]
        } else {
            ApiTokenDigest::from_bytes(std::array::from_fn(|_| random.u8(..)))
        };
        let started = Instant::now();
        let answer = runtime.block_on(store.find(&digest)).expect("an answer");
        let time = started.elapsed().as_secs_f64() * 1e9;
        assert_eq!(answer.is_some(), is_found);
        time
    });
    print(options, &format!("{}: found, absent", place.name()), &difference);
}

/// Texts with a wrong tag: this is all that one outside can choose. Those of which six of seven characters are right take as long as those with none, or the tag could be
/// found character by character.
pub fn by_tag(options: &Options, runtime: &Runtime) {
    let tokens = tokens(MemoryApiTokenStore::new(), Counted::default());
    let new = NewApiToken::new(ApiTokenKind::ServiceAccount, Owner::organisation("acme"), "CI");
    let new = new.grant(Grant::scope("orders:read")).created_by("alice");
    let created = runtime.block_on(tokens.create(new)).expect("a token");
    let text = created.secret().expose();
    let tag = text.len() - 13..text.len() - 6;
    let [near, far] = [tag.end - 1..tag.end, tag].map(|wrong| forged(text, wrong));
    let admission = uncached(Admission::new(tokens.authenticator()));
    let difference = in_turns(rounds(options), &mut fastrand::Rng::with_seed(8), |is_near, _| {
        let text = if is_near { &near } else { &far };
        let started = Instant::now();
        let refused = runtime.block_on(admission.verify(text).outcome());
        let time = started.elapsed().as_secs_f64() * 1e9;
        assert!(refused.is_err(), "the tag is wrong");
        time
    });
    print(options, "a tag with six right characters, with none", &difference);
}

/// Returns the text with other characters at these places, and the checksum that it should have.
fn forged(text: &str, wrong: std::ops::Range<usize>) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut bytes = text.as_bytes()[..text.len() - 6].to_vec();
    for byte in &mut bytes[wrong] {
        *byte = if *byte == b'x' { b'y' } else { b'x' };
    }
    let mut rest = crc32fast::hash(&bytes);
    let mut digits = [(); 6].map(|()| {
        let digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
        digit
    });
    digits.reverse();
    bytes.extend(digits);
    String::from_utf8(bytes).expect("letters and digits")
}

/// Times as many of both kinds, in a random order, so that neither always comes after the other.
fn in_turns(
    rounds: usize,
    random: &mut fastrand::Rng,
    mut time: impl FnMut(bool, &mut fastrand::Rng) -> f64,
) -> Difference {
    let mut times = [Vec::with_capacity(rounds), Vec::with_capacity(rounds)];
    for _ in 0..rounds {
        let first = random.bool();
        for is_first in [first, !first] {
            times[usize::from(!is_first)].push(time(is_first, random));
        }
    }
    let [first, second] = times;
    Difference::between(first, second)
}

fn print(options: &Options, what: &str, Difference { medians: [first, second], t }: &Difference) {
    println!("| {what} | {first:.0} | {second:.0} | {t:.1} |");
    for (kind, median) in [("first", first), ("second", second)] {
        options.record_ns("api_tokens", &format!("timing of {what}"), kind, *median, 0);
    }
}
