//! Deliveries to the vendors of channels.
//!
//! A vendor knows no id of ours that makes a call have its effect once. So it is noted before a piece is sent that it is tried. If
//! no answer comes, nobody knows whether the vendor took it: the receipt that comes back with our reference tells. Without one for
//! a while, the piece is sent again. So a piece is sent once as long as the vendor answers or sends receipts, and at least once
//! always.

use super::{Courier, PATIENCE};
use crate::worker::WorkError;
use misy_channels::{Asked, Channel, Piece, Reason, Rendering, To, VendorAnswer, VendorCall, Verdict};
use misy_domain::Role;
use misy_egress::{EgressError, Reach, Request, Response};
use misy_store::{
    StoreError,
    channels::{self, VendorAccount},
    credentials::keys_of,
    deliveries::{self, Begun, Deliveries, Delivery, PieceReference, REOPENING},
    leases::{Lease, Trouble},
};
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use tracing::{debug, warn};

/// How vendors are called.
#[derive(Clone)]
pub(super) struct Vendors {
    pub(super) graph_url: String,
    pub(super) unsure_for: Duration,
}

impl Default for Vendors {
    fn default() -> Self {
        Self {
            graph_url: "https://graph.facebook.com/v25.0".to_owned(),
            // Receipts come within seconds.
            unsure_for: Duration::from_mins(1),
        }
    }
}

/// Whether the vendor takes an answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    Open,
    /// From people alone.
    OfPeople,
    Closed,
}

/// A delivery on its way to its vendor.
#[derive(Clone, Copy)]
struct Errand<'a> {
    lease: &'a Lease<Deliveries>,
    delivery: &'a Delivery,
    vendor: &'a dyn Channel,
    account: &'a VendorAccount,
    window: Window,
}

/// What came of a piece.
enum Outcome {
    Taken,
    Closed,
}

impl Courier {
    /// Sends what is left of a delivery, piece by piece, and notes that it has left.
    pub(super) async fn deliver_to_vendor(
        &self,
        lease: &Lease<Deliveries>,
        delivery: &Delivery,
        vendor: &dyn Channel,
        account: &VendorAccount,
    ) -> Result<(), WorkError> {
        let message = &delivery.message;
        let rendered = vendor.render(&Rendering {
            message_id: message.message_id,
            parts: &message.parts,
            files: &HashMap::new(),
            vendor_ids: &HashMap::new(),
            quotes: None,
        });
        if !rendered.changes.is_empty() {
            debug!(changes = ?rendered.changes, "a message is shown with changes");
        }
        if rendered.pieces.is_empty() {
            return Err(WorkError::Hopeless(Trouble::NothingToShow));
        }
        let window = self.window(delivery, vendor, account);
        let errand = Errand { lease, delivery, vendor, account, window };
        for (piece, at) in rendered.pieces.iter().zip(0..) {
            if window == Window::Closed && piece.kind != "template" {
                return self.hold(&errand).await;
            }
            if let Outcome::Closed = self.send_piece(&errand, piece, at).await? {
                return self.hold(&errand).await;
            }
        }
        debug!("taken by the vendor");
        let mut tx = self.database.tenant_work("deliveries.sent", &lease.tenant).await?;
        deliveries::sent(&mut tx, lease, None, self.clock.now()).await?;
        // Receipts may have come before.
        deliveries::settle(&mut tx, lease.id).await?;
        tx.commit().await?;
        self.bell.ring_deliveries();
        Ok(())
    }

    /// Whether the contact has written lately enough for the vendor to take an answer.
    fn window(&self, delivery: &Delivery, vendor: &dyn Channel, account: &VendorAccount) -> Window {
        let pace = vendor.pace();
        let Some(of_all) = pace.window else { return Window::Open };
        let is_within = |window: Duration| {
            delivery.heard_at.is_some_and(|heard| {
                self.clock.now().duration_since(heard) < window.try_into().unwrap_or_default()
            })
        };
        // Under this tag the vendor takes what a person says, and nothing that a machine does.
        let is_of_person = delivery.message.role == Role::Human && account.human_agent;
        if is_within(of_all) {
            Window::Open
        } else if is_of_person && pace.window_of_people.is_some_and(is_within) {
            Window::OfPeople
        } else {
            Window::Closed
        }
    }

