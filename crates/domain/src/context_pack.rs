//! The context pack: everything an agent may know about a tenant.
//!
//! A pack is written as JSON in the console or by a program of the tenant, and [`ContextPack::parse`] is the only way
//! in: it checks every field and reports every mistake at once. What it returns is trusted from then on.

mod read;
pub(crate) mod shape;
mod size;
mod starter;
mod validate;

use crate::{
    Language, Locale, Origin,
    hours::{Calendar, Exception, Weekly},
};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::fmt;

/// The largest pack in bytes of compact JSON.
pub const MAX_PACK_BYTES: usize = 256 * 1024;

/// One mistake in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct Invalid {
    /// Where it stands, as a JSON pointer (RFC 6901); empty for the whole.
    pub pointer: String,
    /// What kind of mistake, for programs: `required`, `type`, `unknown`, `too_long`, `too_many`, `format`, `order`,
    /// `duplicate`, `reference`, `range`, `too_large`.
    pub code: String,
    /// The same in words.
    pub message: String,
}

/// What an agent may know about a tenant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ContextPack {
    /// The name that contacts know.
    pub display_name: String,
    /// What the business does, in a few words; it decides the persona.
    pub industry: String,
    /// The language and region of the texts in the pack.
    pub locale: Locale,
    /// The zone that every time in the pack is local to.
    pub timezone: ZoneName,
    /// The currency of prices.
    pub currency: Currency,
    /// How to reach the business.
    pub contact: Contact,
    /// The web origins of the business.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub site_origins: Vec<Origin>,
    /// How it looks and speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branding: Option<Branding>,
    /// The first words of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// When it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opening_hours: Option<OpeningHours>,
    /// What the business is, in a paragraph.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it sells.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub services: Vec<Service>,
    /// Who or what can be booked.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub providers: Vec<Provider>,
    /// The rules of bookings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_policy: Option<BookingPolicy>,
    /// How it sells.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub sales_strategies: Vec<SalesStrategy>,
    /// Approved answers.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub faq: Vec<Faq>,
    /// The fine print.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<Policies>,
    /// When a person takes over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
}

/// How to reach the business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Contact {
    /// E-mail address.
    pub email: String,
    /// Telephone number as people write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Postal address in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// How the business looks and speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Branding {
    /// `#RRGGBB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_color: Option<String>,
    /// An https address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// How agents should sound, in the tenant's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tone: Option<String>,
}

/// When the business is open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OpeningHours {
    /// The usual week.
    pub weekly: Weekly,
    /// Dates that differ.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub exceptions: Vec<Exception>,
}

/// Something the business sells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Unique in the pack.
    pub id: String,
    /// The name that contacts know.
    pub name: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it costs; none means on request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// How long it takes; with providers it can be booked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_minutes: Option<u32>,
    /// Minutes that its provider needs before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_before_minutes: Option<u32>,
    /// Minutes that its provider needs after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_after_minutes: Option<u32>,
    /// Why one would want it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub benefits: Vec<String>,
    /// Who or what can do it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provider_ids: Vec<String>,
}

/// A person, room or table area that can be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Unique in the pack.
    pub id: String,
    /// The name that contacts know.
    pub name: String,
    /// What it is or does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Ids of the services.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// The usual week.
    #[cfg_attr(feature = "schema", schema(required = false))]
    pub weekly_availability: Weekly,
    /// Dates that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// How many bookings it takes at once; usually one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

/// The rules of bookings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BookingPolicy {
    /// The least time before the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_advance_minutes: Option<u32>,
    /// How far ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_advance_days: Option<u32>,
    /// Until how many hours before the start it can be cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_hours: Option<u32>,
    /// Starts fall on multiples of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot_minutes: Option<u32>,
}

/// How one service is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SalesStrategy {
    /// Unique in the pack.
    pub id: String,
    /// The service's id.
    pub service: String,
    /// What the seller does, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// What contacts say against it, and the answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objections: Vec<Objection>,
    /// An https address where it can be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_link: Option<String>,
}

/// Something a contact says against buying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Objection {
    /// In the contact's words.
    pub objection: String,
    /// What to say.
    pub answer: String,
}

/// An approved answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Faq {
    /// Unique in the pack.
    pub id: String,
    /// The question.
    pub question: String,
    /// The same question in other words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
    /// The answer.
    pub answer: String,
}

/// The fine print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Policies {
    /// Returns, refunds, warranty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returns: Option<String>,
    /// Personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<String>,
}

/// When a person takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Escalation {
    /// The cases, in the tenant's own words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when_to_hand_off: Vec<String>,
    /// Who is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_email: Option<String>,
}

/// A price: hundredths of the major unit, and its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Hundredths of the major unit, never negative: `2400000` COP is 240,000,000 here.
    pub hundredths: i64,
    /// Of what.
    pub currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut state = serializer.serialize_struct("Money", 2)?;
        if self.hundredths % 100 == 0 {
            state.serialize_field("amount", &(self.hundredths / 100))?;
        } else {
            // Validation keeps amounts below 2^53 hundredths, so the nearest double prints as the decimal it came from.
            #[allow(clippy::cast_precision_loss)]
            state.serialize_field("amount", &(self.hundredths as f64 / 100.0))?;
        }
        state.serialize_field("currency", &self.currency)?;
        state.end()
    }
}

/// Three capital letters as in ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code, if the text has the shape of one.
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An IANA time zone by name, such as `America/Bogota`; known to the program's zone database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneName {
    name: String,
    zone: TimeZone,
}

impl ZoneName {
    /// The zone of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        Some(Self { name: name.to_owned(), zone })
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl Serialize for ZoneName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl ContextPack {
    /// Reads and checks a pack; on failure tells every mistake, not only the first.
    pub fn parse(value: &Value) -> Result<Self, Vec<Invalid>> {
        validate::pack(value)
    }

    /// The pack as JSON, in the form that [`ContextPack::parse`] reads.
    pub fn to_json(&self) -> Value {
        // Only maps with text keys and finite numbers are in it, so there is nothing that could fail.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The pack of a newly provisioned tenant: sensible defaults and a little sample knowledge to start from.
    pub fn starter(
        name: &str,
        email: &str,
        website: &str,
        industry: &str,
        locale: &Locale,
        timezone: ZoneName,
    ) -> Self {
        starter::pack(name, email, website, industry, locale, timezone)
    }

    /// The language that the pack's texts are written in; English if Misy does not speak the locale's.
    pub fn language(&self) -> Language {
        self.locale.language().unwrap_or(Language::En)
    }

    /// The opening hours as a calendar, if the pack has any.
    pub fn calendar(&self) -> Option<Calendar<'_>> {
        let hours = self.opening_hours.as_ref()?;
        Some(Calendar { weekly: &hours.weekly, exceptions: &hours.exceptions, zone: self.timezone.zone() })
    }

    /// A service by its id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == id)
    }

    /// A provider by its id.
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id == id)
    }

    /// An approved answer by its id.
    pub fn faq(&self, id: &str) -> Option<&Faq> {
        self.faq.iter().find(|faq| faq.id == id)
    }
}

impl Service {
    /// Whether somebody can book it: it has a length and someone who does it.
    pub fn is_bookable(&self) -> bool {
        self.duration_minutes.is_some() && !self.provider_ids.is_empty()
    }
}
