//! Writes metrics in Prometheus's text format, version 0.0.4.

use std::fmt::{self, Write};

use super::{Buckets, Sample, Snapshot, Value};

impl Snapshot {
    /// Returns the metrics in Prometheus's text format 0.0.4, for an answer with the media type
    /// [`PROMETHEUS_CONTENT_TYPE`](Self::PROMETHEUS_CONTENT_TYPE).
    pub fn to_prometheus(&self) -> String {
        let mut text = String::new();
        let mut last = "";
        for sample in self.samples() {
            let metric = sample.metric;
            if metric.name() != last {
                last = metric.name();
                // Writing into a String cannot fail.
                let _ = writeln!(text, "# HELP {last} {}", metric.help());
                let _ = writeln!(text, "# TYPE {last} {}", metric.kind().as_str());
            }
            let _ = write_sample(&mut text, sample);
        }
        text
    }

    /// The media type of [`to_prometheus`](Self::to_prometheus).
    pub const PROMETHEUS_CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
}

fn write_sample(text: &mut String, sample: &Sample) -> fmt::Result {
    let name = sample.metric.name();
    match &sample.value {
        Value::Counter(value) => writeln!(text, "{name}{} {value}", Labels(sample, None)),
        Value::Gauge(value) => writeln!(text, "{name}{} {value}", Labels(sample, None)),
        Value::Histogram(buckets) => write_buckets(text, sample, buckets),
    }
}

fn write_buckets(text: &mut String, sample: &Sample, buckets: &Buckets) -> fmt::Result {
    let name = sample.metric.name();
    for (bound, count) in buckets.cumulative() {
        writeln!(text, "{name}_bucket{} {count}", Labels(sample, Some(&bound)))?;
    }
    writeln!(text, "{name}_sum{} {}", Labels(sample, None), buckets.sum.as_secs_f64())?;
    writeln!(text, "{name}_count{} {}", Labels(sample, None), buckets.count())
}

/// `{layer="api",le="0.001"}`, or nothing.
struct Labels<'a>(&'a Sample, Option<&'a str>);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(sample, bound) = self;
        let values = sample.labels.iter().map(String::as_str);
        let named = sample.metric.labels().iter().copied().zip(values).chain(bound.map(|bound| ("le", bound)));
        for (at, (name, value)) in named.enumerate() {
            write!(f, "{}{name}=\"{}\"", if at == 0 { '{' } else { ',' }, Escaped(value))?;
        }
        if sample.labels.is_empty() && bound.is_none() { Ok(()) } else { f.write_char('}') }
    }
}

/// A label's value: only backslash, quotation mark and line feed are escaped.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Buckets, Metric, Snapshot, names};

    #[test]
    fn the_text_is_as_prometheus_reads_it() {
        const BOUNDS: &[Duration] = &[Duration::from_micros(10), Duration::from_millis(1)];
        let mut snapshot = Snapshot::default();
        snapshot.gauge(&names::KEYS_AGE, &["a\"b\\c\nd"], 1.5);
        snapshot.counter(&names::CACHE_HITS, &["api", "https://a.test"], 7);
        let buckets = Buckets::new(BOUNDS, vec![2, 0, 1], Duration::from_millis(5));
        snapshot.histogram(&names::VERIFICATION, &["api"], buckets);
        assert_eq!(
            snapshot.to_prometheus(),
            "# HELP portcullis_cache_hits_total Admitted requests whose credential was found in the cache and did not have to be verified.\n\
             # TYPE portcullis_cache_hits_total counter\n\
             portcullis_cache_hits_total{layer=\"api\",issuer=\"https://a.test\"} 7\n\
             # HELP portcullis_keys_age_seconds Time since the issuer was last seen to publish these keys.\n\
             # TYPE portcullis_keys_age_seconds gauge\n\
             portcullis_keys_age_seconds{source=\"a\\\"b\\\\c\\nd\"} 1.5\n\
             # HELP portcullis_verification_seconds How long it took to verify a credential that was not cached, including the wait for its keys.\n\
             # TYPE portcullis_verification_seconds histogram\n\
             portcullis_verification_seconds_bucket{layer=\"api\",le=\"0.00001\"} 2\n\
             portcullis_verification_seconds_bucket{layer=\"api\",le=\"0.001\"} 2\n\
             portcullis_verification_seconds_bucket{layer=\"api\",le=\"+Inf\"} 3\n\
             portcullis_verification_seconds_sum{layer=\"api\"} 0.005\n\
             portcullis_verification_seconds_count{layer=\"api\"} 3\n"
        );
    }

    #[test]
    fn a_series_without_labels_has_no_braces() {
        static PLAIN: Metric = Metric::gauge("plain", "Plain.", &[]);
        let mut snapshot = Snapshot::default();
        snapshot.gauge(&PLAIN, &[], 2.0);
        assert!(snapshot.to_prometheus().ends_with("\nplain 2\n"));
    }
}
