//! [`Step`]: what a ring is asked to do.

use portcullis_core::UnixTime;

use super::{KeyPlan, KeyRingError, RingDocument, RingKey};

/// A step, as it is taken again on a later document if another instance was faster.
pub(super) enum Step<'a> {
    /// Only what is due by itself.
    Upkeep,
    AddStandby,
    Rotate,
    RollBack,
    Activate(&'a str),
    DangerActivate(&'a str, &'a str),
    Retire(&'a str),
    DangerRemove(&'a str, &'a str),
    Revoke(&'a str, &'a str),
}

impl Step<'_> {
    /// Whether it takes a new key in any case.
    pub(super) fn needs_spare(&self) -> bool {
        matches!(self, Self::AddStandby | Self::Revoke(..))
    }

    pub(super) fn apply(
        &self,
        document: &RingDocument,
        spare: Option<&RingKey>,
        plan: &KeyPlan,
        now: UnixTime,
    ) -> Result<RingDocument, KeyRingError> {
        let spare = || spare.cloned().ok_or_else(|| KeyRingError::refused("there is no new key"));
        match *self {
            Self::Upkeep => Ok(document.clone()),
            Self::AddStandby => document.add_standby(spare()?, now),
            Self::Rotate => document.rotate(plan, now),
            Self::RollBack => document.roll_back(plan, now),
            Self::Activate(id) => document.activate(id, plan, now),
            Self::DangerActivate(id, why) => document.danger_activate(id, why, plan, now),
            Self::Retire(id) => document.retire(id, plan, now),
            Self::DangerRemove(id, why) => document.danger_remove(id, why, now),
            Self::Revoke(id, why) => document.revoke(id, why, spare()?, plan, now),
        }
    }
}
