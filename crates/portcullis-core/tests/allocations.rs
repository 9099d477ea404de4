//! Tests that cached tokens, key look-ups and patterns of subjects allocate nothing.

use portcullis_core::{
    KeyRing, KeySet, UnixTime,
    keys::{KeyHint, KeySource, Resolved},
    subjects::SubjectPattern,
};
use portcullis_test::MockIssuer;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn a_cached_token_allocates_nothing() {
    let issuer = MockIssuer::new();
    let (service, token) = (issuer.admission(), issuer.token().subject("alice").scope("orders:read").sign());
    let verify = || drop(service.verify(&token).ready().unwrap().unwrap());
    assert!(allocations(verify) > 0, "the first time it is verified in full");
    assert_eq!(allocations(verify), 0);
    let uncached = service.clone().without_cache();
    let verify = || drop(uncached.verify(&token).ready().unwrap().unwrap());
    verify();
    assert!(allocations(verify) > 0, "without the cache every time is the first");
}

#[test]
fn looking_up_a_key_allocates_nothing() {
    let issuer = MockIssuer::new();
    let keys = KeySet::from_jwks_strict(&issuer.jwks()).unwrap();
    let key = keys.iter().next().unwrap().clone();
    let (id, algorithm) = (key.id().unwrap().to_owned(), key.algorithms().iter().next().unwrap());
    let ring = KeyRing::new(key).unwrap();
    for source in [&keys as &dyn KeySource, &ring] {
        for (key_id, is_known) in [(Some(id.as_str()), true), (None, true), (Some("unheard-of"), false)] {
            let hint = KeyHint::new(algorithm, key_id);
            let look_up = || assert_eq!(matches!(source.resolve(hint, NOW), Resolved::Keys(_)), is_known);
            look_up(); // allocates what is allocated once per thread
            assert_eq!(allocations(look_up), 0, "{key_id:?}");
        }
    }
}

#[test]
fn comparing_subjects_allocates_nothing() {
    let (pattern, subject) = ("orders.*.>".to_owned(), "orders.7.read".to_owned());
    let compare = || {
        let (pattern, subject) = (SubjectPattern::parse(&pattern).unwrap(), SubjectPattern::parse(&subject).unwrap());
        assert!(pattern.covers(&subject) && pattern.overlaps(&subject));
    };
    assert_eq!(allocations(compare), 0);
}
