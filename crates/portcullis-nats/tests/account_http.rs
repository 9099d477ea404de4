//! What an account server may answer.
#![cfg(feature = "http")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "support/web.rs"]
mod web;

use portcullis_jwks::HttpClient;
use portcullis_nats::{
    accounts::{AccountResolver as _, HttpAccounts},
    nkey::{AccountKey, KeyPair, Role},
};

use web::{Answer, Web};

fn id() -> AccountKey {
    AccountKey::try_from(*KeyPair::generate(Role::Account).unwrap().public_key()).unwrap()
}

fn client() -> HttpClient {
    HttpClient::new().unwrap()
}

#[tokio::test]
async fn only_200_is_an_account_and_only_404_is_none() {
    let (web, id) = (Web::start().await, id());
    let accounts = HttpAccounts::new(format!("{}/a/", web.url()), client()).unwrap();
    let path = format!("/a/{id}");
    for (answer, expected) in [
        (Answer::of(200, "token"), Ok(Some("token"))),
        (Answer::of(200, "token").with("content-type", "application/jwt"), Ok(Some("token"))),
        (Answer::of(404, "none"), Ok(None)),
        (Answer::of(204, ""), Err(())),
        (Answer::of(206, "tok"), Err(())),
        (Answer::of(302, "").with("location", format!("{}/elsewhere", web.url())), Err(())),
        (Answer::of(401, "token"), Err(())),
        (Answer::of(403, "token"), Err(())),
        (Answer::of(410, "none"), Err(())),
        (Answer::of(500, "token"), Err(())),
        (Answer::of(503, "token"), Err(())),
        (Answer::of(200, "token").with("content-encoding", "gzip"), Err(())),
        (Answer::of(200, "t".repeat(512 * 1024)), Ok(Some("t"))),
        (Answer::of(200, "t".repeat(512 * 1024 + 1)), Err(())),
    ] {
        web.serve(path.clone(), answer.clone());
        let fetched = accounts.fetch(&id).await;
        let matches = match (&fetched, expected) {
            (Ok(Some(token)), Ok(Some(expected))) => token.starts_with(expected),
            (Ok(None), Ok(None)) | (Err(_), Err(())) => true,
            _ => false,
        };
        assert!(matches, "{:?}: {:?}", format!("{answer:?}").get(..80), fetched.map_err(|error| error.to_string()));
    }
    assert!(web.asked().iter().all(|asked| *asked == path), "redirects are not followed");
}

#[test]
fn a_base_is_encrypted_or_on_this_machine() {
    for (base, is_allowed) in [
        ("https://accounts.test/jwt/v1/accounts/", true),
        ("https://accounts.test/jwt/v1/accounts", true),
        ("http://127.0.0.1:9090/jwt/v1/accounts/", true),
        ("http://accounts.test/", false),
        ("https://user@accounts.test/", false),
        ("https://accounts.test/?id=", false),
        ("https://accounts.test/#", false),
        ("accounts.test", false),
    ] {
        assert_eq!(HttpAccounts::new(base, client()).is_ok(), is_allowed, "{base}");
    }
    let named = |host| HttpAccounts::danger_allow_http("http://accounts.test:9090/", client(), host).is_ok();
    assert_eq!(
        ["accounts.test:9090", "accounts.test", "other.test:9090", "http://accounts.test"].map(named),
        [true, false, false, false]
    );
}
