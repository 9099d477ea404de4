//! Acme's desk: a token of its log-in goes in, a user of NATS comes out, for a key that the client proves to hold.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use portcullis::clock::{Clock, SystemClock};
use portcullis_nats::{
    claims::User,
    creds::Creds,
    nkey::{KeyPair, Role},
    token::Token,
};
use support::{Market, alone, program::Program};

/// How long orders uses an account in these tests, and as much again for a busy machine.
const LAG: Duration = Duration::from_secs(10);

#[test]
fn who_has_no_credentials_file_gets_a_user_at_the_desk() {
    let market = Market::init();
    let (orders, desk) = (market.orders(&[]), market.desk());
    let ada = [("LOG_IN_AS", "ada")];
    let read = market.run_with(&ada, &["enrol", &desk.url, "GET", &orders.at("/orders/7")]);
    assert!(read.starts_with("200 ") && read.contains("seven oranges"), "{read}");
    let write = market.run_with(&ada, &["enrol", &desk.url, "POST", &orders.at("/orders/7"), "eight plums"]);
    assert!(write.starts_with("403 "), "{write}");
    let billing = market.billing(&[]);
    let bills = market.run_with(&ada, &["enrol", &desk.url, "GET", &billing.at("/bills")]);
    assert!(bills.starts_with("403 "), "she is known there, and may not: {bills}");
    for (name, why) in [("tom", "403 Forbidden"), ("eve", "knows ada and tom")] {
        let enrol = ["enrol", &desk.url, "GET", &orders.at("/orders/7")];
        let refused = market.run_refused_with(&[("LOG_IN_AS", name)], &enrol);
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn enrolment_needs_the_key_and_a_proof_that_was_not_used() {
    let market = Market::init();
    let desk = market.desk();
    let ada = Program::log_in(&desk.url, "ada").await;
    let (status, nonce, _) = ada.enrol(&ada.key, "").await;
    assert_eq!((status, nonce.is_empty()), (401, false), "it asks for its nonce");
    let (status, ..) = ada.enrol(&KeyPair::generate(Role::User).unwrap(), &nonce).await;
    assert_eq!(status, 401, "another key");
    let request = ada.enrolment(&ada.key, &nonce);
    let (status, _, user) = ada.send(request.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(ada.send(request).await.0, 401, "again");

    let token = Token::<User>::read(user["token"].as_str().unwrap()).unwrap();
    assert_eq!(token.registered.subject, *ada.key.public_key());
    let left = token.registered.expires_at.unwrap().since(SystemClock.now()).as_secs();
    assert!((1..=600).contains(&left), "{left}");
}

#[tokio::test]
async fn a_user_without_the_scope_gets_no_user_of_nats() {
    let market = Market::init();
    let desk = market.desk();
    for (name, expected) in [("tom", 403), ("ada", 200)] {
        let program = Program::log_in(&desk.url, name).await;
        assert_eq!(program.enrol_with_nonce().await.0, expected, "{name}");
    }
}

#[tokio::test]
async fn a_log_out_ends_the_users_of_the_session_and_of_no_other() {
    let market = Market::init();
    let (orders, desk) = (market.orders(&[]), market.desk());
    let order = orders.at("/orders/7");
    let (ended, other) = (Program::log_in(&desk.url, "ada").await, Program::log_in(&desk.url, "ada").await);
    let second_key = ended.with_another_key();
    for (program, name) in [(&ended, "one"), (&second_key, "two"), (&other, "three")] {
        program.write_creds(&market, name).await;
        assert_eq!(market.status(alone(&format!("acme/{name}")), "GET", &order), 200, "{name}");
    }
    assert_eq!(ended.log_out().await, 204);
    for name in ["one", "two"] {
        market.until(401, alone(&format!("acme/{name}")), &order, LAG);
    }
    assert_eq!(market.status(alone("acme/three"), "GET", &order), 200);
    assert_eq!(ended.enrol_with_nonce().await.0, 401, "its access token gets no more users");
    assert_eq!(other.enrol_with_nonce().await.0, 200);
}

/// The account's entry stays where the log-out has put it, so that the same key can be enrolled again.
#[tokio::test]
async fn a_key_that_is_enrolled_again_outlives_the_log_outs_of_others() {
    let market = Market::init();
    let (orders, desk) = (market.orders(&[]), market.desk());
    let order = orders.at("/orders/7");
    let ada = Program::log_in(&desk.url, "ada").await;
    ada.write_creds(&market, "one").await;
    assert_eq!((ada.log_out().await, ada.log_out().await), (204, 204), "a log-out may be repeated");
    market.until(401, alone("acme/one"), &order, LAG);
    let again = ada.logged_in_again().await;
    // In the second of the log-out, the desk asks to try again.
    while again.enrol_with_nonce().await.0 == 503 {}
    again.write_creds(&market, "two").await;
    assert_eq!(market.status(alone("acme/two"), "GET", &order), 200);
    let other = Program::log_in(&desk.url, "ada").await;
    other.write_creds(&market, "three").await;
    assert_eq!(other.log_out().await, 204);
    market.until(401, alone("acme/three"), &order, LAG);
    assert_eq!(market.status(alone("acme/two"), "GET", &order), 200);
}

/// The holder of a key that acme has revoked must not be able to change acme's entry.
#[tokio::test]
async fn a_key_that_the_organisation_has_revoked_is_not_enrolled() {
    let market = Market::init();
    let desk = market.desk();
    let alice = Creds::parse(&market.read("acme/alice.creds")).unwrap().key().clone();
    let mut program = Program::log_in(&desk.url, "ada").await;
    program.key = alice;
    assert_eq!(program.enrol_with_nonce().await.0, 200);
    market.run(&["revoke", "acme", "alice"]);
    assert_eq!(program.enrol_with_nonce().await.0, 403, "the desk knows the key, and the entry is not its own");
    let bob = Creds::parse(&market.read("acme/bob.creds")).unwrap().key().clone();
    market.run(&["revoke", "acme", "bob"]);
    program.key = bob;
    assert_eq!(program.enrol_with_nonce().await.0, 403);
}

/// The desk was killed after it had noted the log-out, and before it had changed the account.
#[tokio::test]
async fn an_interrupted_log_out_is_completed_when_the_desk_starts() {
    let market = Market::init();
    let (orders, desk) = (market.orders(&[]), market.desk());
    let ada = Program::log_in(&desk.url, "ada").await;
    ada.write_creds(&market, "one").await;
    let (own, published) = (market.read("acme/account.jwt"), market.published("acme"));
    assert_eq!(ada.log_out().await, 204);
    let list = market.read("acme/enrolled.json");
    assert!(list.contains(r#""status":"revoked""#), "{list}");
    drop(desk);
    for (status, what) in [("ended", "noted"), ("live", "in the log alone")] {
        std::fs::write(market.path("acme/account.jwt"), &own).unwrap();
        std::fs::write(&published, &own).unwrap();
        let interrupted = list.replace(r#""status":"revoked""#, &format!(r#""status":"{status}""#));
        std::fs::write(market.path("acme/enrolled.json"), interrupted).unwrap();
        let _desk = market.desk();
        assert_eq!(market.read("acme/enrolled.json"), list, "{what}");
        market.until(401, alone("acme/one"), &orders.at("/orders/7"), LAG);
    }
}

#[tokio::test]
async fn a_user_has_sixteen_keys_at_most_in_all_sessions() {
    let market = Market::init();
    let desk = market.desk();
    let (ada, other) = (Program::log_in(&desk.url, "ada").await, Program::log_in(&desk.url, "ada").await);
    for _ in 0..8 {
        assert_eq!(ada.with_another_key().enrol_with_nonce().await.0, 200);
        assert_eq!(other.with_another_key().enrol_with_nonce().await.0, 200);
    }
    assert_eq!(ada.enrol_with_nonce().await.0, 403, "the seventeenth");
}
