//! Minting, against the bare signature of the same bytes.

use portcullis::{Algorithm, policy::TokenSpec};
use portcullis_benches::{Budgets, Contender, Options, allocations, measure};
use portcullis_issuer::{AccessToken, SigningKey, TokenIssuer};

use crate::{
    bare::{Bare, SECRET},
    now,
};

/// What minting may add: claims, an id, two encodings.
const BUDGET: f64 = 2000.0;

/// Signatures with RSA take so long that this part of them is noise.
const NOISE: f64 = 0.01;

pub struct Row {
    algorithm: Algorithm,
    bare: f64,
    over: f64,
}

pub fn rows(options: &Options) -> Vec<Row> {
    println!("| algorithm | bare signature ns | minting ns | over the signature | allocations | bytes |");
    println!("|---|---:|---:|---:|---:|---:|");
    Algorithm::ALL.iter().map(|&algorithm| row(options, algorithm)).collect()
}

pub fn issuer(algorithm: Algorithm) -> (TokenIssuer, SigningKey) {
    let key = if algorithm.is_symmetric() {
        SigningKey::secret("2026-11", algorithm, &SECRET)
    } else {
        SigningKey::generate(algorithm)
    };
    let key = key.expect("a key");
    let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com");
    (TokenIssuer::new(spec, key.clone()).expect("a sound specification"), key)
}

/// What an access token of a session has in it.
fn content() -> AccessToken {
    AccessToken::for_user("alice", "web")
        .scope("orders:read orders:write profile")
        .role("clerk")
        .session("AAAAAAAAAAAAAAAAAAAAAA")
        .version(3)
}

fn row(options: &Options, algorithm: Algorithm) -> Row {
    let (issuer, key) = issuer(algorithm);
    let (bare, content) = (Bare::new(algorithm, &key), content());
    let token = now(issuer.mint(&content)).expect("a token").token().to_owned();
    let (input, _) = token.rsplit_once('.').expect("a token");
    let mut contenders = [
        Contender::new("bare signature", || bare.sign(input.as_bytes())),
        Contender::new("minting", || now(issuer.mint(&content))),
    ];
    let (rounds, slice) = options.rounds();
    let samples = measure(&mut contenders, rounds, slice);
    let count = allocations(|| (contenders[1].run)()).count;
    let (bare, minting, over) = (samples.ns(0), samples.ns(1), samples.over(1, 0));
    println!("| {algorithm} | {bare:.0} | {minting:.0} | {over:.0} | {count} | {} |", token.len());
    options.record_ns("issuer", algorithm.name(), "minting", minting, count);
    Row { algorithm, bare, over }
}

impl Row {
    pub fn judge(&self, budgets: &mut Budgets) {
        let noise = (self.bare * NOISE).max(Budgets::NOISE);
        let line = format!(
            "{}: minting takes {:.0} ns more than the bare signature (budget {BUDGET:.0} ns, noise {noise:.0} ns)",
            self.algorithm, self.over
        );
        budgets.judge(&line, self.over <= BUDGET + noise);
    }
}
