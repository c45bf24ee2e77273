//! Live events of a session (`text/event-stream`). The bell wakes a stream; the database alone says what happened, and
//! the listener is there before the first look into it, so nothing falls between.

pub(crate) mod inbox;
mod places;
mod watcher;

pub(crate) use places::Streams;
pub(crate) use watcher::LAST_WORDS;

use crate::{connection::Connection, desk::FrontDesk, files::links, problem::Code, token_desk::KnownToken};
use bytes::Bytes;
use futures_util::{Stream, stream};
use misy_domain::{ConversationId, Message, Role, SessionId, TenantId, network::Network};
use misy_store::{
    StoreError, TenantKeys,
    bell::{Agent, Listener, Ring, Written},
    inbox::{self as inbox_store, Handling, HandlingState},
    sessions::ConversationStatus,
    tenant_tx,
};
use misy_telemetry::{Field, Span};
use misy_trust::ClientCertificate;
use places::{Holder, Place};
use serde::Serialize;
use std::{convert::Infallible, net::IpAddr, sync::Arc};
use tokio::sync::watch;
use watcher::{Ending, Watcher};

/// Messages that are read and sent at once.
const BATCH: u32 = 50;
/// A change of the status that was told by the bell alone, and not heard, is found after so many waits in vain.
const STATUS_READ_EVERY: u32 = 4;
/// After so long a client should come back when the stream ends.
const RETRY: &str = "retry: 1500\n\n";

/// What a stream is opened for.
pub(crate) struct Opening {
    pub(crate) tenant: TenantId,
    pub(crate) keys: Arc<TenantKeys>,
    pub(crate) token: Arc<KnownToken>,
    /// The client certificate of the connection.
    pub(crate) certificate: Option<Arc<ClientCertificate>>,
    /// The connection, where the server has one to cut.
    pub(crate) connection: Option<Connection>,
    pub(crate) session: SessionId,
    pub(crate) conversation: ConversationId,
    pub(crate) status: ConversationStatus,
    /// Where the client is.
    pub(crate) address: Option<IpAddr>,
    /// The sequence that the client has seen.
    pub(crate) after: i64,
}

struct Live {
    desk: FrontDesk,
    opening: Opening,
    listener: Listener,
    /// Why it is no longer served, once it is not.
    ending: watch::Receiver<Option<Ending>>,
    _place: Place,
    heard: Ring,
    /// How often it waited for as long as it waits.
    times: u32,
    /// What the client was told of who answers.
    handed_off: HandedOff,
    /// What the client was shown of an answer that is being written.
    shown: Option<Written>,
    /// What is said after the messages that are being read: that nobody writes any more, so that an answer that was seen growing
    /// is there before it goes.
    after_messages: String,
    step: Step,
}

enum Step {
    Open,
    /// There may be messages that were not sent yet.
    Read,
    /// The status may be another one.
    ReadStatus,
    Wait,
    End,
}

enum Wake {
    Rung(Ring),
    Time,
    /// It is no longer served, or the program stops.
    Ending,
}

/// The events of a session; `None` if there are too many streams already.
pub(crate) fn events(
    desk: &FrontDesk,
    opening: Opening,
) -> Option<impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static> {
    let settings = &desk.settings;
    let mut wanted = vec![
        (Holder::Session(opening.session), settings.streams_per_session),
        (Holder::Family(opening.token.claims.family), settings.streams_per_family),
        (Holder::Tenant(opening.tenant.clone()), settings.streams_per_tenant),
    ];
    wanted.extend(networks(desk, opening.address));
    let place = desk.streams.enter(wanted)?;
    let live = Live {
        listener: desk.bell.listen(&opening.tenant, opening.conversation),
        ending: Watcher::start(desk, &opening),
        desk: desk.clone(),
        opening,
        _place: place,
        heard: Ring::default(),
        times: 0,
        handed_off: HandedOff::no(),
        shown: None,
        after_messages: String::new(),
        step: Step::Open,
    };
    // Boxed, so that the stream moves by a pointer.
    Some(stream::unfold(Box::new(live), |mut live| async move {
        let piece = live.next().await?;
        Some((Ok(piece), live))
    }))
}

/// The networks that an address is in, each with the streams that it may have.
fn networks(desk: &FrontDesk, address: Option<IpAddr>) -> impl Iterator<Item = (Holder, u32)> {
    let each = desk.settings.streams_per_address;
    address.into_iter().flat_map(Network::all_of).map(move |network| {
        let most = each.saturating_mul(network.width().times());
        (Holder::Network(network), most)
    })
}

