//! Codes of clients, devices and users.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::code::check(input));
