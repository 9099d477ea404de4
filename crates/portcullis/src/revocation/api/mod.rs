//! [`RevocationApi`]: lets administrators revoke and list revocations.
//!
//! [`RevocationApi`] is one resource: `POST` revokes, `GET` lists. The rules:
//!
//! 1. **It fails closed.** It reads the context of the [`AuthLayer`](crate::AuthLayer) around it, and enforces its requirement like a
//!    [guard](crate::guard). Without a layer the answer is 500 `service_misconfigured`, without a credential 401, and for a caller that
//!    does not meet the requirement 403. This is checked before anything else in the request. Require more than `authenticated()`,
//!    because every admitted caller can log out all users.
//! 2. **Administrators revoke and list only tokens of their own issuer**: an item's `issuer` has to be the issuer of the caller's own
//!    token, and a list shows no others. So none of several trusted issuers can log out another issuer's users or learn who they are,
//!    whatever roles it grants ([`danger_of_any_issuer`](RevocationApi::danger_of_any_issuer) permits it).
//! 3. **All or nothing.** If one item of a request is wrong, none is revoked, and the answer lists the mistakes (the first 20).
//! 4. **Revocations cannot be undone**, so there is no `DELETE`: every instance has acted on a revocation before anyone could take it
//!    back. Let the user log in again instead: tokens issued after the cut-off are accepted.
//! 5. Issuers and ids are compared exactly, and the service does not know whether any token has them. If an issuer or id is misspelled,
//!    nothing is revoked, but the answer is still 200.
//!
//! # `POST`: revoke
//!
//! The body is `application/json`: an object, or an array of 1 to 1000 of them, 256 KiB in all.
//!
//! | `level` | other members | revokes |
//! |---|---|---|
//! | `token` | `issuer`, `id` (`jti`), `expires_at` (`exp`) | one token |
//! | `session` | `issuer`, `id` (`sid`) | all tokens issued in a session |
//! | `subject` | `issuer`, `id` (`sub`), optionally `cut_off` | all tokens issued to a subject up to and including the second of the cut-off |
//! | `version` | `issuer`, `id` (`sub`), `current` | all tokens of a subject with a version (`ver`) below `current` |
//! | `client` | `issuer`, `id` (`client_id`), optionally `cut_off` | all tokens issued to a client up to the cut-off |
//! | `key` | `issuer`, `id` (`kid`) | all tokens that a key signed |
//! | `issuer` | `issuer`, optionally `cut_off` | all tokens that an issuer issued up to the cut-off |
//!
//! Times are in seconds since 1970. `cut_off` defaults to now plus the [leeway](RevocationApi::leeway) (30 s, unless set otherwise),
//! where now is read from the API's own [clock](RevocationApi::clock) once the whole request has arrived, so that tokens that were issued
//! meanwhile are revoked too. The issuer's clock may be ahead by the leeway, and then tokens
//! that it has already issued have later times. A user who logs in again within the leeway has to do so once more; token versions (level
//! `version`) do not have this gap. `cut_off` may be in the past, for example to spare tokens issued after a password change. A `cut_off`
//! more than five minutes in the future ([`Leeway::MAX`](crate::policy::Leeway::MAX)) would revoke only tokens that are not issued yet,
//! and is refused. `expires_at` must not be more than five minutes in the past: such a token is refused anyway, and a lifetime (`3600`)
//! written by mistake would be forgotten before it had any effect.
//!
//! The answer is `{"revoked": 2}`, with the number of items, once they are durable. If they could not be stored durably, the answer is
//! 503, and they may already be in effect, here or everywhere: send the same request again. Errors in a request are answered with a
//! problem (RFC 9457), which lists mistakes in `errors`:
//!
//! ```json
//! {
//!   "type": "https://docs.rs/portcullis/latest/portcullis/codes/index.html#revocation_malformed",
//!   "title": "Bad Request",
//!   "status": 400,
//!   "detail": "nothing was revoked, because of what `errors` lists",
//!   "code": "revocation_malformed",
//!   "errors": [{"pointer": "#/1/id", "detail": "`id` is missing: give the session's `sid`"}]
//! }
//! ```
//!
//! # `GET`: list
//!
//! Returns a page of revocations of the caller's issuer, in the order in which they were made. The same revocation may occur several
//! times, and a page may be empty. To get the next page, send the text of `next` as `?after=`, until `next` is `null`. If the log cannot
//! continue from there (it was rolled back, or replaced), the page starts at the beginning and has `"restarted": true`. `unreadable`
//! counts the records in the log that cannot be read.
//!
//! ```json
//! {
//!   "revocations": [
//!     {"level": "subject", "issuer": "https://a.example", "id": "alice", "cut_off": 1800000000, "until": 1800087000},
//!     {"level": "version", "issuer": "https://a.example", "id": "bob", "current": 5, "until": 1800087000}
//!   ],
//!   "next": null,
//!   "restarted": false,
//!   "unreadable": 0
//! }
//! ```
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, body::Body};
//! use http::Request;
//! use portcullis::AuthLayer;
//! use portcullis::requirement::role;
//! use portcullis::revocation::RevocationApi;
//! use portcullis_store::{MemoryLog, Revocations};
//! use portcullis_test::MockIssuer;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
//! let revocations = Revocations::builder(MemoryLog::new()).start()?; // in production: a log that outlives the process
//! revocations.require(Duration::from_secs(5)).await?;
//!
//! let app = Router::new()
//!     .route_service("/admin/revocations", RevocationApi::new(revocations.clone(), role("security-officer")))
//!     .layer(AuthLayer::new(issuer.admission().revocations(&revocations)));
//! let revoke = |bearer: String| {
//!     let request = Request::post("/admin/revocations").header("authorization", bearer);
//!     let item = r#"{"level": "subject", "issuer": "https://issuer.test", "id": "alice"}"#;
//!     request.header("content-type", "application/json").body(Body::from(item))
//! };
//!
//! let officer = issuer.token().subject("olga").role("security-officer").bearer();
//! assert_eq!(app.clone().oneshot(revoke(officer)?).await?.status(), 200);
//!
//! let other = issuer.token().subject("bob").bearer();
//! assert_eq!(app.oneshot(revoke(other)?).await?.status(), 403);
//! # Ok(())
//! # }
//! ```

