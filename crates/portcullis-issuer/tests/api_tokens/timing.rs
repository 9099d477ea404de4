//! What the time of an answer could say about a token. `benches/benches/api_tokens/timing.rs` measures it.

use std::sync::atomic::Ordering;

use portcullis_core::Code;

use crate::{
    house::{House, code},
    junk::with_checksum,
};

/// In constant time, so that a tag cannot be found character by character. None of these texts reaches the store or the memberships, which take longer for
/// what is known.
#[tokio::test]
async fn pitfall_8_a_tag_that_is_nearly_right_is_refused_before_anything_is_looked_up() {
    let house = House::new();
    let created = house.service_account().await;
    let text = created.secret().expose();
    let costs = || (house.store.reads(), house.users.asked.load(Ordering::SeqCst));
    // Seven characters of tag, and six of checksum.
    for at in text.len() - 13..text.len() - 6 {
        let other = if text.as_bytes()[at] == b'x' { "y" } else { "x" };
        let mut near = text.to_owned();
        near.replace_range(at..=at, other);
        assert_eq!(code(&house.admission, &with_checksum(&near)).await, Some(Code::SignatureInvalid), "at {at}");
    }
    assert_eq!(costs(), (0, 1), "the creation asks about the owner");
    assert_eq!(house.code(&created).await, None);
    assert_eq!(costs(), (1, 2));
}

/// A token with a right tag that the store does not have, as after its row was forgotten: it is asked for in the same way, by a digest that has nothing in common with
/// that of another text.
#[tokio::test]
async fn pitfall_8_the_store_is_asked_once_by_a_keyed_digest_whether_or_not_there_is_such_a_token() {
    let (house, elsewhere) = (House::new(), House::new());
    let (found, absent) = (house.service_account().await, elsewhere.service_account().await);
    assert_eq!(house.code(&found).await, None);
    assert_eq!(house.code(&absent).await, Some(Code::CredentialUnknown));
    let digests = house.store.digests.lock().unwrap().clone();
    assert_eq!(digests.len(), 2, "each is one question");
    let bytes = digests.iter().flat_map(|digest| *digest.as_bytes()).collect::<Vec<_>>();
    let differing: u32 = (0..32).map(|at| (bytes[at] ^ bytes[at + 32]).count_ones()).sum();
    // Of 256 bits; less than this is as likely as finding a token by guessing.
    assert!(differing > 60, "{differing} bits");
    for created in [&found, &absent] {
        let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, created.secret().expose().as_bytes());
        assert!(digests.iter().all(|digest| digest.as_bytes() != sha256.as_ref()), "the digest is not keyed");
    }
}
