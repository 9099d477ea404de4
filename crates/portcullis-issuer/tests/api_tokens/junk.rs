//! Texts that no issuer has made.

use portcullis_core::Code;

use crate::house::{House, code};

/// With how many texts of each kind: `PORTCULLIS_TEXTS` sets another number. A million take half a minute without optimisation.
fn texts() -> u32 {
    std::env::var("PORTCULLIS_TEXTS").map_or(100_000, |number| number.parse().unwrap())
}

/// Returns the text with the checksum that it should have: the form is public.
pub(crate) fn with_checksum(text: &str) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let summed = &text[..text.len() - 6];
    let mut rest = crc32fast::hash(summed.as_bytes());
    let digits = [(); 6].map(|()| {
        let digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
        char::from(digit)
    });
    summed.chars().chain(digits.into_iter().rev()).collect()
}

#[tokio::test]
async fn pitfall_4_junk_is_not_looked_up_not_even_with_a_right_checksum() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let house = House::new();
    for _ in 0..texts() {
        let junk: String = "acme_u_1".chars().chain((0..40).map(|_| random.alphanumeric())).collect();
        assert_eq!(code(&house.admission, &junk).await, Some(Code::TokenMalformed), "{junk}");
        let summed = with_checksum(&junk);
        assert_eq!(code(&house.admission, &summed).await, Some(Code::SignatureInvalid), "{summed}");
    }
    assert_eq!(house.store.reads(), 0);
    let created = house.service_account().await;
    assert_eq!(with_checksum(created.secret().expose()), created.secret().expose());
    assert_eq!((house.code(&created).await, house.store.reads()), (None, 1));
}
