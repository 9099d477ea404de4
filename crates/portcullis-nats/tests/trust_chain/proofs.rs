//! What a request has to prove, the first time and each time after.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use portcullis_core::{
    Admission, AuthError, Code, UnixTime, Verified,
    authenticator::{Attempt, Presented, Scheme},
    possession::{MemoryReplayStore, NonceIssuer, Once, ReplayKey, ReplayStore, SignedNonces},
};
use portcullis_nats::{
    TrustChain,
    accounts::from_fn,
    chain::Policy,
    nkey::Role,
    proof::{Freshness, Proof, RequestId, Signed},
};
use portcullis_test::FixedClock;

use crate::{
    Service, code, proofs, secs,
    world::{NOW, ORIGIN, TestRequest, World, key},
};

#[tokio::test]
async fn a_request_without_a_proof_is_refused_and_told_a_nonce() {
    let service = Service::new();
    let token = service.world.usual_user();
    let error = service.admit(&token, &TestRequest::new("GET", "/")).await.unwrap_err();
    assert_eq!(error.code(), Code::ProofMissing);
    let nonce = error.nonce().expect("a nonce").to_string();
    let request = TestRequest::new("GET", "/").proven(&service.world.user, &token, &nonce, service.now());
    assert!(service.admit(&token, &request).await.is_ok());
}

#[tokio::test]
async fn a_known_user_proves_each_request() {
    let service = Service::new();
    let token = service.world.usual_user();
    let first = service.request(&token);
    assert!(service.admit(&token, &first).await.is_ok());
    assert_eq!(code(service.admit(&token, &first).await), Code::ProofReplayed);
    assert_eq!(code(service.admit(&token, &TestRequest::new("GET", "/")).await), Code::ProofMissing);
    assert!(service.admit_fresh(&token).await.is_ok());
}

#[tokio::test]
async fn a_proof_that_is_new_to_a_store_far_away_is_awaited() {
    let nonces = Arc::new(SignedNonces::random().unwrap());
    let verifier = proofs(&nonces).replays(Slow(MemoryReplayStore::new()));
    let service = Service::of(Policy::new(), verifier, nonces);
    let token = service.world.usual_user();
    for _ in 0..3 {
        let request = service.request(&token);
        assert!(service.admit(&token, &request).await.is_ok());
        assert_eq!(code(service.admit(&token, &request).await), Code::ProofReplayed);
    }
}

/// A store of used proofs that takes time.
#[derive(Clone, Debug)]
struct Slow(MemoryReplayStore);

