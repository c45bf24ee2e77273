//! Bookings: made, kept for somebody who decides, moved and called off.
//!
//! Whoever changes bookings of a provider first changes the provider's line in `booking_calendars`, and so sees all that others did
//! before. That the same place is never taken twice is the database's own rule (`bookings_do_not_overlap`), whatever this module does.

mod change;
mod forms;
mod read;
mod shares;
mod write;

pub use change::{Correction, Off, call_off, correct, release};
pub use forms::{KeptForm, form, keep_form};
pub use read::{Listed, Own, Position, contact_of, find, list, taken, upcoming};
pub use write::{By, Kept, NewBooking, put};

use crate::{ContactKey, StoreError, TenantKeys, TenantTx, readable::stored, vault::Via};
use jiff_sqlx::Timestamp as SqlTimestamp;
use misy_domain::{BookingId, BookingState, ContactId, ConversationId, Entropy, TenantId, Timestamp};
use misy_trust::Place;
use serde::{Deserialize, Serialize};

/// Bookings that one contact may have ahead.
pub const MOST_AHEAD: i64 = 20;

/// Who a booking is for, in their own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Their e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// For how many people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party_size: Option<u32>,
    /// What else the business should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Its id.
    pub booking_id: BookingId,
    /// Whose it is.
    pub contact_id: ContactId,
    /// The conversation that it was made in, if it was made in one.
    pub conversation_id: Option<ConversationId>,
    /// The service, by its id in the context pack of that time.
    pub service_id: String,
    /// What the service was called.
    pub service_name: String,
    /// The provider, by its id in the context pack of that time.
    pub provider_id: String,
    /// What the provider was called.
    pub provider_name: String,
    /// Where it stands.
    pub state: BookingState,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// Until when the time is kept, if nothing is booked yet.
    pub held_until: Option<Timestamp>,
    /// Who it is for.
    pub details: Details,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub changed_at: Timestamp,
}

/// A booking as it is stored.
struct Row {
    booking_id: String,
    contact_id: String,
    conversation_id: Option<String>,
    service_id: String,
    service_name: String,
    provider_id: String,
    provider_name: String,
    state: String,
    starts_at: SqlTimestamp,
    ends_at: SqlTimestamp,
    held_until: Option<SqlTimestamp>,
    sealed_details: Vec<u8>,
    version: i64,
    created_at: SqlTimestamp,
    changed_at: SqlTimestamp,
}

impl Row {
    async fn open(self, tx: &mut TenantTx, keys: &TenantKeys) -> Result<Booking, StoreError> {
        let tenant = tx.tenant().clone();
        let broken = || StoreError::Unsealable("bookings");
        let key = keys.contact(Via::Connection(tx.connection()), &self.contact_id).await?;
        let key = key.ok_or_else(broken)?;
        keys.know(Via::Connection(tx.connection()), [&*self.sealed_details]).await?;
        let json = key.open(keys, &place(&tenant, &self.booking_id), &self.sealed_details)?;
        Ok(Booking {
            booking_id: stored(self.booking_id.parse())?,
            contact_id: stored(self.contact_id.parse())?,
            conversation_id: self.conversation_id.map(|id| stored(id.parse())).transpose()?,
            service_id: self.service_id,
            service_name: self.service_name,
            provider_id: self.provider_id,
            provider_name: self.provider_name,
            state: stored(self.state.parse())?,
            starts_at: self.starts_at.to_jiff(),
            ends_at: self.ends_at.to_jiff(),
            held_until: self.held_until.map(SqlTimestamp::to_jiff),
            details: serde_json::from_slice(&json).map_err(|_| broken())?,
            version: self.version,
            created_at: self.created_at.to_jiff(),
            changed_at: self.changed_at.to_jiff(),
        })
    }
}

fn place<'a>(tenant: &'a TenantId, booking: &'a str) -> Place<'a> {
    Place { tenant, table: "bookings", column: "sealed_details", row: booking }
}

fn seal(
    key: &ContactKey,
    tenant: &TenantId,
    booking: &str,
    details: &Details,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(details).map_err(|_| StoreError::Unsealable("bookings"))?;
    Ok(key.seal(&place(tenant, booking), &json, entropy))
}
