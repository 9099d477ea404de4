//! Signing one request, with a service that checks it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use http::{HeaderMap, HeaderValue, Request, StatusCode};
use portcullis_core::Algorithm;
use portcullis_nats::{
    nkey::{KeyPair, Role},
    proof::{Proof, ProofVerifier, Signed},
};
use portcullis_nats_client::{ProofSigner, SignErrorKind, content_digest};
use serde_json::json;
use support::{NOW, Service, World, secs, user_token};

const ORIGIN: &str = "https://api.example.com";

fn signer(world: &World) -> ProofSigner {
    ProofSigner::new(&world.creds(), ORIGIN).unwrap()
}

fn signed(signer: &ProofSigner, request: Request<&str>) -> HeaderMap {
    let parts = request.into_parts().0;
    signer.sign(&parts, NOW).unwrap().into()
}

#[test]
fn the_proof_covers_method_target_nonce_token_and_digest() {
    let world = World::new();
    let signer = signer(&world);
    let answer = HeaderMap::from_iter([("nats-nonce".parse().unwrap(), HeaderValue::from_static("n-1"))]);
    assert!(!signer.remember(StatusCode::OK, &answer), "the request has succeeded");
    let request = Request::put("https://api.example.com/a%20b?c=d").header("content-digest", "sha-256=:AA==:").body("");
    let headers = signed(&signer, request.unwrap());
    let proof = Proof::parse(headers["nats-proof"].as_bytes()).unwrap();
    assert_eq!((proof.nonce, proof.made_at), ("n-1", NOW));
    let signed = Signed::new(ORIGIN, "PUT", "/a%20b?c=d", NOW, proof.id);
    let octets = signed.with_nonce("n-1").with_content_digest("sha-256=:AA==:").octets(world.creds().token());
    let key = world.user.public_key().verifying_key().unwrap();
    assert!(key.check_signature(Algorithm::EdDsa, &octets, &proof.signature));
    assert_eq!(headers["authorization"], format!("NatsUser {}", world.creds().token()));
    assert!(!headers.contains_key("nats-account"));
}

#[test]
fn each_proof_has_an_id_of_its_own() {
    let signer = signer(&World::new());
    let proofs: std::collections::HashSet<_> =
        (0..100).map(|_| signed(&signer, Request::new(""))["nats-proof"].clone()).collect();
    assert_eq!(proofs.len(), 100);
}

#[test]
fn a_request_for_another_origin_is_not_signed() {
    let signer = signer(&World::new());
    let mut other = Request::get("https://evil.example/orders").body(()).unwrap();
    let error = signer.sign_request(&mut other, NOW).unwrap_err();
    assert_eq!((error.kind(), other.headers().len()), (SignErrorKind::OtherOrigin, 0));
    for own in ["https://api.example.com/orders", "/orders"] {
        signer.sign_request(&mut Request::get(own).body(()).unwrap(), NOW).unwrap();
    }
}

