//! [`Snapshot`]: all metrics at one moment.

use std::time::Duration;

use super::{Metric, MetricKind};

/// All metrics at one moment, sorted by name and labels. Counters with the same labels are added up.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    samples: Vec<Sample>,
}

/// One series of a metric, with its value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// The metric.
    pub metric: &'static Metric,
    /// The values of the metric's [labels](Metric::labels), in their order.
    pub labels: Vec<String>,
    /// The value.
    pub value: Value,
}

/// The value, by the kind of the metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// The value of a counter.
    Counter(u64),
    /// The value of a gauge.
    Gauge(f64),
    /// The value of a histogram.
    Histogram(Buckets),
}

/// A distribution of durations.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Buckets {
    /// The upper bound of each bucket except the last, in ascending order.
    pub bounds: &'static [Duration],
    /// The number of durations in each bucket; one more than there are bounds. Not cumulative.
    pub counts: Vec<u64>,
    /// The sum of all durations.
    pub sum: Duration,
}

impl Buckets {
    /// Returns buckets with these counts.
    pub fn new(bounds: &'static [Duration], counts: Vec<u64>, sum: Duration) -> Self {
        Self { bounds, counts, sum }
    }

    /// Returns for each bucket its upper bound in seconds (`+Inf` for the last), and the number of durations up to it.
    pub fn cumulative(&self) -> impl Iterator<Item = (String, u64)> {
        let bounds = self.bounds.iter().map(|bound| bound.as_secs_f64().to_string()).chain(["+Inf".to_owned()]);
        let counts = self.counts.iter().scan(0_u64, |sum, count| {
            *sum = sum.saturating_add(*count);
            Some(*sum)
        });
        bounds.zip(counts)
    }

    /// Returns the number of all durations.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Snapshot {
    /// Adds a counter's value to the series with these labels.
    pub fn counter(&mut self, metric: &'static Metric, labels: &[&str], value: u64) {
        self.add(metric, labels, Value::Counter(value));
    }

    /// Sets a gauge.
    pub fn gauge(&mut self, metric: &'static Metric, labels: &[&str], value: f64) {
        self.add(metric, labels, Value::Gauge(value));
    }

    /// Adds a histogram to the series with these labels and bounds.
    pub fn histogram(&mut self, metric: &'static Metric, labels: &[&str], buckets: Buckets) {
        self.add(metric, labels, Value::Histogram(buckets));
    }

    /// Returns every series, sorted by name and labels.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Returns the value of one series, by the name of its metric and the values of its labels.
    pub fn value(&self, name: &str, labels: &[&str]) -> Option<&Value> {
        let found = self.samples.iter().find(|sample| sample.metric.name() == name && sample.labels == labels);
        found.map(|sample| &sample.value)
    }

    fn add(&mut self, metric: &'static Metric, labels: &[&str], value: Value) {
        debug_assert_eq!(metric.labels().len(), labels.len(), "{}", metric.name());
        debug_assert_eq!(metric.kind(), value.kind(), "{}", metric.name());
        let order = |sample: &Sample| {
            let by_labels = || sample.labels.iter().map(String::as_str).cmp(labels.iter().copied());
            sample.metric.name().cmp(metric.name()).then_with(by_labels)
        };
        match self.samples.binary_search_by(order) {
            Ok(at) => self.samples[at].value.merge(value),
            Err(at) => {
                let labels = labels.iter().map(|&label| label.to_owned()).collect();
                self.samples.insert(at, Sample { metric, labels, value });
            }
        }
    }
}

impl Value {
    fn kind(&self) -> MetricKind {
        match self {
            Self::Counter(_) => MetricKind::Counter,
            Self::Gauge(_) => MetricKind::Gauge,
            Self::Histogram(_) => MetricKind::Histogram,
        }
    }

    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Counter(sum), Self::Counter(more)) => *sum = sum.saturating_add(more),
            (Self::Histogram(all), Self::Histogram(more)) if all.bounds == more.bounds => {
                all.counts.iter_mut().zip(more.counts).for_each(|(count, more)| *count = count.saturating_add(more));
                all.sum = all.sum.saturating_add(more.sum);
            }
            (value, other) => *value = other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::names, *};

    #[test]
    fn counters_with_the_same_labels_add_up_and_gauges_do_not() {
        let mut snapshot = Snapshot::default();
        snapshot.counter(&names::CACHE_HITS, &["api", "a"], 2);
        snapshot.counter(&names::CACHE_HITS, &["api", "a"], 3);
        snapshot.counter(&names::CACHE_HITS, &["api", "b"], 1);
        snapshot.gauge(&names::KEYS, &["a"], 2.0);
        snapshot.gauge(&names::KEYS, &["a"], 1.0);
        assert_eq!(snapshot.value("portcullis_cache_hits_total", &["api", "a"]), Some(&Value::Counter(5)));
        assert_eq!(snapshot.value("portcullis_cache_hits_total", &["api", "b"]), Some(&Value::Counter(1)));
        assert_eq!(snapshot.value("portcullis_keys", &["a"]), Some(&Value::Gauge(1.0)));
        assert_eq!(snapshot.samples().len(), 3);
    }

    #[test]
    fn names_are_unique_and_follow_the_conventions_of_prometheus() {
        for (at, metric) in names::ALL.iter().enumerate() {
            let name = metric.name();
            assert!(
                name.starts_with("portcullis_") && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())
            );
            assert_eq!(name.ends_with("_total"), metric.kind() == MetricKind::Counter, "{name}");
            assert!(metric.help().ends_with('.'), "{name}");
            assert!(names::ALL[at + 1..].iter().all(|other| other.name() != name), "{name} stands twice");
        }
    }
}
