//! The kept fuzz corpus, through what the fuzz targets call: no nightly toolchain is needed to know that it still holds.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "public in the fuzz targets' library, which this is taken from")]

use std::{fs, path::Path};

#[path = "../../fuzz/src/lib.rs"]
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "an oracle that cannot judge is a test that failed"
)]
mod fuzz;

/// Gives every file of one target's corpus to its function. The last name on standard error is the culprit's.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 10, "a corpus of {} files is none", files.len());
    for file in files {
        eprintln!("{}", file.display());
        check(&fs::read(file).unwrap());
    }
}

#[test]
fn authorization() {
    replay("authorization", fuzz::authorization::check);
}

#[test]
fn claims() {
    replay("claims", fuzz::claims::check);
}

#[test]
fn header() {
    replay("header", fuzz::header::check);
}

#[test]
fn issuer() {
    replay("issuer", fuzz::issuer::check);
}

#[test]
fn jwk() {
    replay("jwk", fuzz::jwk::check);
}

#[test]
fn token() {
    replay("token", fuzz::token::check);
}

#[test]
fn content_digest() {
    replay("content_digest", fuzz::content_digest::check);
}

#[test]
fn cookie() {
    replay("cookie", fuzz::cookie::check);
}

#[test]
fn cursor() {
    replay("cursor", fuzz::cursor::check);
}

#[test]
fn form() {
    replay("form", fuzz::form::check);
}

#[test]
fn logout() {
    replay("logout", fuzz::logout::check);
}

#[test]
fn pem() {
    replay("pem", fuzz::pem::check);
}

#[test]
fn refresh_token() {
    replay("refresh_token", fuzz::refresh_token::check);
}

#[test]
fn revocation_entry() {
    replay("revocation_entry", fuzz::revocation_entry::check);
}

#[test]
fn subprotocol() {
    replay("subprotocol", fuzz::subprotocol::check);
}

#[test]
fn assertion() {
    replay("assertion", fuzz::assertion::check);
}

#[test]
fn client_document() {
    replay("client_document", fuzz::client_document::check);
}

#[test]
fn code() {
    replay("code", fuzz::code::check);
}

#[test]
fn endpoint() {
    replay("endpoint", fuzz::endpoint::check);
}

#[test]
fn redirect_uri() {
    replay("redirect_uri", fuzz::redirect_uri::check);
}

#[test]
fn ticket() {
    replay("ticket", fuzz::ticket::check);
}

#[test]
fn nkey() {
    replay("nkey", fuzz::nkey::check);
}

#[test]
fn nats_claims() {
    replay("nats_claims", fuzz::nats_claims::check);
}

#[test]
fn creds() {
    replay("creds", fuzz::creds::check);
}

#[test]
fn nats_proof() {
    replay("nats_proof", fuzz::nats_proof::check);
}
