//! What has to happen to get from the secrets that are held to those that are listed, and whether it may.
//!
//! Nothing here changes anything. A plan is made as a whole or refused as a whole, with every reason.

use std::time::Duration;

use portcullis::{ConfigError, clock::UnixTime, keys::KeyState};

use super::{
    known::Known,
    listed::{ListedSecret, ListedState},
};

/// A secret that is held, and in which state.
#[derive(Debug)]
pub(super) struct Held<'a> {
    known: &'a Known,
    state: KeyState,
}

impl<'a> Held<'a> {
    /// `None` if it is not among the `states`.
    pub(super) fn new(known: &'a Known, states: &[(String, KeyState)]) -> Option<Self> {
        let (_, state) = states.iter().find(|(id, _)| id == known.id())?;
        Some(Self { known, state: *state })
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// Get to know it.
    Add(&'a ListedSecret),
    /// Let it sign; the one that signed retires.
    Activate(&'a str),
    /// Let it verify for as long as tokens of other instances may be alive.
    Retire(&'a str),
    /// Let it verify nothing.
    Revoke(&'a str),
    /// Forget it: it never signed, has retired, or was revoked.
    Remove(&'a str),
}

/// Compares what is held with what is listed.
#[derive(Debug)]
pub(super) struct Planner<'a> {
    pub(super) held: &'a [Held<'a>],
    pub(super) listed: &'a [ListedSecret],
    pub(super) rollout: Duration,
    pub(super) now: UnixTime,
}

impl<'a> Planner<'a> {
    /// Returns the steps in an order that refuses no valid token: a key is added before it signs, and ends last.
    ///
    /// # Errors
    ///
    /// Every reason against it.
    pub(super) fn plan(&self) -> Result<Vec<Step<'a>>, ConfigError> {
        let (mut steps, mut refusals) = (Vec::new(), Vec::new());
        for listed in self.listed {
            match self.change(listed) {
                Ok(planned) => steps.extend(planned),
                Err(reason) => refusals.push(format!("secret `{}`: {reason}", listed.id.escape_debug())),
            }
        }
        for held in self.held.iter().filter(|held| self.listed.iter().all(|listed| listed.id != held.known.id())) {
            match self.removal(held) {
                Ok(step) => steps.push(step),
                Err(reason) => refusals.push(format!("secret `{}` is gone: {reason}", held.known.id().escape_debug())),
            }
        }
        steps.sort_by_key(|step| match step {
            Step::Add(_) => 0,
            Step::Activate(_) => 1,
            Step::Retire(_) => 2,
            Step::Revoke(_) => 3,
            Step::Remove(_) => 4,
        });
        ConfigError::check(refusals)?;
        Ok(steps)
    }

    fn change(&self, listed: &'a ListedSecret) -> Result<Vec<Step<'a>>, String> {
        let id = listed.id.as_str();
        let Some(held) = self.held.iter().find(|held| held.known.id() == id) else {
            return self.arrival(listed);
        };
        if !held.known.is(&listed.material) {
            return Err("it is another secret than before: give the new one an id of its own".to_owned());
        }
        let step = match (held.state, listed.state) {
            (KeyState::Standby, ListedState::Active) => self.activation(held).map(Some)?,
            (KeyState::Retiring { until }, ListedState::Active) => self.reactivation(id, until).map(Some)?,
            (KeyState::Standby, ListedState::Retiring) => Some(Step::Retire(id)),
            (KeyState::Standby | KeyState::Active | KeyState::Retiring { .. }, ListedState::Revoked) => {
                Some(Step::Revoke(id))
            }
            (KeyState::Active | KeyState::Retiring { .. }, ListedState::Standby) => {
                return Err("it has signed tokens, so it cannot go back to standby: make it retiring".to_owned());
            }
            (KeyState::Revoked, ListedState::Revoked) => None,
            (KeyState::Revoked, _) => return Err("it was revoked, which is for good: add another one".to_owned()),
            // As it was; or active and now retiring, which the activation of the other one does.
            _ => None,
        };
        Ok(step.into_iter().collect())
    }

    /// A secret that was not there before.
    fn arrival(&self, listed: &'a ListedSecret) -> Result<Vec<Step<'a>>, String> {
        let id = listed.id.as_str();
        match listed.state {
            ListedState::Standby => Ok(vec![Step::Add(listed)]),
            // Another instance signed with it, and that rotation is being undone.
            ListedState::Retiring => Ok(vec![Step::Add(listed), Step::Retire(id)]),
            ListedState::Active if self.is_leak() => Ok(vec![Step::Add(listed), Step::Activate(id)]),
            ListedState::Active => Err(
                "it cannot sign yet, other instances may not know it: put it on standby first, everywhere. (Only when \
                 the active secret leaked and is `revoked` in the same step does another one sign at once.)"
                    .to_owned(),
            ),
            // Nothing is accepted by a secret that is not known.
            ListedState::Revoked => Ok(Vec::new()),
        }
    }

    fn activation(&self, held: &Held<'a>) -> Result<Step<'a>, String> {
        let known_for = self.now.since(held.known.since());
        if known_for >= self.rollout || self.is_leak() {
            return Ok(Step::Activate(held.known.id()));
        }
        let (known_for, rollout) = (known_for.as_secs(), self.rollout.as_secs());
        Err(format!(
            "it cannot sign yet, it has been on standby for {known_for} s here and other instances may not know it: \
             wait until {rollout} s have passed (rotation.rollout_seconds)"
        ))
    }

    /// Undoes a rotation. Other instances that are told later must still accept what this one signs meanwhile.
    fn reactivation(&self, id: &'a str, until: UnixTime) -> Result<Step<'a>, String> {
        if self.now.plus(self.rollout) < until || self.is_leak() {
            return Ok(Step::Activate(id));
        }
        Err(format!("it retires at {until}, too soon to sign again: put another one on standby"))
    }

    fn removal(&self, held: &Held<'a>) -> Result<Step<'a>, String> {
        match held.state {
            KeyState::Retiring { until } if self.now < until => {
                let left = until.since(self.now).as_secs();
                Err(format!(
                    "its tokens may be alive for another {left} s: list it as `retiring` until then (or as `revoked`, \
                     if it leaked)"
                ))
            }
            KeyState::Standby | KeyState::Retiring { .. } | KeyState::Revoked => Ok(Step::Remove(held.known.id())),
            _ => Err("it is the active one: list it as `retiring` (or as `revoked`, if it leaked)".to_owned()),
        }
    }

    /// Whether the active secret is being revoked: then its tokens end now, whether or not the next one is known everywhere.
    fn is_leak(&self) -> bool {
        let active = self.held.iter().find(|held| held.state == KeyState::Active);
        let is_revoked = |id: &str| {
            let mut listed = self.listed.iter();
            listed.any(|listed| listed.id == id && listed.state == ListedState::Revoked)
        };
        active.is_none_or(|active| is_revoked(active.known.id()))
    }
}
