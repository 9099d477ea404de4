//! A flood of tokens with random key ids, and its effect on a client with a valid token.
//!
//! One thread sends 100 000 of them, as fast as it can, to a service whose keys are fetched from a scripted provider; the other
//! verifies a good token again and again, in full, and notes how long each takes. Before that it does so alone, while the
//! first thread is as busy with something else: two processors of one machine are never quite alone.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portcullis::{Admission, JwtAuthenticator, RemoteKeys, authenticator::Attempt, error::AuthErrorKind};
use portcullis_benches::Options;
use portcullis_test::provider::ScriptedProvider;

const FLOOD: usize = 100_000;

/// How often the good token is timed in each of the two parts, at least.
const SAMPLES: usize = 2_000;

fn main() {
    let options = Options::from_args();
    let flood = if options.quick { FLOOD / 20 } else { FLOOD };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime");
    let _within = runtime.enter();
    let provider = ScriptedProvider::new();
    let keys = RemoteKeys::discover(provider.issuer().name()).fetch(provider.clone()).start().expect("a source");
    runtime.block_on(keys.require(Duration::from_secs(5))).expect("keys");
    let service =
        Admission::new(JwtAuthenticator::new(provider.issuer().trusted_with(keys)).expect("a sound configuration"));
    let service = service.clock(provider.clock()).without_cache();
    let good = provider.issuer().token().subject("alice").sign();
    let hostile: Vec<String> = (0..flood).map(|n| with_key_id(&good, &format!("random-{n}"))).collect();

    let busy = |until: &AtomicBool| {
        while !until.load(Ordering::Relaxed) {
            black_box((0..500_u64).fold(1, u64::wrapping_mul));
        }
    };
    let alone = timed(&service, &good, busy);
    let (fetches, start) = (provider.key_set_fetches(), Instant::now());
    let during = timed(&service, &good, |_| hostile.iter().for_each(|token| refuse(&service, token)));
    let (took, fetches) = (start.elapsed(), provider.key_set_fetches() - fetches);

    println!("| the valid token | verified | p50 µs | p99 µs | refused |");
    println!("|---|---:|---:|---:|---:|");
    for (name, times) in [("alone", &alone), ("during the flood", &during)] {
        let (p50, p99) = (quantile(times, 0.5), quantile(times, 0.99));
        println!("| {name} | {} | {p50:.1} | {p99:.1} | 0 |", times.len());
        options.record_ns("flood", "ES256", name, p50 * 1000.0, 0);
    }
    println!("\n{flood} tokens with random key ids in {:.1} s caused {fetches} fetches", took.as_secs_f64());
}

/// Times the good token while `other` runs on another thread, and until that is over.
fn timed(service: &Admission, good: &str, other: impl Fn(&AtomicBool) + Sync) -> Vec<f64> {
    let (enough, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut times = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            // Also if it panics, or this would wait for ever.
            let _over = SetOnDrop(&over);
            other(&enough);
        });
        while times.len() < SAMPLES || !over.load(Ordering::Relaxed) {
            let start = Instant::now();
            assert!(matches!(service.verify(good), Attempt::Done(Ok(_))), "a good token was refused");
            times.push(start.elapsed().as_secs_f64() * 1e6);
            enough.store(times.len() >= 10 * SAMPLES, Ordering::Relaxed);
        }
    });
    times.sort_by(f64::total_cmp);
    times
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends a hostile token; one that would wait for a fetch hangs up. While the source cools down, no fetch has looked for its key, so that it can
/// neither be refused nor accepted.
fn refuse(service: &Admission, token: &str) {
    if let Attempt::Done(outcome) = service.verify(token) {
        let kind = outcome.expect_err("a hostile token was accepted").kind();
        assert!(matches!(kind, AuthErrorKind::InvalidToken | AuthErrorKind::Unavailable), "{kind:?}");
    }
}

fn quantile(sorted: &[f64], at: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * at) as usize]
}

/// The token with another header: its signature is wrong then, but without a key it is never checked.
fn with_key_id(token: &str, key_id: &str) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{key_id}"}}"#));
    format!("{header}.{}", token.split_once('.').expect("a token").1)
}
