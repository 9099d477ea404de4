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
use tower_service::Service;
use zeroize::Zeroizing;

use super::{FormBodyLayer, FormCredential};
use crate::{
    location::urlencoded,
    read_body::{ReadBody, ReadBodyFuture},
    rejection::{ServiceCode, status_problem},
    whole_body::{self, Unread},
};

/// The service of [`FormBodyLayer`].
#[derive(Clone, Debug)]
pub struct FormBodyService<S> {
    pub(super) inner: S,
    pub(super) layer: FormBodyLayer,
}

impl<S, B, R> Service<Request<B>> for FormBodyService<S>
where
    S: Service<Request<ReadBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Vec<u8>> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ReadBodyFuture<Response<R>, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if !is_form(request.method(), request.headers()) {
            request.extensions_mut().insert(FormCredential::Absent);
            return ReadBodyFuture::new(self.inner.call(request.map(ReadBody::untouched)));
        }
        // The service that was polled is dropped, with anything it reserved, so that a slow body does not block other requests. One clone
        // is polled before it is called here, the other before its own next call.
        let mut inner = self.inner.clone();
        self.inner = inner.clone();
        let layer = self.layer.clone();
        ReadBodyFuture::new(async move {
            match layer.read(request).await {
                Ok(request) => {
                    poll_fn(|context| inner.poll_ready(context)).await?;
                    inner.call(request).await
                }
                Err(unread) => Ok(refused(unread, layer.limit)),
            }
        })
    }
}

impl FormBodyLayer {
    /// Takes the token out of the form.
    async fn read<B>(&self, request: Request<B>) -> Result<Request<ReadBody<B>>, Unread>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut parts, body) = request.into_parts();
        let mut form = Zeroizing::new(whole_body::read(body, self.limit).await?);
        let credential = FormCredential::of(urlencoded::find(&form, &self.name));
        let form = match credential {
            FormCredential::Absent => mem::take(&mut *form),
            _ => urlencoded::without(&form, &self.name).unwrap_or_default(),
        };
        parts.extensions.insert(credential);
        parts.headers.remove(TRANSFER_ENCODING);
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(form.len()));
        Ok(Request::from_parts(parts, ReadBody::read(form)))
    }
}

/// Returns the answer to a form that could not be read.
fn refused<R: From<String>>(unread: Unread, limit: usize) -> Response<R> {
    let response = match unread {
        Unread::TooLong => {
            let detail = format!("the form is longer than {limit} bytes, the limit here: send a shorter form");
            status_problem(ServiceCode::FormTooLong, &detail, &[])
        }
        Unread::BrokenOff => status_problem(ServiceCode::FormUnreadable, "the form was cut short: send it again", &[]),
    };
    response.map(R::from)
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
