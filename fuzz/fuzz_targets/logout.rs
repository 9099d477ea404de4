//! Bodies of back-channel logouts, and the claims of logout tokens.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::logout::check(input));
