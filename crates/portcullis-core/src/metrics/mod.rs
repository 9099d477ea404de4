//! Figures for dashboards and alarms: their names, and how they are read.
//!
//! Nothing is pushed. Whatever counts keeps its own numbers; whoever scrapes asks for a [`Snapshot`] of them. Every figure has one of the
//! names in [`names`], and its labels come from the application's own configuration and from closed sets, never from a token, an HTTP
//! header or a path. A flood of made-up names adds no series.

mod metric;
pub mod names;
mod prometheus;
mod snapshot;

pub use metric::{Metric, MetricKind};
pub use snapshot::{Buckets, Sample, Snapshot, Value};

/// Something with figures: a source of keys, a log of revocations, an authenticator of your own.
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
    /// Adds the figures as they are now. `source` is the name under which the application knows this one; it is the value of the label of
    /// that name. Called for each scrape, so answer from memory.
    fn measure(&self, source: &str, snapshot: &mut Snapshot);
}
