//! Claims of NATS tokens.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::nats_claims::check(input));
