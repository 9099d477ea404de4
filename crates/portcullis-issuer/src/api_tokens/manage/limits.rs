//! [`Limits`]: how long tokens live, and how many there are.

use std::time::Duration;

use portcullis_core::ConfigError;

use crate::{
    api_tokens::{ApiTokenKind, new::Lifetime},
    refresh::Millis,
    tasks::MOST_AT_ONCE,
};

const DAY: Duration = Duration::from_secs(86_400);

/// The longest grace.
const MOST_GRACE: Duration = Duration::from_secs(30 * 86_400);

/// The longest that a service may allow.
const LONGEST_LIFETIME: Duration = Duration::from_secs(10 * 366 * 86_400);

/// More than any owner has programs, and few enough to list, to count and to revoke all of them within a second.
const PER_OWNER: usize = 1_000;

/// How long tokens live, and how many there are.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) longest: Duration,
    pub(super) default: Duration,
    pub(super) unlimited: bool,
    /// How long after its end a token of a kind may be rotated.
    pub(super) graces: Vec<(ApiTokenKind, Duration)>,
    /// How many live tokens an owner has at most.
    pub(super) per_owner: usize,
    /// How many rotations are under way at once at most, and how many ends.
    pub(super) at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let (per_owner, at_once) = (PER_OWNER, MOST_AT_ONCE);
        Self { longest: 366 * DAY, default: 90 * DAY, unlimited: false, graces: Vec::new(), per_owner, at_once }
    }
}

impl Limits {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.default.as_millis() == 0 || self.default > self.longest {
            return Err(ConfigError::new(
                "the default lifetime of API tokens is zero, or longer than the longest: set both (`default_lifetime`, `longest_lifetime`)",
            ));
        }
        if self.longest > LONGEST_LIFETIME {
            return Err(ConfigError::new("API tokens live for ten years at most (`longest_lifetime`)"));
        }
        if self.graces.iter().any(|(_, grace)| *grace > MOST_GRACE) {
            return Err(ConfigError::new("API tokens may be rotated for 30 days at most after they have expired"));
        }
        if self.per_owner == 0 || self.at_once == 0 {
            return Err(ConfigError::new(
                "no owner could have an API token, or none could be replaced: set 1 or more (`limit_per_owner`, `limit_at_once`)",
            ));
        }
        Ok(())
    }

    pub(super) fn grace(&self, kind: ApiTokenKind) -> Duration {
        self.graces.iter().find(|(known, _)| *known == kind).map(|(_, grace)| *grace).unwrap_or_default()
    }

    pub(super) fn longest_grace(&self) -> Duration {
        self.graces.iter().map(|(_, grace)| *grace).max().unwrap_or_default()
    }

    /// Returns when a token ends that is made now; `None` if it does not.
    pub(super) fn end(&self, lifetime: Lifetime, now: Millis) -> Result<Option<Millis>, ConfigError> {
        let lifetime = match lifetime {
            Lifetime::Default => self.default,
            Lifetime::For(lifetime) => lifetime,
            Lifetime::Unlimited if self.unlimited => return Ok(None),
            Lifetime::Unlimited => {
                return Err(ConfigError::new("tokens without an end are not allowed here: say how long it is to live"));
            }
        };
        if lifetime.as_millis() == 0 || lifetime > self.longest {
            let longest = self.longest.as_secs();
            return Err(ConfigError::new(format!("a token lives from a millisecond up to {longest} s here")));
        }
        Ok(Some(now.plus(lifetime)))
    }
}
