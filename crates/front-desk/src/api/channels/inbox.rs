//! What a vendor told of one account, on its way into the store.
//!
//! The work of one body is bounded: see [`Work`]. What is not stored within it is not lost, since the vendor is told so and sends
//! all of it again; what was stored is known then and costs next to nothing.

use super::webhook::Called;
use crate::{desk::FrontDesk, problem::Problem, record::CallRecord, shares::Counts};
use http::StatusCode;
use misy_channels::{
    Channel as Vendor, Inbound, Reached, Receipt, ReceiptKind, Said, Verdict, inbound::VendorFile, pressed,
};
use misy_domain::{Content, ConversationId, MessageId, Metered, Part, Pressed, Timestamp};
use misy_store::{
    StoreError, TenantTx,
    channels::{self, AccountStatus, Passed, Sender, Thread},
    deliveries::{self, Progress},
    leases::Trouble,
    messages::{self, Ingested},
    tenant_tx,
};
use serde_json::{Map, Value, json};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use tracing::{debug, warn};

/// Receipts that are noted in one transaction.
const RECEIPTS_AT_ONCE: usize = 500;

/// What one body may still take. Vendors hang up after some seconds and count that as a failure, so the answer comes before.
pub(super) struct Work {
    began: Instant,
    longest: Duration,
    /// Messages that were stored for the first time. One at least in each call, so that a body comes to its end however often it
    /// has to be sent.
    stored: usize,
}

impl Work {
    /// Of a body whose work may take so long.
    pub(super) fn of(longest: Duration) -> Self {
        Self { began: Instant::now(), longest, stored: 0 }
    }

    fn is_over(&self) -> bool {
        self.stored > 0 && self.began.elapsed() >= self.longest
    }
}

/// What happened on one account, in the order of the vendor's clock.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) messages: Vec<(Option<Timestamp>, Inbound)>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) reached: Vec<Reached>,
    pub(super) troubles: Vec<i64>,
}

impl Inbox {
    /// Stores what may be stored now. What cannot be keeps the rest from it only where the order of what somebody wrote asks for
    /// it; the vendor sends everything again.
    pub(super) async fn store(
        self,
        desk: &FrontDesk,
        vendor: &dyn Vendor,
        called: &Called,
        work: &mut Work,
        record: &CallRecord,
    ) -> Result<(), Problem> {
        let noted = self.note_receipts(desk, vendor, called).await;
        let noted = noted.and(self.note_reached(desk, called, work).await);
        if called.account.status == AccountStatus::Disabled {
            // Somebody of the tenant wants none of it.
            debug!("what was written on a disabled account is not taken");
            return noted;
        }
        let known = self.known(desk, called).await?;
        let mut written: HashSet<ConversationId> = known.values().copied().collect();
        let stored = self.store_messages(desk, called, &known, &mut written, work, record).await;
        hear(desk, called, written.into_iter().collect()).await?;
        noted.and(stored)
    }

    /// The messages that were stored before, by the vendor's ids, with where they stand.
    async fn known(
        &self,
        desk: &FrontDesk,
        called: &Called,
    ) -> Result<HashMap<&str, ConversationId>, Problem> {
        if self.messages.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<&str> = self.messages.iter().map(|(_, inbound)| inbound.id.as_str()).collect();
        let account = called.account.account_id;
        let known = tenant_tx!(desk.database, "channels.known", &called.tenant, async |tx| {
            messages::known_of_account(tx, &called.state.keys, account, &ids).await
        });
        Ok(known.await?)
    }

    /// Stores what is new, each message against the limits of its channel. Says which conversations got something.
    async fn store_messages(
        &self,
        desk: &FrontDesk,
        called: &Called,
        known: &HashMap<&str, ConversationId>,
        written: &mut HashSet<ConversationId>,
        work: &mut Work,
        record: &CallRecord,
    ) -> Result<(), Problem> {
        let mut outcome = Ok(());
        // Of whom a message could not be stored: what they wrote after it waits for it.
        let mut held_up: HashSet<&str> = HashSet::new();
        for (at, inbound) in &self.messages {
            let Some(writer) = inbound.writer.id() else { continue };
            if known.contains_key(inbound.id.as_str()) || held_up.contains(writer) {
                continue;
            }
            if work.is_over() {
                return Err(Problem::unavailable());
            }
            // Known ones do not count: so a body that is sent again gets further than before.
            called.within(desk, &Counts::of_channel(&called.state, called.channel), record).await?;
            match pass_on(desk, called, writer, *at, inbound).await {
                Ok(conversation) => {
                    work.stored += 1;
                    written.extend(conversation);
                }
                // Nothing more is stored this month, whoever wrote it.
                Err(problem) if problem.status() == StatusCode::PAYMENT_REQUIRED => return Err(problem),
                Err(problem) => {
                    // What fails each time shall not hold up for ever what comes after it.
                    if problem.status() == StatusCode::SERVICE_UNAVAILABLE {
                        held_up.insert(writer);
                    }
                    outcome = Err(problem);
                }
            }
        }
        outcome
    }