mod batch;
mod cursor_text;
mod failure;
mod item;
mod listing;
mod members;
mod service;

use std::sync::Arc;

use portcullis_core::{Clock, clock::SystemClock, policy::Leeway, revocation::Revoker};

use super::shared_revoker::SharedRevoker;
use crate::Requirement;

/// Lets callers who meet a requirement revoke and list revocations. A tower service; cheap to clone.
///
/// See the [module docs](self) for the rules and for how to mount it.
#[derive(Clone, Debug)]
pub struct RevocationApi {
    revoker: SharedRevoker,
    requirement: Requirement,
    leeway: Leeway,
    clock: Arc<dyn Clock>,
    is_for_any_issuer: bool,
}

impl RevocationApi {
    /// Requires `requirement` of every caller. It must not compare with path parameters: there are none here, so every request would be
    /// answered with 500.
    pub fn new(revoker: impl Revoker, requirement: Requirement) -> Self {
        let revoker = SharedRevoker::new(revoker);
        let clock = Arc::new(SystemClock);
        Self { revoker, requirement, leeway: Leeway::default(), clock, is_for_any_issuer: false }
    }

    /// Reads the time from `clock` once the whole request has arrived. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets how far the clock of a trusted issuer may be ahead: the default `cut_off` is now plus this leeway. Use the largest
    /// [leeway](crate::TrustedIssuer::leeway) of the trusted issuers. With a smaller one, a token that such an issuer issued just before
    /// the revocation may stay valid.
    ///
    /// Defaults to 30 s, like the leeway of an issuer.
    #[must_use]
    pub fn leeway(self, leeway: Leeway) -> Self {
        Self { leeway, ..self }
    }

    /// Lets callers who meet the requirement revoke and list tokens **of any issuer**, for administrators who log in at one of several
    /// issuers. Name their issuer in the requirement (`claim("/iss", eq(..))`): otherwise every trusted issuer can appoint administrators
    /// for all others.
    ///
    /// Defaults to the issuer of the caller's own token, for both `POST` and `GET`.
    #[must_use]
    pub fn danger_of_any_issuer(self) -> Self {
        Self { is_for_any_issuer: true, ..self }
    }
}
