//! Portcullis beside other crates that guard axum services, and beside what people write by hand: one router, one
//! handler that gives the name of the caller, the same issuer and the same tokens for everybody.
//!
//! "warm" is one token again and again, "cold" many tokens of which none is remembered. Only who keeps verified tokens
//! has two different numbers. Each is compared with a bare router of the axum that it is made for.

mod axum_jwt_auth;
mod jwt_authorizer;
mod tower_oauth2;
mod trust;

use axum::Router;
use portcullis::Algorithm;
use portcullis_benches::{
    Contender, Hand, Member, Options, Samples, allocations, layered, measure, member_layered, member_with_state, plain,
    requests, with_state,
};
use trust::{Cache, Trust};

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::Es256];

/// So many that no branch predictor learns them.
const COLD_TOKENS: usize = 64;

/// Where the bare routers stand among the contenders.
const AXUM_08: usize = 0;
const AXUM_07: usize = 1;

fn main() {
    let options = Options::from_args();
    println!("| algorithm | what | warm, ns | over router | allocations | cold, ns | over router | allocations |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for algorithm in ALGORITHMS {
        rows(algorithm, &options);
    }
    println!(
        "\njwt-authorizer is made for axum 0.7, and compared with that. aws-lc checks the signatures, but ring does in"
    );
    println!("jwt-authorizer, and RustCrypto in axum-jwt-auth: no feature of theirs offers another.");
}

/// Both columns are measured in one go, so that a machine whose speed drifts is unfair to neither.
fn rows(algorithm: Algorithm, options: &Options) {
    let trust = Trust::new(algorithm);
    let mut all = contenders(&trust, 1, Cache::On);
    let count = all.len();
    all.extend(contenders(&trust, COLD_TOKENS, Cache::Off));
    let (rounds, slice) = options.rounds();
    let samples = measure(&mut all, rounds, slice);
    for at in 0..count {
        let name = all[at].name;
        let cells = [("warm", 0), ("cold", count)].map(|(title, first)| {
            let (ns, over) = (samples.ns(first + at), over_router(&samples, name, first, at));
            let allocated = allocations(|| (all[first + at].run)()).count;
            options.record_ns("rivals", &format!("{algorithm} {title}"), name, ns, allocated);
            format!("{ns:.0} | {over} | {allocated}")
        });
        println!("| {algorithm} | {name} | {} |", cells.join(" | "));
    }
}

/// The time beyond the bare router of the same axum; nothing for those themselves.
fn over_router(samples: &Samples, name: &str, first: usize, at: usize) -> String {
    let router = if name == jwt_authorizer::NAME { AXUM_07 } else { AXUM_08 };
    if at > AXUM_07 { format!("{:.0}", samples.over(first + at, first + router)) } else { String::new() }
}

/// All of them, with `count` tokens in turn, each of which has six custom claims; all read those into the same struct, except the two
/// rows that say so.
fn contenders(trust: &Trust, count: usize, cache: Cache) -> Vec<Contender<'static>> {
    let tokens = trust.tokens(count);
    let auth = || trust.admission(cache);
    let member = || trust.member_admission(cache);
    let hand = Hand::new(trust.algorithm, &trust.jwks, trust.issuer.name(), trust.audience());
    let request = |router: Router| requests(router, &tokens);
    vec![
        Contender::new("bare router", request(plain())),
        Contender::new("bare router, axum 0.7", jwt_authorizer::bare_requests(&tokens)),
        Contender::new("portcullis, extractor from state", request(member_with_state(member()))),
        Contender::new("portcullis, layer and extractor", request(member_layered(member()))),
        Contender::new("portcullis, extractor, registered claims only", request(with_state(auth()))),
        Contender::new("portcullis, layer, registered claims only", request(layered(auth()))),
        Contender::new("jsonwebtoken 12 in a hand-written extractor", request(hand.member_router())),
        Contender::new("tower-oauth2-resource-server 0.12", request(tower_oauth2::router(trust))),
        Contender::new(jwt_authorizer::NAME, jwt_authorizer::requests(trust, &tokens)),
        Contender::new("axum-jwt-auth 0.7", request(axum_jwt_auth::router(trust))),
    ]
}