impl ReplayStore for Slow {
    fn accept_once(&self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Attempt<Once> {
        let store = self.0.clone();
        Attempt::waiting(async move {
            tokio::task::yield_now().await;
            store.accept_once(key, until, now).outcome().await
        })
    }
}

#[tokio::test]
async fn a_store_of_proofs_that_is_full_is_no_refusal() {
    let nonces = Arc::new(SignedNonces::random().unwrap());
    let verifier = proofs(&nonces).replays(MemoryReplayStore::with_limit(1));
    let service = Service::of(Policy::new(), verifier, nonces);
    let token = service.world.usual_user();
    assert!(service.admit_fresh(&token).await.is_ok());
    assert_eq!(code(service.admit_fresh(&token).await), Code::ReplayUndecided);
}

type Change = fn(&mut TestRequest);

/// What a proof is over, and what differs in a request that it does not fit.
#[tokio::test]
async fn pitfall_6_a_proof_fits_one_request_only() {
    let service = Service::new();
    let token = service.world.usual_user();
    let other_token =
        service.world.user_token(crate::world::merged(crate::world::usual(), serde_json::json!({"tags": ["x"]})));
    let made = || TestRequest::new("POST", "/orders/42?full=1").with("Content-Digest", "sha-256=:AAAA:");
    let proven = |request: TestRequest| request.proven(&service.world.user, &token, &service.nonce(), service.now());
    assert!(service.admit(&token, &proven(made())).await.is_ok(), "nothing differs");
    let changes: [(&str, Change); 6] = [
        ("method", |request| request.method = "PUT".to_owned()),
        ("path", |request| request.target = "/orders/43?full=1".to_owned()),
        ("query", |request| request.target = "/orders/42?full=2".to_owned()),
        ("no query", |request| request.target = "/orders/42".to_owned()),
        ("digest", |request| request.headers[0].1 = "sha-256=:AAAB:".to_owned()),
        ("no digest", |request| drop(request.headers.remove(0))),
    ];
    for (what, change) in changes {
        let mut request = proven(made());
        change(&mut request);
        assert_eq!(code(service.admit(&token, &request).await), Code::ProofMismatch, "{what}");
    }
    assert_eq!(
        code(service.admit(&other_token, &proven(made())).await),
        Code::ProofMismatch,
        "another token of the same user"
    );
    let by_another = made().proven(&key(Role::User), &token, &service.nonce(), service.now());
    assert_eq!(code(service.admit(&token, &by_another).await), Code::ProofMismatch, "another key");
    let several = proven(proven(made()));
    assert_eq!(code(service.admit(&token, &several).await), Code::ProofMalformed, "two proofs");
    let digests = proven(made()).with("Content-Digest", "sha-256=:AAAA:");
    assert_eq!(code(service.admit(&token, &digests).await), Code::ProofMalformed, "two digests");
}

#[tokio::test]
async fn pitfall_6_a_proof_for_another_service_is_of_no_use() {
    let service = Service::new();
    let token = service.world.usual_user();
    let (nonce, id) = (service.nonce(), RequestId::random().unwrap());
    let proof_for = |origin: &str| {
        let signed = Signed::new(origin, "GET", "/", service.now(), id.as_str()).with_nonce(&nonce);
        Proof::new(&signed, service.world.user.sign(&signed.octets(&token))).to_string()
    };
    let request = |origin: &str| TestRequest::new("GET", "/").with("Nats-Proof", proof_for(origin));
    assert_eq!(code(service.admit(&token, &request("https://other.example.com")).await), Code::ProofMismatch);
    assert!(service.admit(&token, &request(ORIGIN)).await.is_ok());
}

#[tokio::test]
async fn pitfall_6_a_proof_is_of_now() {
    for (wrong_by, expected) in [(60, None), (61, Some(Code::ProofExpired))] {
        for is_ahead in [false, true] {
            let service = Service::new();
            let token = service.world.usual_user();
            let by = secs(wrong_by);
            let made_at = if is_ahead { service.now().plus(by) } else { service.now().minus(by) };
            let request = TestRequest::new("GET", "/").proven(&service.world.user, &token, &service.nonce(), made_at);
            let outcome = service.admit(&token, &request).await;
            assert_eq!(outcome.err().map(|error| error.code()), expected, "{wrong_by} {is_ahead}");
        }
    }
}

#[tokio::test]
async fn a_nonce_is_good_for_a_minute_and_for_this_service() {
    let service = Service::new();
    let token = service.world.usual_user();
    let nonce = service.nonce();
    let request = |nonce: &str| TestRequest::new("GET", "/").proven(&service.world.user, &token, nonce, service.now());
    service.clock.advance(secs(59));
    assert!(service.admit(&token, &request(&nonce)).await.is_ok());
    service.clock.advance(secs(1));
    let error = service.admit(&token, &request(&nonce)).await.unwrap_err();
    assert_eq!((error.code(), error.nonce().is_some()), (Code::ProofNonceNeeded, true));
    for strange in ["", "AAAA"] {
        assert_eq!(code(service.admit(&token, &request(strange)).await), Code::ProofNonceNeeded, "{strange:?}");
    }
}

#[tokio::test]
async fn a_nonce_for_one_request_is_accepted_once() {
    let nonces = Arc::new(SignedNonces::random().unwrap());
    let service = Service::of(Policy::new(), proofs(&nonces).freshness(Freshness::SingleUseNonce), nonces);
    let (token, nonce) = (service.world.usual_user(), service.nonce());
    let request = || TestRequest::new("GET", "/").proven(&service.world.user, &token, &nonce, service.now());
    assert!(service.admit(&token, &request()).await.is_ok());
    assert_eq!(code(service.admit(&token, &request()).await), Code::ProofReplayed);
    assert!(service.admit_fresh(&token).await.is_ok());
}

#[tokio::test]
async fn without_nonces_the_time_and_the_id_remain() {
    let nonces = Arc::new(SignedNonces::random().unwrap());
    let freshness = Freshness::DangerTimeOnly { clock_error: secs(30) };
    let service = Service::of(Policy::new(), proofs(&nonces).freshness(freshness), nonces);
    let token = service.world.usual_user();
    let request = |made_at| TestRequest::new("GET", "/").proven(&service.world.user, &token, "", made_at);
    let good = request(service.now().minus(secs(30)));
    assert!(service.admit(&token, &good).await.is_ok());
    assert_eq!(code(service.admit(&token, &good).await), Code::ProofReplayed);
    let late = service.admit(&token, &request(service.now().minus(secs(31)))).await.unwrap_err();
    assert_eq!((late.code(), late.nonce()), (Code::ProofExpired, None));
}

/// Ten thousand requests with one octet changed somewhere.
#[tokio::test]
async fn pitfall_6_no_altered_request_is_accepted() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed_u64);
    eprintln!("SEED={seed}");
    let mut random = seed;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let service = Service::new();
    let token = service.world.usual_user();
    let mut accepted = 0;
    for round in 0..10_000 {
        let mut request = TestRequest::new("POST", "/orders/42?full=1").with("Content-Digest", "sha-256=:AAAA:");
        request = request.proven(&service.world.user, &token, &service.nonce(), service.now());
        let part = next(4);
        let text = match part {
            0 => &mut request.method,
            1 => &mut request.target,
            2 => &mut request.headers[0].1,
            _ => &mut request.headers[1].1,
        };
        let mut bytes = text.clone().into_bytes();
        let (at, by) = (next(bytes.len()), 1 + next(94));
        bytes[at] = 0x20 + u8::try_from((usize::from(bytes[at]) - 0x20 + by) % 95).unwrap();
        let changed = String::from_utf8(bytes).unwrap();
        // Blanks around a parameter are none of its value.
        let is_same = |one: &str, other: &str| one.replace(' ', "") == other.replace(' ', "");
        if is_same(&changed, text) {
            continue;
        }
        *text = changed;
        if service.admit(&token, &request).await.is_ok() {
            accepted += 1;
            eprintln!("round {round}: {request:?}");
        }
    }
    assert_eq!(accepted, 0);
    assert!(service.admit_fresh(&token).await.is_ok());
}

