//! What people wrote on an account, on its way into the store: each once, and of each person in the order of the vendor's clock.

use super::{Called, Work};
use crate::{desk::FrontDesk, problem::Problem, record::CallRecord, shares::Counts};
use http::StatusCode;
use misy_channels::{Inbound, Said, inbound::VendorFile, pressed};
use misy_domain::{Content, ConversationId, MessageId, Metered, Part, Pressed, Timestamp};
use misy_store::{
    StoreError, TenantTx,
    channels::{self, Expected, Passed, Sender, Thread, Told},
    deliveries,
    messages::{self, Ingested},
    tenant_tx,
};
use serde_json::{Map, Value, json};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// What somebody wrote waits for so long for what they wrote before and the vendor was refused.
const PATIENCE: Duration = Duration::from_mins(10);

/// Messages of one account, and what is known of them.
pub(super) struct Taking<'a> {
    desk: &'a FrontDesk,
    called: &'a Called,
    letters: Vec<Letter<'a>>,
    /// Those that were stored before, with where they stand.
    known: HashMap<&'a str, ConversationId>,
    expected: Expected,
}

/// A message that the vendor tells of.
struct Letter<'a> {
    told: Told,
    at: Option<Timestamp>,
    writer: &'a str,
    inbound: &'a Inbound,
}

/// A message that was not stored.
enum Left {
    /// For the moment: what the same person wrote later waits for it.
    Waiting(Problem),
    /// For the moment, as everything that comes after it, whoever wrote that.
    WithTheRest(Problem),
    /// For a reason that may be there each time. It shall not hold up what comes after it for ever.
    Alone(Problem),
}

impl<'a> Taking<'a> {
    /// Looks which of these messages are known, and for which of them something is missing.
    pub(super) async fn of(
        desk: &'a FrontDesk,
        called: &'a Called,
        all: &'a [(Option<Timestamp>, Inbound)],
    ) -> Result<Self, Problem> {
        let (account, keys) = (called.account.account_id, &called.state.keys);
        let letters: Vec<Letter<'_>> = all.iter().filter_map(|(at, one)| called.letter(*at, one)).collect();
        let ids: Vec<&str> = letters.iter().map(|letter| letter.inbound.id.as_str()).collect();
        let told: Vec<Told> = letters.iter().map(|letter| letter.told.clone()).collect();
        let looked = tenant_tx!(desk.database, "channels.known", &called.tenant, async |tx| {
            let known = messages::known_of_account(tx, keys, account, &ids).await?;
            Ok::<_, StoreError>((known, channels::expected(tx, account, &told, PATIENCE).await?))
        });
        let (known, expected) = looked.await?;
        Ok(Self { desk, called, letters, known, expected })
    }

    /// Stores what is new, each message against the limits of its channel. Says which conversations got something now or before.
    pub(super) async fn store(
        mut self,
        work: &mut Work,
        record: &CallRecord,
    ) -> (HashSet<ConversationId>, Result<(), Problem>) {
        let mut written: HashSet<ConversationId> = self.known.values().copied().collect();
        let (mut outcome, mut nothing_more) = (Ok(()), false);
        for letter in std::mem::take(&mut self.letters) {
            let Letter { told, inbound, .. } = &letter;
            if self.known.contains_key(inbound.id.as_str()) {
                self.expected.came(told);
                continue;
            }
            let must_wait = self.expected.must_wait(told);
            if must_wait || nothing_more {
                self.expected.refused(told.clone(), must_wait);
                if !nothing_more {
                    outcome = Err(Problem::unavailable());
                }
                continue;
            }
            match self.store_one(&letter, work, record).await {
                Ok(conversation) => {
                    self.expected.came(told);
                    written.extend(conversation);
                }
                Err(Left::Waiting(problem)) => {
                    self.expected.refused(told.clone(), false);
                    outcome = Err(problem);
                }
                Err(Left::WithTheRest(problem)) => {
                    self.expected.refused(told.clone(), false);
                    nothing_more = true;
                    outcome = Err(problem);
                }
                Err(Left::Alone(problem)) => outcome = Err(problem),
            }
        }
        let kept = self.keep().await;
        (written, outcome.and(kept))
    }

