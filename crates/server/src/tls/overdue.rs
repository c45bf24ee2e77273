//! Revocation lists whose successors do not come: the owner is told while they still count, and again when they no longer
//! do.

use super::Tls;
use misy_domain::{Clock, SystemClock, Timestamp};
use misy_front_desk::{FrontDesk, privilege::alert_owner};
use misy_store::alerts::Severity;
use misy_trust::{Currency, RevocationList};
use serde_json::json;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often the lists are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What is told of a list.
struct Told {
    rule: &'static str,
    severity: Severity,
    occurrence: String,
}

impl Told {
    fn of(list: &RevocationList, currency: Currency, listener: &str) -> Option<Self> {
        let (rule, severity) = match currency {
            Currency::Current => return None,
            Currency::Overdue => ("revocation_list_overdue", Severity::Warning),
            Currency::Outdated => ("revocation_list_outdated", Severity::Critical),
        };
        let due = list.due_at.map(Timestamp::as_second).unwrap_or_default();
        Some(Self { rule, severity, occurrence: format!("{listener}/{}/{due}", list.issuer_name) })
    }
}

/// Watches the lists of a listener until told to stop.
pub(crate) async fn watch(tls: Arc<Tls>, listener: &'static str, desk: FrontDesk, stop: CancellationToken) {
    let (mut logged, mut alerted) = (HashSet::new(), HashSet::new());
    loop {
        let loaded = tls.now();
        let lists = loaded.authorities.as_ref().map(|authorities| authorities.lists.clone());
        let (mut overdue, mut outdated) = (0_u32, 0_u32);
        for (list, currency) in lists.iter().flat_map(|lists| lists.standings(SystemClock.now())) {
            overdue += u32::from(currency == Currency::Overdue);
            outdated += u32::from(currency == Currency::Outdated);
            let Some(Told { rule, severity, occurrence }) = Told::of(list, currency, listener) else {
                continue;
            };
            let known = (rule, occurrence.clone());
            if logged.insert(known.clone()) {
                let (authority, due) = (&list.issuer_name, list.due_at.map(|due| due.to_string()));
                warn!(listener, authority, due, rule, "a revocation list was not renewed in time");
            }
            if alerted.contains(&known) {
                continue;
            }
            let detail = json!({ "listener": listener, "dueAt": list.due_at, "madeAt": list.made_at });
            match alert_owner(&desk, rule, severity, occurrence, list.issuer_name.clone(), detail).await {
                Ok(true) => {
                    alerted.insert(known);
                }
                // There is no owner yet.
                Ok(false) => {}
                Err(error) => warn!(%error, rule, "the owner could not be alerted; tried again in a moment"),
            }
        }
        metrics::gauge!("misy_revocation_lists", "listener" => listener, "state" => "overdue").set(overdue);
        metrics::gauge!("misy_revocation_lists", "listener" => listener, "state" => "outdated").set(outdated);
        if stop.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN)).await.is_none() {
            return;
        }
    }
}
