//! What `/metrics` shows, as OTLP: counted once, told twice, so the two can never disagree.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
        ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point::Value,
    },
    resource,
};
use opentelemetry_sdk::Resource;
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

/// A line of the text: name, labels, value.
type Line<'a> = (&'a str, Vec<(&'a str, String)>, f64);

/// The text of Prometheus as a message of OTLP. The text is our own, so a line that does not fit is left out.
pub(super) fn to_otlp(
    text: &str,
    resource: &Resource,
    began: SystemTime,
    now: SystemTime,
) -> ExportMetricsServiceRequest {
    let times = (nanos(began), nanos(now));
    let (mut metrics, mut rest) = (Vec::new(), text);
    // Each metric begins with its type and ends before the next one's.
    while let Some((_, after)) = rest.split_once("# TYPE ") {
        let (head, body) = after.split_once('\n').unwrap_or((after, ""));
        let end = body.find("# ").unwrap_or(body.len());
        let lines = body.get(..end).unwrap_or_default().lines().filter_map(read);
        if let Some((name, kind)) = head.split_once(' ') {
            metrics.extend(metric(name, kind, lines, times));
        }
        rest = after;
    }
    let scope = InstrumentationScope { name: "misy".into(), ..InstrumentationScope::default() };
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }];
    let attributes =
        resource.iter().map(|(key, value)| attribute(key.as_str(), value.as_str().into())).collect();
    let resource = resource::v1::Resource { attributes, ..resource::v1::Resource::default() };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics,
            ..ResourceMetrics::default()
        }],
    }
}

fn metric<'a>(
    name: &str,
    kind: &str,
    lines: impl Iterator<Item = Line<'a>>,
    times: (u64, u64),
) -> Option<Metric> {
    let temporality = AggregationTemporality::Cumulative.into();
    let data = match kind {
        "counter" => Data::Sum(Sum {
            data_points: lines.map(|line| number(line, times)).collect(),
            aggregation_temporality: temporality,
            is_monotonic: true,
        }),
        "gauge" => Data::Gauge(Gauge { data_points: lines.map(|line| number(line, times)).collect() }),
        "histogram" => Data::Histogram(Histogram {
            data_points: histograms(name, lines, times),
            aggregation_temporality: temporality,
        }),
        _ => return None,
    };
    let known = misy_telemetry::metrics::ALL.iter().find(|metric| metric.name == name);
    Some(Metric {
        name: name.to_owned(),
        description: known.map_or_else(String::new, |metric| metric.meaning.to_owned()),
        unit: if name.ends_with("_seconds") { "s".into() } else { "1".into() },
        data: Some(data),
        ..Metric::default()
    })
}

fn number((_, labels, value): Line<'_>, (began, now): (u64, u64)) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: began,
        time_unix_nano: now,
        value: Some(Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

/// Buckets of Prometheus hold what is less or equal, each with all before it; those of OTLP hold their own.
fn histograms<'a>(
    name: &str,
    lines: impl Iterator<Item = Line<'a>>,
    (began, now): (u64, u64),
) -> Vec<HistogramDataPoint> {
    let mut points: BTreeMap<Vec<(&str, String)>, (HistogramDataPoint, u64)> = BTreeMap::new();
    for (line, mut labels, value) in lines {
        let of = line.strip_prefix(name).unwrap_or_default();
        let bound = labels.iter().position(|(label, _)| *label == "le").map(|place| labels.remove(place).1);
        let (point, before) = points.entry(labels).or_default();
        match (of, bound) {
            ("_sum", _) => point.sum = Some(value),
            ("_count", _) => point.count = whole(value),
            ("_bucket", Some(bound)) => {
                let through = whole(value);
                point.bucket_counts.push(through.saturating_sub(*before));
                *before = through;
                // The last one has no bound.
                point.explicit_bounds.extend(bound.parse::<f64>().ok().filter(|bound| bound.is_finite()));
            }
            _ => {}
        }
    }
    let finish =
        |(labels, (point, _)): (Vec<(&str, String)>, (HistogramDataPoint, u64))| HistogramDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: began,
            time_unix_nano: now,
            ..point
        };
    points.into_iter().map(finish).collect()
}

/// A line of the text.
fn read(line: &str) -> Option<Line<'_>> {
    let (head, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    let Some((name, labels)) = head.split_once('{') else { return Some((head, Vec::new(), value)) };
    let (mut found, mut rest) = (Vec::new(), labels.strip_suffix('}')?);
    while let Some((label, after)) = rest.split_once("=\"") {
        let (text, left) = quoted(after)?;
        found.push((label, text));
        rest = left.strip_prefix(',').unwrap_or(left);
    }
    Some((name, found, value))
}

/// The text up to the quotation mark that ends it, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut found = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Some((found, text.get(place + 1..)?)),
            '\\' => match letters.next()?.1 {
                'n' => found.push('\n'),
                other => found.push(other),
            },
            other => found.push(other),
        }
    }
    None
}

fn attributes(labels: Vec<(&str, String)>) -> Vec<KeyValue> {
    labels.into_iter().map(|(label, text)| attribute(label, text)).collect()
}

fn attribute(key: &str, text: String) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(text)) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// Counts are whole, and far below 2^52.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are small and not negative"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
