//! The value of `Content-Digest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::content_digest::check(input));
