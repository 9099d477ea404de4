//! Keys and key sets as they come from elsewhere.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::jwk::check(input));
