//! [`Failures`]: accounts that were looked up in vain a moment ago.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::failure::{Failure, REMEMBERED};
use crate::nkey::AccountKey;

/// How many are remembered. More of them push out the oldest, and cost a look-up each.
const MOST: usize = 1_024;

/// Accounts that were looked up in vain a moment ago, each with the uptime until which that is remembered.
#[derive(Default)]
pub(super) struct Failures {
    by_id: HashMap<AccountKey, (Failure, Duration)>,
    /// Oldest first.
    order: VecDeque<AccountKey>,
}

impl Failures {
    /// Returns why it failed, and for how much longer that is remembered.
    pub(super) fn find(&self, id: &AccountKey, uptime: Duration) -> Option<(&Failure, Duration)> {
        let (failure, until) = self.by_id.get(id)?;
        let left = until.checked_sub(uptime).filter(|left| !left.is_zero())?;
        Some((failure, left))
    }

    pub(super) fn note(&mut self, id: &AccountKey, failure: Failure, uptime: Duration) {
        self.remove(id);
        self.order.push_back(*id);
        self.by_id.insert(*id, (failure, uptime + REMEMBERED));
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, id: &AccountKey) {
        if self.by_id.remove(id).is_some() {
            self.order.retain(|known| known != id);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_id.len().max(self.order.len())
    }
}
