//! [`SharedFloors`]: a store of any type.

use std::{collections::HashMap, fmt, future::Future, pin::Pin, sync::Arc};

use super::{FloorError, FloorStore};
use crate::UnixTime;

/// Any [`FloorStore`], for types that are not generic over it. Cheap to clone.
#[derive(Clone)]
pub struct SharedFloors(Arc<dyn ErasedFloors>);

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, FloorError>> + Send + 'a>>;

trait ErasedFloors: fmt::Debug + Send + Sync {
    fn load(&self) -> Pending<'_, HashMap<String, UnixTime>>;

    fn raise<'a>(&'a self, name: &'a str, time: UnixTime) -> Pending<'a, UnixTime>;

    fn reset<'a>(&'a self, name: &'a str) -> Pending<'a, Option<UnixTime>>;
}

impl<S: FloorStore> ErasedFloors for S {
    fn load(&self) -> Pending<'_, HashMap<String, UnixTime>> {
        Box::pin(FloorStore::load(self))
    }

    fn raise<'a>(&'a self, name: &'a str, time: UnixTime) -> Pending<'a, UnixTime> {
        Box::pin(FloorStore::raise(self, name, time))
    }

    fn reset<'a>(&'a self, name: &'a str) -> Pending<'a, Option<UnixTime>> {
        Box::pin(FloorStore::reset(self, name))
    }
}

impl SharedFloors {
    /// Returns a handle to this store.
    pub fn new(store: impl FloorStore) -> Self {
        Self(Arc::new(store))
    }
}

impl FloorStore for SharedFloors {
    async fn load(&self) -> Result<HashMap<String, UnixTime>, FloorError> {
        self.0.load().await
    }

    async fn raise(&self, name: &str, time: UnixTime) -> Result<UnixTime, FloorError> {
        self.0.raise(name, time).await
    }

    async fn reset(&self, name: &str) -> Result<Option<UnixTime>, FloorError> {
        self.0.reset(name).await
    }
}

impl fmt::Debug for SharedFloors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
