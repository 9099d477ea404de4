//! Tests what is counted, under which names, and that no request can add a series.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use portcullis::{
    AuthLayer, JwtAuthenticator, RequireLayer,
    clock::UnixTime,
    issuers::Issuers,
    keys::{KeyHint, KeySource, Resolved},
    location::HttpHeader,
    metrics::{Metric, MetricKind, Snapshot, Telemetry, Value, names},
    requirement::scope,
};
use portcullis_test::{MockIssuer, MockKeys};
use proptest::prelude::*;
use tower::{Layer, ServiceExt, service_fn};

async fn handler(_: Request<()>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(String::new()))
}

/// Sends a request with this credential, if any, through the layer and a guard for the scope `read`.
async fn send(layer: &AuthLayer, token: Option<&str>) -> StatusCode {
    let guard = RequireLayer::new(scope("read"));
    let service = layer.layer(guard.layer(service_fn(handler)));
    let mut request = Request::builder();
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    service.oneshot(request.body(()).unwrap()).await.unwrap().status()
}

fn count(snapshot: &Snapshot, metric: &Metric, labels: &[&str]) -> u64 {
    match snapshot.value(metric.name(), labels) {
        Some(Value::Counter(count)) => *count,
        Some(other) => panic!("{other:?}"),
        None => 0,
    }
}

fn verifications(snapshot: &Snapshot, layer: &str) -> u64 {
    match snapshot.value(names::VERIFICATION.name(), &[layer]) {
        Some(Value::Histogram(buckets)) => buckets.count(),
        other => panic!("{other:?}"),
    }
}

/// Returns the number of requests that a layer has decided.
fn requests(snapshot: &Snapshot) -> u64 {
    let of_requests = snapshot.samples().iter().filter(|sample| sample.metric.name() == names::REQUESTS.name());
    of_requests.map(|sample| if let Value::Counter(count) = sample.value { count } else { 0 }).sum()
}

#[tokio::test]
async fn every_request_is_counted_once_by_its_outcome() {
    let issuer = MockIssuer::new();
    let telemetry = Telemetry::new();
    let layer = AuthLayer::new(issuer.admission()).telemetry(&telemetry, "api");
    let good = issuer.token().scope("read").sign();

    assert_eq!(send(&layer, Some(&good)).await, 200);
    assert_eq!(send(&layer, Some(&good)).await, 200);
    assert_eq!(send(&layer, Some(&issuer.token().scope("other").sign())).await, 403);
    assert_eq!(send(&layer, Some(&MockIssuer::new().token().scope("read").sign())).await, 401);
    assert_eq!(send(&layer, Some(&MockIssuer::new().named("https://elsewhere.test").token().sign())).await, 401);
    assert_eq!(send(&layer, None).await, 401);

    let (snapshot, name) = (telemetry.snapshot(), issuer.name());
    let of =
        |issuer: &str, result: &str, code: &str| count(&snapshot, &names::REQUESTS, &["api", issuer, result, code]);
    assert_eq!(of(name, "admitted", ""), 3);
    assert_eq!(of(name, "refused", "signature_invalid"), 1, "it named the issuer, and was not its own");
    assert_eq!(of("none", "refused", "issuer_not_trusted"), 1);
    assert_eq!(of("none", "refused", "credential_missing"), 1);
    assert_eq!(requests(&snapshot), 6);
    assert_eq!(count(&snapshot, &names::CACHE_HITS, &["api", name]), 1);
    assert_eq!(count(&snapshot, &names::GUARD_REFUSALS, &["api", "scope_missing"]), 1);
    assert_eq!(verifications(&snapshot, "api"), 4, "neither the hit nor the request without a token");
}

#[tokio::test]
async fn an_optional_layer_counts_anonymous_requests_separately() {
    let issuer = MockIssuer::new();
    let telemetry = Telemetry::new();
    let layer = AuthLayer::new(issuer.admission()).optional().telemetry(&telemetry, "api");
    assert_eq!(send(&layer, None).await, 401, "the guard refuses it");
    let snapshot = telemetry.snapshot();
    assert_eq!(count(&snapshot, &names::REQUESTS, &["api", "none", "anonymous", ""]), 1);
    assert_eq!(count(&snapshot, &names::GUARD_REFUSALS, &["api", "credential_missing"]), 1);
    assert_eq!(requests(&snapshot), 1);
    // A bad token is none that is missing: the layer refuses it, and no guard is asked.
    assert_eq!(send(&layer, Some("bad")).await, 401);
    let snapshot = telemetry.snapshot();
    assert_eq!(count(&snapshot, &names::REQUESTS, &["api", "none", "anonymous", ""]), 1);
    assert_eq!(count(&snapshot, &names::GUARD_REFUSALS, &["api", "credential_missing"]), 1);
    assert_eq!(requests(&snapshot), 2);
}

