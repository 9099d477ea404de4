//! What a figure is called, and what it means.

/// One figure: its name, what it counts, and which labels tell its series apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    kind: MetricKind,
    help: &'static str,
    labels: &'static [&'static str],
}

/// How a figure behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only grows, until the process ends.
    Counter,
    /// It is as it is now.
    Gauge,
    /// How often something took how long.
    Histogram,
}

impl MetricKind {
    /// As Prometheus names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Metric {
    /// A counter. Its name ends in `_total`, by the convention of Prometheus.
    pub const fn counter(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, kind: MetricKind::Counter, help, labels }
    }

    /// A gauge.
    pub const fn gauge(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, kind: MetricKind::Gauge, help, labels }
    }

    /// A histogram of durations. Its name ends in `_seconds`.
    pub const fn histogram(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, kind: MetricKind::Histogram, help, labels }
    }

    /// The name, such as `portcullis_requests_total`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How it behaves.
    pub const fn kind(&self) -> MetricKind {
        self.kind
    }

    /// What it means, in a sentence.
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// The names of its labels, in the order of a [`Sample`](super::Sample)'s values.
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }
}
