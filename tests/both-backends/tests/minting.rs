//! Minting works in a program that enables both of jsonwebtoken's backends, and features of `serde_json` that change how JSON is written.
#![cfg(test)]

use std::time::Duration;

use portcullis::{Admission, Algorithm, JwtAuthenticator, KeySet, policy::TokenSpec};
use portcullis_issuer::{
    AccessToken, SigningKey, TokenIssuer,
    documents::{PublishedDocument, PublishedKey},
    refresh::Family,
};

const SERVICE: &str = "https://orders.test";

fn spec() -> TokenSpec {
    TokenSpec::new("https://id.test").audience(SERVICE)
}

#[tokio::test]
async fn a_token_is_minted_and_accepted_with_every_algorithm() {
    for &algorithm in Algorithm::ALL {
        let key = match algorithm {
            symmetric if symmetric.is_symmetric() => SigningKey::generate_secret("1", symmetric),
            asymmetric => SigningKey::generate(asymmetric),
        };
        let key = key.unwrap();
        let issuer = TokenIssuer::new(spec(), key.clone()).unwrap();
        let minted = issuer.mint(&AccessToken::for_user("alice", "web").version(3)).await.unwrap();
        let trusted = spec().trusted_at(SERVICE, KeySet::from(key.verifying_key())).unwrap();
        let verified = Admission::new(JwtAuthenticator::new(trusted).unwrap()).verify(minted.token()).outcome().await;
        assert_eq!(verified.unwrap().version(), Some(3), "{algorithm}");
    }
}

/// The members of a thumbprint are sorted (RFC 7638 section 3.3), whether or not `serde_json` keeps the order of insertion. The key and its
/// thumbprint are those of RFC 8037 appendix A.
#[test]
fn the_id_of_a_key_is_its_thumbprint() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let unsorted: serde_json::Value = serde_json::from_str(jwk).unwrap();
    assert!(unsorted.to_string().starts_with(r#"{"kty""#), "without the feature, this proves nothing");
    let key = SigningKey::from_jwk(jwk).unwrap();
    assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let key_set = PublishedDocument::key_set([PublishedKey::of(&key).unwrap()], Duration::ZERO).unwrap();
    assert!(key_set.body().starts_with(r#"{"keys":[{"kty":"OKP","kid":"kPrK"#), "{}", key_set.body());
}

#[test]
fn a_session_that_was_stored_is_read_again() {
    let row = include_str!("../../../crates/portcullis-issuer/tests/rows/v1.json");
    let family = Family::from_json(row).unwrap();
    assert_eq!(Family::from_json(&family.to_json()).unwrap(), family);
}
