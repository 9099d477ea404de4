//! Tokens without a key id whose signature no key of the set has made: forged, or signed by a key that is gone or not fetched yet.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use portcullis_core::{Admission, Algorithm, Code, JwtAuthenticator};
use portcullis_test::{Defect, provider::Behaviour};
use support::{COOL_DOWN, HOUR, MINUTE, Service, until};
use tokio::time::{Duration, Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

fn forged(service: &Service, subject: &str) -> String {
    let token = service.provider.issuer().token().without_header("kid").subject(subject).expires_in(24 * HOUR);
    token.defect(Defect::WrongKey).sign()
}

fn signed(service: &Service, subject: &str) -> String {
    service.provider.issuer().token().without_header("kid").subject(subject).expires_in(24 * HOUR).sign()
}

/// The code of a refusal that takes no wait and causes no fetch.
fn refused_at_once(service: &Service, token: &str) -> Code {
    let before = service.fetches();
    let refused = service.admission.verify(token).ready().unwrap().unwrap_err();
    assert_eq!(service.fetches(), before);
    refused.code()
}

/// A service during a cool-down, with a forged token for which the last fetch was made.
async fn cooling_down() -> (Service, String) {
    let service = Service::started().await;
    let token = forged(&service, "mallory");
    assert_eq!(service.code(&token).await, Some(Code::SignatureInvalid));
    assert_eq!(service.fetches(), 2);
    (service, token)
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_stays_refused_during_a_cool_down() {
    let (service, token) = cooling_down().await;
    for _ in 0..29 {
        assert_eq!(refused_at_once(&service, &token), Code::SignatureInvalid);
        sleep(SECOND).await;
    }
    assert_eq!(refused_at_once(&service, &forged(&service, "trudy")), Code::KeysUnavailable, "its twin came up later");
}

#[tokio::test(start_paused = true)]
async fn a_client_with_a_forged_token_is_refused_each_time_and_costs_a_fetch_in_five_minutes() {
    let service = Service::settled().await;
    let (token, before) = (forged(&service, "mallory"), service.fetches());
    for _ in 0..60 * 60 {
        assert_eq!(service.code(&token).await, Some(Code::SignatureInvalid));
        sleep(SECOND).await;
    }
    let caused = service.fetches() - before;
    assert!((12..=17).contains(&caused), "{caused}");
}

/// All clients of an issuer without key ids that has withdrawn its key and whose clients go on with the tokens they have.
#[tokio::test(start_paused = true)]
async fn many_clients_whose_key_is_gone_are_refused_for_good_and_cost_a_fetch_in_five_minutes() {
    let service = Service::settled().await;
    let tokens: Vec<_> = (0..30).map(|n| signed(&service, &n.to_string())).collect();
    service.provider.issuer().rotate();
    service.provider.issuer().retire_old();
    assert!(service.accepts(&service.token()).await, "has the set fetched");
    for token in &tokens {
        service.code(token).await;
    }
    sleep(COOL_DOWN).await;
    for token in &tokens {
        assert_eq!(service.code(token).await, Some(Code::SignatureInvalid));
    }
    let mut fetches = Vec::new();
    for _ in 0..3 {
        let before = service.fetches();
        for second in 0..20 * 60 {
            for token in tokens.iter().skip(second % 10).step_by(10) {
                assert_eq!(service.code(token).await, Some(Code::SignatureInvalid), "second {second}");
            }
            sleep(SECOND).await;
        }
        fetches.push(service.fetches() - before);
    }
    assert!(fetches[0] <= 10 && fetches[1..].iter().all(|fetches| *fetches <= 5), "{fetches:?}");
}

/// During a fetch that takes its time, too.
#[tokio::test(start_paused = true)]
async fn a_refused_token_does_not_wait_for_the_fetch_of_another() {
    let service = Service::settled().await;
    let token = forged(&service, "mallory");
    assert_eq!(service.code(&token).await, Some(Code::SignatureInvalid));
    service.provider.behave(Behaviour::Slow(SECOND / 4));
    let other = service.admission.verify(&forged(&service, "trudy"));
    assert_eq!(refused_at_once(&service, &token), Code::SignatureInvalid);
    assert_eq!(other.outcome().await.unwrap_err().code(), Code::SignatureInvalid);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refused_once_a_fetch_that_began_after_it_came_up_did_not_bring_its_key() {
    let (service, _) = cooling_down().await;
    let (one, other) = (forged(&service, "one"), forged(&service, "other"));
    assert_eq!(refused_at_once(&service, &one), Code::KeysUnavailable, "it may be of a key that is new");
    sleep(COOL_DOWN).await;
    assert_eq!(service.code(&other).await, Some(Code::SignatureInvalid), "causes the fetch");
    assert_eq!(refused_at_once(&service, &one), Code::SignatureInvalid, "which did not bring this one's key either");
    assert_eq!(refused_at_once(&service, &forged(&service, "third")), Code::KeysUnavailable, "came up after it");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_failed_is_no_reason_to_refuse() {
    let (service, _) = cooling_down().await;
    let token = forged(&service, "one");
    assert_eq!(refused_at_once(&service, &token), Code::KeysUnavailable);
    sleep(COOL_DOWN).await;
    service.provider.behave(Behaviour::Status(500));
    assert_eq!(service.code(&token).await, Some(Code::KeysUnavailable));
    assert_eq!(refused_at_once(&service, &token), Code::KeysUnavailable);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_forged_tokens_causes_a_fetch_per_cool_down_and_changes_no_other_verdict() {
    let (service, stuck) = cooling_down().await;
    let (known, before, start) = (signed(&service, "alice"), service.fetches(), Instant::now());
    let uncached = service.admission.clone().without_cache();
    for n in 0..4_000 {
        let flood = service.admission.verify(&forged(&service, &n.to_string()));
        if n % 10 == 0 {
            assert!(uncached.verify(&known).ready().is_some_and(|outcome| outcome.is_ok()), "{n}");
            let answer = service.admission.verify(&stuck).outcome().await;
            assert_eq!(answer.unwrap_err().code(), Code::SignatureInvalid, "{n}");
            sleep(SECOND).await;
        }
        drop(flood);
    }
    let periods = usize::try_from(start.elapsed().as_secs() / COOL_DOWN.as_secs()).unwrap();
    let caused = service.fetches() - before;
    assert!((1..=periods + 2).contains(&caused), "{caused} fetches in {periods} cool-downs");
    service.provider.issuer().rotate();
    let fresh = signed(&service, "alice");
    let mut n = 0;
    let published = Instant::now();
    while !service.accepts(&fresh).await {
        assert!(published.elapsed() <= COOL_DOWN, "still refused after {:?}", published.elapsed());
        drop(service.admission.verify(&forged(&service, &format!("more-{n}"))));
        n += 1;
        sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_used_before_its_key_was_published_is_admitted_within_a_cool_down() {
    let service = Service::settled().await;
    service.provider.freeze(); // a cache in front of the issuer
    service.provider.issuer().rotate();
    let token = signed(&service, "alice");
    assert_eq!(service.code(&token).await, Some(Code::SignatureInvalid));
    service.provider.thaw();
    assert_eq!(refused_at_once(&service, &token), Code::SignatureInvalid);
    sleep(COOL_DOWN).await;
    assert!(service.accepts(&token).await);
}

/// However often it was refused before, and whichever token caused the fetch that brought the key.
#[tokio::test(start_paused = true)]
async fn a_change_of_the_set_ends_every_refusal() {
    let service = Service::settled().await;
    service.provider.freeze();
    service.provider.issuer().rotate();
    let early = signed(&service, "alice");
    for _ in 0..2 {
        assert_eq!(service.code(&early).await, Some(Code::SignatureInvalid));
        sleep(COOL_DOWN).await;
    }
    service.provider.thaw();
    assert_eq!(refused_at_once(&service, &early), Code::SignatureInvalid, "for longer than a cool-down by now");
    sleep(COOL_DOWN).await;
    assert!(service.accepts(&signed(&service, "bob")).await, "causes the fetch");
    assert!(service.accepts_at_once(&early));
}

/// A new key for which other tokens were refused before: none of them speaks for this one.
#[tokio::test(start_paused = true)]
async fn refused_tokens_keep_no_other_one_out() {
    let (service, token) = cooling_down().await;
    service.provider.issuer().rotate();
    let fresh = signed(&service, "alice");
    let parts: Vec<_> = fresh.split('.').collect();
    let other_claims = signed(&service, "mallory");
    let same_signature = [parts[0], other_claims.split('.').nth(1).unwrap(), parts[2]].join(".");
    assert_eq!(refused_at_once(&service, &same_signature), Code::KeysUnavailable);
    assert_eq!(refused_at_once(&service, &fresh), Code::KeysUnavailable);
    assert_eq!(refused_at_once(&service, &token), Code::SignatureInvalid);
    sleep(COOL_DOWN).await;
    assert!(service.accepts(&fresh).await);
    assert_eq!(service.code(&same_signature).await, Some(Code::SignatureInvalid));
}

/// The set has no key of the token's algorithm at all, so there is none that could be tried.
#[tokio::test(start_paused = true)]
async fn a_forged_token_of_another_algorithm_keeps_no_valid_one_out() {
    let service = Service::settled().await;
    let issuer = service.provider.issuer();
    let of_other = |key: &str, subject: &str| issuer.token().key(key).without_header("kid").subject(subject);
    service.provider.freeze();
    let key = issuer.add_key(Algorithm::EdDsa);
    let forged = of_other(&key, "mallory").expires_in(HOUR).defect(Defect::WrongKey).sign();
    for _ in 0..4 {
        assert_eq!(service.code(&forged).await, Some(Code::KeyUnknown));
        sleep(2 * MINUTE).await;
    }
    assert_eq!(refused_at_once(&service, &forged), Code::KeyUnknown, "for minutes by now");
    service.provider.thaw();
    let valid = of_other(&key, "alice").sign();
    assert!(service.accepts(&valid).await);
}

/// Two authenticators over one source, and no wait for the second one.
#[tokio::test(start_paused = true)]
async fn what_one_authenticator_found_out_is_known_to_all_of_a_source() {
    let (service, token) = cooling_down().await;
    let trusted = service.provider.issuer().trusted_with(service.keys.clone());
    let other = Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(service.provider.clock());
    assert_eq!(other.verify(&token).ready().unwrap().unwrap_err().code(), Code::SignatureInvalid);
}

/// A token that is not remembered any more is looked for like a new one, and never refused for lack of room.
#[tokio::test(start_paused = true)]
async fn a_flood_pushes_out_what_it_brought_itself() {
    let (service, stuck) = cooling_down().await;
    let one = forged(&service, "one");
    assert_eq!(refused_at_once(&service, &one), Code::KeysUnavailable);
    for n in 0..5_000 {
        assert_eq!(refused_at_once(&service, &forged(&service, &n.to_string())), Code::KeysUnavailable, "{n}");
    }
    assert_eq!(refused_at_once(&service, &stuck), Code::SignatureInvalid, "a fetch was made for it");
    let refused_after = until(|| service.admission.verify(&one).ready().is_none());
    assert!(refused_after.await <= COOL_DOWN);
}
