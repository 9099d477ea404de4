//! Tests that the cache of verified tokens stays within its memory limit, whatever callers put into their claims.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use portcullis_core::Admission;
use portcullis_test::MockIssuer;

const TOKENS: u32 = 64;

/// The limit that `Admission::cached_tokens` documents, and an eighth more, so that all tokens fit.
const BOUND: i64 = 8 * 1024 * (TOKENS + TOKENS / 8) as i64;

/// Returns the memory that the admission uses after four times as many tokens as it caches. Each token has this claim, which the
/// bearer has chosen, and each is read by a guard.
fn bytes_after(claim: &str) -> i64 {
    let issuer = MockIssuer::new();
    let claims = |n: u32| {
        let (name, now) = (issuer.name(), 4_000_000_000_u64);
        format!(r#"{{"iss":"{name}","aud":"https://service.test","exp":{now},"sub":"{n}","mine":{claim}}}"#)
    };
    let tokens: Vec<_> = (0..4 * TOKENS).map(|n| issuer.token().raw_claims(claims(n)).sign()).collect();
    let mut kept: Option<Admission> = None;
    let info = allocation_counter::measure(|| {
        let admission: Admission = issuer.admission();
        let admission = admission.cached_tokens(TOKENS as usize);
        for token in &tokens {
            let verified = admission.verify(token).ready().unwrap().unwrap();
            assert!(!verified.has_role("admin"));
        }
        kept = Some(admission);
    });
    info.bytes_current
}

#[test]
fn claims_that_callers_can_choose_do_not_exhaust_the_memory() {
    let plain = bytes_after(r#""nothing""#);
    assert!(plain > 16 * 1024 && plain < BOUND, "{plain}: these are remembered");
    for element in [r#"{"":0}"#, "[]", "0", "{}", r#""""#, r#""ab""#, r#"{"a":"b","c":"d"}"#, "[[0]]"] {
        for len in [4, 32, 8000 / (element.len() + 1)] {
            let claim = format!("[{}]", vec![element; len].join(","));
            let bytes = bytes_after(&claim);
            assert!(bytes < BOUND, "{len} of {element}: {bytes} of {BOUND}");
        }
    }
    for members in [10, 100, 700] {
        let members: Vec<_> = (0..members).map(|n| format!(r#""m{n}":"v{n}""#)).collect();
        let bytes = bytes_after(&format!("{{{}}}", members.join(",")));
        assert!(bytes < BOUND, "{} members: {bytes} of {BOUND}", members.len());
    }
}
