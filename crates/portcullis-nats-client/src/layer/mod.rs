//! [`ProofLayer`]: signs each request of a client that is a Tower service (feature `tower`).
//!
//! 1. If the user's token is about to expire, and there is [something that renews it](ProofLayer::renew), a new token is fetched first. One request
//!    does so; the others go on with the old token while it is valid, and wait otherwise.
//! 2. The request is signed. A request for another origin is refused ([`CallError::Sign`]), and not sent.
//! 3. The nonce of every answer is remembered.
//! 4. If the answer is 401, asks for a nonce (`error="use_nonce"`) and brings one, the request is signed again and sent once more, if its [body can
//!    be repeated](RepeatBody). The second answer counts, whatever it is.
//!
//! Put the layer around the client itself, inside what follows redirects, retries or changes requests: each of these needs a proof of its own.
//!
//! ```
//! use portcullis_nats_client::{Creds, ProofSigner, layer::ProofLayer};
//! use tower::{Layer, Service, ServiceExt};
//! # use http::{Request, Response};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let creds = Creds::parse("-----BEGIN NATS USER JWT-----\n\
//! # eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJURVNULVVTRVIiLCJpYXQiOjE3MDAwMDAwMDAsImlzcyI6IkFEN01WSFVMRFNaT\
//! # 0ZFRURKN1RMQTREQU5URk9DT0s2WElWQlNDNVVTS09FUFdIQkJYSFhWMk9CIiwibmFtZSI6InRlc3QtdXNlciIsInN1YiI6IlVCNTZKMlBDUkdPMjdFNTZMN\
//! # Es0UUZESlJHSzJYUzdDUllGWDNHTE9GRVJYQllFQkw1REtDUDJaIiwibmF0cyI6eyJwdWIiOnt9LCJzdWIiOnt9LCJzdWJzIjotMSwiZGF0YSI6LTEsInBhe\
//! # WxvYWQiOi0xLCJ0eXBlIjoidXNlciIsInZlcnNpb24iOjJ9fQ.5mvRkvItizmc7RaFeggA93bpimZXfNkEMxoV8ONasYZ5fyhKn_XTA605jHy7a7cxJ_Qasr\
//! # eBB4h0Z_qJHRs3Bw\
//! # \n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n\
//! # SUAGGG7CAACKFUUK6WDD7OD5X44NPOZFBH7VDPVKK5OCHLFKGJC6N2HMMM\n------END USER NKEY SEED------\n")?; // throw-away
//! # let client = tower::service_fn(async |request: Request<String>| {
//! #     assert!(request.headers().contains_key("nats-proof"));
//! #     Ok::<_, std::convert::Infallible>(Response::new(String::new()))
//! # });
//! let signer = ProofSigner::new(&creds, "https://api.example.com")?;
//! let mut client = ProofLayer::new(signer).layer(client); // such as hyper-util's
//! let orders = Request::get("https://api.example.com/orders").body(String::new())?;
//! assert_eq!(client.ready().await?.call(orders).await?.status(), 200);
//!
//! let other = Request::get("https://other.example.com/orders").body(String::new())?;
//! assert!(client.ready().await?.call(other).await.is_err()); // not sent
//! # Ok(())
//! # }
//! ```

mod error;
mod future;
#[expect(clippy::module_inception, reason = "a middleware has the same files everywhere")]
mod layer;
mod renewal;
mod repeat;
mod service;
mod turn;

pub use self::{
    error::{CallError, RenewError},
    future::ProofFuture,
    layer::ProofLayer,
    repeat::{CloneBody, RepeatBody},
    service::ProofService,
};
