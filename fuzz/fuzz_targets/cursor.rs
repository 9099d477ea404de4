//! Cursors, as text and as positions in a log.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::cursor::check(input));