#[test]
fn a_request_with_two_digests_is_not_signed() {
    let signer = signer(&World::new());
    let request = |digests: &[&str]| {
        let request =
            digests.iter().fold(Request::post("/"), |request, digest| request.header("content-digest", *digest));
        signer.sign(&request.body(()).unwrap().into_parts().0, NOW).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(request(&["sha-256=:AA==:", "sha-256=:AA==:"]), Err(SignErrorKind::ContentDigest));
    assert_eq!(request(&["é"]), Err(SignErrorKind::ContentDigest));
    assert_eq!(request(&["sha-256=:AA==:"]), Ok(()));
}

#[test]
fn an_origin_is_one_that_the_service_accepts_too() {
    let world = World::new();
    let origins = ["https://api.example.com", "http://localhost:8080", "https://[::1]:8443"];
    let others = [
        "https://api.example.com/",
        "api.example.com",
        "https://API.example.com",
        "wss://a",
        "https://",
        "https://a@b",
    ];
    for origin in origins.into_iter().chain(others) {
        let here = ProofSigner::new(&world.creds(), origin).is_ok();
        assert_eq!((here, ProofVerifier::new(origin).is_ok()), (origins.contains(&origin), here), "{origin}");
    }
}

/// What a service sends as a nonce ends up in the proof, so it must be nothing else there.
#[test]
fn a_nonce_that_would_add_to_the_proof_is_ignored() {
    let signer = signer(&World::new());
    let answer =
        |nonce: &str| HeaderMap::from_iter([("nats-nonce".parse().unwrap(), HeaderValue::from_str(nonce).unwrap())]);
    signer.remember(StatusCode::OK, &answer("good"));
    for bad in ["a; id=AAAAAAAAAAAAAAAAAAAAAA", "", "a b", "a,b", &"a".repeat(257)] {
        signer.remember(StatusCode::OK, &answer(bad));
        let headers = signed(&signer, Request::new(""));
        assert_eq!(Proof::parse(headers["nats-proof"].as_bytes()).unwrap().nonce, "good", "{bad}");
    }
    signer.remember(StatusCode::OK, &answer(&"a".repeat(256)));
    let headers = signed(&signer, Request::new(""));
    assert_eq!(Proof::parse(headers["nats-proof"].as_bytes()).unwrap().nonce.len(), 256);
}

#[test]
fn a_request_is_repeated_only_if_the_service_asks_for_its_nonce() {
    let signer = signer(&World::new());
    let answer = |nonce: Option<&'static str>, challenge: &'static str| {
        let mut headers = HeaderMap::new();
        if let Some(nonce) = nonce {
            headers.insert("nats-nonce", HeaderValue::from_static(nonce));
        }
        headers.insert("www-authenticate", HeaderValue::from_static(challenge));
        headers
    };
    let asks = r#"NatsUser error="use_nonce", error_description="the proof needs the nonce of this answer""#;
    let refuses = r#"NatsUser error="invalid_token""#;
    assert!(signer.remember(StatusCode::UNAUTHORIZED, &answer(Some("n"), asks)));
    assert!(!signer.remember(StatusCode::UNAUTHORIZED, &answer(None, asks)), "no nonce");
    assert!(!signer.remember(StatusCode::UNAUTHORIZED, &answer(Some("n"), refuses)), "refused for another reason");
    assert!(!signer.remember(StatusCode::OK, &answer(Some("n"), asks)), "accepted");
}

#[test]
fn only_tokens_of_the_same_user_and_of_its_account_are_taken() {
    let (world, other) = (World::new(), World::new());
    let signer = signer(&world);
    let kind = |result: Result<(), portcullis_nats_client::SignError>| result.unwrap_err().kind();
    let of_another = user_token(&world.account, other.user.public_key(), &json!({}));
    assert_eq!(kind(signer.replace_token(&of_another)), SignErrorKind::Token);
    assert_eq!(kind(signer.replace_token("a.b.c")), SignErrorKind::Token);
    assert_eq!(signer.expires_at(), None);
    let exp = NOW.plus(secs(60));
    signer.replace_token(&world.user_token(&json!({"exp": exp.as_secs()}))).unwrap();
    assert_eq!(signer.expires_at(), Some(exp));

    assert_eq!(kind(signer.staple(&other.account_token(NOW, &json!({})))), SignErrorKind::Token);
    assert_eq!(kind(signer.staple(&world.user_token(&json!({})))), SignErrorKind::Token);
    let account = world.account_token(NOW, &json!({}));
    signer.staple(&account).unwrap();
    assert_eq!(signed(&signer, Request::new(""))["nats-account"], account);
    assert!(signer.unstaple() && !signer.unstaple());
    assert!(!signed(&signer, Request::new("")).contains_key("nats-account"));
}

#[test]
fn a_signing_keys_user_brings_the_account_along_and_not_the_key() {
    let world = World::new();
    let signing_key = KeyPair::generate(Role::Account).unwrap();
    let nats = json!({"type": "user", "version": 2, "issuer_account": world.account_id().as_str()});
    let token = user_token(&signing_key, world.user.public_key(), &json!({"nats": nats}));
    let creds = portcullis_nats_client::Creds::new(token, world.user.clone()).unwrap();
    let signer = ProofSigner::new(&creds, ORIGIN).unwrap();
    signer.staple(&world.account_token(NOW, &json!({}))).unwrap();
}

#[test]
fn what_is_secret_is_sensitive_and_debug_does_not_show_it() {
    let world = World::new();
    let signer = signer(&world);
    signer.staple(&world.account_token(NOW, &json!({}))).unwrap();
    let parts = Request::new("").into_parts().0;
    let signed = signer.sign(&parts, NOW).unwrap();
    let shown = format!("{signer:?} {signed:?}");
    for secret in [world.creds().token(), world.user.seed().reveal(), "sig="] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains(world.user.public_key().as_str()));
    let headers = HeaderMap::from(signed);
    assert!(headers["authorization"].is_sensitive() && headers["nats-proof"].is_sensitive());
}

/// As a client does it that is no Tower service.
#[tokio::test]
async fn a_service_lets_the_signed_request_in() {
    let service = Service::start().await;
    let (signer, client) = (service.signer(), Service::client());
    let mut request = service.get("/orders/7?full=1");
    signer.sign_request(&mut request, NOW).unwrap();
    let answer = client.request(request).await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(signer.remember(answer.status(), answer.headers()));
    let mut request = service.get("/orders/7?full=1");
    signer.sign_request(&mut request, NOW).unwrap();
    let answer = client.request(request.clone()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(client.request(request).await.unwrap().status(), 401, "a proof is used once");
}

#[tokio::test]
async fn a_body_with_a_digest_cannot_be_replaced() {
    let service = Service::start().await;
    let (signer, client) = (service.signer(), Service::client());
    let send = async |signed: &'static str, sent: &'static str| {
        let mut request = service.post(sent);
        request.headers_mut().insert("content-digest", content_digest(signed));
        signer.sign_request(&mut request, NOW).unwrap();
        let answer = client.request(request).await.unwrap();
        signer.remember(answer.status(), answer.headers());
        answer.status().as_u16()
    };
    assert_eq!(send("seven oranges", "seven oranges").await, 401, "it brings the nonce");
    assert_eq!(send("seven oranges", "70 oranges").await, 400);
    assert_eq!(send("seven oranges", "seven oranges").await, 200);
}
