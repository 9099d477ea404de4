//! A program that drives the product without a browser: it creates an instance, manages its users, replaces its own token, and cleans up. All it has is
//! the URL and a token.

use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use axum::{
    body::Bytes,
    http::{Method, Request, StatusCode, header::AUTHORIZATION},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{Failure, say, settings::optional};

/// Longer answers are not from the product.
const MOST_BYTES: usize = 1 << 20;

/// The product, as this program reaches it.
struct Product {
    url: String,
    token: Zeroizing<String>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Product {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        let (status, answer) = self.ask(&method, path, body).await?;
        if status.is_success() { Ok(answer) } else { Err(refusal(&method, path, status, &answer).into()) }
    }

    async fn ask(&self, method: &Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Value), Failure> {
        let text = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(AUTHORIZATION, format!("Bearer {}", *self.token))
            .header("content-type", "application/json");
        let response = self.client.request(request.body(Full::from(text))?).await?;
        let status = response.status();
        let read = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        let text = read.map_err(|error| format!("the answer to {method} {path} cannot be read: {error}"))?.to_bytes();
        Ok((status, if text.is_empty() { Value::Null } else { serde_json::from_slice(&text)? }))
    }
}

fn refusal(method: &Method, path: &str, status: StatusCode, answer: &Value) -> String {
    let reason = answer["detail"].as_str().unwrap_or("no reason");
    format!("{method} {path} was answered with {status}: {reason}")
}

pub(crate) async fn run() -> Result<(), Failure> {
    let file: PathBuf = optional("PRODUCT_TOKEN_FILE").ok_or("PRODUCT_TOKEN_FILE is not set: see README.md")?.into();
    let url = optional("PRODUCT_URL").ok_or("PRODUCT_URL is not set: see README.md")?;
    let token = Zeroizing::new(read(&file)?);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut product = Product { url, token, client };

    let me = product.call(Method::GET, "/token", None).await?;
    say(&format!("I am {} of {}", me["name"], me["owner"]["id"]))?;
    let token = product_token_rotated(&product, &file).await?;
    product.token = token;
    let instance = format!("trial-{}", letters(6)?);
    let worked = work(&product, &instance).await;
    // Whatever went wrong, the instance does not stay.
    let cleaned = product.call(Method::DELETE, &format!("/instances/{instance}"), None).await;
    worked?;
    cleaned?;
    let (status, _) = product.ask(&Method::GET, &format!("/instances/{instance}"), None).await?;
    say(&format!("removed the instance {instance}: reading it is answered with {}", status.as_u16()))?;
    Ok(())
}

/// Replaces its own token. The id of the request is written down before it is sent, and the new token before anything is done with it: if an answer is lost, or this
/// program is killed, the next run asks again with the same id, and gets the same token. **It has to do so within 10 minutes**: after that, the product does not tell the new
/// token again.
async fn product_token_rotated(product: &Product, file: &Path) -> Result<Zeroizing<String>, Failure> {
    let pending = file.with_extension("request");
    if !pending.exists() {
        write(&pending, &letters(32)?)?;
    }
    let request = Zeroizing::new(read(&pending)?);
    let body = json!({ "request_id": *request, "overlap_seconds": 3600 });
    let (status, answer) = product.ask(&Method::POST, "/token/rotate", Some(body)).await?;
    if !status.is_success() {
        let refusal = refusal(&Method::POST, "/token/rotate", status, &answer);
        return Err(format!("{refusal}{}", what_to_do(&answer, file, &pending)).into());
    }
    let token = Zeroizing::new(answer["token"].as_str().ok_or("the answer has no token")?.to_owned());
    let next = file.with_extension("next");
    write(&next, &token)?;
    fs::rename(&next, file)?;
    fs::remove_file(&pending)?;
    say(&format!(
        "replaced my token: it ends in …{} now",
        token.get(token.len().saturating_sub(4)..).unwrap_or_default()
    ))?;
    Ok(token)
}

/// Says what to do if no token will come of the request. All files stay: the earlier token works until the overlap is over, and a request with another id would look
/// like a thief's.
fn what_to_do(answer: &Value, file: &Path, pending: &Path) -> String {
    let (file, pending) = (file.display(), pending.display());
    match answer["code"].as_str() {
        Some("rotation_answer_over") => format!(
            ". The new token did not arrive within 10 minutes, and is lost: an administrator has to revoke it, make another one, write that to {file}, and remove {pending}"
        ),
        Some("already_rotated") => {
            ". One of the two requests may be a thief's: an administrator has to revoke both tokens".to_owned()
        }
        _ => String::new(),
    }
}

async fn work(product: &Product, instance: &str) -> Result<(), Failure> {
    let path = format!("/instances/{instance}");
    product.call(Method::POST, "/instances", Some(json!({ "name": instance, "title": "A trial" }))).await?;
    say(&format!("created the instance {instance}"))?;
    for (member, role) in [("user:alice", "owner"), ("user:bob", "reader"), ("user:bob", "editor")] {
        product.call(Method::PUT, &format!("{path}/members/{member}"), Some(json!({ "role": role }))).await?;
        say(&format!("made {member} its {role}"))?;
    }
    product.call(Method::DELETE, &format!("{path}/members/user:bob"), None).await?;
    say("took user:bob away again")?;
    let reader = json!({
        "name": "a part of this program", "kind": "role_to_instance",
        "grants": [{ "role": "reader", "instance": instance }], "lifetime_seconds": 600,
    });
    let derived = product.call(Method::POST, "/token/derive", Some(reader)).await?;
    let token = Zeroizing::new(derived["token"].as_str().ok_or("the answer has no token")?.to_owned());
    let part = Product { url: product.url.clone(), token, client: product.client.clone() };
    let tried = read_alone(&part, &path).await;
    // Otherwise it would live for ten minutes more.
    let revoked = part.call(Method::DELETE, "/token", None).await;
    tried?;
    revoked?;
    say("revoked that token")?;
    Ok(())
}

/// With a token that can only read the instance.
async fn read_alone(part: &Product, path: &str) -> Result<(), Failure> {
    part.call(Method::GET, path, None).await?;
    let (status, _) = part.ask(&Method::PUT, path, Some(json!({ "title": "Renamed" }))).await?;
    Ok(say(&format!("a token that can only read it: renaming it is answered with {}", status.as_u16()))?)
}

fn read(file: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(text.trim().to_owned())
}

/// Writes a secret to a file that only this user can read.
fn write(file: &Path, secret: &str) -> Result<(), Failure> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(secret.as_bytes())?;
    Ok(file.sync_all()?)
}

/// Returns random lower-case letters.
fn letters(count: usize) -> Result<String, Failure> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes)?;
    // Sixteen letters, each as likely as the others.
    Ok(bytes.into_iter().map(|byte| char::from(b'a' + byte % 16)).collect())
}
