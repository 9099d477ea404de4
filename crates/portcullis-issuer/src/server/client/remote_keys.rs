//! [`RemoteKeySets`]: key sets that clients name by a URL.

use std::sync::Arc;

use portcullis_core::{ConfigError, keys::KeySource};
use portcullis_jwks::{OnDemandKeys, TenantKeys};

use super::keys::KeySets;

/// Key sets that clients name by a URL, as many as are kept. Those that are used again are preferred, so that many clients of an attacker do not push
/// them out.
#[derive(Debug)]
pub(in crate::server) struct RemoteKeySets {
    keys: TenantKeys,
    kept: quick_cache::sync::Cache<String, OnDemandKeys>,
}

/// How many key sets are kept: each has a task, and up to 64 KiB.
const MOST_SETS: usize = 1000;

impl RemoteKeySets {
    pub(in crate::server) fn new(keys: TenantKeys) -> Self {
        Self { keys, kept: quick_cache::sync::Cache::new(MOST_SETS) }
    }
}

impl KeySets for RemoteKeySets {
    fn at(&self, uri: &str) -> Result<Arc<dyn KeySource>, ConfigError> {
        if let Some(keys) = self.kept.get(uri) {
            return Ok(Arc::new(keys));
        }
        let keys = self.keys.from_outside_url(uri)?;
        self.kept.insert(uri.to_owned(), keys.clone());
        Ok(Arc::new(keys))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[tokio::test]
    async fn at_most_1000_key_sets_are_kept() {
        let sets = RemoteKeySets::new(TenantKeys::new());
        for number in 0..3000 {
            sets.at(&format!("https://app{number}.example.com/jwks")).unwrap();
        }
        assert!(sets.kept.len() <= MOST_SETS, "{}", sets.kept.len());
        assert!(sets.kept.len() > MOST_SETS / 2, "{}", sets.kept.len());
    }

    #[tokio::test]
    async fn a_url_that_is_not_allowed_is_not_kept() {
        let sets = RemoteKeySets::new(TenantKeys::new());
        assert!(sets.at("https://169.254.169.254/jwks").is_err() && sets.kept.is_empty());
        assert!(sets.at("https://app.example.com/jwks").is_ok() && !sets.kept.is_empty());
    }
}