    /// Stores nothing, and notes what is new.
    pub(super) async fn refuse(mut self) -> Result<(), Problem> {
        for letter in std::mem::take(&mut self.letters) {
            if !self.known.contains_key(letter.inbound.id.as_str()) {
                self.expected.refused(letter.told, false);
            }
        }
        self.keep().await
    }

    async fn store_one(
        &self,
        letter: &Letter<'_>,
        work: &mut Work,
        record: &CallRecord,
    ) -> Result<Option<ConversationId>, Left> {
        let (desk, called) = (self.desk, self.called);
        if work.is_over() {
            return Err(Left::WithTheRest(Problem::unavailable()));
        }
        // Known ones do not count: so a body that is sent again gets further than before.
        let counts = Counts::of_channel(&called.state, called.channel);
        called.within(desk, &counts, record).await.map_err(Left::WithTheRest)?;
        match pass_on(desk, called, letter).await {
            Ok(conversation) => {
                work.stored += 1;
                Ok(conversation)
            }
            // Nothing more is stored this month, whoever wrote it.
            Err(problem) if problem.status() == StatusCode::PAYMENT_REQUIRED => {
                Err(Left::WithTheRest(problem))
            }
            Err(problem) if problem.status() == StatusCode::SERVICE_UNAVAILABLE => {
                Err(Left::Waiting(problem))
            }
            Err(problem) => Err(Left::Alone(problem)),
        }
    }

    /// Keeps what is expected from now on.
    async fn keep(self) -> Result<(), Problem> {
        let Self { desk, called, expected, .. } = self;
        if !expected.is_changed() {
            return Ok(());
        }
        let kept = tenant_tx!(desk.database, "channels.expected", &called.tenant, async |tx| {
            expected.keep(tx).await
        });
        Ok(kept.await?)
    }
}

impl Called {
    /// A message that somebody wrote on the account.
    fn letter<'a>(&self, at: Option<Timestamp>, inbound: &'a Inbound) -> Option<Letter<'a>> {
        let writer = inbound.writer.id()?;
        let told = Told::of(&self.state.keys, &self.sender(writer), &inbound.id, at);
        Some(Letter { told, at, writer, inbound })
    }

    fn sender<'a>(&self, writer: &'a str) -> Sender<'a> {
        Sender { account: self.account.account_id, channel: self.channel, external_id: writer, locale: None }
    }
}

/// Stores what somebody wrote; says where it stands.
async fn pass_on(
    desk: &FrontDesk,
    called: &Called,
    letter: &Letter<'_>,
) -> Result<Option<ConversationId>, Problem> {
    let Letter { inbound, at, .. } = *letter;
    let sender = called.sender(letter.writer);
    let monthly = called.state.monthly(Metered::Messages);
    let keys = &called.state.keys;
    let Some(content) = content(desk, called, &sender, inbound).await? else { return Ok(None) };
    let passed = Passed {
        sender,
        site: None,
        external_id: &inbound.id,
        content: &content,
        sent_at: at,
        key: None,
        monthly,
    };
    // On the heap: the way of a first message takes much room.
    let stored =
        Box::pin(desk.database.pass_on(keys, &passed, &desk.bell, &*desk.clock, &*desk.entropy)).await?;
    match stored {
        Ingested::Stored(receipt) | Ingested::Duplicate(receipt) => Ok(Some(receipt.conversation_id)),
        Ingested::QuotaExceeded => {
            Err(Problem::quota_exceeded(Metered::Messages, monthly.unwrap_or_default(), desk.clock.now()))
        }
        // The vendor's id is known: what it refers to may have become known since. No message of a vendor names a file of ours.
        Ingested::Another | Ingested::FilesUnavailable | Ingested::Expired | Ingested::NotFound => Ok(None),
    }
}

