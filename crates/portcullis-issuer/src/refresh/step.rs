//! [`Step`]: the one step of a refresh that a store takes.

use std::time::Duration;

use super::{EndReason, Family, FamilyId, Millis, RefreshPolicy, ShareDigest};

/// Whether each use of a refresh token makes another one (RFC 9700 section 4.14.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// It does: for clients without a secret, where a stolen token would otherwise serve the thief unnoticed. The default.
    #[default]
    EveryUse,
    /// It does not: for clients that authenticate, or whose tokens are bound to a key.
    Never,
}

/// One step: what was presented, and by which rules. A store takes it atomically, on its own clock.
///
/// Its decision is [`decide`](Self::decide); a store that cannot call it has to decide in the same way, which the contract of
/// `portcullis-test` checks.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Step<'a> {
    /// The family of the token.
    pub family: FamilyId,
    /// The generation of the token.
    pub generation: u64,
    /// The digest of the token's share.
    pub share: ShareDigest,
    /// The client that presents it.
    pub client_id: &'a str,
    /// The key that a new token will be written with.
    pub key_id: u8,
    /// How long the predecessor of the current token is answered by the same successor.
    pub grace: Duration,
    /// How long the session lasts without use.
    pub idle: Duration,
    /// Whether the token is replaced.
    pub rotation: Rotation,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The token was replaced by its successor. Only this, and sometimes [`Kept`](Self::Kept), has written anything.
    Rotated {
        /// The family as it is now.
        family: Family,
        /// How many rotations the store has lost: the token was newer than the store knew, and only this issuer can have made it.
        lost_writes: u64,
    },
    /// The client keeps its token, because its tokens are not replaced.
    Kept {
        /// The family as it is now.
        family: Family,
    },
    /// The current token, presented within the grace of its predecessor, so that it is not replaced yet.
    Early {
        /// The family.
        family: Family,
        /// How long ago the current token took its place.
        age: Duration,
    },
    /// The predecessor of the current token, within the grace: the answer got lost, or several asked at once.
    Retry {
        /// The family.
        family: Family,
        /// How long ago the current token took its place.
        age: Duration,
    },
    /// A token that was replaced earlier. Nothing was written: the engine ends the family, in an order of its own.
    Reuse {
        /// The family.
        family: Family,
        /// How many generations it is behind the current token.
        behind: u64,
        /// How long ago the current token took its place.
        age: Duration,
    },
    /// This issuer's key has signed the token, but the token does not have the family's share: the key has leaked. Nothing was written.
    Forged,
    /// The client is not the one that the token was issued to. Nothing was written.
    ClientMismatch {
        /// The family.
        family: Family,
    },
    /// The family has been ended.
    Ended(EndReason),
    /// The family has ended by its time.
    Expired,
    /// There is no such family. It may have been forgotten after its end.
    Unknown,
}

impl Outcome {
    /// Returns the family, if the client gets new tokens.
    pub fn into_live_family(self) -> Option<Family> {
        match self {
            Self::Rotated { family, .. }
            | Self::Kept { family }
            | Self::Early { family, .. }
            | Self::Retry { family, .. } => Some(family),
            _ => None,
        }
    }
}

/// How often a family whose tokens are not replaced is written, at most, so that it does not end while it is used.
const KEPT_FOR: Duration = Duration::from_secs(3600);

impl<'a> Step<'a> {
    /// How many rotations a store can have lost: more than any session makes between two backups. A token that is further ahead was made by
    /// someone who has the key.
    pub const MOST_LOST_WRITES: u64 = 10_000;

    /// Returns the step of a client that presents the token of this generation, by the client's rules. A successor will be written with the
    /// key `key_id`.
    pub fn new(
        family: FamilyId,
        generation: u64,
        share: ShareDigest,
        client_id: &'a str,
        key_id: u8,
        policy: &RefreshPolicy,
    ) -> Self {
        let RefreshPolicy { grace, rotation, .. } = *policy;
        // In whole milliseconds, as stores count: their decision and ours have to be the same.
        let (grace, idle) = (Millis::whole(grace), Millis::whole(policy.longest_idle()));
        Self { family, generation, share, client_id, key_id, grace, idle, rotation }
    }

    /// Returns the same step for a client with this name, for a store that has to own what it works on.
    #[must_use]
    pub const fn by<'b>(&self, client_id: &'b str) -> Step<'b> {
        let Self { family, generation, share, key_id, grace, idle, rotation, .. } = *self;
        Step { family, generation, share, client_id, key_id, grace, idle, rotation }
    }

    /// Returns by how much a session whose tokens are not replaced has to be prolonged at least, or it is not written.
    pub fn least_prolongation(&self) -> Duration {
        Millis::whole(KEPT_FOR.min(self.idle / 2))
    }

    /// Decides about the family as the store has it at `now`. Returns the outcome, and the family to write in the same step, if it changes.
    pub fn decide(&self, family: Option<&Family>, now: Millis) -> (Outcome, Option<Family>) {
        let Some(family) = family else { return (Outcome::Unknown, None) };
        if family.share != self.share {
            return (Outcome::Forged, None);
        }
        if family.log_in.client_id != self.client_id {
            return (Outcome::ClientMismatch { family: family.clone() }, None);
        }
        if let Some(reason) = family.ended {
            return (Outcome::Ended(reason), None);
        }
        if now >= family.ends_at() {
            return (Outcome::Expired, None);
        }
        self.decide_live(family, now)
    }

    /// Decides about a family that has not ended.
    fn decide_live(&self, family: &Family, now: Millis) -> (Outcome, Option<Family>) {
        let age = family.rotated_at.map_or(Duration::MAX, |rotated_at| now.since(rotated_at));
        let is_within_grace = age < self.grace;
        if let Some(behind @ 1..) = family.generation.checked_sub(self.generation) {
            let (family, is_retry) = (family.clone(), behind == 1 && is_within_grace);
            let outcome =
                if is_retry { Outcome::Retry { family, age } } else { Outcome::Reuse { family, behind, age } };
            return (outcome, None);
        }
        // It is the current token, or a newer one than the store knows.
        let lost_writes = self.generation - family.generation;
        if lost_writes > Self::MOST_LOST_WRITES {
            return (Outcome::Forged, None);
        }
        if lost_writes == 0 && is_within_grace {
            return (Outcome::Early { family: family.clone(), age }, None);
        }
        let idle_until = now.plus(self.idle).min(family.absolute_until);
        if lost_writes == 0 && self.rotation == Rotation::Never {
            if idle_until.since(family.idle_until) < self.least_prolongation() {
                return (Outcome::Kept { family: family.clone() }, None);
            }
            let family = Family { idle_until, ..family.clone() };
            return (Outcome::Kept { family: family.clone() }, Some(family));
        }
        let generation = self.generation.saturating_add(1);
        let family = Family { generation, key_id: self.key_id, rotated_at: Some(now), idle_until, ..family.clone() };
        (Outcome::Rotated { family: family.clone(), lost_writes }, Some(family))
    }
}
