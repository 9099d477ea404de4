//! The client: a program with a credentials file, or with a user that it gets at a desk.

use std::path::Path;

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, Request, StatusCode, Uri},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use portcullis_nats::{
    nkey::{KeyPair, Role},
    proof::{Proof, RequestId, Signed},
};
use portcullis_nats_client::{Clock, Creds, ProofSigner, SystemClock, content_digest, layer::ProofLayer};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};

use crate::{Failure, market::folder, say, settings::Settings};

/// Sends a request as the user of this credentials file, and prints the answer. `STAPLE` names the file with the account's token to bring along.
pub(crate) async fn call(
    settings: &Settings,
    creds: &str,
    method: &str,
    url: &str,
    body: &[&str],
) -> Result<(), Failure> {
    let creds = Creds::parse(&folder::read(Path::new(creds))?)?;
    let signer = ProofSigner::new(&creds, origin(url)?)?;
    if let Some(staple) = &settings.staple {
        signer.staple(&folder::read(staple)?)?;
    }
    send(signer, method, url, body).await
}

async fn send(signer: ProofSigner, method: &str, url: &str, body: &[&str]) -> Result<(), Failure> {
    let client = ProofLayer::new(signer).layer(Client::builder(TokioExecutor::new()).build_http());
    let body = body.join(" ");
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes())?).uri(url);
    if !matches!(method, "GET" | "HEAD") {
        request = request.header("content-digest", content_digest(&body));
    }
    let answer = client.oneshot(request.body(Full::new(Bytes::from(body)))?).await?;
    let status = answer.status();
    let text = answer.into_body().collect().await?.to_bytes();
    say(&format!("{} {}", status.as_u16(), String::from_utf8_lossy(&text)))
}

/// Gets a user of NATS for a new key at the desk, and sends a request as it. The key is never written anywhere.
pub(crate) async fn enrol(
    settings: &Settings,
    desk: &str,
    method: &str,
    url: &str,
    body: &[&str],
) -> Result<(), Failure> {
    let key = KeyPair::generate(Role::User)?;
    let http = Client::builder(TokioExecutor::new()).build_http();
    let access_token = match (&settings.access_token, &settings.name) {
        (Some(token), _) => token.expose().to_owned(),
        (None, Some(name)) => log_in(&http, name, desk).await?,
        (None, None) => return Err("set LOG_IN_AS to log in at the desk itself, or ACCESS_TOKEN: see README.md".into()),
    };
    let mut answer = answer_of(&http, enrolment(desk, &access_token, &key, "")?).await?;
    if let Some(nonce) = answer.headers.get("nats-nonce").filter(|_| answer.status == StatusCode::UNAUTHORIZED) {
        // The first answer has the nonce for the proof.
        answer = answer_of(&http, enrolment(desk, &access_token, &key, nonce.to_str()?)?).await?;
    }
    let user = answer.require_ok("the desk gave no user")?;
    let token = user["token"].as_str().ok_or("the desk's answer has no token")?;
    let signer = ProofSigner::new(&Creds::new(token, key)?, origin(url)?)?;
    signer.staple(user["account"].as_str().unwrap_or_default())?;
    send(signer, method, url, body).await
}

async fn log_in(http: &Client<HttpConnector, Full<Bytes>>, name: &str, desk: &str) -> Result<String, Failure> {
    let log_in = Request::post(format!("{desk}/session")).header("content-type", "application/json");
    let answer = answer_of(http, log_in.body(Full::from(json!({ "username": name }).to_string()))?).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Err("the desk has no log-in of its own: set ACCESS_TOKEN to a token of its identity provider".into());
    }
    let session = answer.require_ok("the desk's own log-in, which knows ada and tom, has refused")?;
    Ok(session["access_token"].as_str().ok_or("the desk's answer has no token")?.to_owned())
}

/// The request for a user, with the proof that the key is held.
fn enrolment(desk: &str, access_token: &str, key: &KeyPair, nonce: &str) -> Result<Request<Full<Bytes>>, Failure> {
    let (id, name) = (RequestId::random().ok_or("no random numbers")?, key.public_key().as_str().to_owned());
    let signed = Signed::new(desk, "POST", "/nats/users", SystemClock.now(), id.as_str()).with_nonce(nonce);
    let proof = Proof::new(&signed, key.sign(&signed.octets_of_enrolment(access_token, &name))).to_string();
    let request = Request::post(format!("{desk}/nats/users")).header("nats-proof", proof);
    Ok(request.header("authorization", format!("Bearer {access_token}")).body(Full::from(name))?)
}

/// An answer of the desk.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn require_ok(&self, problem: &str) -> Result<Value, Failure> {
        if self.status == StatusCode::OK {
            return Ok(serde_json::from_slice(&self.body)?);
        }
        Err(format!("{problem}: {} {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }
}

async fn answer_of(
    client: &Client<HttpConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Failure> {
    let (head, body) = client.request(request).await?.into_parts();
    Ok(Answer { status: head.status, headers: head.headers, body: body.collect().await?.to_bytes() })
}

/// Returns the origin of a URL: the service that it names.
pub(crate) fn origin(url: &str) -> Result<String, Failure> {
    let uri: Uri = url.parse()?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => Ok(format!("{scheme}://{authority}")),
        _ => Err(format!("{url} is no URL such as http://localhost:4700/orders/7").into()),
    }
}
