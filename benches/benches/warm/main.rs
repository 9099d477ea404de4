//! The warm path: a token that was verified before, against routers without authentication and what people write by
//! hand.
//!
//! The same token comes again and again, so every iteration after the first is a hit for contenders that cache tokens.
//! Budgets and their reading are printed below the table.

mod by_hand_cached;
mod memory;

use std::{process::ExitCode, slice};

use axum::Router;
use portcullis::{Algorithm, metrics::Telemetry};
use portcullis_benches::{
    Budgets, Contender, Hand, Options, Samples, admission, allocations, counted, extension, guarded, layered, measure,
    plain, requests, state, two_places, with_state,
};
use portcullis_test::MockIssuer;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Hs256, Algorithm::Es256];

/// Where the floors, and what is held against them, stand among the contenders.
const ROUTER: usize = 0;
const EXTENSION: usize = 1;
const STATE: usize = 2;
const LAYER: usize = 3;
const COUNTED: usize = 4;
const TWO_PLACES: usize = 5;

/// How far above its floor a contender may be.
struct Budget {
    contender: usize,
    floor: usize,
    ns: f64,
}

/// A hit allocates nothing: neither budget has room for an allocation beyond its floor's.
const BUDGETS: [Budget; 4] = [
    Budget { contender: STATE, floor: ROUTER, ns: 200.0 },
    Budget { contender: LAYER, floor: EXTENSION, ns: 100.0 },
    Budget { contender: COUNTED, floor: LAYER, ns: 25.0 },
    Budget { contender: TWO_PLACES, floor: LAYER, ns: 40.0 },
];

fn main() -> ExitCode {
    let options = Options::from_args();
    let mut budgets = Budgets::new(&options);
    println!("| algorithm | what | ns | over router | over Extension(Arc) | allocations |");
    println!("|---|---|---:|---:|---:|---:|");
    let verdicts: Vec<(String, bool)> = ALGORITHMS.iter().flat_map(|&algorithm| rows(algorithm, &options)).collect();
    println!();
    for (line, is_met) in verdicts {
        budgets.judge(&line, is_met);
    }
    for algorithm in ALGORITHMS {
        memory::judge(algorithm, &mut budgets);
    }
    budgets.close()
}

/// Prints the rows of one algorithm and returns what is to be said of its budgets, and whether each is met.
fn rows(algorithm: Algorithm, options: &Options) -> Vec<(String, bool)> {
    let mut contenders = contenders(algorithm);
    let (rounds, slice) = options.rounds();
    let samples = measure(&mut contenders, rounds, slice);
    let counts: Vec<u64> = contenders.iter_mut().map(|contender| allocations(|| (contender.run)()).count).collect();
    for (at, contender) in contenders.iter().enumerate() {
        let (name, ns, count) = (contender.name, samples.ns(at), counts[at]);
        let over = |base| if at > base { format!("{:.0}", samples.over(at, base)) } else { String::new() };
        let (router, extension) = (over(ROUTER), over(EXTENSION));
        println!("| {algorithm} | {name} | {ns:.0} | {router} | {extension} | {count} |");
        options.record_ns("warm", algorithm.name(), name, ns, count);
    }
    let verdict = |budget: &Budget| {
        let (line, is_met) = budget.verdict(&contenders, &samples, &counts);
        (format!("{algorithm}: {line}"), is_met)
    };
    BUDGETS.iter().map(verdict).collect()
}

impl Budget {
    fn verdict(&self, contenders: &[Contender<'_>], samples: &Samples, counts: &[u64]) -> (String, bool) {
        let (name, floor) = (contenders[self.contender].name, contenders[self.floor].name);
        let ns = samples.over(self.contender, self.floor);
        let more = counts[self.contender].saturating_sub(counts[self.floor]);
        let is_met = ns <= self.ns + Budgets::NOISE && more == 0;
        let budget = self.ns;
        (format!("{name}: {ns:.0} ns and {more} allocations over {floor} (budget {budget} ns and none)"), is_met)
    }
}

fn contenders(algorithm: Algorithm) -> [Contender<'static>; 10] {
    let issuer = MockIssuer::with_algorithm(algorithm);
    let token = issuer.token().subject("alice").scope("orders:read profile").sign();
    let jwks = issuer.jwks_with_secrets();
    let request = |router: Router| requests(router, slice::from_ref(&token));
    let auth = || admission(issuer.trusted());
    let hand = Hand::new(algorithm, &jwks, issuer.name(), MockIssuer::DEFAULT_AUDIENCE);
    [
        Contender::new("bare router", request(plain())),
        Contender::new("bare router with Extension(Arc)", request(extension())),
        Contender::new("portcullis, extractor from state", request(with_state(auth()))),
        Contender::new("portcullis, layer and extractor", request(layered(auth()))),
        Contender::new("portcullis, layer that counts, and extractor", request(counted(auth(), &Telemetry::new()))),
        Contender::new("portcullis, layer with two places, and extractor", request(two_places(auth()))),
        Contender::new("portcullis, layer, extractor and scope guard", request(guarded(auth()))),
        Contender::new("jsonwebtoken 12 in a hand-written extractor", request(hand.clone().router())),
        Contender::new("the same with a moka cache around it", request(by_hand_cached::router(hand))),
        Contender::new("bare router with State(Arc), for comparison", request(state())),
    ]
}
