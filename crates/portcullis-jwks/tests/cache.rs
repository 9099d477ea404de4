//! Tokens seen before, and keys that are fetched: a hit never accepts what a full verification would not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;
mod support;

use portcullis_core::authenticator::Attempt;
use portcullis_test::provider::{Behaviour, ScriptedProvider};
use support::{HOUR, MINUTE, Service};
use tokio::time::{Duration, sleep};

/// A story that chance writes, always the same for one seed.
async fn story(seed: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let provider = ScriptedProvider::new();
    let service = Service::with(provider, |keys| keys.outage(HOUR / 4));
    service.keys.require(MINUTE).await.unwrap();
    let full = service.admission.clone().without_cache();
    let (mut tokens, mut hits) = (Vec::new(), 0);
    for _ in 0..300 {
        match random.u8(0..16) {
            0 => drop(service.provider.issuer().rotate()),
            1 => service.provider.issuer().retire_old(),
            2 => service.provider.issuer().replace_key(),
            3 => service.provider.behave(Behaviour::FAULTS[random.usize(0..Behaviour::FAULTS.len())].clone()),
            4 => service.provider.behave(Behaviour::PrivateKeys),
            5 | 6 => service.provider.behave(Behaviour::Normal),
            7 => service.provider.clock().jump_forward(Duration::from_secs(random.u64(0..600))),
            8 => service.provider.clock().jump_back(Duration::from_secs(random.u64(0..600))),
            9 => sleep(Duration::from_secs(random.u64(0..1200))).await,
            10 => sleep(Duration::from_secs(random.u64(0..10))).await,
            _ => tokens.push(service.token()),
        }
        for _ in 0..5 {
            let Some(token) = random.choice(&tokens) else { continue };
            // Without waiting, and so without a change in between.
            if let Attempt::Done(Ok(_)) = service.admission.verify(token) {
                hits += 1;
                assert!(matches!(full.verify(token), Attempt::Done(Ok(_))), "seed {seed}");
            }
            drop(full.verify(token).outcome().await);
        }
    }
    hits
}

#[tokio::test(start_paused = true)]
async fn a_hit_accepts_nothing_that_would_be_refused() {
    let mut hits = 0;
    let first = seed::seed();
    for number in 0..20 {
        hits += story(first.wrapping_add(number)).await;
    }
    assert!(hits > 1000, "{hits}");
}
