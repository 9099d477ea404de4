//! The admission's questions to a view.

use std::{sync::atomic::Ordering, time::Duration};

use super::{RevocationView, Verdict};
use crate::{
    AuthError, Code, UnixTime,
    revocation::{Level, WhenStale},
    verified::Facts,
};

/// One heartbeat: after this time, the log has confirmed the view again, or has failed to.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl RevocationView {
    /// Returns the decision in the form that an admission needs.
    pub(crate) fn admit(&self, facts: &Facts, now: UnixTime, when_stale: WhenStale) -> Result<(), AuthError> {
        self.admit_since(facts, now, when_stale, 0)
    }

    /// Returns the decision for a token that no level revoked in the epoch `checked`.
    fn admit_since(&self, facts: &Facts, now: UnixTime, when_stale: WhenStale, checked: u64) -> Result<(), AuthError> {
        let news = self.0.signs.changes.since(checked); // before the check, so that a change meanwhile counts
        match self.check_levels(facts, now, self.0.ladder.levels_to_ask(facts, &news)) {
            Verdict::Live => {}
            Verdict::Stale(age) => self.admit_stale(age, when_stale)?,
            Verdict::Revoked(Level::Token) if self.0.ladder.ends_by_an_ancestor(facts) => {
                return Err(AuthError::new(Code::CredentialRevokedByParent));
            }
            Verdict::Revoked(level) => {
                return Err(AuthError::new(Code::TokenRevoked).with_explanation(level.as_str()));
            }
            Verdict::BeyondHorizon => return Err(self.too_long_lived(facts)),
            Verdict::Malformed(claim) => return facts.require_type(claim),
        }
        facts.checked_at_epoch().store(news.epoch(), Ordering::Relaxed);
        Ok(())
    }

    /// Returns the decision for a token that was admitted before.
    pub(crate) fn admit_again(&self, facts: &Facts, now: UnixTime, when_stale: WhenStale) -> Result<(), AuthError> {
        let checked = facts.checked_at_epoch().load(Ordering::Relaxed);
        let is_unchanged = checked == self.0.signs.changes.epoch();
        if is_unchanged && self.0.is_fresh(now) { Ok(()) } else { self.admit_since(facts, now, when_stale, checked) }
    }

    fn admit_stale(&self, age: Option<Duration>, when_stale: WhenStale) -> Result<(), AuthError> {
        let is_admitted = match when_stale {
            WhenStale::FailClosed => false,
            WhenStale::Bounded(longest) => age.is_some_and(|age| age <= longest),
            WhenStale::DangerFailOpen => true,
        };
        if !self.is_followed() {
            let explanation = "the log of revocations is no longer followed: its handle (`Revocations`) was dropped, or its runtime has ended";
            return Err(AuthError::new(Code::RevocationsStale)
                .with_explanation(explanation)
                .with_retry_after(RETRY_AFTER));
        }
        if is_admitted {
            self.0.served_stale.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let explanation = age.map_or("the log of revocations was never read to its end".to_owned(), |age| {
            format!("the log of revocations has not confirmed the view for {:.1} s", age.as_secs_f64())
        });
        Err(AuthError::new(Code::RevocationsStale).with_explanation(explanation).with_retry_after(RETRY_AFTER))
    }
}