impl Live {
    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            // Before anything else that is said: nothing of the session goes out any more.
            let ending = *self.ending.borrow();
            if let Some(ending) = ending {
                return self.last_words(ending);
            }
            match self.step {
                Step::Open => {
                    // It may be another one since the session was read: from here on the listener hears of it.
                    self.step = Step::ReadStatus;
                    let mut piece = RETRY.to_owned();
                    write_event(&mut piece, "status", None, &Status::of(self.opening.status));
                    return Some(piece.into());
                }
                // Reading takes a future of some kilobytes: boxed, it is there only while we read.
                Step::Read => match Box::pin(self.read()).await {
                    Ok(Some(piece)) => return Some(piece),
                    Ok(None) => {}
                    Err(error) => return self.give_up(&error),
                },
                Step::ReadStatus => match Box::pin(self.read_status()).await {
                    Ok(Some(piece)) => return Some(piece),
                    Ok(None) => {}
                    Err(error) => return self.give_up(&error),
                },
                Step::Wait => match self.wait().await {
                    Wake::Rung(ring) => {
                        if let Some(piece) = self.rung(ring) {
                            return Some(piece);
                        }
                    }
                    Wake::Time => {
                        // The bell of another replica does not ring here.
                        self.times += 1;
                        let reads_status = self.times.is_multiple_of(STATUS_READ_EVERY);
                        self.step = if reads_status { Step::ReadStatus } else { Step::Read };
                        return Some(Bytes::from_static(b": alive\n\n"));
                    }
                    Wake::Ending => {}
                },
                Step::End => return None,
            }
        }
    }

    /// The client comes back and goes on where it was.
    fn give_up(&mut self, error: &StoreError) -> Option<Bytes> {
        tracing::warn!(tenantId = %self.opening.tenant, %error, "a live stream ends");
        self.step = Step::End;
        None
    }

    async fn wait(&mut self) -> Wake {
        tokio::select! {
            ring = self.listener.heard() => Wake::Rung(ring),
            changed = self.ending.changed() => {
                // Nobody watches any more: the program stops.
                if changed.is_err() {
                    self.step = Step::End;
                }
                Wake::Ending
            }
            () = tokio::time::sleep(self.desk.settings.keep_alive) => Wake::Time,
        }
    }

    fn rung(&mut self, ring: Ring) -> Option<Bytes> {
        let before = std::mem::replace(&mut self.heard, ring);
        // News that were missed may have been of the status.
        if self.heard.status_changes != before.status_changes || self.heard.gaps != before.gaps {
            self.step = Step::ReadStatus;
        } else if self.heard.sequence > self.opening.after {
            self.step = Step::Read;
        }
        let mut piece = String::new();
        if self.heard.typing != before.typing {
            let agent_name = self.heard.typing.map(Agent::as_str);
            write_event(&mut piece, "typing", None, &Typing { active: agent_name.is_some(), agent_name });
            // With it the client lets go of what was written so far.
            let was_shown = self.shown.take().is_some();
            if was_shown && agent_name.is_none() && matches!(self.step, Step::Read | Step::ReadStatus) {
                self.after_messages = std::mem::take(&mut piece);
            }
        }
        self.show_written(&mut piece);
        (!piece.is_empty()).then(|| piece.into())
    }

    /// Shows what an agent has written, if the client does not know it: what is new, or all of it.
    fn show_written(&mut self, piece: &mut String) {
        let Some(written) = self.heard.written.as_ref().filter(|new| Some(*new) != self.shown.as_ref())
        else {
            return;
        };
        let before = self.shown.as_ref().filter(|before| before.turn == written.turn);
        let delta = before.and_then(|before| written.text.strip_prefix(&*before.text));
        let text = delta.is_none().then_some(&*written.text);
        write_event(
            piece,
            "message.delta",
            None,
            &Growing { agent_name: written.agent.as_str(), text, delta },
        );
        self.shown = Some(written.clone());
    }

    /// Messages that were not sent yet.
    async fn read(&mut self) -> Result<Option<Bytes>, StoreError> {
        let is_closed = self.opening.status == ConversationStatus::Closed;
        let Opening { tenant, keys, session, conversation, after, .. } = &mut self.opening;
        let mut messages =
            self.desk.database.messages_since(tenant, keys, *conversation, *after, BATCH).await?;
        if links::are_needed(&messages)
            && let Some(state) = self.desk.tenants.get(tenant).await?
        {
            links::add(&self.desk, &state, &mut messages);
        }
        let more = messages.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
        self.step = if more { Step::Read } else { Step::Wait };
        let said_after = if more { String::new() } else { std::mem::take(&mut self.after_messages) };
        let Some(last) = messages.last() else {
            return Ok((!said_after.is_empty()).then(|| said_after.into()));
        };
        *after = last.sequence;
        // Who writes in a conversation that was closed opens it again.
        let reopens = |message: &Message| is_closed && message.role == Role::Contact;
        if messages.iter().any(|message| message.role != Role::Contact) {
            // The client lets go of it.
            self.shown = None;
        }
        // A change of status is told in a message of the platform too, wherever it was made.
        let tells = |message: &Message| message.role == Role::System || reopens(message);
        if messages.iter().any(tells) && !more {
            self.step = Step::ReadStatus;
        }
        let mut piece = String::with_capacity(512 * messages.len());
        for message in &messages {
            let span = Span::after("live event", message.trace);
            span.id(Field::Tenant, tenant)
                .id(Field::Session, session)
                .id(Field::Conversation, conversation)
                .id(Field::Message, &message.message_id);
            if let Some(agent) = &message.agent_name {
                span.id(Field::Agent, agent);
            }
            write_event(&mut piece, "message", Some(message.sequence), message);
        }
        piece.push_str(&said_after);
        Ok(Some(piece.into()))
    }

    /// The status of the conversation and who answers, if that is another one.
    async fn read_status(&mut self) -> Result<Option<Bytes>, StoreError> {
        self.step = Step::Read;
        let Opening { tenant, keys, conversation, .. } = &self.opening;
        let handling = tenant_tx!(self.desk.database, "live.status", tenant, async |tx| {
            inbox_store::handling(tx, keys, *conversation).await
        })
        .await?;
        let closed = Handling { status: ConversationStatus::Closed, assignee: None, version: 0 };
        let handling = handling.unwrap_or(closed);
        let handoff = HandedOff::of(&handling);
        let mut piece = String::new();
        if handoff != self.handed_off {
            write_event(&mut piece, "handoff", None, &handoff);
            self.handed_off = handoff;
        }
        if handling.status != self.opening.status {
            self.opening.status = handling.status;
            write_event(&mut piece, "status", None, &Status::of(handling.status));
        }
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    /// What is said before the stream ends; nothing where the client just comes back.
    fn last_words(&mut self, ending: Ending) -> Option<Bytes> {
        let step = std::mem::replace(&mut self.step, Step::End);
        let Ending::Refused(reason) = ending else { return None };
        if matches!(step, Step::End) {
            return None;
        }
        let mut piece = String::new();
        let status = Status { ending: Some(reason), ..Status::of(self.opening.status) };
        write_event(&mut piece, "status", None, &status);
        Some(piece.into())
    }
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
    /// Why the stream ends, when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<Code>,
}

