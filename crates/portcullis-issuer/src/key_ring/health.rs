//! [`RingHealth`]: whether a ring works.

use std::{sync::Arc, time::Duration};

use super::KeyRingError;

/// Whether a [`KeyRing`](super::KeyRing) works, for the operator: returned by [`KeyRing::health`](super::KeyRing::health).
#[derive(Clone, Debug)]
pub struct RingHealth {
    age: Duration,
    is_usable: bool,
    last_error: Option<Arc<KeyRingError>>,
}

impl RingHealth {
    pub(super) fn new(age: Duration, is_usable: bool, last_error: Option<Arc<KeyRingError>>) -> Self {
        Self { age, is_usable, last_error }
    }

    /// Returns how long ago the document was read.
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Whether the ring signs, verifies and publishes: whether the document was read within
    /// [`KeyPlan::propagation`](super::KeyPlan::propagation).
    pub fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Returns why the document could not be read the last time; `None` if it was read. While this is an error, and the ring
    /// [is usable](Self::is_usable), there is still time to mend it.
    pub fn last_error(&self) -> Option<&KeyRingError> {
        self.last_error.as_deref()
    }
}
