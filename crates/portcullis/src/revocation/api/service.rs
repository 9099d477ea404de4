//! The service behind [`RevocationApi`](super::RevocationApi).

use std::{
    convert::Infallible,
    error::Error,
    task::{Context, Poll},
};

use http::{
    Extensions, HeaderMap, HeaderValue, Method, Request, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use http_body::Body;
use portcullis_core::{AuthError, revocation::Cursor, verified::AnyVerified};
use serde::Serialize;
use serde_json::json;
use tower_service::Service;

use super::{RevocationApi, batch, cursor_text, failure::Failure, item::Times, listing::Listing, members::Items};
use crate::{
    AuthContext,
    guard::caller,
    rejection::{InheritedRejection, refuse_behind},
    requirement::{Circumstances, PathParams},
    revocation::{RevocationFuture, body},
};

/// Room for the maximum number of items, with ids of the maximum length.
const LIMIT: usize = 256 * 1024;

impl<B> Service<Request<B>> for RevocationApi
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
        let api = self.clone();
        RevocationFuture::new(async move { api.answer(request).await })
    }
}

impl RevocationApi {
    async fn answer<B>(&self, request: Request<B>) -> Response<String>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let caller = match self.authorize(&parts.extensions).await {
            Ok(caller) => caller,
            Err(error) => {
                return refuse_behind(parts.extensions.get::<AuthContext>(), &InheritedRejection::default(), error);
            }
        };
        let outcome = match parts.method {
            Method::POST => self.revoke(&parts.headers, body, caller).await,
            Method::GET => self.list(parts.uri.query(), caller).await,
            _ => Err(Failure::Method),
        };
        outcome.unwrap_or_else(|failure| failure.response())
    }

    /// Returns the caller if it is authorized. Decides like a guard, by the time at which the request was admitted.
    async fn authorize<'e>(&self, extensions: &'e Extensions) -> Result<&'e AnyVerified, AuthError> {
        let (verified, now) = caller(extensions)?;
        self.requirement.evaluate(Circumstances::new(verified, &PathParams::new(), now)).outcome().await?;
        Ok(verified)
    }

    async fn revoke<B>(&self, headers: &HeaderMap, body: B, caller: &AnyVerified) -> Result<Response<String>, Failure>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        if !body::is_of_type(headers, "application/json") {
            return Err(Failure::Type);
        }
        let items = {
            let text = body::read(body, LIMIT).await.map_err(Failure::Unread)?;
            Items::parse(&text).map_err(Failure::Request)?
        };
        // The time is read late, so that tokens issued until now are revoked too.
        let times = Times { now: self.clock.now(), leeway: self.leeway };
        let revocations = batch::read(&items, batch::Bounds { times, caller, any_issuer: self.is_for_any_issuer })?;
        let count = revocations.len();
        self.revoker.revoke_all(revocations).await.map_err(Failure::NotDurable)?;
        Ok(answer_with(&json!({ "revoked": count })))
    }

    async fn list(&self, query: Option<&str>, caller: &AnyVerified) -> Result<Response<String>, Failure> {
        let after = cursor(query)?;
        let mut page = self.revoker.list(after.as_ref()).await.map_err(Failure::NotListed)?;
        if !self.is_for_any_issuer {
            page.entries.retain(|entry| batch::is_of(entry.revocation(), caller));
        }
        Ok(answer_with(&Listing::new(&page, after)))
    }
}

/// Returns the position from which to list, as the query says.
fn cursor(query: Option<&str>) -> Result<Option<Cursor>, Failure> {
    let Some(query) = query.filter(|query| !query.is_empty()) else { return Ok(None) };
    let cursor = query.strip_prefix("after=").and_then(cursor_text::read);
    let what = "the query is not `after=` and the `next` of the page before, as it stood there, and nothing else";
    cursor.map(Some).ok_or_else(|| Failure::Request(what.to_owned()))
}

fn answer_with(content: &impl Serialize) -> Response<String> {
    // Texts and numbers always serialize.
    let mut response = Response::new(serde_json::to_string(content).unwrap_or_default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
