//! Metadata documents of clients.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::client_document::check(input));
