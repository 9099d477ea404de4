//! Lines of a log of revocations.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::revocation_entry::check(input));
