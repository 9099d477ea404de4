//! Acme's desk: a token of its log-in goes in, a user of NATS comes out, for a key that the client proves to hold.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use portcullis::clock::{Clock, SystemClock};
use portcullis_nats::{
    claims::{Account, User},
    nkey::{KeyPair, Role},
    token::Token,
};
use support::{Market, alone, program::Program};

#[test]
fn who_has_no_credentials_file_gets_a_user_at_the_desk() {
    let market = Market::found();
    let (orders, desk) = (market.orders(&[]), market.desk());
    let read = market.run(&["enrol", "ada", &desk.url, "GET", &orders.at("/orders/7")]);
    assert!(read.starts_with("200 ") && read.contains("seven oranges"), "{read}");
    let write = market.run(&["enrol", "ada", &desk.url, "POST", &orders.at("/orders/7"), "eight plums"]);
    assert!(write.starts_with("403 "), "{write}");
    let billing = market.billing(&[]);
    let bills = market.run(&["enrol", "ada", &desk.url, "GET", &billing.at("/bills")]);
    assert!(bills.starts_with("403 "), "she is known there, and may not: {bills}");
    market.run_refused(&["enrol", "tom", &desk.url, "GET", &orders.at("/orders/7")]);
}

#[tokio::test]
async fn the_desk_gives_a_user_only_to_who_holds_the_key_and_once_for_a_proof() {
    let market = Market::found();
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
    let market = Market::found();
    let desk = market.desk();
    for (name, expected) in [("tom", 403), ("ada", 200)] {
        let program = Program::log_in(&desk.url, name).await;
        assert_eq!(program.enrol_with_nonce().await.0, expected, "{name}");
    }
}

#[tokio::test]
async fn a_log_out_ends_the_users_of_the_session_and_of_no_other() {
    let market = Market::found();
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
        market.until(401, alone(&format!("acme/{name}")), &order, Duration::from_secs(10));
    }
    assert_eq!(market.status(alone("acme/three"), "GET", &order), 200);
    assert_eq!(ended.enrol_with_nonce().await.0, 401, "its access token gets no more users");
    assert_eq!(other.enrol_with_nonce().await.0, 200);
}

/// A log-out that finds a user again, such as one that is told twice, changes nothing.
#[tokio::test]
async fn the_desk_remembers_whom_it_has_enrolled_and_who_has_left() {
    let market = Market::found();
    let desk = market.desk();
    let ada = Program::log_in(&desk.url, "ada").await;
    ada.write_creds(&market, "one").await;
    let enrolled_by = SystemClock.now();
    let listed = || {
        let account = Token::<Account>::read(market.read("acme/account.jwt").trim()).unwrap();
        account.nats.revocations.covers(ada.key.public_key(), enrolled_by)
    };
    assert!(!listed());
    assert!(market.read("acme/enrolled.json").contains(ada.key.public_key().as_str()));
    assert_eq!(ada.log_out().await, 204);
    assert!(listed());
    drop(desk);
    let desk = market.desk();
    let again = Program::log_in(&desk.url, "ada").await;
    assert_eq!(again.enrol_with_nonce().await.0, 200);
    assert!(listed(), "the user of the earlier session is still ended");
}

#[tokio::test]
async fn a_session_has_eight_keys_at_most() {
    let market = Market::found();
    let desk = market.desk();
    let ada = Program::log_in(&desk.url, "ada").await;
    for _ in 0..7 {
        assert_eq!(ada.with_another_key().enrol_with_nonce().await.0, 200);
    }
    assert_eq!(ada.enrol_with_nonce().await.0, 200, "the eighth");
    assert_eq!(ada.with_another_key().enrol_with_nonce().await.0, 403, "the ninth");
    assert_eq!(ada.enrol_with_nonce().await.0, 200, "the same key again");
}