#[tokio::test]
async fn a_layer_without_telemetry_counts_nothing_and_decides_the_same() {
    let issuer = MockIssuer::new();
    let telemetry = Telemetry::new();
    let layer = AuthLayer::new(issuer.admission());
    assert_eq!(send(&layer, Some(&issuer.token().scope("read").sign())).await, 200);
    assert!(telemetry.snapshot().samples().is_empty());
}

/// A key source whose keys arrive later.
#[derive(Debug)]
struct Later(MockKeys);

impl KeySource for Later {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        let answer = self.0.resolve(hint, now);
        Resolved::waiting(async move {
            tokio::task::yield_now().await;
            answer
        })
    }
}

#[tokio::test]
async fn a_request_that_waits_for_keys_is_counted_when_it_is_decided() {
    let issuer = MockIssuer::new();
    let telemetry = Telemetry::new();
    let trusted = issuer.trusted_with(Later(issuer.keys()));
    let layer = AuthLayer::new(JwtAuthenticator::new(trusted).unwrap()).telemetry(&telemetry, "api");
    assert_eq!(send(&layer, Some(&issuer.token().scope("read").sign())).await, 200);
    let forged = MockIssuer::new().token().scope("read").header("kid", issuer.key_id()).sign();
    assert_eq!(send(&layer, Some(&forged)).await, 401);
    let snapshot = telemetry.snapshot();
    assert_eq!(count(&snapshot, &names::REQUESTS, &["api", issuer.name(), "admitted", ""]), 1);
    assert_eq!(count(&snapshot, &names::REQUESTS, &["api", issuer.name(), "refused", "signature_invalid"]), 1);
    assert_eq!(count(&snapshot, &names::CACHE_HITS, &["api", issuer.name()]), 0);
    assert_eq!(verifications(&snapshot, "api"), 2);
}

#[tokio::test]
async fn issuers_added_later_are_dynamic_and_those_of_a_second_location_have_a_row() {
    let (first, second, later) = (
        MockIssuer::new().named("https://first.test"),
        MockIssuer::new().named("https://second.test"),
        MockIssuer::new().named("https://later.test"),
    );
    let telemetry = Telemetry::new();
    let issuers = Issuers::new([first.trusted()]).unwrap();
    let layer = AuthLayer::new(JwtAuthenticator::issuers(issuers.clone()))
        .telemetry(&telemetry, "api")
        .or_at(HttpHeader::new("x-token").unwrap(), second.admission())
        .unwrap();
    issuers.insert(later.trusted()).unwrap();
    for issuer in [&first, &later] {
        assert_eq!(send(&layer, Some(&issuer.token().scope("read").sign())).await, 200);
    }
    let snapshot = telemetry.snapshot();
    let admitted = |issuer: &str| snapshot.value("portcullis_requests_total", &["api", issuer, "admitted", ""]);
    assert_eq!(admitted("https://first.test"), Some(&Value::Counter(1)));
    assert_eq!(admitted("https://second.test"), Some(&Value::Counter(0)), "there from the start");
    assert_eq!(admitted("dynamic"), Some(&Value::Counter(1)));
    assert_eq!(admitted("https://later.test"), None);
    // An issuer that is replaced keeps its row.
    issuers.insert(first.trusted()).unwrap();
    assert_eq!(send(&layer, Some(&first.token().scope("read").subject("b").sign())).await, 200);
    assert_eq!(count(&telemetry.snapshot(), &names::REQUESTS, &["api", "https://first.test", "admitted", ""]), 2);
}

#[tokio::test]
async fn two_layers_of_one_name_are_counted_together() {
    let issuer = MockIssuer::new();
    let telemetry = Telemetry::new();
    let layers = [(); 2].map(|()| AuthLayer::new(issuer.admission()).telemetry(&telemetry, "api"));
    let other = AuthLayer::new(issuer.admission()).telemetry(&telemetry, "admin");
    let token = issuer.token().scope("read").sign();
    for layer in layers.iter().chain([&other]) {
        assert_eq!(send(layer, Some(&token)).await, 200);
    }
    let snapshot = telemetry.snapshot();
    assert_eq!(count(&snapshot, &names::REQUESTS, &["api", issuer.name(), "admitted", ""]), 2);
    assert_eq!(count(&snapshot, &names::REQUESTS, &["admin", issuer.name(), "admitted", ""]), 1);
}

/// Random requests never increase the number of series beyond what is known at start.
#[test]
fn no_request_adds_a_series() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let issuer = MockIssuer::new();
    let telemetry = Telemetry::new();
    let layer = AuthLayer::new(issuer.admission()).optional().telemetry(&telemetry, "api");
    let limit = telemetry.max_series();
    let token = (".{0,12}", ".{0,12}", any::<bool>()).prop_map(|(issuer, key, is_whole)| {
        let token = MockIssuer::new().named(issuer).token().header("kid", key).scope("read").sign();
        if is_whole { token } else { token[1..].to_owned() }
    });
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(token in token)| {
        runtime.block_on(send(&layer, Some(&token)));
    });
    let snapshot = telemetry.snapshot();
    assert_eq!(requests(&snapshot), 2_000);
    assert!(snapshot.samples().len() < limit, "{} of at most {limit}", snapshot.samples().len());
    let known = ["api", "none", "dynamic", issuer.name(), ""];
    for sample in snapshot.samples().iter().filter(|sample| sample.metric.name() == names::REQUESTS.name()) {
        assert!(known.contains(&&*sample.labels[1]), "{sample:?}");
    }
}

