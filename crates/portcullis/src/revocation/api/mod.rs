//! Lets an administrator revoke, and see what is revoked.
//!
//! [`RevocationApi`] is one resource. `POST` revokes, `GET` lists. The rules:
//!
//! 1. **Nobody is let in by mistake.** It reads what the [`AuthLayer`](crate::AuthLayer) around it has left, and asks
//!    its requirement of the caller as a [guard](crate::guard) does. Without a layer the answer is 500
//!    `service_misconfigured`, without a credential 401, to whoever does not meet the requirement 403. This comes
//!    first, before anything else about the request is looked at. Ask for more than `authenticated()`: whoever passes
//!    can log out everybody.
//! 2. **Each issuer's administrators revoke that issuer's tokens, and see what is revoked of them**: an item's `issuer` has to be
//!    that of the caller's own token, and a list has no others. Of several trusted issuers, none can then log out another one's
//!    users, or learn who they are, whatever roles it gives its own
//!    ([`danger_of_any_issuer`](RevocationApi::danger_of_any_issuer) lets them).
//! 3. **All or nothing.** If one item of a request is wrong, none is revoked, and the answer lists the mistakes
//!    (the first 20).
//! 4. **There is no way back**, hence no `DELETE`: what is revoked has been acted upon everywhere before anybody could
//!    take it back. Let the user log in anew instead: what is issued after the cut-off is good.
//! 5. Issuers and ids are compared exactly, and whether any token has them is not known here: with an issuer or an id
//!    that is misspelled nothing is hit, and 200 is the answer all the same.
//!
//! # `POST`: revoke
//!
//! The body is `application/json`: an object, or an array of 1 to 1000 of them, 256 KiB in all.
//!
//! | `level` | further members | revokes |
//! |---|---|---|
//! | `token` | `issuer`, `id` (`jti`), `expires_at` (`exp`) | one token |
//! | `session` | `issuer`, `id` (`sid`) | what was issued in a session |
//! | `subject` | `issuer`, `id` (`sub`), maybe `cut_off` | what a subject got up to the second of the cut-off, included |
//! | `version` | `issuer`, `id` (`sub`), `current` | what a subject got with a version (`ver`) below `current` |
//! | `client` | `issuer`, `id` (`client_id`), maybe `cut_off` | what a client got up to the cut-off |
//! | `key` | `issuer`, `id` (`kid`) | what a key signed |
//! | `issuer` | `issuer`, maybe `cut_off` | what an issuer issued up to the cut-off |
//!
//! Times are in seconds since 1970. `cut_off` defaults to now and the [leeway](RevocationApi::leeway) (30 s, unless set
//! otherwise), where now is the instant by which the admission has let the request in: the issuer's clock may be ahead by the leeway, and then what it has issued up to now bears
//! later times. A user who logs in again within the leeway has to do so once more; token versions (level `version`) have no
//! such gap. `cut_off` may lie in the past, to spare what a user got after changing a password, say. One that lies more than
//! five minutes ahead ([`Leeway::MAX`](crate::policy::Leeway::MAX)) would revoke only what is not issued yet, and is refused. `expires_at` may not have passed by more than five minutes: such a token is refused anyway, and a
//! lifetime in its place (`3600`) would be forgotten before it did anything.
//!
//! The answer is `{"revoked": 2}`, with the number of items, once they are durable. If they could not be made durable,
//! it is 503: they may hold already, here or everywhere. Send the same again. What is wrong with a request is told by a
//! problem (RFC 9457), mistakes in `errors`:
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
//! A page of what is revoked of the caller's issuer, in the order in which it was; the same may stand there several times, and
//! a page may be empty. What follows is at
//! `?after=` with the text that is `next`, until that is `null`. If the log cannot go on from there (it was rolled
//! back, or is another one), the page begins at the beginning and says `"restarted": true`. `unreadable` counts what is
//! in the log and cannot be read.
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
//! let somebody = issuer.token().subject("bob").bearer();
//! assert_eq!(app.oneshot(revoke(somebody)?).await?.status(), 403);
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

/// Lets callers who meet a requirement revoke, and see what is revoked. A tower service; cheap to clone.
///
/// See the [module docs](self) for the rules, and for how to mount it.
#[derive(Clone, Debug)]
pub struct RevocationApi {
    revoker: SharedRevoker,
    requirement: Requirement,
    leeway: Leeway,
    clock: Arc<dyn Clock>,
    is_for_any_issuer: bool,
}

impl RevocationApi {
    /// Asks `requirement` of every caller. Compare with no path parameters in it: there are none here, so nobody would
    /// pass (500).
    pub fn new(revoker: impl Revoker, requirement: Requirement) -> Self {
        let revoker = SharedRevoker::new(revoker);
        let clock = Arc::new(SystemClock);
        Self { revoker, requirement, leeway: Leeway::default(), clock, is_for_any_issuer: false }
    }

    /// Reads the time from `clock`, once the whole request is there. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets how far the clock of a trusted issuer may be ahead: a `cut_off` that is left out is now and this much. Give the
    /// largest [leeway](crate::TrustedIssuer::leeway) of the trusted issuers. With a smaller one, a token that such an issuer
    /// issued just before the revocation may stay good.
    ///
    /// Defaults to 30 s, as the leeway of an issuer does.
    #[must_use]
    pub fn leeway(self, leeway: Leeway) -> Self {
        Self { leeway, ..self }
    }

    /// Lets callers who meet the requirement revoke tokens **of any issuer**, and see what is revoked of any: for administrators
    /// who log in at one of several issuers. Name that one in the requirement then (`claim("/iss", eq(..))`): otherwise every
    /// trusted issuer can make administrators of all others.
    ///
    /// Defaults to the issuer of the caller's own token, for `POST` and for `GET`.
    #[must_use]
    pub fn danger_of_any_issuer(self) -> Self {
        Self { is_for_any_issuer: true, ..self }
    }
}
