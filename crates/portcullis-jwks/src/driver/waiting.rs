//! What a token whose key is not at hand leads to: an answer from what is known, or a wait for an attempt to get the key.

use std::sync::Arc;

use portcullis_core::{KeyHint, KeyMatch, KeySource, KeySourceError, KeySourceErrorKind, Resolved, UnixTime};
use tokio::time::{Duration, Instant, timeout_at};

use crate::{
    driver::shared::{Shared, Usability},
    machine::absent_keys::Name,
    machine::attempts::{LastAttempt, Outlook},
};

/// How long a request waits for a fetch. What takes longer goes on without it, for those who come later.
const PATIENCE: Duration = Duration::from_secs(2);

impl Shared {
    /// Looks for a key that was not at hand: says what is known of it, or waits for an attempt to get it.
    pub(crate) fn look_for(self: &Arc<Self>, hint: KeyHint<'_>) -> Resolved {
        let (name, now) = (Name::of_key(hint, &self.token_hash_key), Instant::now());
        let outlook = {
            let mut desk = self.desk();
            // Read anew, with the desk in hand. An attempt may have ended since the caller looked, and what it brought is
            // published before the desk hears of its end: a key that is not in the set now is one that it did not bring.
            let published = self.published.load();
            match (published.usable(), published.usability()) {
                (Some(keys), _) => match keys.resolve(hint, UnixTime::EPOCH) {
                    Resolved::Unknown => desk.look_for(&name, now),
                    brought => return brought,
                },
                (None, Usability::Ended) => Outlook::CoolingDown,
                (None, _) => desk.look_for_any(now),
            }
        };
        match outlook {
            Outlook::Absent => Resolved::Unknown,
            Outlook::CoolingDown => self.not_looked_for(),
            Outlook::Begun(_) | Outlook::Joined(_) => {
                self.wake.notify_one();
                Resolved::waiting(wait_for_key(Arc::clone(self), name, None, outlook))
            }
        }
    }

    /// What a signature that none of `tried` made leads to: another fetch, or nothing.
    pub(crate) fn doubt(self: &Arc<Self>, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        let (name, now) = (Name::of_signer(hint, &self.token_hash_key), Instant::now());
        let outlook = {
            let mut desk = self.desk();
            // With the desk in hand, for the same reason as above: there may be other keys by now.
            let published = self.published.load();
            let Some(keys) = published.usable() else { return Resolved::Unknown };
            match keys.resolve(hint, UnixTime::EPOCH) {
                Resolved::Keys(keys) if keys.is_of_the_set_of(tried) => desk.doubt(&name, now),
                others => return others,
            }
        };
        match outlook {
            Outlook::Begun(_) | Outlook::Joined(_) => {
                self.wake.notify_one();
                Resolved::waiting(wait_for_key(Arc::clone(self), name, Some(tried.clone()), outlook))
            }
            // A token that names a key of the set was not signed by it, which is a verdict. One that names none may have been
            // signed by a key that is not known yet.
            Outlook::CoolingDown if hint.key_id.is_none() => self.not_looked_for(),
            Outlook::Absent | Outlook::CoolingDown => Resolved::Unknown,
        }
    }

    /// A key that may not be looked for at the moment, and was not looked for since a token first named it. It may be new.
    fn not_looked_for(&self) -> Resolved {
        Resolved::Fault(self.fault())
    }

    /// Waits until that attempt is over; `false` if it takes too long.
    async fn wait(&self, attempt: u64, deadline: Instant) -> bool {
        let mut finished = self.finished.subscribe();
        let over = finished.wait_for(|finished| *finished >= attempt);
        timeout_at(deadline, over).await.is_ok_and(|over| over.is_ok())
    }

    /// The attempt did not bring the key. Was that all?
    fn not_brought(&self, name: &Name, joined: bool) -> Outlook {
        let (now, mut desk) = (Instant::now(), self.desk());
        if !matches!(desk.last, LastAttempt::Succeeded) {
            return Outlook::CoolingDown;
        }
        // An attempt that was made for it has looked for it; one that was under way already has not.
        if joined { self.begun_for_it(desk.look_for(name, now)) } else { Outlook::Absent }
    }

    /// An attempt that is under way now began after the token came, whichever token it was made for.
    fn begun_for_it(&self, outlook: Outlook) -> Outlook {
        match outlook {
            Outlook::Begun(attempt) | Outlook::Joined(attempt) => {
                self.wake.notify_one();
                Outlook::Begun(attempt)
            }
            other => other,
        }
    }

