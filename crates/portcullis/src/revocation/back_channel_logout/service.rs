//! The service behind [`BackChannelLogout`](super::BackChannelLogout).

use std::{
    convert::Infallible,
    error::Error,
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Request, Response, header::CACHE_CONTROL};
use http_body::Body;
use portcullis_core::{
    Code, Verified,
    authenticator::{Attempt, Presented},
};
use tower_service::Service;

use super::{BackChannelLogout, failure::Failure};
use crate::{
    location::{Found, urlencoded},
    revocation::{RevocationFuture, body},
};

/// A token has at most 16 KiB. The other half is for further parameters of the provider.
const LIMIT: usize = 32 * 1024;

impl<B> Service<Request<B>> for BackChannelLogout
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<String>;
    type Error = Infallible;
    type Future = RevocationFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let logout = self.clone();
        RevocationFuture::new(async move {
            match logout.log_out(request).await {
                Ok(()) => done(),
                Err(failure) => failure.response(),
            }
        })
    }
}

impl BackChannelLogout {
    async fn log_out<B>(&self, request: Request<B>) -> Result<(), Failure>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        if request.method() != Method::POST {
            return Err(Failure::Method);
        }
        if !body::is_of_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(Failure::Type);
        }
        let attempt = self.read_token(request.into_body()).await?;
        let token = attempt.outcome().await.map_err(|error| match error.code() {
            Code::CredentialMalformed => NOT_A_TOKEN,
            _ => Failure::Token(error),
        })?;
        let revocations = self.ended_by(&token)?;
        self.revoker.revoke_all(revocations).await.map_err(Failure::NotDurable)
    }

    /// Reads the form and begins to verify its token. The form is dropped before waiting for keys.
    async fn read_token<B>(&self, body: B) -> Result<Attempt<Verified>, Failure>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let form = body::read(body, LIMIT).await.map_err(Failure::Unread)?;
        match urlencoded::find(&form, "logout_token") {
            Found::Token(token) | Found::Under(_, token) => Ok(self.admission.admit(Presented::bearer(&token))),
            Found::Absent => Err(Failure::Request("the form has no logout_token")),
            Found::Several => Err(Failure::Request("the form has more than one logout_token: send one")),
            Found::Malformed(_) | Found::MalformedUnder(..) | Found::Misconfigured(_) => Err(NOT_A_TOKEN),
        }
    }
}

const NOT_A_TOKEN: Failure = Failure::Request("the logout_token is empty or has not the form of a token");

/// The answer to a successful logout (section 2.8).
fn done() -> Response<String> {
    let mut response = Response::new(String::new());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
