//! Exports metrics through the recorder of the crate `metrics`.

use metrics::{Label, counter, describe_counter, describe_gauge, gauge};

use super::{Buckets, Sample, Telemetry, Value};

impl Telemetry {
    /// Passes the current values of all metrics to the recorder of the crate [`metrics`](https://docs.rs/metrics) that the application
    /// has installed.
    ///
    /// Call this at each scrape, or every few seconds: counters are set, not increased, so the frequency does not matter. A histogram
    /// becomes the three counters that Prometheus makes of it: `…_bucket` with the label `le`, `…_sum` and `…_count`. (The crate's own
    /// histograms take single measurements; these are already counted.)
    pub fn publish(&self) {
        let snapshot = self.snapshot();
        let mut last = "";
        for sample in snapshot.samples() {
            if sample.metric.name() != last {
                last = sample.metric.name();
                describe(sample);
            }
            publish(sample);
        }
    }
}

fn describe(sample: &Sample) {
    let (name, help) = (sample.metric.name(), sample.metric.help());
    match sample.value {
        Value::Counter(_) => describe_counter!(name, help),
        Value::Histogram(_) => describe_counter!(format!("{name}_bucket"), help),
        _ => describe_gauge!(name, help),
    }
}

fn publish(sample: &Sample) {
    let name = sample.metric.name();
    let labels = || -> Vec<Label> {
        let values = sample.labels.iter().cloned();
        sample.metric.labels().iter().zip(values).map(|(name, value)| Label::new(*name, value)).collect()
    };
    match &sample.value {
        Value::Counter(value) => counter!(name, labels()).absolute(*value),
        Value::Gauge(value) => gauge!(name, labels()).set(*value),
        Value::Histogram(buckets) => publish_buckets(name, buckets, labels),
        _ => {}
    }
}

fn publish_buckets(name: &str, buckets: &Buckets, labels: impl Fn() -> Vec<Label>) {
    for (bound, count) in buckets.cumulative() {
        let mut labels = labels();
        labels.push(Label::new("le", bound));
        counter!(format!("{name}_bucket"), labels).absolute(count);
    }
    counter!(format!("{name}_count"), labels()).absolute(buckets.count());
    gauge!(format!("{name}_sum"), labels()).set(buckets.sum.as_secs_f64());
}
