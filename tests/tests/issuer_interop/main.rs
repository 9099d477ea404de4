//! Tokens and key sets of portcullis-issuer, verified by other libraries and by portcullis: every algorithm, and for each token that is
//! accepted its twins with one bit changed, which are refused. Pitfall 12 of the issuer's design: the key set is fetched by each of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod house;
#[path = "../support/libraries.rs"]
mod libraries;

use house::House;
use libraries::{JOSE, JOSERFC, Library, PYJWT, Verdict};
use portcullis::Algorithm;

/// Asks a library about every algorithm.
async fn verify_all(library: Library, unsupported: &[Algorithm]) {
    let house = House::open().await;
    let questions = house.questions();
    let tokens: Vec<_> = questions.iter().map(house::Question::to_json).collect();
    let Some(verdicts) = library.verify(tokens).await else { return };
    assert_eq!(verdicts.len(), questions.len());
    for (question, verdict) in questions.iter().zip(verdicts) {
        let (algorithm, what) = (question.algorithm, question.what);
        match verdict {
            Verdict::Accepted(claims) => {
                assert!(!unsupported.contains(&algorithm), "{algorithm} is supported now: take it off the list");
                assert!(question.is_good, "{algorithm}: accepted with {what}");
                assert_eq!(claims, question.claims, "{algorithm}");
            }
            Verdict::Refused(_) if unsupported.contains(&algorithm) => {}
            Verdict::Refused(error) => {
                assert!(!question.is_good, "{algorithm}: {error}");
                assert!(
                    error.contains(library.bad_signature),
                    "{algorithm} with {what} is refused for another reason: {error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn pitfall_12_pyjwt_fetches_the_keys_and_verifies_every_algorithm() {
    // PyJWT 2.15 knows Ed25519 keys by the older name of the algorithm alone.
    verify_all(PYJWT, &[Algorithm::Ed25519]).await;
}

#[tokio::test]
async fn pitfall_12_joserfc_fetches_the_keys_and_verifies_every_algorithm() {
    verify_all(JOSERFC, &[]).await;
}

#[tokio::test]
async fn pitfall_12_jose_fetches_the_keys_and_verifies_every_algorithm() {
    verify_all(JOSE, &[]).await;
}

#[tokio::test]
async fn portcullis_fetches_the_keys_and_verifies_every_algorithm() {
    let house = House::open().await;
    let fetched = house.fetch().await;
    for question in house.questions() {
        let verdict = house.service(question.algorithm, &fetched).verify(&question.token).outcome().await;
        let (algorithm, what) = (question.algorithm, question.what);
        match verdict {
            Ok(verified) => {
                assert!(question.is_good, "{algorithm}: accepted with {what}");
                assert_eq!(verified.subject(), Some("alice"), "{algorithm}");
            }
            Err(error) => {
                assert!(!question.is_good, "{algorithm}: {error}");
                assert_eq!(error.code(), portcullis::Code::SignatureInvalid, "{algorithm} with {what}");
            }
        }
    }
}
