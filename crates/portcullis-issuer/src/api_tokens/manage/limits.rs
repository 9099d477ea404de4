//! [`Limits`]: how long tokens live.

use std::time::Duration;

use portcullis_core::ConfigError;

use crate::{
    api_tokens::{ApiTokenKind, new::Life},
    refresh::Millis,
};

const DAY: Duration = Duration::from_secs(86_400);

/// The longest grace.
const MOST_GRACE: Duration = Duration::from_secs(30 * 86_400);

/// The longest that a service may allow.
const MOST_LIFE: Duration = Duration::from_secs(10 * 366 * 86_400);

/// How long tokens live.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) longest: Duration,
    pub(super) default: Duration,
    pub(super) unlimited: bool,
    /// How long after its end a token of a kind may be rotated.
    pub(super) graces: Vec<(ApiTokenKind, Duration)>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { longest: 366 * DAY, default: 90 * DAY, unlimited: false, graces: Vec::new() }
    }
}

impl Limits {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.default.as_millis() == 0 || self.default > self.longest {
            return Err(ConfigError::new(
                "the default life of API tokens is zero, or longer than the longest: set both (`default_life`, `longest_life`)",
            ));
        }
        if self.longest > MOST_LIFE {
            return Err(ConfigError::new("API tokens live for ten years at most (`longest_life`)"));
        }
        if self.graces.iter().any(|(_, grace)| *grace > MOST_GRACE) {
            return Err(ConfigError::new("API tokens may be rotated for 30 days at most after they have expired"));
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
    pub(super) fn end(&self, life: Life, now: Millis) -> Result<Option<Millis>, ConfigError> {
        let life = match life {
            Life::Default => self.default,
            Life::For(life) => life,
            Life::Unlimited if self.unlimited => return Ok(None),
            Life::Unlimited => {
                return Err(ConfigError::new("tokens without an end are not allowed here: say how long it is to live"));
            }
        };
        if life.as_millis() == 0 || life > self.longest {
            let longest = self.longest.as_secs();
            return Err(ConfigError::new(format!("a token lives from a millisecond up to {longest} s here")));
        }
        Ok(Some(now.plus(life)))
    }
}
