//! Metrics for dashboards and alarms: their names, and how to read them.
//!
//! Nothing is pushed: each source keeps its own numbers, and the application takes a [`Snapshot`] of them at each scrape. [`names`] lists
//! all metrics. Label values come from the application's own configuration and from closed sets, never from a token, an HTTP header or a
//! path, so a flood of invented names adds no series.

mod metric;
pub mod names;
mod prometheus;
mod snapshot;

pub use metric::{Metric, MetricKind};
pub use snapshot::{Buckets, Sample, Snapshot, Value};

/// A source of metrics: a key source, a log of revocations, your own authenticator.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use portcullis_core::metrics::{Measured, Metric, Snapshot};
///
/// static SOLD: Metric = Metric::counter("shop_tickets_sold_total", "Tickets that were sold.", &["source"]);
///
/// struct Counter(AtomicU64);
///
/// impl Measured for Counter {
///     fn measure(&self, source: &str, snapshot: &mut Snapshot) {
///         snapshot.counter(&SOLD, &[source], self.0.load(Ordering::Relaxed));
///     }
/// }
///
/// let mut snapshot = Snapshot::default();
/// Counter(AtomicU64::new(3)).measure("tickets", &mut snapshot);
/// assert!(snapshot.to_prometheus().ends_with("shop_tickets_sold_total{source=\"tickets\"} 3\n"));
/// ```
pub trait Measured: Send + Sync + 'static {
    /// Adds the current values. `source` is the application's name for this source, and the value of the label `source`. Called at each
    /// scrape, so answer from memory.
    fn measure(&self, source: &str, snapshot: &mut Snapshot);
}
