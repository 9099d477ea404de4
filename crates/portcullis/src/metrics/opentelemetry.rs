//! Exports metrics through the meter provider of the crate `opentelemetry`.

use opentelemetry::{KeyValue, global, metrics::Meter};

use super::{Metric, MetricKind, Sample, Telemetry, Value, names};

impl Telemetry {
    /// Registers all metrics with the global meter provider of the crate [`opentelemetry`](https://docs.rs/opentelemetry), under the
    /// meter `portcullis`. The provider reads them whenever it collects.
    ///
    /// Call this once, after the provider is set and after everything is [watched](Self::watch). A histogram becomes three counters:
    /// `…_bucket` with the attribute `le`, `…_sum` and `…_count`, because OpenTelemetry has no observable histogram.
    pub fn observe(&self) {
        let meter = global::meter("portcullis");
        let mut metrics: Vec<&'static Metric> = names::ALL.to_vec();
        metrics.extend(self.snapshot().samples().iter().map(|sample| sample.metric));
        metrics.sort_by_key(|metric| metric.name());
        metrics.dedup_by_key(|metric| metric.name());
        for metric in metrics {
            match metric.kind() {
                MetricKind::Counter => self.observe_count(&meter, metric, "", counts),
                MetricKind::Gauge => self.observe_amount(&meter, metric, "", amount),
                _ => {
                    self.observe_count(&meter, metric, "_bucket", bucket_counts);
                    self.observe_count(&meter, metric, "_count", total_count);
                    self.observe_amount(&meter, metric, "_sum", total_seconds);
                }
            }
        }
    }

    fn observe_count(&self, meter: &Meter, metric: &'static Metric, suffix: &str, read: Read<u64>) {
        let telemetry = self.clone();
        let builder = meter.u64_observable_counter(format!("{}{suffix}", metric.name()));
        let counter = builder.with_description(metric.help()).with_callback(move |observer| {
            telemetry
                .read(metric, read)
                .into_iter()
                .for_each(|(value, attributes)| observer.observe(value, &attributes));
        });
        let _ = counter.build(); // the provider keeps the callback
    }

    fn observe_amount(&self, meter: &Meter, metric: &'static Metric, suffix: &str, read: Read<f64>) {
        let telemetry = self.clone();
        let builder = meter.f64_observable_gauge(format!("{}{suffix}", metric.name()));
        let gauge = builder.with_description(metric.help()).with_callback(move |observer| {
            telemetry
                .read(metric, read)
                .into_iter()
                .for_each(|(value, attributes)| observer.observe(value, &attributes));
        });
        let _ = gauge.build();
    }

    fn read<T>(&self, metric: &Metric, read: Read<T>) -> Vec<(T, Vec<KeyValue>)> {
        let snapshot = self.snapshot();
        snapshot.samples().iter().filter(|sample| sample.metric.name() == metric.name()).flat_map(read).collect()
    }
}

/// Turns a series into values, each with its attributes.
type Read<T> = fn(&Sample) -> Vec<(T, Vec<KeyValue>)>;

fn counts(sample: &Sample) -> Vec<(u64, Vec<KeyValue>)> {
    match sample.value {
        Value::Counter(value) => vec![(value, attributes(sample))],
        _ => Vec::new(),
    }
}

fn amount(sample: &Sample) -> Vec<(f64, Vec<KeyValue>)> {
    match sample.value {
        Value::Gauge(value) => vec![(value, attributes(sample))],
        _ => Vec::new(),
    }
}

fn bucket_counts(sample: &Sample) -> Vec<(u64, Vec<KeyValue>)> {
    let Value::Histogram(buckets) = &sample.value else { return Vec::new() };
    let with_bound = |(bound, count): (String, u64)| {
        let mut attributes = attributes(sample);
        attributes.push(KeyValue::new("le", bound));
        (count, attributes)
    };
    buckets.cumulative().map(with_bound).collect()
}

fn total_count(sample: &Sample) -> Vec<(u64, Vec<KeyValue>)> {
    match &sample.value {
        Value::Histogram(buckets) => vec![(buckets.count(), attributes(sample))],
        _ => Vec::new(),
    }
}

fn total_seconds(sample: &Sample) -> Vec<(f64, Vec<KeyValue>)> {
    match &sample.value {
        Value::Histogram(buckets) => vec![(buckets.sum.as_secs_f64(), attributes(sample))],
        _ => Vec::new(),
    }
}

fn attributes(sample: &Sample) -> Vec<KeyValue> {
    let values = sample.labels.iter().cloned();
    sample.metric.labels().iter().zip(values).map(|(name, value)| KeyValue::new(*name, value)).collect()
}
