//! The client: a program with a credentials file.

use axum::{
    body::Bytes,
    http::{Method, Request, Uri},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis_nats_client::{Creds, ProofSigner, content_digest, layer::ProofLayer};
use tower::{Layer, ServiceExt};

use crate::{Failure, say, settings::Settings};

/// Sends a request as the user of this credentials file, and prints the answer. `STAPLE` names the file with the account's token to bring along.
pub(crate) async fn call(
    settings: &Settings,
    creds: &str,
    method: &str,
    url: &str,
    body: &[&str],
) -> Result<(), Failure> {
    let creds = Creds::parse(&std::fs::read_to_string(creds)?)?;
    let signer = ProofSigner::new(&creds, origin(url)?)?;
    if let Some(staple) = &settings.staple {
        signer.staple(std::fs::read_to_string(staple)?.trim())?;
    }
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

/// Returns the origin of a URL: the service that it names.
fn origin(url: &str) -> Result<String, Failure> {
    let uri: Uri = url.parse()?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => Ok(format!("{scheme}://{authority}")),
        _ => Err(format!("{url} is no URL such as http://localhost:4700/orders/7").into()),
    }
}
