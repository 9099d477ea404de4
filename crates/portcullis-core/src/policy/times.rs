//! Checks the claims that depend on the time, and computes their window.
//!
//! For a cached token, the window is checked instead of these claims, so each check has its line in [`Policy::window`]: if a check is
//! added or changed only here, it applies to a token at first sight, but not to the same token a minute later. `tests/times.rs` and the
//! property test in `tests/cache.rs` compare the two.
//!
//! | check | accepts, with the leeway | in the window |
//! |---|---|---|
//! | `Expiry` | before `exp` and the leeway | the end |
//! | `NotBefore` | from `nbf` less the leeway on | the beginning |
//! | `IssuedAt` | from `iat` less the leeway on | the beginning |
//! | `Age` | up to `max_age` and the leeway after `iat` | the end; `max_lifetime` does not depend on the time |

use std::time::Duration;

use super::{Policy, Profile, Window, policy::missing};
use crate::{
    AuthError, Code, UnixTime,
    claims::RegisteredClaims,
    judge::{Check, Judge},
    verified::Facts,
};

impl Policy {
    /// Returns the window of a token that was accepted by this policy: see the module's table. A logout token without `exp` has none, and
    /// is not cached.
    pub(crate) fn window(&self, facts: &Facts) -> Window {
        let leeway = self.leeway.as_duration();
        let starts = [facts.not_before(), facts.issued_at()];
        let from = starts.into_iter().flatten().map(|start| start.minus(leeway).as_secs()).max();

        let expiry = facts.expires_at().map_or(0, |expiry| expiry.plus(leeway).as_secs());
        // Ages are in whole seconds, so the last accepted one is the whole part of the limit.
        let aged = self.max_age.zip(facts.issued_at()).map(|(max_age, issued_at)| {
            let oldest = max_age.saturating_add(leeway).as_secs();
            issued_at.as_secs().saturating_add(oldest).saturating_add(1)
        });
        Window::new(from.unwrap_or(0), aged.map_or(expiry, |aged| aged.min(expiry)))
    }

    pub(super) fn accept_times<J: Judge>(
        &self,
        claims: &RegisteredClaims,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<(), AuthError> {
        let leeway = self.leeway.as_duration();
        let latest = now.plus(leeway);
        let expiry = self.expiry(claims);
        if let Ok(expires_at) = expiry {
            judge.expect(Check::Expiry, || told("`exp`", expires_at, now, leeway));
        }
        let is_alive = expiry.and_then(|expires_at| refused_if(now >= expires_at.plus(leeway), Code::TokenExpired));
        judge.judge(Check::Expiry, is_alive)?;
        if let Some(not_before) = claims.not_before {
            judge.expect(Check::NotBefore, || told("`nbf`", not_before, now, leeway));
        }
        let is_early = claims.not_before.is_some_and(|not_before| not_before > latest);
        judge.judge(Check::NotBefore, refused_if(is_early, Code::TokenNotYetValid))?;
        if let Some(issued_at) = claims.issued_at {
            judge.expect(Check::IssuedAt, || told("`iat`", issued_at, now, leeway));
        }
        let is_of_the_future = claims.issued_at.is_some_and(|issued_at| issued_at > latest);
        judge.judge(Check::IssuedAt, refused_if(is_of_the_future, Code::TokenIssuedInFuture))?;
        Ok(())
    }

    /// Returns `exp`, or its substitute in a logout token.
    fn expiry(&self, claims: &RegisteredClaims) -> Result<UnixTime, AuthError> {
        let max_age = self.logout_without_expiry.filter(|_| self.profile == Profile::LogoutToken);
        let stand_in = || Some(claims.issued_at?.plus(max_age?));
        claims.expires_at.or_else(stand_in).ok_or_else(|| missing("exp"))
    }

    pub(super) fn accept_age(&self, claims: &RegisteredClaims, now: UnixTime) -> Result<(), AuthError> {
        if self.max_age.is_none() && self.max_lifetime.is_none() {
            return Ok(());
        }
        let issued_at = claims.issued_at.ok_or_else(|| missing("iat"))?;
        if self.max_age.is_some_and(|max| now.since(issued_at) > max.saturating_add(self.leeway.as_duration())) {
            return Err(Code::TokenTooOld.into());
        }
        let lifetime = claims.expires_at.map(|expires_at| expires_at.since(issued_at));
        if self.max_lifetime.zip(lifetime).is_some_and(|(max, lifetime)| lifetime > max) {
            return Err(Code::TokenLifetimeTooLong.into());
        }
        Ok(())
    }
}

#[inline]
fn refused_if(is_refused: bool, code: Code) -> Result<(), AuthError> {
    if is_refused { Err(code.into()) } else { Ok(()) }
}

/// Describes an instant by its distance, for people.
fn told(claim: &str, instant: UnixTime, now: UnixTime, leeway: Duration) -> String {
    let (past, to_come) = (now.since(instant).as_secs(), instant.since(now).as_secs());
    let distance = if to_come > 0 { format!("in {to_come} s") } else { format!("{past} s ago") };
    format!("{claim} is {distance}, the leeway {} s", leeway.as_secs())
}