    /// In few transactions: there are three for each message, and each changes a row.
    async fn note_receipts(
        &self,
        desk: &FrontDesk,
        vendor: &dyn Vendor,
        called: &Called,
    ) -> Result<(), Problem> {
        if self.receipts.is_empty() && self.troubles.is_empty() {
            return Ok(());
        }
        let account = called.account.account_id;
        for receipts in self.receipts.chunks(RECEIPTS_AT_ONCE) {
            let all: Vec<Progress<'_>> = receipts.iter().map(|receipt| progress(vendor, receipt)).collect();
            let noted = tenant_tx!(desk.database, "channels.receipts", &called.tenant, async |tx| {
                deliveries::note_receipts(tx, &called.state.keys, account, &all).await
            });
            noted.await?;
        }
        for code in &self.troubles {
            let verdict = vendor.fault(*code);
            warn!(code, ?verdict, "the vendor finds fault with an account");
            if let (Verdict::Pause { .. }, Some(why)) = (&verdict, Trouble::of_verdict(&verdict)) {
                let now = desk.clock.now();
                let paused = tenant_tx!(desk.database, "channels.pause", &called.tenant, async |tx| {
                    channels::pause(tx, account, why.code(), now).await
                });
                paused.await?;
                // One is enough.
                break;
            }
        }
        desk.bell.ring_deliveries();
        Ok(())
    }

    /// What came so far in whole threads. One that is not noted within the time is made good by the next.
    async fn note_reached(&self, desk: &FrontDesk, called: &Called, work: &Work) -> Result<(), Problem> {
        let account = called.account.account_id;
        // The furthest of each counts alone.
        let furthest: HashMap<(&str, ReceiptKind), Timestamp> =
            self.reached.iter().map(|one| ((one.writer.as_str(), one.kind), one.until)).collect();
        for ((external_id, kind), until) in furthest {
            if work.began.elapsed() >= work.longest {
                debug!("receipts of whole threads are left out");
                break;
            }
            let sender = Sender { account, channel: called.channel, external_id, locale: None };
            let thread = desk.database.thread(&called.state.keys, &sender, None, &*desk.clock).await?;
            // Whoever never wrote was sent nothing.
            let Thread::Open(conversation) = thread else { continue };
            let noted = tenant_tx!(desk.database, "channels.reached", &called.tenant, async |tx| {
                deliveries::note_reached(tx, account, conversation, status_of(kind), until).await
            });
            noted.await?;
        }
        Ok(())
    }
}

/// As it stands with a piece.
fn status_of(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Sent => "sent",
        ReceiptKind::Delivered => "delivered",
        ReceiptKind::Read => "read",
        ReceiptKind::Failed => "failed",
    }
}

fn progress<'a>(vendor: &dyn Vendor, receipt: &'a Receipt) -> Progress<'a> {
    let fault = receipt.code.map(|code| vendor.fault(code));
    let error = fault.as_ref().and_then(Trouble::of_verdict).unwrap_or(Trouble::VendorRefused);
    Progress {
        piece: receipt.reference.as_deref().and_then(|text| text.parse().ok()),
        vendor_message_id: &receipt.id,
        status: status_of(receipt.kind),
        error: (receipt.kind == ReceiptKind::Failed).then(|| error.code()),
    }
}

/// Wakes what waited until somebody writes. Also where a message was known: the program may have stopped between the two.
async fn hear(desk: &FrontDesk, called: &Called, conversations: Vec<ConversationId>) -> Result<(), Problem> {
    if conversations.is_empty() {
        return Ok(());
    }
    let account = called.account.account_id;
    let heard = tenant_tx!(desk.database, "channels.heard", &called.tenant, async |tx| {
        deliveries::heard(tx, account, &conversations).await
    });
    heard.await?;
    desk.bell.ring_deliveries();
    Ok(())
}

/// Stores what somebody wrote; says where it stands.
async fn pass_on(
    desk: &FrontDesk,
    called: &Called,
    writer: &str,
    at: Option<Timestamp>,
    inbound: &Inbound,
) -> Result<Option<ConversationId>, Problem> {
    let account = called.account.account_id;
    let sender = Sender { account, channel: called.channel, external_id: writer, locale: None };
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
