//! The words and rules of Misy: identifiers, tenants, messages, permissions, limits and time.
//!
//! Nothing here reads a clock, a file or a socket; everything is a value or a rule over values.

pub mod action;
pub mod agent;
pub mod booking;
pub mod channel;
pub mod clock;
pub mod context_pack;
pub mod decision;
pub mod domain_name;
pub mod email;
pub mod entropy;
pub mod hours;
pub mod id;
pub mod json;
pub mod language;
pub mod limit;
pub mod message;
pub mod network;
pub mod origin;
pub mod password;
pub mod permission;
pub mod phone;
pub mod plan;
pub mod role;
#[cfg(feature = "schema")]
pub mod schema;
pub mod secret;
pub mod share;
pub mod slug;
pub mod tenant;
pub mod trace_context;
pub mod words;

pub use action::{Act, Action, act};
pub use booking::BookingState;
pub use channel::Channel;
pub use clock::{Clock, SystemClock};
pub use context_pack::ContextPack;
pub use decision::Decision;
pub use domain_name::DomainName;
pub use email::EmailAddress;
pub use entropy::Entropy;
pub use id::{
    AlertId, AuditId, BookingId, CertificateId, ChannelAccountId, ContactId, ConversationId, DeliveryId,
    FileId, GrantId, Id, IdentityId, KeyId, MailId, MessageId, NoteId, PasskeyId, RequestId, RotationId,
    SessionId, SignInId, TokenId, UserId,
};
pub use language::{Language, Locale};
pub use message::{Content, Message, MessageOrigin, Part, Pressed, Reply, Role, Source};
pub use origin::Origin;
pub use permission::{Permission, Permissions};
pub use plan::Metered;
pub use role::BuiltInRole;
pub use secret::Secret;
pub use slug::{SiteId, TenantId};
pub use tenant::{Plan, TenantStatus, TenantType};
pub use trace_context::TraceContext;

/// An instant in time; the whole program speaks in UTC instants and turns them into local time only to show them.
pub use jiff::Timestamp;
