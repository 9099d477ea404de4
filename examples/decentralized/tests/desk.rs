//! Acme's desk: a token of its log-in goes in, a user of NATS comes out, for a key that the client proves to hold.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::body::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use portcullis::clock::{Clock, SystemClock};
use portcullis_nats::{
    claims::User,
    nkey::{KeyPair, Role},
    proof::{Proof, RequestId, Signed},
    token::Token,
};
use serde_json::{Value, json};
use support::Market;

/// A client of the desk, with a key of its own.
struct Program {
    desk: String,
    access_token: String,
    key: KeyPair,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Program {
    async fn log_in(desk: &str, name: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        let key = KeyPair::generate(Role::User).unwrap();
        let mut program = Self { desk: desk.to_owned(), access_token: String::new(), key, http };
        let request = Request::post(format!("{desk}/session")).header("content-type", "application/json");
        let (_, _, answer) = program.send(request.body(json!({ "username": name }).to_string().into()).unwrap()).await;
        answer["access_token"].as_str().unwrap().clone_into(&mut program.access_token);
        program
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> (u16, String, Value) {
        let (head, body) = self.http.request(request).await.unwrap().into_parts();
        let nonce = head.headers.get("nats-nonce").map(|nonce| nonce.to_str().unwrap().to_owned());
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), nonce.unwrap_or_default(), serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Asks for a user for the program's key, with a proof by this one.
    async fn enrol(&self, signer: &KeyPair, nonce: &str) -> (u16, String, Value) {
        self.send(self.enrolment(signer, nonce)).await
    }

    fn enrolment(&self, signer: &KeyPair, nonce: &str) -> Request<Full<Bytes>> {
        let (id, name) = (RequestId::random().unwrap(), self.key.public_key().as_str());
        let signed = Signed::new(&self.desk, "POST", "/nats/users", SystemClock.now(), id.as_str()).with_nonce(nonce);
        let proof = Proof::new(&signed, signer.sign(&signed.octets_of_enrolment(&self.access_token, name)));
        let request = Request::post(format!("{}/nats/users", self.desk)).header("nats-proof", proof.to_string());
        let request = request.header("authorization", format!("Bearer {}", self.access_token));
        request.body(Full::from(name.to_owned())).unwrap()
    }
}

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

    let token = Token::<User>::read(user["jwt"].as_str().unwrap()).unwrap();
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
        let mut last = program.enrol(&program.key, "").await;
        if last.0 == 401 {
            last = program.enrol(&program.key, &last.1).await;
        }
        assert_eq!(last.0, expected, "{name}");
    }
}
