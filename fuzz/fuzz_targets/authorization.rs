//! The places of a request where a credential may be.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::authorization::check(input));
