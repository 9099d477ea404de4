//! Takes part in log-outs at an identity provider (OpenID Connect Back-Channel Logout 1.0).
//!
//! When somebody logs out at the provider, it posts a *logout token* to a URL that you registered there
//! (`backchannel_logout_uri`). [`BackChannelLogout`] answers that URL: it verifies the token and revokes. The rules:
//!
//! 1. **The request** is a `POST` of a form, at most 32 KiB of it, with exactly one `logout_token` (section 2.5). Other
//!    parameters are ignored.
//! 2. **The token** is verified as every other: signed by a key of the trusted issuer, for you, not expired, not from
//!    the future. Besides it has to be one about a log-out ([`Profile::LogoutToken`], section 2.6): ID tokens and
//!    access tokens of the same issuer are refused.
//! 3. **`aud` is your client id** at the provider, and not the name of the API that access tokens have there. So the
//!    [`TrustedIssuer`] differs in this from the one that your [`AuthLayer`](crate::AuthLayer) has. The presets of the feature
//!    `jwks` are trusted as for access tokens, with that audience: `provider::keycloak(..)?.trust("my-client-id")?`. What tells
//!    a provider's access tokens apart ([`TrustedIssuer::access_token_claim`]) is not asked of log-out tokens; what
//!    [`TrustedIssuer::require_claim`] names is. A provider whose log-out tokens have no `exp` (Ory Hydra) is accepted with
//!    [`TrustedIssuer::danger_logout_tokens_without_expiry`].
//! 4. **With `sid`, that session ends**, and the others of the same user go on, whether or not there is a `sub` as
//!    well. That is what the provider asks for: no `sid` is how it says "all of them" (section 2.4). Only tokens with
//!    that `sid` are hit: see [`every_session`](BackChannelLogout::every_session) for providers that write none into
//!    access tokens.
//! 5. **With `sub` alone**, everything ends that the subject got up to and including the second of the logout token's
//!    `iat`. Both times, this one and the `iat` of access tokens, come from the provider's clock, so they are compared
//!    as they stand: by our own clock, a provider whose clock is some seconds ahead would lose a log-out. (How far
//!    `iat` may be ahead is bounded by the issuer's [leeway](TrustedIssuer::leeway).)
//! 6. **A replayed token is harmless**: what it revokes is revoked already, and a user who logged in anew since then
//!    stays logged in, because what counts is the `iat` of the token and not when it came. Therefore no `jti` is
//!    remembered.
//!
//! | answer | when |
//! |---|---|
//! | 200 | it is revoked, and durable |
//! | 400 | the request or the token is wrong (section 2.8) |
//! | 405, 413, 415 | no `POST`; longer than the limit; no form |
//! | 503, `Retry-After` | the keys could not be had, or the revocation not be made durable: it is our fault |
//! | 500 | the service is misconfigured |
//!
//! All but 200 have a body of JSON, `{"error": …, "error_description": …, "code": …}`, with a [code](crate::codes). (Section 2.8 has 400 for every log-out that
//! failed. A fault of ours is 503 all the same: a provider takes both for a failure, and this one says that trying
//! again helps.)
//!
//! # Example
//!
//! The route is public: the provider has no other credential than the token.
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
//! let provider = MockIssuer::new(); // stands in for the one where users log in
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
//! assert_eq!(app.clone().oneshot(orders(session("s-2"))?).await?.status(), 200); // another one of hers
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

/// Revokes what an identity provider says has logged out. A tower service; cheap to clone.
///
/// See the [module docs](self) for the rules, and for how to mount it.
#[derive(Clone, Debug)]
pub struct BackChannelLogout {
    admission: Admission,
    revoker: SharedRevoker,
    ends_every_session: bool,
    view: Option<RevocationView>,
}

impl BackChannelLogout {
    /// Takes logout tokens of one issuer, for the audience that `issuer` names: your client id there.
    ///
    /// It is trusted for logout tokens alone, whatever its profile was ([`Profile::LogoutToken`]).
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used: all problems at once.
    pub fn new(issuer: TrustedIssuer, revoker: impl Revoker) -> Result<Self, ConfigError> {
        Self::trusting([issuer], revoker)
    }

    /// The same for several issuers. Each of them can end its own sessions and nobody else's.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used: all problems at once.
    pub fn trusting(
        issuers: impl IntoIterator<Item = TrustedIssuer>,
        revoker: impl Revoker,
    ) -> Result<Self, ConfigError> {
        let issuers = issuers.into_iter().map(|issuer| issuer.profile(Profile::LogoutToken));
        // Each token comes once: there is nothing to remember.
        let admission = Admission::new(JwtAuthenticator::trusting(issuers)?).without_cache();
        Ok(Self { admission, revoker: SharedRevoker::new(revoker), ends_every_session: false, view: None })
    }

    /// Reads the time from `clock`. Defaults to [`SystemClock`](crate::clock::SystemClock).
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.admission = self.admission.clock(clock);
        self
    }

    /// Refuses logout tokens that a revoked key signed, or of before a cut-off of their issuer, by what `view` knows. Give it
    /// wherever there is a view: otherwise, whoever has stolen a key can log out everybody with it for as long as it stands
    /// in the provider's key set. (No other level is asked: a log-out that is sent twice is no mistake.)
    ///
    /// Defaults to not asking.
    #[must_use]
    pub fn revocations(self, view: impl Into<RevocationView>) -> Self {
        Self { view: Some(view.into()), ..self }
    }

    /// Ends every session of the subject, also where the logout token names one (and its subject, without which only
    /// that one ends).
    ///
    /// For providers that write `sid` into ID tokens and logout tokens, but not into the access tokens that your
    /// services see: those cannot be told apart by session, and without this a log-out would end none of them.
    ///
    /// Defaults to ending what the provider asks for.
    #[must_use]
    pub fn every_session(mut self) -> Self {
        self.ends_every_session = true;
        self
    }

    /// What a verified logout token ends (section 2.7).
    fn ended_by(&self, token: &Facts) -> Result<Vec<Revocation>, Failure> {
        if let Some(level) = self.view.as_ref().and_then(|view| view.check_signer(token)) {
            return Err(Failure::Token(AuthError::new(Code::TokenRevoked).with_explanation(level.as_str())));
        }
        let (issuer, session) = (token.issuer(), token.session_id());
        // By the issuer's own clock, as are the times of the tokens that end: a difference to ours does not count.
        let cut_off = token.issued_at().ok_or(Failure::Request("the logout token has no `iat`"))?;
        // A claim that is there and says nothing is no absence: "all sessions" has to be said as the specification
        // does.
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
