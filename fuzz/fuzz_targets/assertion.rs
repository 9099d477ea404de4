//! Claims of client assertions.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::assertion::check(input));
