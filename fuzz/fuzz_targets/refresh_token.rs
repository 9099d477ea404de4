//! Refresh tokens, as presented and as written.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::refresh_token::check(input));
