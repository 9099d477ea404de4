//! [`BrowserSessions`]: sessions of the application's own page, whose refresh token no script can read.

mod cookie;
mod own_page;
mod service;

use std::sync::Arc;

use http::{HeaderMap, Response};
use portcullis_core::ConfigError;

use self::{
    cookie::{Cookies, SessionCookie},
    service::BrowserRoute,
};
use super::answer;
use crate::server::{AuthorizationServer, OAuthError, OAuthErrorCode, PageLogIn};

/// Sessions of the application's own page, on the host of the issuer: the refresh token is in a cookie that no script can read, and the page has
/// its access token in memory. Made by [`AuthorizationServer::browser`]. Cheap to clone.
///
/// The application has the route for logging in: it checks the password, and answers with [`log_in`](Self::log_in). The others are ready; each
/// accepts `POST` with a form, and answers with `Cache-Control: no-store`:
///
/// | path | what it does |
/// |---|---|
/// | `/session/refresh` | answers like a token endpoint, without the refresh token; the form may have `resource` and `scope` |
/// | `/session/log_out` | ends this session |
/// | `/session/log_out_everywhere` | ends all sessions of the user |
///
/// | status | `error` | when |
/// |---|---|---|
/// | 200 | | it was done; a log-out also without a cookie |
/// | 400 | `login_required` | there is no cookie, and so no session to refresh, or whose user could be logged out everywhere |
/// | 400 | `invalid_grant` | the session has ended, or the refresh token is not accepted: log the user in again |
/// | 400 | `invalid_request`, `invalid_scope`, `invalid_target` | the request is malformed, or asks for more than the session has; or there are two cookies |
/// | 403 | `access_denied` | the request does not come from the application's own page |
/// | 405, 413, 415 | `invalid_request` | the method is not `POST`, the body is longer than 64 KiB, or it is no form |
/// | 429, 503 | `temporarily_unavailable` | there are too many requests, or it cannot be decided: try again after `Retry-After`; the session goes on |
/// | 500 | `server_error` | something is wrong with the server |
///
/// The rules:
///
/// 1. The cookie is `__Host-session`: `Secure`, `HttpOnly`, `SameSite=Strict`. It has the path `/`, as that prefix demands, so that browsers
///    send it to every route of the host; only these read it.
/// 2. A request has to come from the application's own page. `Sec-Fetch-Site` says so, or else `Origin`. A browser that sends neither repeats the
///    value of the cookie `__Host-session-csrf` in the header `X-CSRF-Token`: it is a MAC of the session, which no other site can read or make.
/// 3. Two tabs that refresh at once get the same successor. A refresh that fails clears the cookie only if the session was revoked, or its token was
///    used twice: an answer that comes late must not take the token that another tab has just got. Logging out clears it always.
/// 4. Two cookies of a session are refused with the status 400: one of them is not the application's, and a log-out must end the right one.
/// 5. The server's [limit](crate::server::AuthorizationServerBuilder::rate_limit) is asked about a refresh as about a request to the token endpoint, and
///    about a log-out as about one to the revocation endpoint.
///
/// In the page, put `navigator.locks.request("refresh", ...)` around a refresh, so that tabs wait for each other.
///
/// ```no_run
/// # use axum::{Router, extract::State, http::HeaderMap, response::IntoResponse, routing::post};
/// # use portcullis_issuer::{routes::BrowserSessions, server::{AuthorizationServer, PageLogIn}};
/// # async fn routes(server: &AuthorizationServer) -> Result<Router, portcullis_core::ConfigError> {
/// /// The password was checked.
/// async fn log_in(State(browser): State<BrowserSessions>, headers: HeaderMap) -> impl IntoResponse {
///     browser.log_in(&headers, PageLogIn::new("alice").scope("orders:read")).await
/// }
///
/// let browser = server.browser("dashboard").await?; // a public client of the server's list
/// let routes = Router::new().route("/session/log_in", post(log_in)).with_state(browser.clone());
/// Ok(browser.paths().iter().fold(routes, |routes, path| routes.route_service(path, browser.clone())))
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BrowserSessions {
    server: AuthorizationServer,
    client_id: Arc<str>,
    origin: Arc<str>,
    prefix: Arc<str>,
}

/// The endpoint in events.
const SESSION: &str = "session";

