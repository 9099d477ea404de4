//! A program that verifies a token and never explains: `tests/explain.rs` looks for what is compiled into it.

use std::error::Error;

use portcullis_core::{Admission, Algorithm, JwtAuthenticator, KeySet, Secret, TrustedIssuer};

fn main() -> Result<(), Box<dyn Error>> {
    let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
    let issuer = TrustedIssuer::new("https://login.example.com", KeySet::from(secret)).audience("orders");
    let admission = Admission::new(JwtAuthenticator::new(issuer)?);
    let token = std::env::args().nth(1).unwrap_or_default();
    let outcome = admission.verify(&token).ready().ok_or("the key is at hand")?;
    outcome.map(drop).map_err(Into::into)
}
