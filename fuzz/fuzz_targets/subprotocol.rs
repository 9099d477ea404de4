//! `Sec-WebSocket-Protocol` headers.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| portcullis_fuzz::subprotocol::check(input));
