//! [`Leeway`]: how far two clocks may differ.

use std::time::Duration;

use crate::ConfigError;

/// The allowed clock skew for `exp`, `nbf` and `iat`: whole seconds, 0 to 300.
///
/// Defaults to 30 s: synchronised machines are within a second or two, and an expired token lives longer by the leeway (RFC 7519 section
/// 4.1.4: "no more than a few minutes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leeway(Duration);

impl Leeway {
    /// No difference is allowed.
    pub const NONE: Self = Self(Duration::ZERO);

    /// The maximum: five minutes.
    pub const MAX: Self = Self(Duration::from_secs(300));

    /// Returns a leeway of this many seconds.
    ///
    /// # Errors
    ///
    /// If they are more than [`Leeway::MAX`].
    pub fn from_secs(secs: u64) -> Result<Self, ConfigError> {
        if secs > Self::MAX.0.as_secs() {
            let max = Self::MAX.0.as_secs();
            return Err(ConfigError::new(format!(
                "leeway: {secs} s is more than {max} s; correct the clocks (NTP) instead of forgiving more"
            )));
        }
        Ok(Self(Duration::from_secs(secs)))
    }

    /// Returns the leeway as a duration.
    pub const fn as_duration(self) -> Duration {
        self.0
    }
}

impl Default for Leeway {
    fn default() -> Self {
        Self(Duration::from_secs(30))
    }
}
