//! The ways a contact can reach a tenant.

use serde::{Deserialize, Serialize};

/// A channel of conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// The chat on the tenant's own site.
    Web,
    /// WhatsApp Business.
    Whatsapp,
    /// Instagram direct messages.
    Instagram,
    /// Facebook Messenger.
    Messenger,
    /// E-mail.
    Email,
    /// A program of the tenant.
    Api,
    /// The tenant's customer relationship system.
    Crm,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Web, Self::Whatsapp, Self::Instagram, Self::Messenger, Self::Email, Self::Api, Self::Crm];

    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Whatsapp => "whatsapp",
            Self::Instagram => "instagram",
            Self::Messenger => "messenger",
            Self::Email => "email",
            Self::Api => "api",
            Self::Crm => "crm",
        }
    }
}

impl std::str::FromStr for Channel {
    type Err = crate::tenant::UnknownValue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text).ok_or(crate::tenant::UnknownValue)
    }
}
