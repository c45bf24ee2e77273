//! What travels about bookings.

use crate::problem::{FieldError, Problem};
use misy_domain::{BookingId, BookingState, ContactId, Timestamp};
use misy_store::bookings::{Booking, Details};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A booking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Booking)]
pub struct BookingAnswer {
    /// Its id.
    booking_id: BookingId,
    /// Whose it is.
    contact_id: ContactId,
    /// The service, by its id in the context pack.
    #[schema(example = "limpieza-dental")]
    service_id: String,
    /// What the service was called when it was booked.
    service_name: String,
    /// The provider, by its id in the context pack.
    #[schema(example = "dra-valentina-rojas")]
    provider_id: String,
    /// What the provider was called when it was booked.
    provider_name: String,
    /// Where it stands.
    state: BookingState,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// Until when the time is kept for somebody who decides.
    #[schema(value_type = Option<String>, format = DateTime)]
    held_until: Option<Timestamp>,
    /// Who it is for.
    details: BookingDetails,
    /// Grows with each change; the `ETag`.
    version: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Booking> for BookingAnswer {
    fn from(booking: Booking) -> Self {
        Self {
            booking_id: booking.booking_id,
            contact_id: booking.contact_id,
            service_id: booking.service_id,
            service_name: booking.service_name,
            provider_id: booking.provider_id,
            provider_name: booking.provider_name,
            state: booking.state,
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            held_until: booking.held_until,
            details: booking.details.into(),
            version: booking.version,
            created_at: booking.created_at,
            updated_at: booking.changed_at,
        }
    }
}

/// Who a booking is for. It is sealed under the key of the contact.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BookingDetails {
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 120)]
    name: Option<String>,
    /// Their telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    phone: Option<String>,
    /// Their e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// For how many people, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    party_size: Option<u32>,
    /// What else the business should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    note: Option<String>,
}

impl From<Details> for BookingDetails {
    fn from(details: Details) -> Self {
        let Details { name, phone, email, party_size, note } = details;
        Self { name, phone, email, party_size, note }
    }
}

impl BookingDetails {
    pub(super) fn checked(&self) -> Result<Details, Problem> {
        let mut mistakes = Vec::new();
        for (pointer, text, most) in [
            ("/details/name", &self.name, 120),
            ("/details/phone", &self.phone, 40),
            ("/details/email", &self.email, 254),
            ("/details/note", &self.note, 500),
        ] {
            let Some(text) = text else { continue };
            if text.trim().is_empty() {
                mistakes.push(FieldError::new(pointer, "required", "must not be empty"));
            } else if text.chars().count() > most {
                mistakes.push(FieldError::new(
                    pointer,
                    "too_long",
                    format!("must have at most {most} characters"),
                ));
            } else if text.chars().any(|c| c.is_control() && c != '\n') {
                mistakes.push(FieldError::new(pointer, "format", "must have no control characters"));
            }
        }
        if self.party_size.is_some_and(|size| !(1..=1000).contains(&size)) {
            mistakes.push(FieldError::new("/details/partySize", "range", "must be from 1 to 1000"));
        }
        if !mistakes.is_empty() {
            return Err(Problem::invalid(mistakes));
        }
        let Self { name, phone, email, party_size, note } = self.clone();
        Ok(Details { name, phone, email, party_size, note })
    }
}

/// A booking to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBookingBody {
    /// The service, by its id in the context pack.
    #[schema(example = "limpieza-dental")]
    pub(crate) service_id: String,
    /// The provider; anybody who does the service unless given.
    pub(crate) provider_id: Option<String>,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) starts_at: Timestamp,
    /// Who it is for.
    #[serde(default)]
    #[schema(required = false)]
    pub(crate) details: BookingDetails,
}

/// What changes of a booking.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BookingPatch {
    /// When it begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) starts_at: Option<Timestamp>,
    /// The provider.
    pub(crate) provider_id: Option<String>,
    /// Who it is for, in the place of what was known.
    pub(crate) details: Option<BookingDetails>,
}
