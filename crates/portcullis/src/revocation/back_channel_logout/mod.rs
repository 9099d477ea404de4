//! [`BackChannelLogout`]: ends sessions when users log out at the identity provider (OpenID Connect Back-Channel Logout 1.0).
//!
//! When a user logs out at the provider, it posts a *logout token* to a URL that you registered there (`backchannel_logout_uri`).
//! [`BackChannelLogout`] serves that URL: it verifies the token and revokes. The rules:
//!
//! 1. **The request** is a `POST` of a form of at most 32 KiB, with exactly one `logout_token` (section 2.5). Other parameters are
//!    ignored.
//! 2. **The token** is verified like every other token: signed by a key of the trusted issuer, for your audience, not expired, not from
//!    the future. It also has to be a logout token ([`Profile::LogoutToken`], section 2.6): ID tokens and access tokens of the same
//!    issuer are refused.
//! 3. **`aud` is your client id** at the provider, not the name of the API that access tokens have. So the [`TrustedIssuer`] has another
//!    audience than the one of your [`AuthLayer`](crate::AuthLayer). Use the presets of the feature `jwks` as for access tokens, with
//!    that audience: `provider::keycloak(..)?.trust("my-client-id")?`. Logout tokens need not have the claims that mark a provider's
//!    access tokens ([`TrustedIssuer::access_token_claim`]), but they need those of [`TrustedIssuer::require_claim`]. For a provider
//!    whose logout tokens have no `exp` (Ory Hydra), there is [`TrustedIssuer::danger_logout_tokens_without_expiry`].
//! 4. **With `sid`, only that session ends**, whether or not there is a `sub` as well; the user's other sessions go on. This is what the
//!    provider asks for: to end all sessions, it leaves `sid` out (section 2.4). Only tokens with that `sid` are revoked: see
//!    [`every_session`](BackChannelLogout::every_session) for providers that do not write `sid` into access tokens.
//! 5. **With `sub` alone**, all tokens end that the subject received up to and including the second of the logout token's `iat`. This
//!    time and the `iat` of access tokens both come from the provider's clock, so they are compared directly. If our own clock were used,
//!    a logout would have no effect at a provider whose clock is some seconds ahead. (The issuer's [leeway](TrustedIssuer::leeway) limits
//!    how far `iat` may be ahead.)
//! 6. **A replayed token is harmless**: its revocation is already in effect, and a user who has logged in again since then stays logged
//!    in, because the token's `iat` counts, not its arrival. So no `jti` is remembered.
//!
//! | answer | when |
//! |---|---|
//! | 200 | the revocation is durable |
//! | 400 | the request or the token is invalid (section 2.8) |
//! | 405, 413, 415 | not a `POST`; too long; not a form |
//! | 503, `Retry-After` | our fault: the keys were not available, or the revocation could not be stored durably |
//! | 500 | the service is misconfigured |
//!
//! All answers except 200 have a JSON body, `{"error": …, "error_description": …, "code": …}`, with a [code](crate::codes). (Section 2.8
//! prescribes 400 for every failed logout. Our own faults are answered with 503 all the same: a provider treats both as a failure, and
//! 503 says that trying again helps.)
//!
//! # Example
//!
//! The route is public: the token is the provider's only credential.
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use portcullis::{AuthLayer, TrustedIssuer};
//! use portcullis::revocation::BackChannelLogout;
//! use portcullis_store::{MemoryLog, Revocations};
//! use portcullis_test::MockIssuer;
//! use serde_json::json;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = MockIssuer::new(); // stands in for the provider where users log in
//! let revocations = Revocations::builder(MemoryLog::new()).start()?; // in production: a log that outlives the process
//! revocations.require(Duration::from_secs(5)).await?;
//!
//! let at_provider = TrustedIssuer::new(provider.name(), provider.keys()).audience("my-client-id");
//! let app = Router::new()
//!     .route("/orders", get(async || "orders"))
//!     .layer(AuthLayer::new(provider.admission().revocations(&revocations)))
//!     .route_service("/logout/back-channel", BackChannelLogout::new(at_provider, revocations.clone())?);
//!
//! let orders = |token: String| Request::get("/orders").header("authorization", token).body(Body::empty());
//! let session = |sid| provider.token().subject("alice").claim("sid", sid).bearer();
//! assert_eq!(app.clone().oneshot(orders(session("s-1"))?).await?.status(), 200);
//!
//! let logout = provider.token().typ("logout+jwt").audience("my-client-id").claim("sid", "s-1");
//! let logout = logout.claim("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
//! let post = |token: String| {
//!     let form = "application/x-www-form-urlencoded";
//!     Request::post("/logout/back-channel").header("content-type", form).body(Body::from(format!("logout_token={token}")))
//! };
//! assert_eq!(app.clone().oneshot(post(logout.sign())?).await?.status(), 200);
//! assert_eq!(app.clone().oneshot(orders(session("s-1"))?).await?.status(), 401);
//! assert_eq!(app.clone().oneshot(orders(session("s-2"))?).await?.status(), 200); // another session of the same user
//!
//! let refused = app.oneshot(post(logout.without("events").sign())?).await?;
//! assert_eq!(refused.status(), 400);
//! # Ok(())
//! # }
//! ```

