//! What a remembered token takes.

use portcullis::{Algorithm, authenticator::Attempt};
use portcullis_benches::{Budgets, admission, allocations};
use portcullis_test::MockIssuer;

/// As many as fit the cache in any case.
const TOKENS: usize = 2_000;

/// Judges the bytes that stay allocated for each of many remembered tokens.
pub fn judge(algorithm: Algorithm, budgets: &mut Budgets) {
    let issuer = MockIssuer::with_algorithm(algorithm);
    let tokens: Vec<String> =
        (0..TOKENS).map(|_| issuer.token().subject("alice").scope("orders:read").sign()).collect();
    let service = admission(issuer.trusted());
    let kept = allocations(|| {
        for token in &tokens {
            assert!(matches!(service.verify(token), Attempt::Done(Ok(_))));
        }
    });
    let (size, each) = (tokens[0].len(), kept.bytes / TOKENS as i64);
    let budget = 2 * size as i64 + 256;
    let line = format!("{algorithm}: a token of {size} bytes takes {each} when it is remembered (budget {budget})");
    budgets.judge(&line, each <= budget);
}
