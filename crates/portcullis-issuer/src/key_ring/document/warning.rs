//! [`RingWarning`]: what an operator should mend.

use std::{fmt, time::Duration};

use portcullis_core::UnixTime;

use super::RingDocument;
use crate::{date::Date, key_ring::KeyPlan};

/// Something about the keys that an operator should mend, or wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingWarning {
    /// No key signs.
    NoActive,
    /// There is no standby.
    NoStandby {
        /// For how long verifiers would refuse new tokens if the active key leaked now.
        cost: Duration,
    },
    /// The standby is not old enough to sign.
    StandbyTooYoung {
        /// The id of the key.
        key: String,
        /// When it is old enough. If the active key leaked now, some verifiers would refuse new tokens until then.
        ready_at: UnixTime,
    },
    /// Something in the document happened later than the clock of this instance allows: one of the clocks is wrong. No key is removed or
    /// replaced by itself until the clocks agree.
    Clocks {
        /// The latest time in the document.
        latest: UnixTime,
    },
    /// Private keys are in the document without encryption.
    Unsealed,
}

impl RingDocument {
    /// Returns what an operator should mend.
    pub fn warnings(&self, plan: &KeyPlan, now: UnixTime) -> Vec<RingWarning> {
        let mut warnings = Vec::new();
        if self.active().is_none() {
            warnings.push(RingWarning::NoActive);
        }
        match self.standbys().next() {
            None => warnings.push(RingWarning::NoStandby { cost: plan.learned_by_all() }),
            Some(oldest) => {
                let ready_at = plan.signs_from(oldest.published_at());
                if ready_at > now {
                    warnings.push(RingWarning::StandbyTooYoung { key: oldest.id().to_owned(), ready_at });
                }
            }
        }
        if let Some(latest) = self.later_than_all_clocks(plan, now) {
            warnings.push(RingWarning::Clocks { latest });
        }
        if self.keys().any(super::RingKey::is_unsealed) {
            warnings.push(RingWarning::Unsealed);
        }
        warnings
    }
}

impl fmt::Display for RingWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoActive => f.write_str("no key signs: activate one"),
            Self::NoStandby { cost } => {
                let (hours, minutes) = (cost.as_secs() / 3600, cost.as_secs() % 3600 / 60);
                write!(
                    f,
                    "there is no standby: a leak now would cost requests for up to {hours} h {minutes} min; add one"
                )
            }
            Self::StandbyTooYoung { key, ready_at } => {
                write!(f, "standby {key} is ready at {}: a leak before would cost requests until then", Date(*ready_at))
            }
            Self::Clocks { latest } => write!(
                f,
                "the document has a time that has not come yet, {}: set the clocks of all instances; until they agree, no key is removed \
                 or replaced by itself",
                Date(*latest)
            ),
            Self::Unsealed => {
                f.write_str("private keys are in the document without encryption: start with a sealing key")
            }
        }
    }
}
