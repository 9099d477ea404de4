//! The HTTP header with which a user of NATS proves possession of a key.

use std::collections::BTreeMap;

use portcullis_nats::proof::Proof;

/// What is read is exactly what the oracle reads, and is written as the same parameters.
pub fn check(octets: &[u8]) {
    let expected = str::from_utf8(octets).ok().filter(|text| text.len() <= 1024).and_then(read);
    match (Proof::parse(octets), expected) {
        (Ok(proof), Some(expected)) => {
            let text = proof.to_string();
            assert_eq!(read(&text), Some(expected));
            assert_eq!(Proof::parse(text.as_bytes()), Ok(proof));
        }
        (Err(error), Some(_)) => panic!("refused: {error}"),
        (Ok(_), None) => panic!("accepted, which should not be"),
        (Err(_), None) => {}
    }
}

/// The parameters, if they are those of a proof.
fn read(text: &str) -> Option<BTreeMap<&str, &str>> {
    let mut found = BTreeMap::new();
    for part in text.split(';') {
        let (name, value) = part.trim_matches(' ').split_once('=')?;
        if found.insert(name, value).is_some() {
            return None;
        }
    }
    let value = |name: &str| found.get(name).copied();
    let is_base64 = |text: &str, len: usize, unused: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        text.len() == len && text.chars().all(is_letter) && text.ends_with(|c| unused.contains(c))
    };
    // In its only form, up to the end of the year 9999.
    let time = value("ts")?;
    let is_time = time.parse::<u64>().is_ok_and(|seconds| seconds.to_string() == time && seconds <= 253_402_300_799);
    let nonce = value("nonce").unwrap_or("x");
    let is_nonce =
        (1..=256).contains(&nonce.len()) && nonce.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~+/=".contains(c));
    // The last letter of 16 bytes has four bits that belong to nothing, and so has that of 64 bytes.
    let is_rest =
        value("v") == Some("1") && is_base64(value("id")?, 22, "AQgw") && is_base64(value("sig")?, 86, "AQgw");
    let known = ["v", "ts", "nonce", "id", "sig"];
    (is_time && is_nonce && is_rest && found.keys().all(|name| known.contains(name))).then_some(found)
}
