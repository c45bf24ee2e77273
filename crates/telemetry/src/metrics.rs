//! All metrics. A test of the server compares this table with the code and with docs/METRICS.md, each in both directions.
//!
//! A metric has labels of few values only: a tenant is never one, as that would be a series per tenant.

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A number as it is now.
    Gauge,
    /// How often which values occurred.
    Histogram,
}

impl Kind {
    /// As it stands in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name; begins with `misy_`.
    pub name: &'static str,
    /// What it measures.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub meaning: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, labels, meaning }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, meaning }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, labels, meaning }
}

/// All metrics, by name.
pub const ALL: &[Metric] = &[
    counter(
        "misy_agent_runs_total",
        &["outcome"],
        "runs of agents that wait for something outside: `answered`, `waiting`, `not_permitted` (no permission or no AI tokens left; the built-in agents answered), `interrupted` (the contact wrote again), `late`, `failed`",
    ),
    histogram("misy_agents_wait_seconds", &[], "how long turns and context packs waited for a thread"),
    counter("misy_alerts_total", &["rule"], "alerts raised"),
    gauge("misy_answers_held_bytes", &[], "bytes of large answers that their readers have not taken yet"),
    counter("misy_answers_without_room_total", &[], "answers for which there was no room in memory"),
    counter(
        "misy_audit_entries_taken_total",
        &[],
        "audit entries under whose ids somebody had put others; they stand under other ids",
    ),
    counter("misy_audit_quarantined_total", &[], "audit entries that could not be sealed and were set aside"),
    counter("misy_bodies_without_room_total", &[], "requests whose body found no room in memory"),
    counter(
        "misy_client_certificates_refused_total",
        &["reason"],
        "requests with a client certificate that no longer counts",
    ),
    counter(
        "misy_connections_cut_total",
        &["reason"],
        "`stalled`: the peer took nothing; `slow_reader`: where as much of answers was held as may be, it took longest; `ended`: it was cut from within, as a slow reader or since a live stream was no longer served; `crowded`: another needed the place",
    ),
    counter("misy_connections_refused_total", &["reason"], "`all` or `address`: no place"),
    counter(
        "misy_forwarded_addresses_unreadable_total",
        &[],
        "addresses from a trusted proxy in a form that is not known",
    ),
    counter(
        "misy_guesses_without_room_total",
        &[],
        "guesses that were refused because there was no room to remember them",
    ),
    counter(
        "misy_http_refusals_total",
        &["reason"],
        "refused calls by reason; by tenant they are in `…/usage/refusals`",
    ),
    histogram("misy_http_request_duration_seconds", &["route", "method"], "how long answers took"),
    counter("misy_http_requests_total", &["route", "method", "status"], "answered requests"),
    counter("misy_internal_changes_told_total", &["outcome"], "changes that peers were told of"),
    counter("misy_internal_refusals_total", &["reason"], "why a caller of the internal address was refused"),
    counter(
        "misy_keys_set_aside_total",
        &["table"],
        "keys that are none of this installation's and are not used",
    ),
    gauge("misy_live_connections", &[], "live streams now"),
    gauge("misy_loop_failing", &["name"], "1 while the last round of a loop in this process failed"),
    counter("misy_loop_rounds_total", &["name", "outcome"], "rounds of loops by end: `done` or `failed`"),
    histogram("misy_loop_seconds", &["name"], "how long rounds of loops took"),
    counter(
        "misy_mails_refused_total",
        &["cause"],
        "mails beyond what a tenant or a person may get in an hour",
    ),
    counter("misy_passkey_clones_total", &[], "passkeys whose counter went back: somebody may have a copy"),
    histogram("misy_queue_age_seconds", &[], "how long the oldest message of a turn had waited"),
    counter(
        "misy_redis_failures_total",
        &["kind"],
        "calls that Redis did not answer: `late`, `error`, or `lost` before; `refused` and `answer` concern one call and are no loss",
    ),
    counter(
        "misy_redis_letters_refused_total",
        &[],
        "letters between replicas that no replica of this installation wrote",
    ),
    counter("misy_redis_news_dropped_total", &[], "news that other replicas were not told"),
    histogram("misy_redis_seconds", &[], "how long Redis took"),
    gauge("misy_redis_up", &[], "1 while Redis answers"),
    gauge(
        "misy_revocation_lists",
        &["listener", "state"],
        "revocation lists that are `overdue`, and those that are `outdated` and count no more",
    ),
    counter(
        "misy_rotations_not_begun_total",
        &[],
        "rotations of data keys that are due by age and could not begin",
    ),
    counter(
        "misy_second_connections_total",
        &["transaction"],
        "connections taken inside a transaction, which may wait for each other: a mistake in the program",
    ),
    counter(
        "misy_tenant_shares_spent_total",
        &[],
        "calls that were refused because their tenant held all of its share of connections",
    ),
    counter("misy_tls_handshakes_failed_total", &["reason"], "`refused` or `timeout`"),
    histogram(
        "misy_transaction_seconds",
        &["transaction"],
        "how long transactions took, with those done again",
    ),
    counter(
        "misy_transactions_total",
        &["transaction", "outcome"],
        "transactions by end: `committed`, `rolled_back`, or `repeated` as they collided with others",
    ),
    histogram("misy_turn_steps", &[], "what turns cost in steps"),
    counter(
        "misy_turns_limited_total",
        &[],
        "turns that waited or went to a person because of an agent's limit",
    ),
    counter(
        "misy_turns_spent_total",
        &["of"],
        "turns that ran out of their budget of `steps` or `time` and went to a person; the tenant gets the alert `turn_budget`, once an hour",
    ),
    counter("misy_unreadable_rows_total", &["what"], "rows that cannot be read and are passed over"),
    histogram("misy_work_seconds", &["kind"], "how long work took that was done"),
    counter(
        "misy_work_total",
        &["kind", "outcome"],
        "work by kind (`conversation`, `delivery`, `mail`, `key_rotation`) and end: `done`, `failed` (tried again), `lost` (another worker took over), `dead` (given up)",
    ),
    gauge("misy_worker_aside", &["kind"], "how much of the work waits for somebody else and takes no place"),
    gauge("misy_worker_busy", &["kind"], "how much the worker works on now"),
    counter("misy_worker_claim_errors_total", &["kind"], "claims of work that failed"),
    histogram("misy_worker_claim_seconds", &["kind"], "how long claims of work took"),
    counter("misy_worker_claimed_total", &["kind"], "work that was claimed"),
];

#[cfg(test)]
mod tests {
    use super::{ALL, Kind};

    #[test]
    fn names_tell_what_a_metric_is() {
        assert!(ALL.is_sorted_by(|one, other| one.name < other.name), "by name, each once");
        for metric in ALL {
            assert!(metric.name.starts_with("misy_"), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
        }
    }
}
