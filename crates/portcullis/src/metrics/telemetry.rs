//! What gathers the figures.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use portcullis_core::{
    metrics::{Measured, Snapshot},
    verified::Conventions,
};

use super::LayerCounters;

/// The figures of an application: of its layers, its keys and its revocations. See the [module docs](crate::metrics) for an example.
///
/// Cheap to clone; clones are one.
#[derive(Clone, Default)]
pub struct Telemetry(Arc<Inner>);

#[derive(Default)]
struct Inner {
    layers: Mutex<Vec<Arc<LayerCounters>>>,
    sources: Mutex<Vec<Source>>,
}

struct Source {
    name: String,
    measured: Box<dyn Measured>,
}

impl Telemetry {
    /// So many issuers of a layer are counted by name; the others are `dynamic`, as are those that are added at run time.
    ///
    /// A hundred, which with their codes are some thousand series, are about what a dashboard and its database bear for one service.
    pub const MAX_ISSUERS: usize = 100;

    /// Without a figure. Attach it to layers with [`AuthLayer::telemetry`](crate::AuthLayer::telemetry), and let it [watch](Self::watch) what
    /// else has figures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks `measured` for its figures, too, whenever a snapshot is taken: `RemoteKeys`, or the gauge of `Revocations` (crate
    /// `portcullis-store`). `name` is the value of their label `source`.
    ///
    /// It is held for as long as this is.
    pub fn watch(&self, name: impl Into<String>, measured: impl Measured) {
        let source = Source { name: name.into(), measured: Box::new(measured) };
        self.0.sources.lock().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// All figures as they are now.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        self.layers().iter().for_each(|layer| layer.measure(&mut snapshot));
        for source in &*self.0.sources.lock().unwrap_or_else(PoisonError::into_inner) {
            source.measured.measure(&source.name, &mut snapshot);
        }
        snapshot
    }

    /// How many series the layers can have at most, for the budget of a database of figures. No request adds one beyond that.
    pub fn max_series(&self) -> usize {
        self.layers().iter().map(|layer| layer.series()).sum()
    }

    /// The counters of a layer with that name, for requests with tokens of these issuers. A name that is given to several layers counts the
    /// requests of all.
    pub(crate) fn layer(&self, name: &str, issuers: Vec<Arc<Conventions>>) -> Arc<LayerCounters> {
        let layer = Arc::new(LayerCounters::new(name.to_owned(), issuers));
        self.0.layers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&layer));
        layer
    }

    /// Takes back what was made for a layer that is made differently now.
    pub(crate) fn forget(&self, layer: &Arc<LayerCounters>) {
        self.0.layers.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, layer));
    }

    fn layers(&self) -> Vec<Arc<LayerCounters>> {
        self.0.layers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("layers", &self.layers().len()).finish_non_exhaustive()
    }
}
