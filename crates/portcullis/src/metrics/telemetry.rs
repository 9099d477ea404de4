//! [`Telemetry`]: collects the metrics.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use portcullis_core::{
    metrics::{Measured, Snapshot},
    verified::Conventions,
};

use super::LayerCounters;

/// Collects the metrics of an application: of its layers, keys and revocations. See the [module docs](crate::metrics) for an example.
///
/// Cheap to clone; clones share the counters.
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
    /// The maximum number of issuers of a layer that are counted by name. The others are counted as `dynamic`, like those that are added
    /// at run time.
    ///
    /// A hundred issuers with their codes are some thousand series, about as much as a dashboard and its database can handle for one
    /// service.
    pub const MAX_ISSUERS: usize = 100;

    /// Returns a telemetry without metrics. Attach it to layers with [`AuthLayer::telemetry`](crate::AuthLayer::telemetry), and let it
    /// [watch](Self::watch) other sources.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also collects the metrics of `measured` at each snapshot: `RemoteKeys`, or the gauge of `Revocations` (crate `portcullis-store`).
    /// `name` is the value of the label `source`.
    ///
    /// The telemetry owns `measured` from then on.
    pub fn watch(&self, name: impl Into<String>, measured: impl Measured) {
        let source = Source { name: name.into(), measured: Box::new(measured) };
        self.0.sources.lock().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// Returns the current values of all metrics.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        self.layers().iter().for_each(|layer| layer.measure(&mut snapshot));
        for source in &*self.0.sources.lock().unwrap_or_else(PoisonError::into_inner) {
            source.measured.measure(&source.name, &mut snapshot);
        }
        snapshot
    }

    /// Returns the maximum number of series of all layers, for sizing a metrics database. Requests cannot add more.
    pub fn max_series(&self) -> usize {
        self.layers().iter().map(|layer| layer.series()).sum()
    }

    /// Returns the counters of the layer with this name, for requests with tokens of these issuers. Layers with the same name share their
    /// counters.
    pub(crate) fn layer(&self, name: &str, issuers: Vec<Arc<Conventions>>) -> Arc<LayerCounters> {
        let layer = Arc::new(LayerCounters::new(name.to_owned(), issuers));
        self.0.layers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&layer));
        layer
    }

    /// Removes the counters of a layer that was reconfigured.
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
