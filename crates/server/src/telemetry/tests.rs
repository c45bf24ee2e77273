//! Metrics: the code, the table and the documentation say the same; OTLP says what `/metrics` says.

use super::prometheus::to_otlp;
use misy_telemetry::metrics::{ALL, Kind};
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};
use opentelemetry_sdk::Resource;
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// docs/METRICS.md as the table says it.
fn page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         `/metrics` speaks Prometheus; the same numbers go to the receiver of `MISY_OTLP_ENDPOINT`. No label is a tenant, as that\n\
         would be a series per tenant: those numbers are in `…/usage` and in traces.\n\n\
         Written from the code: `MISY_WRITE_DOCS=1 cargo nextest run -p misy-server metrics`.\n\n\
         | metric | kind | tells |\n| --- | --- | --- |\n",
    );
    for metric in ALL {
        let labels = metric.labels.join(", ");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let (kind, meaning) = (metric.kind.as_str(), metric.meaning);
        writeln!(page, "| `{}{labels}` | {kind} | {meaning} |", metric.name).unwrap_or_default();
    }
    page
}

#[test]
fn every_metric_stands_in_the_documentation_and_nothing_else() {
    let path = root().join("docs/METRICS.md");
    if std::env::var_os("MISY_WRITE_DOCS").is_some() {
        fs::write(&path, page()).expect("the page can be written");
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == page(),
        "docs/METRICS.md is not what the code says: MISY_WRITE_DOCS=1 cargo nextest run -p misy-server metrics"
    );
}

/// Names and labels of all metrics that the code counts, by where it does.
fn counted() -> BTreeMap<(String, Kind), (Vec<String>, PathBuf)> {
    let mut found = BTreeMap::new();
    let crates = fs::read_dir(root().join("crates")).expect("the crates");
    let mut left: Vec<PathBuf> = crates.map(|entry| entry.expect("an entry").path().join("src")).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.is_file() {
            let text = fs::read_to_string(&path).expect("code");
            for (word, kind) in
                [("counter", Kind::Counter), ("gauge", Kind::Gauge), ("histogram", Kind::Histogram)]
            {
                for call in text.split(&format!("{word}!(")).skip(1) {
                    let call = call.trim_start();
                    // Whatever is counted under another name than a literal one cannot be found here.
                    let Some(call) = call.strip_prefix('"') else {
                        assert!(path.ends_with("telemetry.rs"), "a name that is no text: {}", path.display());
                        continue;
                    };
                    let (name, rest) = call.split_once('"').expect("an end of the name");
                    let labels = labels(rest);
                    found.insert((name.to_owned(), kind), (labels, path.clone()));
                }
            }
        }
    }
    found
}

/// The labels of a call, from behind its name: texts that an arrow follows.
fn labels(call: &str) -> Vec<String> {
    let mut open = 1;
    let end = call.find(|letter| {
        open += i32::from(letter == '(') - i32::from(letter == ')');
        open == 0
    });
    let arguments: Vec<&str> = call.get(..end.unwrap_or_default()).unwrap_or_default().split('"').collect();
    let texts = arguments.windows(2).skip(1).step_by(2);
    texts.filter(|pair| pair[1].trim_start().starts_with("=>")).map(|pair| pair[0].to_owned()).collect()
}

#[test]
fn every_metric_of_the_code_stands_in_the_table_and_every_one_of_the_table_is_counted() {
    let counted = counted();
    for ((name, kind), (labels, path)) in &counted {
        let metric = ALL.iter().find(|metric| metric.name == *name && metric.kind == *kind);
        let metric = metric.unwrap_or_else(|| panic!("{name} of {} is not in the table", path.display()));
        assert_eq!(metric.labels, labels, "the labels of {name} in {}", path.display());
    }
    for metric in ALL {
        let is_counted = counted.contains_key(&(metric.name.to_owned(), metric.kind));
        assert!(is_counted, "nothing counts {}", metric.name);
    }
}

#[test]
fn otlp_says_of_metrics_what_prometheus_says() {
    let text = "# HELP misy_turns_total turns\n# TYPE misy_turns_total counter\n\
                misy_turns_total{outcome=\"done\"} 3\nmisy_turns_total{outcome=\"a\\\"b, c\"} 1\n\n\
                # TYPE misy_redis_up gauge\nmisy_redis_up 1\n\n\
                # TYPE misy_turn_seconds histogram\n\
                misy_turn_seconds_bucket{le=\"0.1\"} 2\nmisy_turn_seconds_bucket{le=\"1\"} 5\n\
                misy_turn_seconds_bucket{le=\"+Inf\"} 6\nmisy_turn_seconds_sum 4.5\nmisy_turn_seconds_count 6\n";
    let (began, now) = (UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(1));
    let message = to_otlp(text, &Resource::builder_empty().build(), began, now);
    let metrics = &message.resource_metrics[0].scope_metrics[0].metrics;
    assert_eq!(metrics.len(), 3);
    let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("a sum") };
    let told: Vec<_> = sum
        .data_points
        .iter()
        .map(|point| (point.attributes[0].value.clone(), point.value, point.time_unix_nano))
        .collect();
    assert!(sum.is_monotonic && told.len() == 2, "{told:?}");
    assert_eq!((told[0].1, told[1].1), (Some(Value::AsDouble(3.0)), Some(Value::AsDouble(1.0))));
    assert_eq!(told[0].2, 1_000_000_000);
    assert!(format!("{:?}", told[1].0).contains("a\\\"b, c"), "{told:?}");
    let Some(Data::Histogram(histogram)) = &metrics[2].data else { panic!("a histogram") };
    let point = &histogram.data_points[0];
    assert_eq!((point.count, point.sum), (6, Some(4.5)));
    assert_eq!((&*point.bucket_counts, &*point.explicit_bounds), (&[2, 3, 1][..], &[0.1, 1.0][..]));
}