mod failure;
mod service;

use portcullis_core::{
    Admission, AuthError, Clock, Code, ConfigError, JwtAuthenticator, TrustedIssuer,
    policy::Profile,
    revocation::{Revocation, RevocationView, Revoker},
    verified::Facts,
};

use self::failure::Failure;
use super::shared_revoker::SharedRevoker;

/// Revokes the sessions and subjects that an identity provider logs out. A tower service; cheap to clone.
///
/// See the [module docs](self) for the rules and for how to mount it.
#[derive(Clone, Debug)]
pub struct BackChannelLogout {
    admission: Admission,
    revoker: SharedRevoker,
    ends_every_session: bool,
    view: Option<RevocationView>,
}

impl BackChannelLogout {
    /// Accepts logout tokens of one issuer, for the audience of `issuer`: your client id there.
    ///
    /// The issuer is trusted for logout tokens only ([`Profile::LogoutToken`]), whatever its profile was.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used. The error lists all problems.
    pub fn new(issuer: TrustedIssuer, revoker: impl Revoker) -> Result<Self, ConfigError> {
        Self::trusting([issuer], revoker)
    }

    /// Accepts logout tokens of several issuers. Each of them can end only its own sessions.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used. The error lists all problems.
    pub fn trusting(
        issuers: impl IntoIterator<Item = TrustedIssuer>,
        revoker: impl Revoker,
    ) -> Result<Self, ConfigError> {
        let issuers = issuers.into_iter().map(|issuer| issuer.profile(Profile::LogoutToken));
        // Each token arrives once, so caching is useless.
        let admission = Admission::new(JwtAuthenticator::trusting(issuers)?).without_cache();
        Ok(Self { admission, revoker: SharedRevoker::new(revoker), ends_every_session: false, view: None })
    }

    /// Reads the time from `clock`. Defaults to [`SystemClock`](crate::clock::SystemClock).
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.admission = self.admission.clock(clock);
        self
    }

    /// Refuses logout tokens that a revoked key signed, or that were issued before a cut-off of their issuer, according to `view`. Set it
    /// if there is a view: otherwise a thief of a key can log out all users with it while it is in the provider's key set. (Other levels
    /// are not checked, because sending a logout twice is allowed.)
    ///
    /// Defaults to not checking.
    #[must_use]
    pub fn revocations(self, view: impl Into<RevocationView>) -> Self {
        Self { view: Some(view.into()), ..self }
    }

    /// Ends every session of the subject, even if the logout token names only one session (if it has no `sub`, only that session ends).
    ///
    /// For providers that write `sid` into ID tokens and logout tokens, but not into the access tokens that your services get: these
    /// cannot be distinguished by session, and without this setting a logout would end none of them.
    ///
    /// Defaults to ending what the logout token names.
    #[must_use]
    pub fn every_session(mut self) -> Self {
        self.ends_every_session = true;
        self
    }

    /// Returns what a verified logout token ends (section 2.7).
    fn ended_by(&self, token: &Facts) -> Result<Vec<Revocation>, Failure> {
        if let Some(level) = self.view.as_ref().and_then(|view| view.check_signer(token)) {
            return Err(Failure::Token(AuthError::new(Code::TokenRevoked).with_explanation(level.as_str())));
        }
        let (issuer, session) = (token.issuer(), token.session_id());
        // By the issuer's own clock, which also set the times of the tokens to end: a difference to our clock does not matter.
        let cut_off = token.issued_at().ok_or(Failure::Request("the logout token has no `iat`"))?;
        // An empty claim does not count as absent: the provider has to say "all sessions" as the specification requires.
        let says_nothing = |read: Option<&str>, claim| read.is_none() && token.claim(claim).is_some();
        if says_nothing(session, "/sid") || says_nothing(token.subject(), "/sub") {
            return Err(Failure::Request("the logout token has an empty `sid` or `sub`: leave it out, or name it"));
        }
        let subject = token.subject().filter(|_| session.is_none() || self.ends_every_session);
        let session = session.map(|session| Revocation::session(issuer, session));
        let subject = subject.map(|subject| Revocation::subject(issuer, subject, cut_off));
        Ok(session.into_iter().chain(subject).collect())
    }
}