/// Two instances that share nonces and the store of used proofs.
#[tokio::test]
async fn two_instances_with_one_store_accept_a_proof_once() {
    let (nonces, store) = (Arc::new(SignedNonces::random().unwrap()), MemoryReplayStore::new());
    let one = Service::of(Policy::new(), proofs(&nonces).replays(store.clone()), Arc::clone(&nonces));
    let verifier = proofs(&nonces).replays(store);
    let chain = portcullis_nats::TrustChain::builder()
        .operator_key(one.world.operator_key())
        .resolver(one.accounts.clone())
        .proofs(verifier)
        .tenant_per_account()
        .build()
        .unwrap();
    let other = portcullis_core::Admission::new(chain).clock(FixedClock::at(one.now()));
    let token = one.world.usual_user();
    let request = one.request(&token);
    assert!(one.admit(&token, &request).await.is_ok());
    let presented = portcullis_core::authenticator::Presented::bearer(token.as_bytes())
        .with_scheme(portcullis_core::authenticator::Scheme::Other("NatsUser"))
        .with_request(&request);
    let again: Result<_, AuthError> = other.admit(presented).outcome().await;
    assert_eq!(code(again), Code::ProofReplayed);
}

/// A look-up costs more than all that can be checked without the account (rule C9).
#[tokio::test]
async fn an_account_is_looked_up_only_for_a_request_whose_proof_is_right() {
    let (world, nonces) = (World::new(), Arc::new(SignedNonces::random().unwrap()));
    let (asked, account) = (Arc::new(AtomicUsize::new(0)), world.account_token(serde_json::json!({})));
    let count = Arc::clone(&asked);
    let resolver = from_fn(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Some(account.clone())))
    });
    let chain = TrustChain::builder().operator_key(world.operator_key()).resolver(resolver).proofs(proofs(&nonces));
    let admission = Admission::new(chain.tenant_per_account().build().unwrap()).clock(FixedClock::at(NOW));
    let (token, nonce) = (world.usual_user(), nonces.issue(ORIGIN, NOW).to_string());
    let admit = async |request: TestRequest| {
        let presented = Presented::bearer(token.as_bytes()).with_scheme(Scheme::Other("NatsUser"));
        let admitted: Result<Verified, _> = admission.admit(presented.with_request(&request)).outcome().await;
        // What was begun is done.
        tokio::task::yield_now().await;
        (admitted.err().map(|error| error.code()), asked.load(Ordering::Relaxed))
    };
    let request = || TestRequest::new("GET", "/");
    assert_eq!(admit(request()).await, (Some(Code::ProofMissing), 0));
    let strange = request().proven(&world.user, &token, "AAAA", NOW);
    assert_eq!(admit(strange).await, (Some(Code::ProofNonceNeeded), 0));
    let by_another = request().proven(&key(Role::User), &token, &nonce, NOW);
    assert_eq!(admit(by_another).await, (Some(Code::ProofMismatch), 0));
    assert_eq!(admit(request().proven(&world.user, &token, &nonce, NOW)).await, (None, 1));
}

