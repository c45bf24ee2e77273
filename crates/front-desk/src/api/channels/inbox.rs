//! What a vendor told of one account, on its way into the store.
//!
//! The work of one body is bounded: see [`Work`]. What is not stored within it is not lost, since the vendor is told so and sends
//! all of it again; what was stored is known then and costs next to nothing.

mod messages;

use super::webhook::Called;
use crate::{desk::FrontDesk, problem::Problem, record::CallRecord};
use messages::Taking;
use misy_channels::{Channel as Vendor, Happening, Inbound, Reached, Receipt, ReceiptKind, Verdict};
use misy_domain::{ConversationId, Timestamp};
use misy_store::{
    channels::{self, AccountStatus, Sender, Thread},
    deliveries::{self, Progress},
    leases::Trouble,
    tenant_tx,
};
use std::{
    collections::HashMap,
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
    messages: Vec<(Option<Timestamp>, Inbound)>,
    receipts: Vec<Receipt>,
    reached: Vec<Reached>,
    troubles: Vec<i64>,
}

impl Inbox {
    /// Puts something in that happened at a time.
    pub(super) fn put(&mut self, at: Option<Timestamp>, happening: Happening) {
        match happening {
            Happening::Message(inbound) => self.messages.push((at, *inbound)),
            Happening::Receipt(receipt) => self.receipts.push(receipt),
            Happening::Trouble { code } => self.troubles.push(code),
            Happening::Reached(reached) => self.reached.push(reached),
            // What was sent through us is with the vendor; of anything else nothing is known by this id.
            Happening::Echo { said, reference } => {
                let kind = ReceiptKind::Sent;
                self.receipts.push(Receipt { id: said.id, reference, kind, code: None });
            }
            // Not taken yet: new ids of contacts.
            Happening::Renamed { .. } => {}
        }
    }

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
        if self.messages.is_empty() {
            return noted;
        }
        let (written, stored) = Taking::of(desk, called, &self.messages).await?.store(work, record).await;
        hear(desk, called, written.into_iter().collect()).await?;
        noted.and(stored)
    }

    /// Stores nothing. What is refused is noted, as the vendor sends it again and what is written later waits for it.
    pub(super) async fn expect(&self, desk: &FrontDesk, called: &Called) {
        if self.messages.is_empty() || called.account.status == AccountStatus::Disabled {
            return;
        }
        let noted = async { Taking::of(desk, called, &self.messages).await?.refuse().await };
        if noted.await.is_err() {
            warn!("what is refused cannot be noted: what is written later does not wait for it");
        }
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
                    channels::pause(tx, account, None, why.code(), now).await
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
