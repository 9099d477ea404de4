//! [`Reference`]: what a session is and does, written down without looking at the engine.

use portcullis_issuer::refresh::{Family, LateRetry, RefreshPolicy, Rotation};

/// A session. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) generation: u64,
    pub(crate) rotated_at: Option<u64>,
    pub(crate) idle_until: u64,
    pub(crate) absolute_until: u64,
    pub(crate) has_ended: bool,
}

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Tokens, with the refresh token of this generation.
    Tokens(u64),
    /// Nothing.
    Refused,
}

/// The rules of a client, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) grace: u64,
    pub(crate) is_rotated: bool,
    pub(crate) is_late_refused_only: bool,
}

const IDLE: u64 = 7 * 86_400_000;
const HOUR: u64 = 3_600_000;

impl Rules {
    /// The policies of this test differ in these three things.
    pub(crate) fn of(policy: &RefreshPolicy) -> Self {
        let is = |other: RefreshPolicy| *policy == other;
        let candidates = [0, 60, 300].into_iter().flat_map(|grace| {
            [true, false].into_iter().flat_map(move |is_rotated| {
                [true, false].map(|is_late| Self { grace: grace * 1000, is_rotated, is_late_refused_only: is_late })
            })
        });
        candidates.into_iter().find(|rules| is(rules.policy())).unwrap()
    }

    fn policy(self) -> RefreshPolicy {
        let policy = RefreshPolicy::new().grace(std::time::Duration::from_millis(self.grace));
        let policy = if self.is_rotated { policy } else { policy.rotation(Rotation::Never) };
        if self.is_late_refused_only { policy.late_retry(LateRetry::RefuseOnly) } else { policy }
    }
}

impl Reference {
    pub(crate) fn of(family: &Family) -> Self {
        Self {
            generation: family.generation,
            rotated_at: family.rotated_at.map(portcullis_issuer::refresh::Millis::get),
            idle_until: family.idle_until.get(),
            absolute_until: family.absolute_until.get(),
            has_ended: family.ended.is_some(),
        }
    }

    /// Returns what a client gets that presents this generation, and what the session is then. `is_revoked` is what the log says.
    pub(crate) fn refresh(&self, presented: u64, now: u64, rules: Rules, is_revoked: bool) -> (Expected, Self) {
        let ended = Self { has_ended: true, ..self.clone() };
        if self.has_ended || now >= self.idle_until || now >= self.absolute_until {
            return (Expected::Refused, self.clone());
        }
        let is_within_grace = self.rotated_at.is_some_and(|at| now.saturating_sub(at) < rules.grace);
        let is_behind = presented < self.generation;
        let is_retry = presented + 1 == self.generation && is_within_grace;
        if is_behind && !is_retry {
            let is_late = presented + 1 == self.generation && rules.is_late_refused_only;
            return (Expected::Refused, if is_late { self.clone() } else { ended });
        }
        if is_revoked {
            return (Expected::Refused, ended);
        }
        if is_retry || (presented == self.generation && is_within_grace) {
            return (Expected::Tokens(self.generation), self.clone());
        }
        let idle_until = (now + IDLE).min(self.absolute_until);
        if presented == self.generation && !rules.is_rotated {
            let is_written = idle_until.saturating_sub(self.idle_until) >= HOUR;
            let idle_until = if is_written { idle_until } else { self.idle_until };
            return (Expected::Tokens(self.generation), Self { idle_until, ..self.clone() });
        }
        let generation = presented + 1;
        (Expected::Tokens(generation), Self { generation, rotated_at: Some(now), idle_until, ..self.clone() })
    }
}
