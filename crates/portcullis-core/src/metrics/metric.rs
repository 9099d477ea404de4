//! [`Metric`]: the name and meaning of a metric.

/// One metric: its name, what it measures, and the labels of its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    kind: MetricKind,
    help: &'static str,
    labels: &'static [&'static str],
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only increases, until the process ends.
    Counter,
    /// A current value.
    Gauge,
    /// A distribution of durations.
    Histogram,
}

impl MetricKind {
    /// Returns the name that Prometheus uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Metric {
    /// Returns a counter. Its name ends in `_total`, by the convention of Prometheus.
    pub const fn counter(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, kind: MetricKind::Counter, help, labels }
    }

    /// Returns a gauge.
    pub const fn gauge(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, kind: MetricKind::Gauge, help, labels }
    }

    /// Returns a histogram of durations. Its name ends in `_seconds`.
    pub const fn histogram(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, kind: MetricKind::Histogram, help, labels }
    }

    /// Returns the name, such as `portcullis_requests_total`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the kind.
    pub const fn kind(&self) -> MetricKind {
        self.kind
    }

    /// Returns the meaning, in a sentence.
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// Returns the names of its labels, in the order of a [`Sample`](super::Sample)'s values.
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }
}
