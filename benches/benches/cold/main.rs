//! The cold path: a token seen for the first time, against the bare signature and against what people write by hand.
//!
//! Every iteration verifies in full; nothing caches tokens here. "over router" is the time beyond the same router
//! without any authentication, "over signature" the time beyond the same router with the bare check in its handler.

mod bare;

use std::{slice, sync::Arc};

use axum::Router;
use bare::Bare;
use portcullis::Algorithm;
use portcullis_benches::{
    Contender, Hand, Options, allocations, authenticator, extension, guarded, layered, measure, plain, requests,
    uncached, with_state,
};
use portcullis_test::MockIssuer;

const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa];

/// Where the two floors stand among the contenders.
const ROUTER: usize = 1;
const SIGNATURE: usize = 2;

fn main() {
    let options = Options::from_args();
    println!("| algorithm | what | ns | over router | over signature | allocations |");
    println!("|---|---|---:|---:|---:|---:|");
    for algorithm in ALGORITHMS {
        rows(algorithm, &options);
    }
}

fn rows(algorithm: Algorithm, options: &Options) {
    let mut contenders = contenders(algorithm);
    let (rounds, slice) = options.rounds();
    let samples = measure(&mut contenders, rounds, slice);
    for (at, contender) in contenders.iter_mut().enumerate() {
        let name = contender.name;
        let count = allocations(|| (contender.run)()).count;
        let over = |base| match name.starts_with("bare") {
            true => String::new(),
            false => format!("{:.0}", samples.over(at, base)),
        };
        let (ns, router, signature) = (samples.ns(at), over(ROUTER), over(SIGNATURE));
        println!("| {algorithm} | {name} | {ns:.0} | {router} | {signature} | {count} |");
        options.record_ns("cold", algorithm.name(), name, ns, count);
    }
}

/// So many tokens take turns before a cache that holds few of them: each is seen for the first time, or as good as. Checking
/// many signatures in turn takes longer than checking one again and again, which no predictor minds; so what remembering
/// costs is told by the two rows with many tokens, and not by the floors, which have one.
const IN_TURN: usize = 4096;
const REMEMBERED: usize = 8;

fn contenders(algorithm: Algorithm) -> [Contender<'static>; 11] {
    let issuer = MockIssuer::with_algorithm(algorithm);
    let token = issuer.token().subject("alice").scope("orders:read profile").sign();
    let jwks = issuer.jwks_with_secrets();
    let bare = Arc::new(Bare::new(algorithm, &jwks, &token));
    let request = |router: Router| requests(router, slice::from_ref(&token));
    let auth = || uncached(authenticator(issuer.trusted()));
    let hand = Hand::new(algorithm, &jwks, issuer.name(), MockIssuer::DEFAULT_AUDIENCE);
    let in_handler = Arc::clone(&bare).in_handler();
    let many: Vec<String> =
        (0..IN_TURN).map(|_| issuer.token().subject("alice").scope("orders:read profile").sign()).collect();
    let remembering = || authenticator(issuer.trusted()).cached_tokens(REMEMBERED);
    [
        Contender::new("bare signature, prepared key", move || bare.check()),
        Contender::new("bare router", request(plain())),
        Contender::new("bare router, bare signature in its handler", request(in_handler)),
        Contender::new("bare router with Extension(Arc)", request(extension())),
        Contender::new("portcullis, extractor from state", request(with_state(auth()))),
        Contender::new("portcullis, layer and extractor", request(layered(auth()))),
        Contender::new("portcullis, layer, extractor and scope guard", request(guarded(auth()))),
        Contender::new("the extractor, 4096 tokens in turn", requests(with_state(auth()), &many)),
        Contender::new("the extractor, 4096 tokens, each remembered", requests(with_state(remembering()), &many)),
        Contender::new("the layer, 4096 tokens, each remembered", requests(layered(remembering()), &many)),
        Contender::new("jsonwebtoken 11 in a hand-written extractor", request(hand.router())),
    ]
}
