//! [`MemoryFloors`]: floors in memory.

use std::{
    collections::HashMap,
    fmt, future,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{DEFAULT_LIMIT, FloorError, FloorStore, check_name};
use crate::UnixTime;

/// Floors in memory: they end with the process, so that an older document can be accepted after a restart. Clones share them.
#[derive(Clone)]
pub struct MemoryFloors(Arc<Shared>);

struct Shared {
    limit: usize,
    floors: Mutex<HashMap<String, UnixTime>>,
}

impl MemoryFloors {
    /// Returns an empty store for [`DEFAULT_LIMIT`] names.
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// Returns an empty store for this many names.
    pub fn with_limit(names: usize) -> Self {
        Self(Arc::new(Shared { limit: names, floors: Mutex::default() }))
    }

    fn raise_now(&self, name: &str, time: UnixTime) -> Result<UnixTime, FloorError> {
        check_name(name)?;
        let mut floors = self.floors();
        if let Some(floor) = floors.get_mut(name) {
            *floor = time.max(*floor);
            return Ok(*floor);
        }
        if floors.len() >= self.0.limit {
            return Err(FloorError::full(self.0.limit));
        }
        floors.insert(name.to_owned(), time);
        Ok(time)
    }

    /// A map is consistent between its method calls, so a panic does not damage it.
    fn floors(&self) -> MutexGuard<'_, HashMap<String, UnixTime>> {
        self.0.floors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FloorStore for MemoryFloors {
    fn load(&self) -> impl Future<Output = Result<HashMap<String, UnixTime>, FloorError>> + Send {
        future::ready(Ok(self.floors().clone()))
    }

    fn raise(&self, name: &str, time: UnixTime) -> impl Future<Output = Result<UnixTime, FloorError>> + Send {
        future::ready(self.raise_now(name, time))
    }

    fn reset(&self, name: &str) -> impl Future<Output = Result<Option<UnixTime>, FloorError>> + Send {
        future::ready(Ok(self.floors().remove(name)))
    }
}

impl Default for MemoryFloors {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryFloors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFloors").field("names", &self.floors().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::floors::{FloorErrorKind, MAX_NAME_LEN, SharedFloors};

    const T: UnixTime = UnixTime::from_secs(1_800_000_000);
    const LATER: UnixTime = UnixTime::from_secs(1_800_000_001);

    #[tokio::test]
    async fn a_floor_only_rises_until_it_is_reset() {
        let floors = MemoryFloors::new();
        for (time, floor) in [(T, T), (LATER, LATER), (T, LATER), (UnixTime::EPOCH, LATER)] {
            assert_eq!(floors.raise("a", time).await.unwrap(), floor);
            assert_eq!(floors.load().await.unwrap()["a"], floor);
        }
        assert_eq!(floors.raise("A", T).await.unwrap(), T, "another name");
        assert_eq!(floors.reset("a").await.unwrap(), Some(LATER));
        assert_eq!(floors.reset("a").await.unwrap(), None);
        assert_eq!(floors.raise("a", T).await.unwrap(), T);
    }

    #[tokio::test]
    async fn more_names_than_the_limit_are_an_error_and_none_is_dropped() {
        let floors = SharedFloors::new(MemoryFloors::with_limit(2));
        for name in ["a", "b"] {
            floors.raise(name, T).await.unwrap();
        }
        let error = floors.raise("c", T).await.unwrap_err();
        assert_eq!(error.kind(), FloorErrorKind::Full);
        assert!(error.to_string().contains("2 names"), "{error}");
        assert_eq!(floors.raise("a", LATER).await.unwrap(), LATER, "a known name");
        floors.reset("b").await.unwrap();
        assert_eq!(floors.raise("c", T).await.unwrap(), T);
        assert_eq!(floors.load().await.unwrap(), HashMap::from([("a".to_owned(), LATER), ("c".to_owned(), T)]));
    }

    #[tokio::test]
    async fn a_name_is_neither_empty_nor_long() {
        let floors = MemoryFloors::new();
        for (name, is_good) in
            [("", false), ("a", true), (&"a".repeat(MAX_NAME_LEN), true), (&"a".repeat(MAX_NAME_LEN + 1), false)]
        {
            let raised = floors.raise(name, T).await.map_err(|error| error.kind());
            assert_eq!(raised, if is_good { Ok(T) } else { Err(FloorErrorKind::BadName) }, "{name}");
        }
        assert_eq!(floors.reset("").await.unwrap(), None);
    }
}