    async fn send_piece(&self, errand: &Errand<'_>, piece: &Piece, at: i32) -> Result<Outcome, WorkError> {
        let Errand { lease, delivery, vendor, account, window } = *errand;
        let mut tx = self.database.tenant_work("deliveries.piece", &lease.tenant).await?;
        let begun = deliveries::begin_piece(&mut tx, lease, at, self.vendors.unsure_for).await?;
        tx.commit().await?;
        let attempt = match begun {
            Begun::Go(attempt) => attempt,
            Begun::Done => return Ok(Outcome::Taken),
            Begun::Unsure => {
                return Err(WorkError::Later(Trouble::VendorUnreachable, self.vendors.unsure_for));
            }
        };
        let reference = PieceReference { delivery_id: lease.id, piece: at, attempt };
        let is_late = window == Window::OfPeople;
        let to = To { id: &delivery.external_id, reference: &reference.to_string(), is_late };
        let token = &account.credentials.access_token;
        let call = vendor
            .send(&account.vendor_account_id, &to, piece, token)
            .proved(&account.credentials.app_secret, token);
        let answer = match self.call(call).await {
            Ok(answer) => answer,
            Err(error) => {
                warn!(%error, "the vendor could not be asked");
                if did_not_leave(&error) {
                    self.refused(lease, reference).await?;
                    return Err(WorkError::Failed(Trouble::VendorUnreachable));
                }
                return Err(WorkError::Later(Trouble::VendorUnreachable, self.vendors.unsure_for));
            }
        };
        let verdict = vendor.judge(&of(&answer, lease.attempts));
        if let Verdict::Taken(id) = verdict {
            let keys = keys_of(&self.vault, &self.database, &lease.tenant).await?;
            let mut tx = self.database.tenant_work("deliveries.taken", &lease.tenant).await?;
            let account = delivery.account_id;
            deliveries::piece_taken(&mut tx, &keys, account, reference, id.as_deref()).await?;
            tx.commit().await?;
            return Ok(Outcome::Taken);
        }
        warn!(status = %answer.status, ?verdict, "the vendor did not take a piece");
        if verdict == Verdict::Unsure {
            return Err(WorkError::Later(Trouble::VendorUnavailable, self.vendors.unsure_for));
        }
        self.refused(lease, reference).await?;
        match verdict {
            Verdict::Taken(_) | Verdict::Unsure => Ok(Outcome::Taken),
            Verdict::WindowClosed => Ok(Outcome::Closed),
            Verdict::Retry { after, reason, .. } => {
                Err(WorkError::Later(reason.into(), after.unwrap_or_default()))
            }
            Verdict::GiveUp { reason, .. } => Err(WorkError::Hopeless(reason.into())),
            Verdict::Pause { reason, .. } => {
                self.pause(lease, delivery, reason).await?;
                Err(WorkError::Failed(reason.into()))
            }
        }
    }

    async fn refused(&self, lease: &Lease<Deliveries>, reference: PieceReference) -> Result<(), StoreError> {
        let mut tx = self.database.tenant_work("deliveries.refused", &lease.tenant).await?;
        deliveries::piece_refused(&mut tx, reference).await?;
        tx.commit().await
    }

    /// The vendor lets the account send nothing. What waits there waits until a person has looked: tried again, the delivery finds
    /// the account paused.
    async fn pause(
        &self,
        lease: &Lease<Deliveries>,
        delivery: &Delivery,
        reason: Reason,
    ) -> Result<(), WorkError> {
        let code = Trouble::from(reason).code();
        let mut tx = self.database.tenant_work("deliveries.pause", &lease.tenant).await?;
        channels::pause(&mut tx, delivery.account_id, Some(delivery.account_version), code, self.clock.now())
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Has the delivery wait until the contact writes; asks them to, if the account has a template for that.
    async fn hold(&self, errand: &Errand<'_>) -> Result<(), WorkError> {
        let Errand { lease, delivery, account, .. } = *errand;
        if let Some(reopening) = &account.reopening {
            let body = json!({ "name": reopening.name, "language": { "code": reopening.language } });
            let piece = Piece { kind: "template", body, quotes: None };
            match self.send_piece(errand, &piece, REOPENING).await {
                Ok(_) => {}
                // Without it the delivery waits all the same.
                Err(WorkError::Hopeless(trouble)) => {
                    warn!(
                        code = trouble.code(),
                        "the vendor does not take the template that asks a contact to write"
                    );
                }
                Err(other) => return Err(other),
            }
        }
        let mut tx = self.database.tenant_work("deliveries.hold", &lease.tenant).await?;
        deliveries::hold(&mut tx, lease, delivery.heard_at).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn call(&self, call: VendorCall) -> Result<Response, EgressError> {
        let url = format!("{}{}", self.vendors.graph_url, call.path);
        let request = match (call.asked, &call.body) {
            (Asked::Get, _) => Request::get(&url)?,
            (Asked::Post, Some(body)) => Request::post_json(&url, body)?,
            (Asked::Post, None) => Request::post(&url, "application/json", Vec::new())?,
        };
        let mut request = request.authorized(call.authorization.expose())?;
        request.timeout = Some(PATIENCE);
        self.egress.send(Reach::Internet, request).await
    }
}

fn of(answer: &Response, attempts: u32) -> VendorAnswer<'_> {
    let said = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    VendorAnswer {
        status: answer.status.as_u16(),
        retry_after: said("retry-after"),
        usage: said("x-business-use-case-usage"),
        body: &answer.body,
        tries: attempts.saturating_sub(1),
    }
}

/// Whether the vendor cannot have got what was sent.
fn did_not_leave(error: &EgressError) -> bool {
    match error {
        EgressError::NotAnAddress
        | EgressError::NotEncrypted
        | EgressError::Forbidden(_)
        | EgressError::Unresolved => true,
        EgressError::Unreachable(cause) => cause.is_connect(),
        _ => false,
    }
}
