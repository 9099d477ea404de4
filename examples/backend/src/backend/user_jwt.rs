//! `POST /account/jwt`: a user who has logged in lends itself to a function, by a JWT of some minutes.
//!
//! 1. It is valid for 1 to 15 minutes, as the user asks (`?minutes=5`); the operator may raise the ceiling to 60.
//! 2. It ends with the session that it was minted in: its `sid` is revoked when the session ends, and its `exp` is never later than the
//!    session's own limits.
//! 3. Minting counts as a use of the session.
//! 4. A user gets ten at once, and then one every six seconds, from whatever address.
//! 5. It is for this backend alone, in an HTTP header of its own (`aud` differs from that of access tokens), and its claim `purpose` says what
//!    it is. No JWT of this purpose mints another, or changes a password or mail address: see `access.rs`.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
    routing::post,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use portcullis::Claims;
use portcullis_issuer::{AccessToken, TokenIssuer, refresh::Family};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{CLIENT, Desk, USER_JWT_AUDIENCE, problem::Problem};

/// The claim by which such a JWT is told from an access token.
pub(super) const PURPOSE: &str = "user_jwt";

/// How many minutes a JWT is valid, if the user does not say.
const USUAL_MINUTES: u64 = 15;

const PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Mints JWTs of users.
#[derive(Clone, Debug)]
pub(super) struct UserJwts {
    issuer: TokenIssuer,
    minutes_max: u64,
    /// By the user's name: sessions and addresses cost nothing.
    limiter: Arc<DefaultKeyedRateLimiter<String>>,
}

#[derive(Serialize)]
struct Custom {
    purpose: &'static str,
}

impl UserJwts {
    pub(super) fn new(issuer: TokenIssuer, minutes_max: u64) -> Self {
        Self { issuer, minutes_max, limiter: Arc::new(RateLimiter::keyed(Quota::per_minute(PER_MINUTE))) }
    }

    /// Returns how long the JWT is to be valid.
    fn lifetime(&self, minutes: Option<u64>) -> Result<Duration, Problem> {
        let minutes = minutes.unwrap_or(USUAL_MINUTES.min(self.minutes_max));
        if !(1..=self.minutes_max).contains(&minutes) {
            let why = format!("minutes: from 1 to {}", self.minutes_max);
            return Err(Problem::refused("lifetime_out_of_range", why));
        }
        Ok(Duration::from_secs(minutes * 60))
    }

    fn count(&self, user: &str) -> Result<(), Problem> {
        let counted = self.limiter.check_key(&user.to_owned());
        counted.map_err(|not_until| Problem::too_many(not_until.wait_time_from(self.limiter.clock().now())))
    }

    /// Forgets users who have minted nothing for a while.
    pub(super) fn forget_quiet_users(&self) {
        self.limiter.retain_recent();
    }

    fn content(claims: &Claims, session: &Family, lifetime: Duration, role: Option<&str>) -> AccessToken<Custom> {
        let content = AccessToken::for_user(session.log_in.subject(), CLIENT)
            .audience(USER_JWT_AUDIENCE)
            .session(session.id.session_id())
            .authenticated_at(session.log_in.auth_time())
            .lifetime(lifetime)
            // The limits as they were before this use: of a session that was about to end, a JWT gets the rest.
            .ends_by(session.ends_at().to_unix());
        let content = claims.scopes().iter().fold(content, AccessToken::scope);
        role.into_iter().fold(content, AccessToken::role).custom(Custom { purpose: PURPOSE })
    }
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/account/jwt", post(mint))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    minutes: Option<u64>,
}

async fn mint(
    State(desk): State<Desk>,
    claims: Claims,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Asked { minutes }) =
        asked.map_err(|_| Problem::refused("request_malformed", "no parameter, or ?minutes=5"))?;
    let lifetime = desk.user_jwts.lifetime(minutes)?;
    let session = desk.sessions.of(&claims).await?;
    let name = session.log_in.subject();
    desk.user_jwts.count(name)?;
    let (_, role) = desk.users.find(name).ok_or_else(Problem::session_over)?;
    desk.sessions.touch(&session).await?;
    let minted = desk.user_jwts.issuer.mint(&UserJwts::content(&claims, &session, lifetime, role)).await?;
    let body = json!({
        "jwt": minted.token(),
        "expires_in": minted.expires_in(),
        "expires_at": minted.expires_at().as_secs(),
    });
    Ok(([(CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
