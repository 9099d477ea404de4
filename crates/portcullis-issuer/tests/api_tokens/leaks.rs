//! Where the text of a token must never be.

use std::{error::Error, fmt::Write};

use portcullis_issuer::api_tokens::{ApiTokenStore, RevokedReason, Rotation};

use crate::house::{House, acme, secs};

/// Everything that is printed or kept in a run, searched for the texts.
#[tokio::test]
async fn pitfall_6_the_text_of_a_token_is_in_no_row_no_debug_output_no_event_and_no_error() {
    let (house, mut printed) = (House::new(), String::new());
    let first = house.service_account().await;
    let child = house.child_of(&first).await;
    let request = "a request of 16 bytes or more";
    let second = house.tokens.rotate(first.token().id(), Rotation::new(request)).await.unwrap();
    let mut errors: Vec<Box<dyn Error>> = Vec::new();
    for token in [&first, &child, &second] {
        let verified = house.verify(token).await.unwrap();
        write!(printed, "{verified:?} {} {token:?}", verified.claims_json()).unwrap();
    }
    errors
        .push(Box::new(house.tokens.rotate(first.token().id(), Rotation::new("another one of 16")).await.unwrap_err()));
    house.tokens.revoke(second.token().id(), RevokedReason::Leaked).await.unwrap();
    errors.push(Box::new(house.verify(&second).await.unwrap_err()));
    house.store.down(true);
    house.clock.advance(secs(61));
    errors.push(Box::new(house.verify(&first).await.unwrap_err()));
    house.store.down(false);
    for error in &errors {
        let mut cause: Option<&dyn Error> = Some(&**error);
        while let Some(error) = cause {
            write!(printed, "{error} {error:?}").unwrap();
            cause = error.source();
        }
    }
    for row in house.store.all(None, 100).await.unwrap().rows {
        write!(printed, "{} {row:?}", row.to_json()).unwrap();
    }
    write!(printed, "{:?} {:?}", house.take_events(), house.tokens.list(&acme()).await.unwrap()).unwrap();
    write!(printed, "{:?} {:?} {:?}", house.tokens, house.admission, Rotation::new(request)).unwrap();
    for token in [&first, &child, &second] {
        let text = token.secret().expose();
        // Any eight characters of the secret, the tag and the checksum.
        for window in text.as_bytes()[8..].windows(8) {
            let part = std::str::from_utf8(window).unwrap();
            assert!(!printed.contains(part), "{part} of {text}");
        }
    }
    assert!(!printed.contains(request) && printed.len() > 5_000);
}
