//! The same program, which says why: `cargo run -p portcullis-core --example explains TOKEN`.

use std::{error::Error, future::Future, pin::pin, task::Context, task::Poll, task::Waker};

use portcullis_core::{
    Admission, Algorithm, JwtAuthenticator, KeySet, Secret, TrustedIssuer, authenticator::Presented,
};

fn main() -> Result<(), Box<dyn Error>> {
    let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
    let issuer = TrustedIssuer::new("https://login.example.com", KeySet::from(secret)).audience("orders");
    let admission = Admission::explainable(JwtAuthenticator::new(issuer)?);
    let token = std::env::args().nth(1).unwrap_or_default();
    // The key is at hand, so there is nothing to wait for.
    let explaining = pin!(admission.explain(Presented::bearer(token.as_bytes())));
    let Poll::Ready(explanation) = explaining.poll(&mut Context::from_waker(Waker::noop())) else {
        return Err("the key is at hand".into());
    };
    Err(explanation.to_string().into())
}
