//! What a turn works with, and what the decision engine and agents get to see of it.

use misy_agents::{CompiledPack, HistoryItem, InboundText, TurnInput, booking::Form, offered};
use misy_domain::{
    Message, Timestamp,
    message::{Pressed, Reference, text_of},
};
use misy_store::{TenantKeys, bookings::KeptForm, sessions::ConversationStatus, turns::TurnWork};
use std::sync::{Arc, OnceLock};

/// What a turn works with.
pub(crate) struct Loaded {
    pub(crate) keys: Arc<TenantKeys>,
    pub(crate) work: TurnWork,
    pub(crate) pack: CompiledPack,
    /// What was settled so far of a booking.
    pub(super) form: Option<Form>,
    /// Made when it is first asked for, which is on the workbench.
    said: OnceLock<Said>,
}

struct Said {
    waiting: Vec<String>,
    history: Vec<HistoryItem>,
}

impl Loaded {
    pub(super) fn new(keys: Arc<TenantKeys>, work: TurnWork, pack: CompiledPack, form: Option<Form>) -> Self {
        Self { keys, work, pack, form, said: OnceLock::new() }
    }

    fn said(&self) -> &Said {
        self.said.get_or_init(|| Said {
            waiting: self.work.waiting.iter().map(|message| text_of(&message.parts)).collect(),
            history: self.work.history.iter().map(history_item).collect(),
        })
    }

    /// The waiting messages.
    pub(super) fn messages(&self) -> Vec<InboundText<'_>> {
        let waiting = self.work.waiting.iter().zip(&self.said().waiting);
        waiting
            .map(|(message, text)| InboundText {
                message_id: message.message_id,
                text,
                pressed: message.action.as_ref().and_then(reference),
            })
            .collect()
    }

    /// Everything that a turn may know.
    pub(super) fn input<'a>(&'a self, messages: &'a [InboundText<'a>], now: Timestamp) -> TurnInput<'a> {
        let work = &self.work;
        TurnInput {
            pack: &self.pack,
            channel: work.channel,
            locale: work.locale.as_ref(),
            session_language: work.language,
            messages,
            history: &self.said().history,
            form: self.form.as_ref(),
            permissions: &work.permissions,
            handed_off: work.is_silent || work.status == ConversationStatus::Handoff,
            unanswered_in_a_row: work.unanswered_in_a_row,
            now,
        }
    }
}

fn history_item(message: &Message) -> HistoryItem {
    HistoryItem {
        role: message.role,
        text: text_of(&message.parts),
        agent_name: message.agent_name.clone(),
        offered: offered(&message.parts),
    }
}

/// What a press stands for.
fn reference(pressed: &Pressed) -> Option<&Reference> {
    let Pressed::Button { reference, .. } = pressed;
    reference.as_ref()
}

/// The form that a turn goes on from. One of another version is begun anew. A question that was not the last thing said, or that the
/// contact had not heard when they wrote, is asked anew.
pub(super) fn open_form(kept: KeptForm, work: &TurnWork) -> Option<Form> {
    let mut form: Form = serde_json::from_value(kept.form).ok()?;
    let written = work.waiting.first().map_or(i64::MAX, |message| message.sequence);
    let had_heard = work.history.iter().all(|message| message.sequence < written);
    if !kept.is_newest || !had_heard {
        form.lapse();
    }
    Some(form)
}
