//! The routes of [`BrowserSessions`].

use std::error::Error;

use http::{HeaderMap, Request, Response};
use http_body::Body;

use super::{BrowserSessions, SESSION, cookie, logged_out};
use crate::{
    routes::{answer, form::EndpointForm, serve::serve},
    server::{Endpoint, OAuthError},
};

/// A route of the page's sessions.
#[derive(Clone, Copy)]
pub(super) enum BrowserRoute {
    Refresh,
    LogOut,
    LogOutEverywhere,
}

impl BrowserRoute {
    pub(super) const ALL: [Self; 3] = [Self::Refresh, Self::LogOut, Self::LogOutEverywhere];

    /// Returns what follows the prefix of the path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Refresh => "/refresh",
            Self::LogOut => "/log_out",
            Self::LogOutEverywhere => "/log_out_everywhere",
        }
    }

    /// Returns the endpoint that a limit of rates is asked about.
    const fn endpoint(self) -> Endpoint {
        match self {
            Self::Refresh => Endpoint::Token,
            Self::LogOut | Self::LogOutEverywhere => Endpoint::Revocation,
        }
    }
}

impl BrowserSessions {
    async fn answer<B>(&self, request: Request<B>) -> Response<String>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let path = request.uri().path().strip_prefix(&*self.prefix).unwrap_or_default();
        let Some(route) = BrowserRoute::ALL.into_iter().find(|route| route.path() == path) else {
            return answer::not_found();
        };
        let headers = request.headers().clone();
        let form = match EndpointForm::read(request).await {
            Ok(form) => form,
            Err(misfit) => return misfit.answer(),
        };
        if let Err(error) = self.server.check_rate(route.endpoint(), &form.request(), Some(&self.client_id), None) {
            return answer::error(&error);
        }
        match route {
            BrowserRoute::Refresh => self.refresh(&headers, &form).await,
            BrowserRoute::LogOut => self.log_out(&headers).await,
            BrowserRoute::LogOutEverywhere => self.log_out_everywhere(&headers).await,
        }
    }

    async fn refresh(&self, headers: &HeaderMap, form: &EndpointForm) -> Response<String> {
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

    async fn log_out(&self, headers: &HeaderMap) -> Response<String> {
        self.ended(match self.token_of(headers) {
            Ok(Some(token)) => self.server.end_page(&self.client_id, &token).await,
            Ok(None) => Ok(()),
            Err(refused) => return *refused,
        })
    }

    async fn log_out_everywhere(&self, headers: &HeaderMap) -> Response<String> {
        self.ended(match self.token_of(headers) {
            Ok(Some(token)) => self.server.end_everywhere(&self.client_id, &token).await,
            // There is no session that says whose they are.
            Ok(None) => return logged_out(),
            Err(refused) => return *refused,
        })
    }

    /// The answer to a log-out. Until it has ended, the page needs the cookie to try again.
    fn ended(&self, outcome: Result<(), OAuthError>) -> Response<String> {
        let done = |()| {
            let mut response = answer::done();
            cookie::clear(response.headers_mut());
            response
        };
        self.server.watched(SESSION, outcome).map_or_else(|error| Self::failed(&error), done)
    }
}

serve!(BrowserSessions);
