//! The horizon of a view: the lifetime of tokens for which revocations are remembered.

use super::{Inner, RevocationView, ViewWriterBuilder};
use crate::{AuthError, Code, UnixTime, policy::Window, revocation::LongLived, verified::Facts};

impl RevocationView {
    pub(super) fn too_long_lived(&self, facts: &Facts) -> AuthError {
        let horizon = self.horizon().as_secs();
        if facts.issued_at().is_none() && !self.0.settings.accepts_unknown_age {
            let explanation = "there is no `iat`, so it is unknown whether its revocation would be remembered";
            return AuthError::new(Code::ClaimMissing).with_explanation(explanation);
        }
        AuthError::new(Code::TokenLifetimeTooLong)
            .with_explanation(format!("revocations are remembered for tokens that live up to {horizon} s"))
    }

    /// Returns the part of a token's window in which the horizon admits it, verified at `now`.
    ///
    /// A credential without a horizon is cached for no longer than revocations are remembered. A revocation made from now on is then
    /// forgotten after the credentials that it ends.
    pub(crate) fn window(&self, window: Window, facts: &Facts, now: UnixTime) -> Window {
        if !facts.rungs().has_horizon() {
            return window.ending_at(now.plus(self.horizon()));
        }
        let window = self.early_end(facts).map_or(window, |end| window.ending_at(end));
        self.late_start(facts).map_or(window, |start| window.starting_at(start))
    }

    /// Returns from when on a token without a known age is acceptable: its expiry has to be within the horizon.
    fn late_start(&self, facts: &Facts) -> Option<UnixTime> {
        let expiry = facts.expires_at().filter(|_| facts.issued_at().is_none());
        expiry.map(|expiry| expiry.minus(self.horizon()))
    }

    /// Returns when a token ends, if before its expiry: the horizon after it was issued.
    fn early_end(&self, facts: &Facts) -> Option<UnixTime> {
        let is_bounded = self.0.settings.long_lived == LongLived::EndAtHorizon;
        facts.issued_at().filter(|_| is_bounded).map(|issued_at| issued_at.plus(self.horizon()))
    }
}

impl Inner {
    /// Returns before when a token has to be presented to be live; `None` if it never is.
    pub(super) fn end_of_life(&self, facts: &Facts, now: UnixTime) -> Option<UnixTime> {
        let ViewWriterBuilder { horizon, long_lived, accepts_unknown_age, .. } = self.settings;
        let Some(issued_at) = facts.issued_at() else {
            let is_near = facts.expires_at().is_some_and(|expiry| expiry.since(now) <= horizon);
            return (accepts_unknown_age && is_near).then_some(UnixTime::MAX);
        };
        match long_lived {
            LongLived::EndAtHorizon => Some(issued_at.plus(horizon)),
            LongLived::Refuse => {
                let lives = facts.expires_at().map(|expiry| expiry.since(issued_at));
                lives.is_some_and(|lives| lives <= horizon).then_some(UnixTime::MAX)
            }
        }
    }
}
