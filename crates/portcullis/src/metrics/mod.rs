//! Metrics of layers, keys and revocations, for dashboards and alarms.
//!
//! [`Telemetry`] counts for each [`AuthLayer`](crate::AuthLayer) that it is attached to, and collects the metrics of the sources that it
//! [watches](Telemetry::watch). It pushes nothing and runs no task: the application takes a [snapshot](Telemetry::snapshot) at each
//! scrape.
//!
//! ```
//! use axum::{Router, http::header::CONTENT_TYPE, routing::get};
//! use portcullis::{Admission, AuthLayer, Claims};
//! use portcullis::metrics::{Snapshot, Telemetry};
//!
//! async fn me(claims: Claims) -> String {
//!     claims.subject().unwrap_or("an application").to_owned()
//! }
//!
//! fn app(admission: Admission) -> Router {
//!     let telemetry = Telemetry::new();
//!     let auth = AuthLayer::new(admission).telemetry(&telemetry, "api");
//!     let figures = move || async move {
//!         ([(CONTENT_TYPE, Snapshot::PROMETHEUS_CONTENT_TYPE)], telemetry.snapshot().to_prometheus())
//!     };
//!     Router::new().route("/me", get(me)).layer(auth).route("/metrics", get(figures))
//! }
//! # let issuer = portcullis_test::MockIssuer::new();
//! # app(issuer.admission());
//! ```
//!
//! # What is counted
//!
//! [`docs/metrics.md`](https://github.com/portcullis-rs/portcullis/blob/main/crates/portcullis/docs/metrics.md) and [`names`] list all
//! metrics with their labels. Label values come from the application's configuration and from closed sets: the layer's name, the issuers
//! that were configured when the layer was made (at most [`Telemetry::MAX_ISSUERS`] of them by name; issuers that were added or learned
//! later are `dynamic`), a result and a [`Code`](crate::Code). Tokens, HTTP headers and paths cannot add series.
//!
//! # What it costs
//!
//! A layer without telemetry pays for one comparison with null. With telemetry, a request pays for one or two increments of a counter
//! that its thread shares with few others; the clock is read only if the token has to be verified.
//!
//! # Other systems
//!
//! [`Snapshot::to_prometheus`] returns the text that Prometheus scrapes. With the feature `metrics`, [`Telemetry::publish`] passes the
//! metrics to the recorder of the crate [`metrics`](https://docs.rs/metrics). With `opentelemetry`, [`Telemetry::observe`] registers them
//! with the global meter provider of the crate [`opentelemetry`](https://docs.rs/opentelemetry).

mod counters;
mod issuer_rows;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
#[cfg(feature = "metrics")]
mod recorder;
mod shards;
mod telemetry;

pub(crate) use counters::{Admittance, LayerCounters};
pub use portcullis_core::metrics::*;
pub use telemetry::Telemetry;