#[test]
fn the_page_lists_every_metric_with_kind_labels_and_meaning() {
    let (page, _alarms) = include_str!("../docs/metrics.md").split_once("# Alarms").unwrap();
    let rows: Vec<String> = page.lines().filter(|line| line.starts_with("| `portcullis_")).map(str::to_owned).collect();
    let expected = names::ALL.iter().map(|metric| {
        let labels: Vec<String> = metric.labels().iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, help) = (metric.name(), metric.kind().as_str(), metric.help());
        format!("| `{name}` | {kind} | {} | {help} |", labels.join(", "))
    });
    assert_eq!(rows, expected.collect::<Vec<_>>());
    assert!(names::ALL.iter().any(|metric| metric.kind() == MetricKind::Histogram));
}

#[test]
fn telemetry_and_its_snapshot_show_no_configuration() {
    let telemetry = Telemetry::new();
    let issuer = MockIssuer::new();
    let _layer = AuthLayer::new(issuer.admission()).telemetry(&telemetry, "api");
    assert_eq!(format!("{telemetry:?}"), "Telemetry { layers: 1, .. }");
}

/// An application's own counter is read in the same scrape.
#[test]
fn watched_sources_are_in_every_snapshot() {
    static FIGURE: Metric = Metric::gauge("shop_open", "1 if the shop is open.", &["source"]);
    struct Shop;
    impl portcullis::metrics::Measured for Shop {
        fn measure(&self, source: &str, snapshot: &mut Snapshot) {
            snapshot.gauge(&FIGURE, &[source], 1.0);
        }
    }
    let telemetry = Telemetry::new();
    telemetry.watch("main street", Shop);
    let text = telemetry.snapshot().to_prometheus();
    assert!(text.contains("\nshop_open{source=\"main street\"} 1\n"), "{text}");
}

#[cfg(feature = "metrics")]
#[test]
fn the_recorder_of_the_crate_metrics_gets_the_same_values() {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let issuer = MockIssuer::new();
    let telemetry = Telemetry::new();
    let layer = AuthLayer::new(issuer.admission()).telemetry(&telemetry, "api");
    let token = issuer.token().scope("read").sign();
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        for _ in 0..3 {
            assert_eq!(runtime.block_on(send(&layer, Some(&token))), 200);
            telemetry.publish(); // publishing more often must not change anything
        }
    });
    let published = recorder.snapshotter().snapshot().into_vec();
    let value = |name: &str, label: Option<(&str, &str)>| {
        let found = published.iter().find(|(key, ..)| {
            key.key().name() == name
                && label.is_none_or(|(name, value)| {
                    key.key().labels().any(|label| label.key() == name && label.value() == value)
                })
        });
        found.map(|(.., value)| match value {
            DebugValue::Counter(count) => *count,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(value("portcullis_requests_total", Some(("result", "admitted"))), Some(3));
    assert_eq!(value("portcullis_cache_hits_total", None), Some(2));
    assert_eq!(value("portcullis_verification_seconds_count", None), Some(1));
    assert_eq!(value("portcullis_verification_seconds_bucket", Some(("le", "+Inf"))), Some(1));
}

#[cfg(feature = "opentelemetry")]
#[test]
fn a_meter_provider_of_opentelemetry_reads_the_same_values() {
    use opentelemetry_sdk::metrics::{
        InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
        data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics, SumDataPoint},
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(exporter.clone()).build()).build();
    opentelemetry::global::set_meter_provider(provider.clone());
    let issuer = MockIssuer::new();
    let telemetry = Telemetry::new();
    let layer = AuthLayer::new(issuer.admission()).telemetry(&telemetry, "api");
    telemetry.observe();
    let token = issuer.token().scope("read").sign();
    for _ in 0..3 {
        assert_eq!(runtime.block_on(send(&layer, Some(&token))), 200);
    }
    provider.force_flush().unwrap();
    let exported = exporter.get_finished_metrics().unwrap();
    let all = exported.iter().flat_map(ResourceMetrics::scope_metrics).flat_map(ScopeMetrics::metrics);
    let counts: Vec<(String, u64)> = all
        .filter_map(|metric| match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                Some((metric.name().to_owned(), sum.data_points().map(SumDataPoint::value).sum()))
            }
            _ => None,
        })
        .collect();
    let of = |name: &str| counts.iter().find(|(found, _)| found == name).map(|(_, count)| *count);
    assert_eq!(of("portcullis_requests_total"), Some(3));
    assert_eq!(of("portcullis_cache_hits_total"), Some(2));
    assert_eq!(of("portcullis_verification_seconds_count"), Some(1));
}
