//! [`Answer`]: a resolver's answer about a name. [`Refused`] keeps the answers that refuse.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use crate::{AuthError, Code};

/// The number of refused names that are kept. More names evict the oldest, and cost a question each.
const REFUSED: usize = 1_024;

/// The time for which a name without an issuer is kept. Short, so that a tenant that was just set up does not wait long.
const ABSENT_FOR: Duration = Duration::from_secs(60);

/// The time for which a resolver is not asked again about a name after it has failed.
pub(super) const UNDECIDED_FOR: Duration = Duration::from_secs(5);

/// A resolver's answer about a name.
#[derive(Clone)]
pub(super) enum Answer {
    Learned,
    Absent,
    Undecided(Arc<dyn std::error::Error + Send + Sync>),
    /// The issuer that it returned cannot be used, for this reason.
    Unusable(Arc<str>),
    /// The resolver failed, and its previous answer can still be used.
    Kept,
    /// The issuer was inserted or removed meanwhile.
    Outdated,
}

impl Answer {
    pub(super) fn refusal(&self, left: Duration) -> AuthError {
        match self {
            Self::Absent => AuthError::new(Code::IssuerNotTrusted)
                .with_explanation("the resolver of unknown issuers knows no issuer of the name in the token's `iss`"),
            Self::Unusable(problem) => AuthError::new(Code::ServiceMisconfigured).with_explanation(problem.to_string()),
            Self::Undecided(source) => AuthError::new(Code::IssuerUnavailable)
                .with_retry_after(left.max(Duration::from_secs(1)))
                .with_source(Arc::clone(source)),
            // Not shown to any waiter: after these answers, the list is searched again.
            Self::Learned | Self::Kept | Self::Outdated => Code::IssuerNotTrusted.into(),
        }
    }

    /// Returns how long the answer is kept as a reason to refuse.
    fn remembered_for(&self) -> Option<Duration> {
        match self {
            Self::Absent | Self::Unusable(_) => Some(ABSENT_FOR),
            Self::Undecided(_) => Some(UNDECIDED_FOR),
            Self::Learned | Self::Kept | Self::Outdated => None,
        }
    }
}

/// The names that are refused, each with the time until which it is.
#[derive(Default)]
pub(super) struct Refused {
    answers: HashMap<Arc<str>, (Answer, Duration)>,
    /// The names, oldest first.
    order: VecDeque<Arc<str>>,
}

impl Refused {
    /// Returns the answer, and for how much longer it is kept.
    pub(super) fn find(&self, name: &str, uptime: Duration) -> Option<(&Answer, Duration)> {
        let (answer, until) = self.answers.get(name)?;
        let left = until.checked_sub(uptime).filter(|left| !left.is_zero())?;
        Some((answer, left))
    }

    pub(super) fn note(&mut self, name: &str, answer: &Answer, uptime: Duration) {
        let Some(time) = answer.remembered_for() else { return self.remove(name) };
        if let Some(known) = self.answers.get_mut(name) {
            *known = (answer.clone(), uptime + time);
            return;
        }
        let name: Arc<str> = name.into();
        self.order.push_back(Arc::clone(&name));
        self.answers.insert(name, (answer.clone(), uptime + time));
        if self.order.len() > REFUSED
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        if self.answers.remove(name).is_some() {
            self.order.retain(|known| **known != *name);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.answers.len().max(self.order.len())
    }
}