impl AuthorizationServer {
    /// Returns the sessions of the application's own page, which is the client of this id: one without a secret, that uses refresh tokens.
    ///
    /// # Errors
    ///
    /// If there is no such client, or it could not be found out.
    pub async fn browser(&self, client_id: &str) -> Result<BrowserSessions, ConfigError> {
        self.check_page_client(client_id).await?;
        Ok(BrowserSessions {
            server: self.clone(),
            client_id: client_id.into(),
            origin: own_page::origin_of(self.issuer()).into(),
            prefix: "/session".into(),
        })
    }
}

impl BrowserSessions {
    /// Sets the origin under which browsers reach these routes, if a proxy gives them another one than the issuer's, such as `https://app.example.com`.
    /// It does not let a page of another origin in. Defaults to the origin of the issuer.
    ///
    /// # Errors
    ///
    /// If it is not an origin as browsers write it: `https://`, a host in lower case, and a port unless it is 443; `http` for loopback addresses only.
    pub fn origin(self, origin: &str) -> Result<Self, ConfigError> {
        own_page::check_origin(origin)?;
        Ok(Self { origin: origin.into(), ..self })
    }

    /// Sets what the paths begin with. Defaults to `/session`.
    ///
    /// # Errors
    ///
    /// If it is not the beginning of a path: a slash before each part, none at the end, and letters, digits, `-`, `.`, `_` and `~` in the parts.
    pub fn prefix(self, prefix: &str) -> Result<Self, ConfigError> {
        own_page::check_prefix(prefix)?;
        Ok(Self { prefix: prefix.into(), ..self })
    }

    /// Returns the paths that are answered, to mount each of them.
    pub fn paths(&self) -> [String; 3] {
        BrowserRoute::ALL.map(|route| format!("{}{}", self.prefix, route.path()))
    }

    /// Answers the page of a user who has logged in: with the cookies, and with an access token. `headers` are those of the request, which has to
    /// come from the application's page.
    ///
    /// A browser that sends neither `Sec-Fetch-Site` nor `Origin` cannot log in: there is no session yet by which it could be recognised.
    pub async fn log_in(&self, headers: &HeaderMap, log_in: PageLogIn) -> Response<String> {
        if !own_page::is_from_own_page(headers, &self.origin, || false) {
            return own_page::forbidden();
        }
        match self.server.watched(SESSION, self.server.log_in_page(&self.client_id, log_in).await) {
            Ok((tokens, lifetime)) => self.answer_with(tokens, lifetime.as_secs()),
            Err(error) => answer::error(&error),
        }
    }

    /// The answer with tokens: the refresh token is in the cookie alone.
    fn answer_with(&self, tokens: crate::server::TokenResponse, max_age: u64) -> Response<String> {
        let (refresh_token, tokens) = tokens.apart();
        let mut response = answer::token(&tokens);
        if let Some(refresh_token) = refresh_token {
            let csrf = self.server.page_mac(&refresh_token).unwrap_or_default();
            Cookies { session: &refresh_token, csrf: &csrf }.set(response.headers_mut(), max_age);
        }
        response
    }

    /// Returns the cookie's refresh token, if there is one and the request comes from the application's own page; otherwise the answer.
    fn token_of(&self, headers: &HeaderMap) -> Result<Option<String>, Box<Response<String>>> {
        let cookie = cookie::session(headers);
        let repeats_the_mac = || {
            let SessionCookie::One(token) = &cookie else { return false };
            self.server.page_mac(token).is_some_and(|expected| own_page::repeats(headers, &expected))
        };
        if !own_page::is_from_own_page(headers, &self.origin, repeats_the_mac) {
            return Err(Box::new(own_page::forbidden()));
        }
        match cookie {
            SessionCookie::None => Ok(None),
            SessionCookie::One(token) => Ok(Some(token)),
            SessionCookie::Ambiguous => Err(Box::new(ambiguous())),
        }
    }

    /// The answer to a refresh that has failed.
    fn failed(error: &OAuthError) -> Response<String> {
        let mut response = answer::error(error);
        // Otherwise another tab may have a token of it.
        if error.ends_session() {
            cookie::clear(response.headers_mut());
        }
        response
    }
}

/// The cookies are kept: with both gone, the session could never be ended.
fn ambiguous() -> Response<String> {
    let why = "there are two cookies of a session, one of which is not the application's: nothing was done";
    answer::error(&OAuthError::new(OAuthErrorCode::InvalidRequest, why))
}

/// There is no cookie.
fn logged_out() -> Response<String> {
    answer::error(&OAuthError::new(OAuthErrorCode::LoginRequired, "the user has to log in"))
}
