//! The routes of [`BrowserSessions`].

use std::error::Error;

use http::{HeaderMap, Request, Response};
use http_body::Body;

use super::{BrowserSessions, SESSION, cookie, logged_out};
use crate::{
    routes::{answer, form::Form, serve::serve},
    server::{Endpoint, OAuthError},
};

pub(super) const REFRESH: &str = "/refresh";
pub(super) const LOG_OUT: &str = "/log_out";
pub(super) const LOG_OUT_EVERYWHERE: &str = "/log_out_everywhere";

impl BrowserSessions {
    async fn answer<B>(&self, request: Request<B>) -> Response<String>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let name = request.uri().path().strip_prefix(&*self.prefix).unwrap_or_default().to_owned();
        if ![REFRESH, LOG_OUT, LOG_OUT_EVERYWHERE].contains(&&*name) {
            return answer::not_found();
        }
        let headers = request.headers().clone();
        let form = match Form::read(request).await {
            Ok(form) => form,
            Err(misfit) => return misfit.answer(),
        };
        let endpoint = if name == REFRESH { Endpoint::Token } else { Endpoint::Revocation };
        if let Err(error) = self.server.check_rate(endpoint, &form.request(), Some(&self.client_id), None) {
            return answer::error(&error);
        }
        match &*name {
            REFRESH => self.refresh(&headers, &form).await,
            other => self.end(&headers, other == LOG_OUT_EVERYWHERE).await,
        }
    }

    async fn refresh(&self, headers: &HeaderMap, form: &Form) -> Response<String> {
        let token = match self.token_of(headers) {
            Ok(Some(token)) => token,
            Ok(None) => return logged_out(),
            Err(refused) => return *refused,
        };
        let refreshed = self.server.refresh_page(&self.client_id, &token, &form.request()).await;
        match self.server.watched(SESSION, refreshed) {
            Ok((tokens, lifetime)) => self.answer_with(tokens, lifetime.as_secs()),
            Err(error) => Self::failed(&error),
        }
    }

    async fn end(&self, headers: &HeaderMap, everywhere: bool) -> Response<String> {
        let ended = match self.token_of(headers) {
            Ok(Some(token)) if everywhere => self.server.end_everywhere(&self.client_id, &token).await,
            Ok(Some(token)) => self.server.end_page(&self.client_id, &token).await,
            Ok(None) if everywhere => return logged_out(),
            Ok(None) => Ok(()),
            Err(refused) => return *refused,
        };
        // Until it has ended, the page needs the cookie to try again.
        let done = |()| {
            let mut response = answer::done();
            cookie::clear(response.headers_mut());
            response
        };
        self.server.watched(SESSION, ended).map_or_else(|error: OAuthError| Self::failed(&error), done)
    }
}

serve!(BrowserSessions);
