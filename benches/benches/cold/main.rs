//! The cold path: a token seen for the first time, against the bare signature and against what people write by hand.
//!
//! Every iteration verifies in full; nothing caches tokens here. "over router" is the time beyond the same router
//! without any authentication, "over signature" the time beyond the same router with the bare check in its handler.

mod by_hand;
mod contenders;

use std::{env, time::Duration};

use contenders::{Bare, Case};
use portcullis::Algorithm;
use portcullis_benches::{Contender, medians};

const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa];

fn main() {
    let quick = env::args().any(|argument| argument == "--quick");
    let (rounds, slice) = if quick { (5, Duration::from_millis(5)) } else { (41, Duration::from_millis(20)) };
    println!("| algorithm | what | ns | over router | over signature | allocations |");
    println!("|---|---|---:|---:|---:|---:|");
    for algorithm in ALGORITHMS {
        let case = Case::new(algorithm);
        let bare = Bare::new(&case);
        let mut contenders = [
            Contender::new("bare signature, prepared key", || bare.check()),
            Contender::new("bare router", case.request(case.plain())),
            Contender::new("bare router, bare signature in its handler", case.request(case.signature_in_handler())),
            Contender::new("bare router with Extension(Arc)", case.request(case.extension())),
            Contender::new("portcullis, extractor from state", case.request(case.with_state())),
            Contender::new("portcullis, layer and extractor", case.request(case.layered())),
            Contender::new("portcullis, layer, extractor and scope guard", case.request(case.guarded())),
            Contender::new("jsonwebtoken 11 in a hand-written extractor", case.request(case.by_hand())),
        ];
        let times = medians(&mut contenders, rounds, slice);
        for (contender, time) in contenders.iter_mut().zip(&times) {
            let over_router = time - times[1];
            let allocations = allocation_counter::measure(|| (contender.run)()).count_total;
            let (router, signature) = match contender.name {
                name if name.starts_with("bare") => ("".to_owned(), "".to_owned()),
                _ => (format!("{over_router:.0}"), format!("{:.0}", time - times[2])),
            };
            println!("| {algorithm} | {} | {time:.0} | {router} | {signature} | {allocations} |", contender.name);
        }
    }
}
