//! Decides about a token with a missing key: an immediate answer, or a wait for an attempt.

use std::time::{Duration, Instant};

use portcullis_core::{
    UnixTime,
    keys::{KeyMatch, KeySource, KeySourceError, KeySourceErrorKind, Resolved},
};

use super::{
    Machine, Name, Usability,
    attempts::{LastAttempt, Outlook},
};

/// How long a request waits for a fetch. A longer fetch continues for later requests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The result of a look-up.
#[derive(Debug)]
pub(crate) enum Lookup {
    Answer(Resolved),
    /// Wait until the attempt has finished, and then [ask again](Machine::after_waiting).
    Wait(Wait),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) attempt: u64,
    /// The attempt was already in progress, and may have begun before the issuer had the key.
    joined: bool,
}

impl Machine {
    /// Looks for a missing key.
    ///
    /// An attempt may have finished since the caller looked, so the keys are searched once more.
    pub(crate) fn look_for(&mut self, name: &Name, now: Instant) -> Lookup {
        let outlook = match (self.published.usable(now), self.published.usability(now)) {
            (Some(keys), _) => match keys.resolve(name.hint(), UnixTime::EPOCH) {
                Resolved::Unknown => self.attempts.outlook(name, now),
                brought => return Lookup::Answer(brought),
            },
            (None, Usability::Ended) => Outlook::NotNow,
            (None, _) => self.outlook_for_any(now),
        };
        Lookup::of(outlook, Resolved::Unknown, || self.fault(now))
    }

    fn outlook_for_any(&mut self, now: Instant) -> Outlook {
        let outlook = self.attempts.outlook_for_any(now);
        if outlook == Outlook::NotNow {
            self.ask_for_retry();
        }
        outlook
    }

    /// Decides about a signature that none of the keys in `tried` has made: whether it causes another fetch, or is refused.
    pub(crate) fn doubt(&mut self, name: &Name, tried: &KeyMatch, now: Instant) -> Lookup {
        let Some(keys) = self.published.usable(now) else { return Lookup::Answer(Resolved::Unknown) };
        match keys.resolve(name.hint(), UnixTime::EPOCH) {
            Resolved::Keys(keys) if keys.is_of_the_set_of(tried) => {}
            others => return Lookup::Answer(others),
        }
        match self.attempts.doubt(name, now) {
            // A token that names a key of the set was not signed by it, so it is refused. A token that names none may have been signed by
            // a key that is not known yet.
            Outlook::NotNow if name.key_id().is_some() => Lookup::Answer(Resolved::Unknown),
            outlook => Lookup::of(outlook, Resolved::Unknown, || self.fault(now)),
        }
    }

    /// Decides about a token that has waited: until the attempt finished (`in_time`), or for the maximum time. `tried` are the keys of
    /// the set that did not sign it, if any were candidates.
    ///
    /// The token waits once more if the attempt had begun before the key was asked for and did not find it, because the issuer may have
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
        // A token that names a key of the set is decided with the current keys, whatever the result of the attempt.
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

    /// Answers from the current keys. [`Resolved::Unknown`] if the key is missing, a fault if the set as a whole is.
    fn at_hand(&mut self, name: &Name, now: Instant) -> Resolved {
        match self.published.usable(now) {
            // A key set ignores the time.
            Some(keys) => keys.resolve(name.hint(), UnixTime::EPOCH),
            None => Resolved::Fault(self.fault(now)),
        }
    }

    /// Decides what to do after an attempt that did not find the key.
    fn not_brought(&mut self, name: &Name, wait: Wait, now: Instant) -> Outlook {
        if !matches!(self.attempts.last(), LastAttempt::Succeeded) {
            return Outlook::NotNow;
        }
        // An attempt that was made for it has looked for it; one that was already in progress has not.
        if !wait.joined {
            return Outlook::Absent;
        }
        match self.attempts.outlook(name, now) {
            // The attempt in progress began after the token arrived, whatever it was made for.
            Outlook::Joined(attempt) => Outlook::Begun(attempt),
            outlook => outlook,
        }
    }
}

impl Lookup {
    /// Turns the outlook into a result. `absent` is the answer if the key was looked up and not found, `fault` if it must not be looked up
    /// at the moment.
    fn of(outlook: Outlook, absent: Resolved, fault: impl FnOnce() -> KeySourceError) -> Self {
        match outlook {
            Outlook::Begun(attempt) => Lookup::Wait(Wait { attempt, joined: false }),
            Outlook::Joined(attempt) => Lookup::Wait(Wait { attempt, joined: true }),
            Outlook::Absent => Lookup::Answer(absent),
            // The key must not be looked up at the moment, and has not been since a token first named it. It may be new.
            Outlook::NotNow => Lookup::Answer(Resolved::Fault(fault())),
        }
    }
}

/// Returns the fault for a fetch that takes longer than a request waits.
fn too_slow() -> Resolved {
    let slow = KeySourceError::new(KeySourceErrorKind::Unavailable, "the fetch takes longer than a request waits");
    Resolved::Fault(slow.with_retry_after(PATIENCE))
}
