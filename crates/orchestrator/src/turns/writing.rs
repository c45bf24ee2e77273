//! What an agent writes while it runs, for whoever looks on.

use misy_agents::agent::Writing;
use misy_domain::{ConversationId, MessageOrigin, TenantId};
use misy_store::{
    Bell,
    bell::{Agent, MOST_WRITTEN, Written},
    leases::Lease,
    sessions::ConversationStatus,
    turns::{Conversations, TurnWork},
};
use std::{
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time};

/// It is shown no oftener than this.
const PAUSE: Duration = Duration::from_millis(100);
/// Longer texts are shown less often: so many bytes a second at most.
const BYTES_A_SECOND: u32 = 32 * 1024;

/// Shows what an agent writes. It belongs to one run and ends with it: nothing is shown of a run that was cancelled.
pub(super) struct Shown<'a> {
    /// Nobody looks on where it is not there.
    to: Option<To<'a>>,
    text: Mutex<Text>,
    more: Notify,
}

struct To<'a> {
    bell: &'a Bell,
    tenant: &'a TenantId,
    conversation: ConversationId,
    turn: i64,
    agent: Agent,
}

#[derive(Default)]
struct Text {
    written: String,
    /// It became too long; the message has the rest.
    is_full: bool,
}

impl<'a> Shown<'a> {
    /// Live events follow sessions of the web. Where a person has taken over, no machine is seen writing.
    pub(super) fn of(bell: &'a Bell, lease: &'a Lease<Conversations>, work: &TurnWork, agent: &str) -> Self {
        let is_seen =
            matches!(work.origin, MessageOrigin::Session(_)) && work.status != ConversationStatus::Handoff;
        let to = Agent::named(agent).filter(|_| is_seen).map(|agent| To {
            bell,
            tenant: &lease.tenant,
            conversation: lease.id,
            turn: lease.fence,
            agent,
        });
        Self { to, text: Mutex::default(), more: Notify::new() }
    }

    /// Shows what is written, as long as it is polled.
    pub(super) async fn tell(&self) -> Infallible {
        loop {
            self.more.notified().await;
            let Some(to) = &self.to else { continue };
            let text = self.text.lock().unwrap_or_else(PoisonError::into_inner).written.clone();
            let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
            to.bell.show(
                to.tenant,
                to.conversation,
                Written { agent: to.agent, turn: to.turn, text: text.into() },
            );
            time::sleep(PAUSE.max(Duration::from_secs(1) * bytes / BYTES_A_SECOND)).await;
        }
    }
}

impl Writing for Shown<'_> {
    fn wrote(&self, text: &str) {
        if self.to.is_none() || text.is_empty() {
            return;
        }
        let mut all = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_full {
            return;
        }
        let room = MOST_WRITTEN - all.written.len();
        all.is_full = text.len() > room;
        all.written.push_str(&text[..text.floor_char_boundary(room)]);
        drop(all);
        self.more.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_at_once_is_shown_at_once_and_no_more_than_fits() {
        let (bell, tenant) = (Bell::default(), "andina".parse().unwrap());
        let conversation = ConversationId::from_bytes([7; 16]);
        let mut listener = bell.listen(&tenant, conversation);
        let to = To { bell: &bell, tenant: &tenant, conversation, turn: 1, agent: Agent::Support };
        let shown = Shown { to: Some(to), text: Mutex::default(), more: Notify::new() };
        for _ in 0..1_000 {
            shown.wrote("ñ");
        }
        let first = tokio::select! {
            never = shown.tell() => match never {},
            ring = listener.heard() => ring.written.unwrap(),
        };
        assert_eq!(first.text.len(), 2_000);
        shown.wrote(&"€".repeat(MOST_WRITTEN));
        // Nothing comes after what did not fit: it would stand in the wrong place.
        shown.wrote("a");
        let second = tokio::select! {
            never = shown.tell() => match never {},
            ring = listener.heard() => ring.written.unwrap(),
        };
        assert!(second.text.ends_with('€'), "whole letters only");
        assert!((MOST_WRITTEN - 2..=MOST_WRITTEN).contains(&second.text.len()), "{}", second.text.len());
    }

    #[tokio::test]
    async fn a_quick_writer_is_shown_ten_times_a_second_at_most() {
        let (bell, tenant) = (Bell::default(), "andina".parse().unwrap());
        let conversation = ConversationId::from_bytes([7; 16]);
        let mut listener = bell.listen(&tenant, conversation);
        let to = To { bell: &bell, tenant: &tenant, conversation, turn: 1, agent: Agent::Support };
        let shown = Shown { to: Some(to), text: Mutex::default(), more: Notify::new() };
        let began = std::time::Instant::now();
        let writes = async {
            loop {
                shown.wrote("a");
                time::sleep(Duration::from_millis(1)).await;
            }
        };
        let hears = async {
            for _ in 0..4 {
                listener.heard().await;
            }
        };
        tokio::select! {
            never = shown.tell() => match never {},
            () = writes => {}
            () = hears => {}
        }
        assert!(began.elapsed() >= 3 * PAUSE, "{:?}", began.elapsed());
    }
}