impl Status {
    fn of(status: ConversationStatus) -> Self {
        Self { status: status.as_str(), ending: None }
    }
}

/// Who answers, as the contact is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct HandedOff {
    status: &'static str,
    state: &'static str,
    /// What the person is called who holds the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    person_name: Option<String>,
}

impl HandedOff {
    fn of(handling: &Handling) -> Self {
        Self {
            status: handling.status.as_str(),
            state: handling.state().as_str(),
            person_name: handling.assignee.as_ref().map(|assignee| assignee.name.clone()),
        }
    }

    /// As it is before anybody is told anything.
    fn no() -> Self {
        let assistant = HandlingState::Assistant.as_str();
        Self { status: ConversationStatus::Active.as_str(), state: assistant, person_name: None }
    }
}

/// More of an answer that is being written: all of it so far, or what comes after that which was said last.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Growing<'a> {
    agent_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typing<'a> {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<&'a str>,
}

/// One event. JSON has no line break of its own, so the data are one line.
fn write_event(piece: &mut String, name: &str, id: Option<i64>, data: &impl Serialize) {
    use std::fmt::Write;
    // Writing to a text and serialising these types cannot fail.
    let json = serde_json::to_string(data).unwrap_or_default();
    let _ = match id {
        Some(id) => write!(piece, "id: {id}\nevent: {name}\ndata: {json}\n\n"),
        None => write!(piece, "event: {name}\ndata: {json}\n\n"),
    };
}
