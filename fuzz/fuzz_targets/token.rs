//! The whole verifier, on unsigned text.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::token::check(input));
