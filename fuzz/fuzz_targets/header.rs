//! The header's parser, behind a right signature.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::header::check(input));
