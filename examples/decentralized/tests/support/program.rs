//! [`Program`]: a client of the desk, with a key of its own.

use axum::{body::Bytes, http::Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use portcullis::clock::{Clock, SystemClock};
use portcullis_nats::{
    creds::Creds,
    nkey::{KeyPair, Role},
    proof::{Proof, RequestId, Signed},
};
use serde_json::{Value, json};

use super::Market;

/// A client of the desk, with a key of its own.
pub(crate) struct Program {
    desk: String,
    access_token: String,
    pub(crate) key: KeyPair,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Program {
    /// With an access token from elsewhere.
    pub(crate) fn with_token(desk: &str, access_token: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        let key = KeyPair::generate(Role::User).unwrap();
        Self { desk: desk.to_owned(), access_token: access_token.to_owned(), key, http }
    }

    /// With an access token of the desk's own log-in.
    pub(crate) async fn log_in(desk: &str, name: &str) -> Self {
        let mut program = Self::with_token(desk, "");
        let request = Request::post(format!("{desk}/session")).header("content-type", "application/json");
        let (_, _, answer) = program.send(request.body(json!({ "username": name }).to_string().into()).unwrap()).await;
        answer["access_token"].as_str().unwrap().clone_into(&mut program.access_token);
        program
    }

    /// The same session, with a key of its own.
    pub(crate) fn with_another_key(&self) -> Self {
        Self::with_token(&self.desk, &self.access_token)
    }

    /// Another session, with the same key.
    pub(crate) async fn logged_in_again(&self) -> Self {
        Self { key: self.key.clone(), ..Self::log_in(&self.desk, "ada").await }
    }

    /// Ends the session at the desk's own log-in.
    pub(crate) async fn log_out(&self) -> u16 {
        let request = Request::delete(format!("{}/session", self.desk));
        let request = request.header("authorization", format!("Bearer {}", self.access_token));
        self.send(request.body(Full::default()).unwrap()).await.0
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> (u16, String, Value) {
        let (head, body) = self.http.request(request).await.unwrap().into_parts();
        let nonce = head.headers.get("nats-nonce").map(|nonce| nonce.to_str().unwrap().to_owned());
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), nonce.unwrap_or_default(), serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Asks for a user for the program's key, with a proof by this one.
    pub(crate) async fn enrol(&self, signer: &KeyPair, nonce: &str) -> (u16, String, Value) {
        self.send(self.enrolment(signer, nonce)).await
    }

    pub(crate) fn enrolment(&self, signer: &KeyPair, nonce: &str) -> Request<Full<Bytes>> {
        let (id, name) = (RequestId::random().unwrap(), self.key.public_key().as_str());
        let signed = Signed::new(&self.desk, "POST", "/nats/users", SystemClock.now(), id.as_str()).with_nonce(nonce);
        let proof = Proof::new(&signed, signer.sign(&signed.octets_of_enrolment(&self.access_token, name)));
        let request = Request::post(format!("{}/nats/users", self.desk)).header("nats-proof", proof.to_string());
        let request = request.header("authorization", format!("Bearer {}", self.access_token));
        request.body(Full::from(name.to_owned())).unwrap()
    }

    /// Asks for a user, and once more with the nonce if the desk asks for one. Returns the last status and answer.
    pub(crate) async fn enrol_with_nonce(&self) -> (u16, Value) {
        let (status, nonce, answer) = self.enrol(&self.key, "").await;
        if nonce.is_empty() {
            return (status, answer);
        }
        let (status, _, answer) = self.enrol(&self.key, &nonce).await;
        (status, answer)
    }

    /// Gets a user, and writes its credentials file, `acme/NAME.creds`.
    pub(crate) async fn write_creds(&self, market: &Market, name: &str) {
        let (status, answer) = self.enrol_with_nonce().await;
        assert_eq!(status, 200, "{answer}");
        let creds = Creds::new(answer["token"].as_str().unwrap(), self.key.clone()).unwrap();
        std::fs::write(market.path(&format!("acme/{name}.creds")), creds.format().as_bytes()).unwrap();
    }
}
