//! Requests to an endpoint of an authorization server.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::endpoint::check(input));