/// What a message says, with what it refers to; nothing if it says nothing.
async fn content(
    desk: &FrontDesk,
    called: &Called,
    sender: &Sender<'_>,
    inbound: &Inbound,
) -> Result<Option<Content>, Problem> {
    // Whoever never wrote was sent nothing to press.
    let pressed_in = match &inbound.said {
        Said::Pressed { .. } => desk.database.thread(&called.state.keys, sender, None, &*desk.clock).await?,
        _ => Thread::NotFound,
    };
    let found = match &inbound.said {
        // Most refer to nothing, and nothing has to be looked up.
        Said::Parts { parts, .. } if inbound.answers.is_none() => {
            Found { content: Content::of(parts.clone()), answers: None, edits: None }
        }
        // What was taken back stays in the history: it may have been answered.
        Said::Deleted { .. } => return Ok(None),
        _ => {
            let found = tenant_tx!(desk.database, "channels.content", &called.tenant, async |tx| {
                look_up(tx, called, inbound, pressed_in).await
            });
            // On the heap: what reads messages takes much room.
            Box::pin(found).await?
        }
    };
    let files: &[VendorFile] = match &inbound.said {
        Said::Parts { files, .. } => files,
        _ => &[],
    };
    let mut metadata = Map::new();
    let mut keep = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), value);
        }
    };
    keep("contactName", inbound.writer.name.as_ref().map(|name| json!(name)));
    keep("scopedId", inbound.writer.scoped_id.as_ref().map(|id| json!(id)));
    keep("replyTo", found.answers.map(|id| json!(id)));
    keep("edits", found.edits.map(|id| json!(id)));
    keep("vendor", inbound.metadata.clone());
    keep("files", (!files.is_empty()).then(|| files.iter().map(told).collect()));
    let metadata = (!metadata.is_empty()).then_some(Value::Object(metadata));
    Ok(Some(Content { metadata, ..found.content }))
}

/// What a message says, and the messages of ours that it refers to.
struct Found {
    content: Content,
    answers: Option<MessageId>,
    edits: Option<MessageId>,
}

async fn look_up(
    tx: &mut TenantTx,
    called: &Called,
    inbound: &Inbound,
    pressed_in: Thread,
) -> Result<Found, StoreError> {
    let (account, keys) = (called.account.account_id, &called.state.keys);
    let answers = match &inbound.answers {
        Some(id) => deliveries::message_of(tx, keys, account, id).await?,
        None => None,
    };
    let mut edits = None;
    let content = match &inbound.said {
        Said::Parts { parts, .. } => Content::of(parts.clone()),
        Said::Edited { message, parts } => {
            edits = deliveries::message_of(tx, keys, account, message).await?;
            Content::of(parts.clone())
        }
        Said::Pressed { id, title } => {
            let found = match (pressed(id), pressed_in) {
                (Some((message, id)), Thread::Open(conversation)) => {
                    messages::pressed(tx, keys, conversation, Some(message), id).await?
                }
                _ => None,
            };
            let title = match &found {
                Some(Pressed::Button { title, .. }) => title.clone(),
                None => title.clone(),
            };
            Content { action: found, ..Content::text(title) }
        }
        Said::Reaction { to, emoji } => {
            let to = deliveries::message_of(tx, keys, account, to).await?;
            Content::of(vec![match to {
                Some(message_id) => Part::Reaction { message_id, emoji: emoji.clone() },
                None => Part::Unsupported { kind: "reaction".to_owned(), text: emoji.clone() },
            }])
        }
        Said::Deleted { .. } => Content::of(Vec::new()),
    };
    Ok(Found { content, answers, edits })
}

/// A file that lies with the vendor, so that it can be fetched.
fn told(file: &VendorFile) -> Value {
    json!({
        "part": file.part, "kind": file.kind, "id": file.id, "url": file.url, "mediaType": file.media_type, "name": file.name,
        "sha256": file.sha256, "voiceNote": file.is_voice_note,
    })
}
