//! What becomes of a token whose key is not at hand: an answer from what is known, or a wait for an attempt to get the key.

use std::time::{Duration, Instant};

use portcullis_core::{
    UnixTime,
    keys::{KeyMatch, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
};

use super::{
    Machine, Name, Usability,
    attempts::{LastAttempt, Outlook},
};

/// How long a request waits for a fetch. What takes longer goes on without it, for those who come later.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// What is said to a token.
#[derive(Debug)]
pub(crate) enum Lookup {
    Answer(Resolved),
    /// Wait until the attempt is over, and then [ask again](Machine::after_waiting).
    Wait(Wait),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) attempt: u64,
    /// The attempt was under way already, and may have begun before the issuer had the key.
    joined: bool,
}

impl Machine {
    /// Looks for a key that was not at hand.
    ///
    /// An attempt may have ended since the caller looked, so the keys are looked at once more.
    pub(crate) fn look_for(&mut self, name: &Name, now: Instant) -> Lookup {
        let outlook = match (self.published.usable(now), self.published.usability(now)) {
            (Some(keys), _) => match keys.resolve(name.hint(), UnixTime::EPOCH) {
                Resolved::Unknown => self.attempts.outlook(name, now),
                brought => return Lookup::Answer(brought),
            },
            (None, Usability::Ended) => Outlook::CoolingDown,
            (None, _) => self.attempts.outlook_for_any(now),
        };
        Lookup::of(outlook, Resolved::Unknown, || self.fault(now))
    }

    /// What a signature that none of `tried` made leads to: another fetch, or nothing.
    pub(crate) fn doubt(&mut self, name: &Name, tried: &KeyMatch, now: Instant) -> Lookup {
        let Some(keys) = self.published.usable(now) else { return Lookup::Answer(Resolved::Unknown) };
        match keys.resolve(name.hint(), UnixTime::EPOCH) {
            Resolved::Keys(keys) if keys.is_of_the_set_of(tried) => {}
            others => return Lookup::Answer(others),
        }
        match self.attempts.doubt(name, now) {
            // A token that names a key of the set was not signed by it, which is a verdict. One that names none may have been
            // signed by a key that is not known yet.
            Outlook::CoolingDown if name.key_id().is_some() => Lookup::Answer(Resolved::Unknown),
            outlook => Lookup::of(outlook, Resolved::Unknown, || self.fault(now)),
        }
    }

    /// What is said to a token that has waited: until the attempt was over, or not as long as that (`in_time`). `tried` are the keys
    /// of the set that did not sign it, if any were candidates.
    ///
    /// There is one more wait if the attempt had begun before the key was asked for and did not bring it: the issuer may have
    /// published it in between.
    pub(crate) fn after_waiting(
        &mut self,
        name: &Name,
        tried: Option<&KeyMatch>,
        wait: Wait,
        in_time: bool,
        now: Instant,
    ) -> Lookup {
        let at_hand = self.at_hand(name, now);
        // A token that names a key of the set is judged by the keys at hand, whatever the attempt came to.
        if tried.is_some() && name.key_id().is_some() {
            return Lookup::Answer(at_hand);
        }
        match at_hand {
            Resolved::Keys(keys) if tried.is_none_or(|tried| !keys.is_of_the_set_of(tried)) => {
                Lookup::Answer(Resolved::Keys(keys))
            }
            _ if !in_time => Lookup::Answer(too_slow()),
            Resolved::Keys(_) | Resolved::Unknown => {
                let outlook = self.not_brought(name, wait, now);
                Lookup::of(outlook, at_hand, || self.fault(now))
            }
            other => Lookup::Answer(other),
        }
    }

    /// The answer from what is at hand. [`Resolved::Unknown`] if the key is not, a fault if the set as a whole is not.
    fn at_hand(&mut self, name: &Name, now: Instant) -> Resolved {
        match self.published.usable(now) {
            // The set does not ask for the time.
            Some(keys) => keys.resolve(name.hint(), UnixTime::EPOCH),
            None => Resolved::Fault(self.fault(now)),
        }
    }

    /// The attempt did not bring the key. Was that all?
    fn not_brought(&mut self, name: &Name, wait: Wait, now: Instant) -> Outlook {
        if !matches!(self.attempts.last(), LastAttempt::Succeeded) {
            return Outlook::CoolingDown;
        }
        // An attempt that was made for it has looked for it; one that was under way already has not.
        if !wait.joined {
            return Outlook::Absent;
        }
        match self.attempts.outlook(name, now) {
            // One that is under way now began after the token came, whichever token it was made for.
            Outlook::Joined(attempt) => Outlook::Begun(attempt),
            outlook => outlook,
        }
    }
}

impl Lookup {
    /// What an outlook means; `absent` is the answer if the key was looked for in vain, `fault` if it may not be looked for at the moment.
    fn of(outlook: Outlook, absent: Resolved, fault: impl FnOnce() -> KeySourceError) -> Self {
        match outlook {
            Outlook::Begun(attempt) => Lookup::Wait(Wait { attempt, joined: false }),
            Outlook::Joined(attempt) => Lookup::Wait(Wait { attempt, joined: true }),
            Outlook::Absent => Lookup::Answer(absent),
            // It may not be looked for at the moment, and was not since a token first named it. It may be new.
            Outlook::CoolingDown => Lookup::Answer(Resolved::Fault(fault())),
        }
    }
}

/// The fault of a fetch that takes longer than a request waits.
fn too_slow() -> Resolved {
    let slow = KeySourceError::new(KeySourceErrorKind::Unavailable, "the fetch takes longer than a request waits");
    Resolved::Fault(slow.with_retry_after(PATIENCE))
}
