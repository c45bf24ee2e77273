//! What a vendor told of one account, on its way into the store.

use super::webhook::Called;
use crate::{desk::FrontDesk, problem::Problem};
use misy_channels::{
    Channel as Vendor, Inbound, Receipt, ReceiptKind, Said, Verdict, inbound::VendorFile, whatsapp,
};
use misy_domain::{Content, Metered, Part, Pressed, Timestamp};
use misy_store::{
    channels::{self, AccountStatus, Passed, Sender, Thread},
    deliveries::{self, Progress},
    leases::Trouble,
    messages::{self, Ingested},
};
use serde_json::{Map, Value, json};
use tracing::{debug, warn};

/// What happened on one account, in the order of the vendor's clock.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) messages: Vec<(Option<Timestamp>, Inbound)>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) troubles: Vec<i64>,
}

impl Inbox {
    /// Stores all of it. What cannot be stored does not keep the rest from it; the vendor sends everything again.
    pub(super) async fn store(
        self,
        desk: &FrontDesk,
        vendor: &dyn Vendor,
        called: &Called,
    ) -> Result<(), Problem> {
        let mut outcome = self.note_receipts(desk, vendor, called).await;
        if called.account.status == AccountStatus::Disabled {
            // Somebody of the tenant wants none of it.
            debug!("what was written on a disabled account is not taken");
            return outcome;
        }
        for (at, inbound) in &self.messages {
            if let Err(problem) = pass_on(desk, called, *at, inbound).await {
                outcome = Err(problem);
            }
        }
        outcome
    }

    /// In one transaction: there are three for each message, and each changes a row.
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
        let mut tx = desk.database.tenant("channels.receipts", &called.tenant).await?;
        for receipt in &self.receipts {
            let fault = receipt.code.map(|code| vendor.fault(code));
            let error = fault.as_ref().and_then(Trouble::of_verdict).unwrap_or(Trouble::VendorRefused);
            let status = match receipt.kind {
                ReceiptKind::Sent => "sent",
                ReceiptKind::Delivered => "delivered",
                ReceiptKind::Read => "read",
                ReceiptKind::Failed => "failed",
            };
            let progress = Progress {
                piece: receipt.reference.as_deref().and_then(|text| text.parse().ok()),
                vendor_message_id: &receipt.id,
                status,
                error: (receipt.kind == ReceiptKind::Failed).then(|| error.code()),
            };
            deliveries::note_receipt(&mut tx, account, &progress).await?;
        }
        for code in &self.troubles {
            let verdict = vendor.fault(*code);
            warn!(code, ?verdict, "the vendor finds fault with an account");
            if let (Verdict::Pause { .. }, Some(why)) = (&verdict, Trouble::of_verdict(&verdict)) {
                channels::pause(&mut tx, account, why.code(), desk.clock.now()).await?;
            }
        }
        tx.commit().await?;
        desk.bell.ring_deliveries();
        Ok(())
    }
}

/// Stores what somebody wrote, and wakes what waited for that.
async fn pass_on(
    desk: &FrontDesk,
    called: &Called,
    at: Option<Timestamp>,
    inbound: &Inbound,
) -> Result<(), Problem> {
    let Some(id) = inbound.writer.id() else { return Ok(()) };
    let account = called.account.account_id;
    let sender = Sender { account, channel: called.channel, external_id: id, locale: None };
    let monthly = called.state.monthly(Metered::Messages);
    let keys = &called.state.keys;
    let Some(content) = content(desk, called, &sender, inbound).await? else { return Ok(()) };
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
        Ingested::Stored(receipt) | Ingested::Duplicate(receipt) => {
            let mut tx = desk.database.tenant("channels.heard", &called.tenant).await?;
            deliveries::heard(&mut tx, account, receipt.conversation_id).await?;
            tx.commit().await?;
            desk.bell.ring_deliveries();
            Ok(())
        }
        Ingested::QuotaExceeded => {
            Err(Problem::quota_exceeded(Metered::Messages, monthly.unwrap_or_default(), desk.clock.now()))
        }
        // The vendor's id is known: what it refers to may have become known since. No message of a vendor names a file of ours.
        Ingested::Another | Ingested::FilesUnavailable | Ingested::Expired | Ingested::NotFound => Ok(()),
    }
}

/// What a message says, with what it refers to; nothing if it says nothing.
async fn content(
    desk: &FrontDesk,
    called: &Called,
    sender: &Sender<'_>,
    inbound: &Inbound,
) -> Result<Option<Content>, Problem> {
    let account = called.account.account_id;
    // Whoever never wrote was sent nothing to press.
    let pressed_in = match &inbound.said {
        Said::Pressed { .. } => desk.database.thread(&called.state.keys, sender, None, &*desk.clock).await?,
        _ => Thread::NotFound,
    };
    let mut tx = desk.database.tenant("channels.content", &called.tenant).await?;
    let answers = match &inbound.answers {
        Some(id) => deliveries::message_of(&mut tx, account, id).await?,
        None => None,
    };
    let mut edits = None;
    let mut files: &[VendorFile] = &[];
    let content = match &inbound.said {
        Said::Parts { parts, files: with } => {
            files = with;
            Content::of(parts.clone())
        }
        Said::Edited { message, parts } => {
            edits = deliveries::message_of(&mut tx, account, message).await?;
            Content::of(parts.clone())
        }
        Said::Pressed { id, title } => {
            let pressed = match (whatsapp::pressed(id), pressed_in) {
                (Some((message, id)), Thread::Open(conversation)) => {
                    messages::pressed(&mut tx, &called.state.keys, conversation, Some(message), id).await?
                }
                _ => None,
            };
            let title = match &pressed {
                Some(Pressed::Button { title, .. }) => title.clone(),
                None => title.clone(),
            };
            Content { action: pressed, ..Content::text(title) }
        }
        Said::Reaction { to, emoji } => {
            let to = deliveries::message_of(&mut tx, account, to).await?;
            Content::of(vec![match to {
                Some(message_id) => Part::Reaction { message_id, emoji: emoji.clone() },
                None => Part::Unsupported { kind: "reaction".to_owned(), text: emoji.clone() },
            }])
        }
        // What was taken back stays in the history: it may have been answered.
        Said::Deleted { .. } => {
            tx.commit().await?;
            return Ok(None);
        }
    };
    tx.commit().await?;
    let mut metadata = Map::new();
    let mut keep = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), value);
        }
    };
    keep("contactName", inbound.writer.name.as_ref().map(|name| json!(name)));
    keep("scopedId", inbound.writer.scoped_id.as_ref().map(|id| json!(id)));
    keep("replyTo", answers.map(|id| json!(id)));
    keep("edits", edits.map(|id| json!(id)));
    keep("vendor", inbound.metadata.clone());
    keep("files", (!files.is_empty()).then(|| files.iter().map(told).collect()));
    let metadata = (!metadata.is_empty()).then_some(Value::Object(metadata));
    Ok(Some(Content { metadata, ..content }))
}

/// A file that lies with the vendor, so that it can be fetched.
fn told(file: &VendorFile) -> Value {
    json!({
        "part": file.part, "kind": file.kind, "id": file.id, "mediaType": file.media_type, "name": file.name,
        "sha256": file.sha256, "voiceNote": file.is_voice_note,
    })
}
