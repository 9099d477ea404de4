//! [`Refusals`]: tokens that were refused lately, so that one that is tried again and again costs no look-up each time.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::authenticator::Edition;

use super::refusal::Refusal;
use crate::api_tokens::ApiTokenDigest;

/// The last 1 024 refusals, for 10 s each. Only tokens whose tag is right get here, so junk does not push out others.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_digest: HashMap<ApiTokenDigest, Refused>,
    /// In the order in which they came.
    order: VecDeque<ApiTokenDigest>,
}

#[derive(Debug)]
struct Refused {
    since: Duration,
    refusal: Refusal,
    edition: Option<Edition>,
}

const MOST: usize = 1_024;
const LIFE: Duration = Duration::from_secs(10);

impl Refusals {
    /// Returns a refusal, and in which edition of its owner it holds, if not in all of them.
    pub(super) fn find(&self, digest: &ApiTokenDigest, uptime: Duration) -> Option<(Refusal, Option<Edition>)> {
        let kept = self.lock();
        let refused = kept.by_digest.get(digest)?;
        (uptime.saturating_sub(refused.since) < LIFE).then(|| (refused.refusal.clone(), refused.edition))
    }

    pub(super) fn keep(&self, digest: ApiTokenDigest, refusal: Refusal, edition: Option<Edition>, uptime: Duration) {
        let mut kept = self.lock();
        if kept.by_digest.insert(digest, Refused { since: uptime, refusal, edition }).is_none() {
            kept.order.push_back(digest);
        }
        while kept.by_digest.len() > MOST {
            let Some(oldest) = kept.order.pop_front() else { return };
            kept.by_digest.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_kept_for_ten_seconds_and_there_are_no_more_than_a_thousand_or_so() {
        let (refusals, seconds) = (Refusals::default(), Duration::from_secs);
        let digest = |number: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            ApiTokenDigest::from_bytes(bytes)
        };
        for number in 0..2_000 {
            refusals.keep(digest(number), Refusal::unknown(), None, seconds(100));
        }
        assert_eq!(refusals.lock().by_digest.len(), MOST);
        assert!(refusals.find(&digest(0), seconds(100)).is_none());
        assert!(refusals.find(&digest(1_999), seconds(109)).is_some());
        assert!(refusals.find(&digest(1_999), seconds(110)).is_none());
    }
}