    /// The fault of a fetch that takes longer than a request waits.
    fn too_slow() -> Resolved {
        let slow = KeySourceError::new(KeySourceErrorKind::Unavailable, "the fetch takes longer than a request waits");
        Resolved::Fault(slow.with_retry_after(PATIENCE))
    }
}

/// Waits for the attempt, and for one more if that one had begun before the key was asked for and did not bring it: the
/// issuer may have published it in between. `tried` are the keys of the set that did not sign the token, if any were candidates.
async fn wait_for_key(shared: Arc<Shared>, name: Name, tried: Option<KeyMatch>, mut outlook: Outlook) -> Resolved {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (attempt, joined) = match outlook {
            Outlook::Begun(attempt) => (attempt, false),
            Outlook::Joined(attempt) => (attempt, true),
            // Asked once more: another attempt may have brought it since.
            Outlook::Absent => return shared.at_hand(name.hint()),
            Outlook::CoolingDown => return shared.not_looked_for(),
        };
        let in_time = shared.wait(attempt, deadline).await;
        let at_hand = shared.at_hand(name.hint());
        // A token that names a key of the set is judged by the keys at hand, whatever the attempt came to.
        if tried.is_some() && name.key_id().is_some() {
            return at_hand;
        }
        match at_hand {
            Resolved::Keys(keys) if tried.as_ref().is_none_or(|tried| !keys.is_of_the_set_of(tried)) => {
                return Resolved::Keys(keys);
            }
            _ if !in_time => return Shared::too_slow(),
            Resolved::Keys(_) | Resolved::Unknown => outlook = shared.not_brought(&name, joined),
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{Algorithm, KeySet, Secret};

    use super::*;

    const PERIOD: Duration = Duration::from_secs(30);

    fn usable() -> Usability {
        Usability::Usable { until: Instant::now() + 10 * PERIOD, until_time: UnixTime::MAX }
    }

    fn hint(id: &str) -> KeyHint<'_> {
        KeyHint::new(Algorithm::Hs256, Some(id))
    }

    /// A set with the key `new`, after so many attempts that no token may cause another one.
    fn rotated() -> Arc<Shared> {
        let shared = Shared::new(PERIOD);
        for _ in 0..2 {
            shared.desk().begin_scheduled(Instant::now());
            shared.desk().finish(LastAttempt::Succeeded, Instant::now());
        }
        let secret = Secret::from_base64("new", Algorithm::Hs256, &"A".repeat(43)).unwrap();
        shared.publish(KeySet::from(secret), usable());
        Arc::new(shared)
    }

    /// The caller looked before the attempt ended, and comes to the desk after that: a thread may rest in between.
    #[tokio::test(start_paused = true)]
    async fn a_key_that_came_since_the_caller_looked_is_found() {
        assert!(matches!(rotated().look_for(hint("new")), Resolved::Keys(_)));
        assert!(matches!(rotated().look_for(hint("unheard-of")), Resolved::Fault(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_came_since_costs_no_fetch() {
        let shared = rotated();
        tokio::time::sleep(2 * PERIOD).await;
        assert!(matches!(shared.look_for(hint("new")), Resolved::Keys(_)));
        assert!(!shared.desk().is_running());
        assert!(matches!(shared.look_for(hint("unheard-of")), Resolved::Waiting(_)));
        assert!(shared.desk().is_running());
    }

    fn keys(resolved: Resolved) -> KeyMatch {
        match resolved {
            Resolved::Keys(keys) => keys,
            other => panic!("{other:?}"),
        }
    }

    /// The same for a token that was checked against keys which were replaced meanwhile.
    #[tokio::test(start_paused = true)]
    async fn keys_that_were_replaced_since_are_tried_without_a_fetch() {
        let shared = rotated();
        let tried = keys(shared.at_hand(hint("new")));
        assert!(matches!(shared.doubt(hint("new"), &tried), Resolved::Unknown), "the keys at hand, and none to be had");
        let secret = Secret::from_base64("new", Algorithm::Hs256, &format!("{}A", "B".repeat(42))).unwrap();
        shared.publish(KeySet::from(secret), usable());
        assert!(!keys(shared.doubt(hint("new"), &tried)).is_of_the_set_of(&tried));
        assert!(!shared.desk().is_running());
    }
}
