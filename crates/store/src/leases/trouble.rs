//! Why work failed.

use crate::StoreError;
use misy_channels::{Reason, Verdict};

/// Why work failed. Its code stands with the row and in alerts: it tells operators what happened, and never holds words of
/// a contact or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The worker died with it, again and again.
    WorkerLost,
    /// The handler panicked.
    Panic,
    /// It took longer than it may.
    Timeout,
    /// The database refused.
    Database,
    /// The database could not be reached.
    DatabaseUnavailable,
    /// Sealed data could not be opened.
    Unsealable,
    /// The tenant has no keys, or their root key is missing.
    NoKeys,
    /// The key management service did not answer.
    KeysUnavailable,
    /// Too much of the tenant waits.
    TooMuchAtOnce,
    /// The tenant has no context pack.
    NoContextPack,
    /// The context pack cannot be used.
    ContextPackInvalid,
    /// The context pack needs more memory or time than there is.
    ContextPackTooCostly,
    /// The agent came to no answer.
    AgentFailed,
    /// The decision could not be written down.
    UnwritableDecision,
    /// The mail server could not be reached.
    MailServerUnreachable,
    /// The mail server refused for now.
    MailRefusedForNow,
    /// The mail server refused for good.
    MailRefused,
    /// The address is none that mail can go to.
    MailAddressUnusable,
    /// The receiver of deliveries could not be reached.
    CallbackUnreachable,
    /// The receiver of deliveries answered that it does not take this.
    CallbackRefused,
    /// The receiver of deliveries answered that it is no more.
    CallbackGone,
    /// The address of the receiver may not be called.
    CallbackUnusable,
    /// The vendor of the channel could not be reached, or did not answer.
    VendorUnreachable,
    /// The vendor of the channel takes nothing more for now.
    VendorThrottled,
    /// The vendor of the channel has a problem of its own.
    VendorUnavailable,
    /// The vendor of the channel lets the account do nothing.
    VendorUnauthorised,
    /// The vendor of the channel has blocked the account.
    VendorBlocked,
    /// The vendor of the channel does not take this message.
    VendorRefused,
    /// The contact cannot be reached on the channel, or does not want to be.
    ContactUnreachable,
    /// The contact has not written for so long that the vendor takes no answer.
    WindowClosed,
    /// Nothing of the message can be shown on the channel.
    NothingToShow,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 31] = [
        Self::WorkerLost,
        Self::Panic,
        Self::Timeout,
        Self::Database,
        Self::DatabaseUnavailable,
        Self::Unsealable,
        Self::NoKeys,
        Self::KeysUnavailable,
        Self::TooMuchAtOnce,
        Self::NoContextPack,
        Self::ContextPackInvalid,
        Self::ContextPackTooCostly,
        Self::AgentFailed,
        Self::UnwritableDecision,
        Self::MailServerUnreachable,
        Self::MailRefusedForNow,
        Self::MailRefused,
        Self::MailAddressUnusable,
        Self::CallbackUnreachable,
        Self::CallbackRefused,
        Self::CallbackGone,
        Self::CallbackUnusable,
        Self::VendorUnreachable,
        Self::VendorThrottled,
        Self::VendorUnavailable,
        Self::VendorUnauthorised,
        Self::VendorBlocked,
        Self::VendorRefused,
        Self::ContactUnreachable,
        Self::WindowClosed,
        Self::NothingToShow,
    ];

    /// As it stands in the database and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::WorkerLost => "worker_lost",
            Self::Panic => "panic",
            Self::Timeout => "timeout",
            Self::Database => "database",
            Self::DatabaseUnavailable => "database_unavailable",
            Self::Unsealable => "unsealable",
            Self::NoKeys => "no_keys",
            Self::KeysUnavailable => "keys_unavailable",
            Self::TooMuchAtOnce => "too_much_at_once",
            Self::NoContextPack => "no_context_pack",
            Self::ContextPackInvalid => "context_pack_invalid",
            Self::ContextPackTooCostly => "context_pack_too_costly",
            Self::AgentFailed => "agent_failed",
            Self::UnwritableDecision => "unwritable_decision",
            Self::MailServerUnreachable => "mail_server_unreachable",
            Self::MailRefusedForNow => "mail_refused_for_now",
            Self::MailRefused => "mail_refused",
            Self::MailAddressUnusable => "mail_address_unusable",
            Self::CallbackUnreachable => "callback_unreachable",
            Self::CallbackRefused => "callback_refused",
            Self::CallbackGone => "callback_gone",
            Self::CallbackUnusable => "callback_unusable",
            Self::VendorUnreachable => "vendor_unreachable",
            Self::VendorThrottled => "vendor_throttled",
            Self::VendorUnavailable => "vendor_unavailable",
            Self::VendorUnauthorised => "vendor_unauthorised",
            Self::VendorBlocked => "vendor_blocked",
            Self::VendorRefused => "vendor_refused",
            Self::ContactUnreachable => "contact_unreachable",
            Self::WindowClosed => "window_closed",
            Self::NothingToShow => "nothing_to_show",
        }
    }

    /// The trouble of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.code() == code)
    }

    /// What it means and what to do, for whoever looks at work that was given up.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::CallbackUnreachable => {
                "The callback of the channel account could not be reached. Revive it once the receiver answers again."
            }
            Self::CallbackRefused => {
                "The callback answered with an error each time. Mend the receiver, then revive it."
            }
            Self::CallbackGone => {
                "The callback answered 410, so the account was disabled. Set another address, activate the account, then revive it."
            }
            Self::CallbackUnusable => {
                "The address of the callback may not be called: it is not public, or not https. Set another, then revive it."
            }
            Self::VendorUnreachable => {
                "The vendor of the channel could not be reached. Revive it once the vendor answers again."
            }
            Self::VendorThrottled => {
                "The vendor of the channel let the account send no more, again and again. Send less, then revive it."
            }
            Self::VendorUnavailable => {
                "The vendor of the channel had a problem of its own each time. Revive it later."
            }
            Self::VendorUnauthorised => {
                "The vendor of the channel does not let the account in. Give the account a new access token, activate it, then revive this."
            }
            Self::VendorBlocked => {
                "The vendor of the channel has blocked the account. Look at the account there, activate it here, then revive this."
            }
            Self::VendorRefused => {
                "The vendor of the channel does not take this message. Drop it, or say it in another way."
            }
            Self::ContactUnreachable => {
                "The contact cannot be reached on the channel, or does not want to be. Drop it."
            }
            Self::WindowClosed => {
                "The contact has not written for so long that the vendor takes no answer. It leaves when they write again."
            }
            Self::NothingToShow => "Nothing of the message can be shown on the channel. Drop it.",
            Self::WorkerLost => {
                "The program stopped each time it worked on this. Its log of that time says why. Revive it once that is mended."
            }
            Self::Panic => {
                "The program has a fault that this brings up. Report it, and revive this after the next update."
            }
            Self::Timeout => {
                "It took longer than it may, each time. Revive it when the installation has less to do."
            }
            Self::Database => {
                "The database refused what the program wanted to write. The log says what it was."
            }
            Self::DatabaseUnavailable => {
                "The database could not be reached. Revive it once the database answers again."
            }
            Self::Unsealable => {
                "Sealed data does not open: it is damaged, or its key is missing. Check the root key before you revive it."
            }
            Self::NoKeys => "The keys of the tenant cannot be opened. Check the root key, then revive it.",
            Self::KeysUnavailable => {
                "The key management service did not answer. Revive it once the service can be reached again."
            }
            Self::TooMuchAtOnce => {
                "Too much of this tenant waited at the same time. Revive it when less waits."
            }
            Self::NoContextPack => "The tenant has no context pack. Put one, then revive it.",
            Self::ContextPackInvalid => "The context pack cannot be used. Put a valid one, then revive it.",
            Self::ContextPackTooCostly => {
                "The context pack is too large to be used. Put a smaller one, then revive it."
            }
            Self::AgentFailed => {
                "The agent came to no answer. Check what it is connected to, then revive it."
            }
            Self::UnwritableDecision => {
                "The record of the decision could not be written. Report it: the program has a fault."
            }
            Self::MailServerUnreachable => {
                "The mail server could not be reached. Check the setting of the mail server, then revive it."
            }
            Self::MailRefusedForNow => {
                "The mail server refused again and again. Its own log says why. Revive it later."
            }
            Self::MailRefused => {
                "The mail server refuses this mail for good. The address may be gone. Invite again with another, and drop this."
            }
            Self::MailAddressUnusable => {
                "No mail can go to this address. Correct the address, invite again, and drop this."
            }
        }
    }
}

impl From<&StoreError> for Trouble {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unsealable(_) => Self::Unsealable,
            StoreError::Unavailable(_) => Self::DatabaseUnavailable,
            StoreError::UnknownRootKey => Self::NoKeys,
            StoreError::KeyProvider(_) => Self::KeysUnavailable,
            _ => Self::Database,
        }
    }
}

impl From<Reason> for Trouble {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Throttled => Self::VendorThrottled,
            Reason::Unavailable => Self::VendorUnavailable,
            Reason::Unauthorised => Self::VendorUnauthorised,
            Reason::Blocked => Self::VendorBlocked,
            Reason::Unreachable => Self::ContactUnreachable,
            Reason::Refused => Self::VendorRefused,
        }
    }
}

impl Trouble {
    /// Why a vendor did not take a message, or did not pass it on after it had; nothing if it did.
    pub fn of_verdict(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Taken(_) => None,
            Verdict::WindowClosed => Some(Self::WindowClosed),
            Verdict::Unsure => Some(Self::VendorUnavailable),
            Verdict::Retry { reason, .. }
            | Verdict::Pause { reason, .. }
            | Verdict::GiveUp { reason, .. } => Some((*reason).into()),
        }
    }
}
