//! [`FormBodyService`]: reads forms.

use std::{
    future::poll_fn,
    mem,
    task::{Context, Poll},
};

use http::{
    HeaderMap, HeaderValue, Method, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use tower_service::Service;
use zeroize::Zeroizing;

use super::{FormBodyFuture, FormBodyLayer, FormCredential, FormRequestBody};
use crate::{
    location::urlencoded,
    read_body::is_about_length,
    rejection::{ServiceCode, status_problem},
};

/// The service of [`FormBodyLayer`].
#[derive(Clone, Debug)]
pub struct FormBodyService<S> {
    pub(super) inner: S,
    pub(super) layer: FormBodyLayer,
}

impl<S, B, R> Service<Request<B>> for FormBodyService<S>
where
    S: Service<Request<FormRequestBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Vec<u8>> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = FormBodyFuture<Response<R>, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if !is_form(request.method(), request.headers()) {
            request.extensions_mut().insert(FormCredential::Absent);
            return FormBodyFuture::new(self.inner.call(request.map(FormRequestBody::untouched)));
        }
        // The service that was polled is dropped, with anything it reserved, so that a slow body does not block other requests. One clone
        // is polled before it is called here, the other before its own next call.
        let mut inner = self.inner.clone();
        self.inner = inner.clone();
        let layer = self.layer.clone();
        FormBodyFuture::new(async move {
            match layer.read(request).await {
                Ok(request) => {
                    poll_fn(|context| inner.poll_ready(context)).await?;
                    inner.call(request).await
                }
                Err(refusal) => Ok(refusal.response(layer.limit)),
            }
        })
    }
}

impl FormBodyLayer {
    /// Takes the token out of the form.
    async fn read<B>(&self, request: Request<B>) -> Result<Request<FormRequestBody<B>>, Refusal>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut parts, body) = request.into_parts();
        let mut form = Zeroizing::new(read_all(body, self.limit).await?);
        let credential = FormCredential::of(urlencoded::find(&form, &self.name));
        let form = match credential {
            FormCredential::Absent => mem::take(&mut *form),
            _ => urlencoded::without(&form, &self.name).unwrap_or_default(),
        };
        parts.extensions.insert(credential);
        parts.headers.remove(TRANSFER_ENCODING);
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(form.len()));
        Ok(Request::from_parts(parts, FormRequestBody::form(form)))
    }
}

#[derive(Clone, Copy)]
enum Refusal {
    TooLong,
    Unreadable,
}

impl Refusal {
    fn response<R: From<String>>(self, limit: usize) -> Response<R> {
        let response = match self {
            Self::TooLong => {
                let detail = format!("the form is longer than {limit} bytes, the limit here: send a shorter form");
                status_problem(ServiceCode::FormTooLong, &detail, &[])
            }
            Self::Unreadable => {
                status_problem(ServiceCode::FormUnreadable, "the form was cut short: send it again", &[])
            }
        };
        response.map(R::from)
    }
}

/// Whether the request has a form that may contain a token (RFC 6750 section 2.2).
fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let has_body = matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    let is_urlencoded = |value: &HeaderValue| {
        let essence = value.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    };
    has_body && headers.get(CONTENT_TYPE).is_some_and(is_urlencoded) && !headers.contains_key(CONTENT_ENCODING)
}

async fn read_all<B>(body: B, limit: usize) -> Result<Vec<u8>, Refusal>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::TooLong);
    }
    match Limited::new(body, limit).collect().await {
        Ok(read) => Ok(read.to_bytes().into()),
        Err(error) if is_about_length(&*error) => Err(Refusal::TooLong),
        Err(_) => Err(Refusal::Unreadable),
    }
}