/// Anyone can make up an account with users, whose proofs are right.
#[tokio::test]
async fn strangers_do_not_fill_the_store_of_used_proofs() {
    let (nonces, store) = (Arc::new(SignedNonces::random().unwrap()), MemoryReplayStore::new());
    let service = Service::of(Policy::new(), proofs(&nonces).replays(store.clone()), nonces);
    for _ in 0..3 {
        let (account, user) = (key(Role::Account), key(Role::User));
        let token = crate::world::user_token(&account, user.public_key(), crate::world::usual());
        let request = TestRequest::new("GET", "/").proven(&user, &token, &service.nonce(), service.now());
        assert_eq!(code(service.admit(&token, &request).await), Code::IssuerNotTrusted);
    }
    assert_eq!(store.len(), 0);
    assert!(service.admit_fresh(&service.world.usual_user()).await.is_ok());
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn a_service_can_demand_that_the_body_is_signed() {
    let nonces = Arc::new(SignedNonces::random().unwrap());
    let service = Service::of(Policy::new(), proofs(&nonces).require_content_digest(), nonces);
    let token = service.world.usual_user();
    let proven = |request: TestRequest| request.proven(&service.world.user, &token, &service.nonce(), service.now());
    for method in ["POST", "PUT", "PATCH"] {
        assert_eq!(
            code(service.admit(&token, &proven(TestRequest::new(method, "/"))).await),
            Code::ProofMalformed,
            "{method}"
        );
        let signed = TestRequest::new(method, "/").with("Content-Digest", "sha-256=:AAAA:");
        assert!(service.admit(&token, &proven(signed)).await.is_ok(), "{method}");
    }
    assert!(service.admit(&token, &proven(TestRequest::new("GET", "/"))).await.is_ok());
}

#[tokio::test]
async fn a_clock_may_not_be_wrong_by_more_than_five_minutes() {
    let nonces = Arc::new(SignedNonces::random().unwrap());
    let freshness = Freshness::DangerTimeOnly { clock_error: secs(86_400) };
    let service = Service::of(Policy::new(), proofs(&nonces).freshness(freshness), nonces);
    let token = service.world.usual_user();
    let request =
        |by| TestRequest::new("GET", "/").proven(&service.world.user, &token, "", service.now().plus(secs(by)));
    assert!(service.admit(&token, &request(300)).await.is_ok());
    assert_eq!(code(service.admit(&token, &request(301)).await), Code::ProofExpired);
}
