//! Credentials files of NATS users.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::creds::check(input));
