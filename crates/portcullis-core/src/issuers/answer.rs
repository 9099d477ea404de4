//! What a resolver has said about a name, and those of its answers that refuse.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use crate::{AuthError, Code};

/// How many names are remembered that led to no issuer. More of them push out the oldest, and cost a question each.
const REFUSED: usize = 1_024;

/// For how long a name is remembered that there is no issuer for: a tenant that was just set up does not wait long.
const ABSENT_FOR: Duration = Duration::from_secs(60);

/// For how long a resolver is not asked again about a name that it could not find out about.
pub(super) const UNDECIDED_FOR: Duration = Duration::from_secs(5);

/// What a resolver has said about a name.
#[derive(Clone)]
pub(super) enum Answer {
    Learned,
    Absent,
    Undecided(Arc<dyn std::error::Error + Send + Sync>),
    /// What it gave cannot be used, for this reason.
    Unusable(Arc<str>),
    /// It could not be found out, and the answer from before can still be used.
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
            // No waiter is told: these lead to another look at the list.
            Self::Learned | Self::Kept | Self::Outdated => Code::IssuerNotTrusted.into(),
        }
    }

    /// For how long it is remembered as a reason for refusing.
    fn remembered_for(&self) -> Option<Duration> {
        match self {
            Self::Absent | Self::Unusable(_) => Some(ABSENT_FOR),
            Self::Undecided(_) => Some(UNDECIDED_FOR),
            Self::Learned | Self::Kept | Self::Outdated => None,
        }
    }
}

/// Names that led to no issuer, and until when that is remembered.
#[derive(Default)]
pub(super) struct Refused {
    answers: HashMap<Arc<str>, (Answer, Duration)>,
    /// The names in the order in which they came.
    order: VecDeque<Arc<str>>,
}

impl Refused {
    /// The answer, and for how much longer it is remembered.
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
