//! Answers of an issuer that is asked for its keys, and snapshots of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::issuer::check(input));
