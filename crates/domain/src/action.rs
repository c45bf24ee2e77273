//! What somebody does to a tenant and what belongs to it: the words of the access policies, of roles and of the scopes of
//! personal API tokens.

use crate::words::Words;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! actions {
    ($($(#[doc = $meaning:literal])* $name:ident = $text:literal,)*) => {
        /// One kind of management call, written `area:verb`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Action {
            $($(#[doc = $meaning])* $name,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it stands in policies, roles and scopes.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl Words for Action {
            const ABOUT: &'static [&'static str] = &["One kind of management call, written `area:verb`."];
            const MEANINGS: &'static [(&'static str, &'static [&'static str])] =
                &[$(($text, &[$($meaning),*]),)*];
        }

        /// Each action as a type, for what is made for one action and no other.
        pub mod act {
            use super::{Act, Action};

            $(
                $(#[doc = $meaning])*
                #[derive(Debug, Clone, Copy)]
                pub enum $name {}

                impl Act for $name {
                    const ACTION: Action = Action::$name;
                }
            )*
        }
    };
}

/// An action as a type.
pub trait Act: Send + Sync + 'static {
    /// The action.
    const ACTION: Action;
}

actions! {
    /// Read the record of the tenant.
    TenantRead = "tenant:read",
    /// Change the record of the tenant.
    TenantWrite = "tenant:write",
    /// Close the tenant.
    TenantClose = "tenant:close",
    /// Delete the tenant.
    TenantDelete = "tenant:delete",
    /// Open the tenant again that was closed.
    TenantReopen = "tenant:reopen",
    /// Change the tenant's plan and limits.
    PlanWrite = "plan:write",
    /// List all tenants of the platform.
    TenantsList = "tenants:list",
    /// Make a tenant.
    TenantsCreate = "tenants:create",
    /// Suspend a tenant.
    TenantsSuspend = "tenants:suspend",
    /// Activate a tenant.
    TenantsActivate = "tenants:activate",
    /// Run a privileged operation.
    PrivilegeUse = "privilege:use",
    /// Read what privileged operations were run.
    PrivilegeRead = "privilege:read",
    /// End access that a privileged operation gave, before its time.
    PrivilegeEnd = "privilege:end",
    /// Read the context pack.
    ContextPackRead = "context-pack:read",
    /// Replace the context pack.
    ContextPackWrite = "context-pack:write",
    /// Read bookings, and who they are for.
    BookingsRead = "bookings:read",
    /// Make, move and cancel bookings.
    BookingsWrite = "bookings:write",
    /// Read sites.
    SitesRead = "sites:read",
    /// Make, change and delete sites.
    SitesWrite = "sites:write",
    /// Read keys.
    KeysRead = "keys:read",
    /// Make and revoke keys.
    KeysWrite = "keys:write",
    /// Revoke a key of an administrator.
    AdministratorKeysRevoke = "administrator-keys:revoke",
    /// Read which secrets there are.
    SecretsRead = "secrets:read",
    /// Rotate and revoke secrets.
    SecretsWrite = "secrets:write",
    /// Revoke tokens.
    TokensRevoke = "tokens:revoke",
    /// Read client certificates.
    CertificatesRead = "certificates:read",
    /// Bind and revoke client certificates.
    CertificatesWrite = "certificates:write",
    /// Read limits.
    LimitsRead = "limits:read",
    /// Read the audit trail, its proofs and reports.
    AuditRead = "audit:read",
    /// Export the audit trail.
    AuditExport = "audit:export",
    /// Read why an agent answered as it did.
    DecisionsRead = "decisions:read",
    /// Read which turns wait.
    TurnsRead = "turns:read",
    /// Let turns that wait go on.
    TurnsWrite = "turns:write",
    /// Read what was used.
    UsageRead = "usage:read",
    /// Read users and their sessions.
    UsersRead = "users:read",
    /// Invite, change and remove users.
    UsersWrite = "users:write",
    /// Read roles.
    RolesRead = "roles:read",
    /// Make, change and delete roles.
    RolesWrite = "roles:write",
    /// Read how people sign in.
    SignInRead = "sign-in:read",
    /// Set how people sign in.
    SignInWrite = "sign-in:write",
    /// Read where the rotation of keys stands.
    EncryptionRead = "encryption:read",
    /// Rotate keys.
    EncryptionRotate = "encryption:rotate",
    /// Read channel accounts and what was delivered.
    ChannelsRead = "channels:read",
    /// Make, change and disable channel accounts.
    ChannelsWrite = "channels:write",
    /// Remove files that contacts sent.
    FilesRemove = "files:remove",
    /// Read what is said in conversations.
    ConversationsRead = "conversations:read",
    /// Take conversations, answer in them, give them back and close them.
    ConversationsWrite = "conversations:write",
    /// Say who answers in a conversation, also when somebody else holds it.
    ConversationsAssign = "conversations:assign",
    /// Read alerts and their rules.
    AlertsRead = "alerts:read",
    /// Acknowledge alerts and change their rules.
    AlertsWrite = "alerts:write",
    /// Read which work was given up.
    WorkRead = "work:read",
    /// Revive and drop work that was given up.
    WorkWrite = "work:write",
}

/// The text names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no action of the access policies")]
pub struct UnknownAction;

impl FromStr for Action {
    type Err = UnknownAction;
    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text).ok_or(UnknownAction)
    }
}

impl TryFrom<String> for Action {
    type Error = UnknownAction;
    fn try_from(text: String) -> Result<Self, UnknownAction> {
        text.parse()
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.as_str().into()
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
