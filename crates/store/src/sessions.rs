//! Sessions: what a client holds, together with its token, to write and read.

use crate::{StoreError, TenantKeys, TenantTx, vault::Via};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    Channel, Clock, ContactId, ConversationId, Entropy, Language, Locale, Permissions, SessionId, SiteId,
    TenantId, Timestamp, TokenId,
};
use misy_trust::Place;
use serde_json::Value;
use std::time::Duration;

/// A session to be opened.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// The site it is opened on.
    pub site: &'a SiteId,
    /// The channel.
    pub channel: Channel,
    /// What the client prefers to read.
    pub locale: Option<&'a Locale>,
    /// The chain of tokens that may use it.
    pub family: TokenId,
    /// What the token allows: the most that turns of the session may use.
    pub permissions: &'a Permissions,
    /// What the client says about the visit; sealed.
    pub metadata: Option<&'a Value>,
    /// Whose shares it takes from: a visitor's and their networks', by names that say nothing. Nobody's for a program.
    pub counts_as: &'a [String],
    /// How long it lives.
    pub ttl: Duration,
}

misy_domain::words! {
    /// Where a conversation stands.
    pub enum ConversationStatus {
        /// Agents answer.
        Active = "active",
        /// A person was asked to take over.
        Handoff = "handoff",
        /// It is over.
        Closed = "closed",
    }
}

/// A session.
#[derive(Clone)]
pub struct Session {
    /// Its id.
    pub session_id: SessionId,
    /// The conversation it writes to.
    pub conversation_id: ConversationId,
    /// Who writes.
    pub contact_id: ContactId,
    /// The site it was opened on.
    pub site_id: SiteId,
    /// The channel.
    pub channel: Channel,
    /// What the client prefers to read.
    pub locale: Option<Locale>,
    /// What turns of the session may use.
    pub permissions: Permissions,
    /// When it was opened.
    pub created_at: Timestamp,
    /// From when on it takes no message.
    pub expires_at: Timestamp,
    /// Whether it was ended.
    pub ended_at: Option<Timestamp>,
    /// Where its conversation stands.
    pub status: ConversationStatus,
    /// The language of the conversation, once it is known.
    pub language: Option<Language>,
    /// The sequence of the newest message; 0 before the first.
    pub last_sequence: i64,
    sealed_metadata: Option<Vec<u8>>,
}

impl Session {
    /// Whether it takes messages.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }

    /// What the client said about the visit.
    pub async fn metadata(&self, tx: &mut TenantTx, keys: &TenantKeys) -> Result<Option<Value>, StoreError> {
        let Some(sealed) = &self.sealed_metadata else { return Ok(None) };
        let broken = || StoreError::Unsealable("sessions");
        let session = self.session_id.to_string();
        let key = keys.contact(Via::Connection(tx.connection()), &session).await?.ok_or_else(broken)?;
        keys.know(Via::Connection(tx.connection()), [&**sealed]).await?;
        let json = key.open(keys, &place(keys.tenant(), &session), sealed)?;
        serde_json::from_slice(&json).map(Some).map_err(|_| broken())
    }
}

fn place<'a>(tenant: &'a TenantId, session: &'a str) -> Place<'a> {
    Place { tenant, table: "sessions", column: "sealed_metadata", row: session }
}

/// Opens a session of a new contact, with a new conversation.
pub async fn open_session(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    new: &NewSession<'_>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Session, StoreError> {
    let tenant = tx.tenant().clone();
    let session_id = SessionId::new(clock, entropy);
    let conversation_id = ConversationId::new(clock, entropy);
    let contact_id = ContactId::new(clock, entropy);
    let now = clock.now();
    let expires_at = after(now, new.ttl);
    let (key, wrapped_key) = keys.new_contact(contact_id)?;
    let sealed_metadata = match new.metadata {
        Some(metadata) => {
            let json = serde_json::to_vec(metadata).map_err(|_| StoreError::Unsealable("sessions"))?;
            Some(key.seal(&place(&tenant, &session_id.to_string()), &json, entropy))
        }
        None => None,
    };
    // One statement, one round trip; foreign keys are checked at its end.
    sqlx::query!(
        "with contact as (
             insert into contacts (tenant_id, contact_id, created_at) values ($1, $2, $3)
         ), contact_key as (
             insert into contact_keys (tenant_id, contact_id, wrapped_key) values ($1, $2, $13)
         ), conversation as (
             insert into conversations (tenant_id, conversation_id, contact_id, channel, created_at)
             values ($1, $4, $2, $5, $3)
         )
         insert into sessions (tenant_id, session_id, site_id, conversation_id, contact_id, channel, locale,
                               token_family, permissions, sealed_metadata, created_at, expires_at, counts_as)
         values ($1, $6, $7, $4, $2, $5, $8, $9, $10, $11, $3, $12, $14)",
        tenant.as_str(),
        contact_id.to_string(),
        now.to_sqlx(),
        conversation_id.to_string(),
        new.channel.as_str(),
        session_id.to_string(),
        new.site.as_str(),
        new.locale.map(Locale::as_str),
        new.family.to_string(),
        &names(new.permissions),
        sealed_metadata,
        expires_at.to_sqlx(),
        wrapped_key,
        new.counts_as,
    )
    .execute(tx.connection())
    .await?;
    // Should the transaction not be committed, nobody ever asks for these names.
    keys.remember([session_id.to_string(), conversation_id.to_string()], &key);
    Ok(Session {
        session_id,
        conversation_id,
        contact_id,
        site_id: new.site.clone(),
        channel: new.channel,
        locale: new.locale.cloned(),
        permissions: new.permissions.clone(),
        created_at: now,
        expires_at,
        ended_at: None,
        status: ConversationStatus::Active,
        language: None,
        last_sequence: 0,
        sealed_metadata,
    })
}

/// Takes up a session again that is not over: it lives for another `ttl` from now, with what the present token allows.
/// `None` if there is none for this site, channel and token family.
pub async fn resume_session(
    tx: &mut TenantTx,
    id: SessionId,
    new: &NewSession<'_>,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let tenant = tx.tenant().clone();
    let resumed = sqlx::query!(
        "update sessions set expires_at = greatest(expires_at, $1), permissions = $2
         where tenant_id = $3 and session_id = $4 and site_id = $5 and token_family = $6 and channel = $7
             and ended_at is null and expires_at > $8",
        after(now, new.ttl).to_sqlx(),
        &names(new.permissions),
        tenant.as_str(),
        id.to_string(),
        new.site.as_str(),
        new.family.to_string(),
        new.channel.as_str(),
        now.to_sqlx(),
    )
    .execute(tx.connection())
    .await?;
    if resumed.rows_affected() == 0 {
        return Ok(None);
    }
    session(tx, id, new.family, new.site).await
}

/// A session, if it belongs to this token family and site. One that is over is found too.
pub async fn session(
    tx: &mut TenantTx,
    id: SessionId,
    family: TokenId,
    site: &SiteId,
) -> Result<Option<Session>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        "select s.conversation_id, s.contact_id, s.channel, s.locale, s.permissions, s.sealed_metadata, s.created_at,
                s.expires_at, s.ended_at, c.status, c.language, c.last_sequence
         from sessions s
         join conversations c on c.tenant_id = s.tenant_id and c.conversation_id = s.conversation_id
         where s.tenant_id = $1 and s.session_id = $2 and s.site_id = $3 and s.token_family = $4",
        tenant.as_str(),
        id.to_string(),
        site.as_str(),
        family.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let broken = || StoreError::Unsealable("sessions");
    Ok(Some(Session {
        session_id: id,
        conversation_id: row.conversation_id.parse().map_err(|_| broken())?,
        contact_id: row.contact_id.parse().map_err(|_| broken())?,
        site_id: site.clone(),
        channel: row.channel.parse().map_err(|_| broken())?,
        locale: row.locale.and_then(|text| text.parse().ok()),
        permissions: permissions(&row.permissions),
        created_at: row.created_at.to_jiff(),
        expires_at: row.expires_at.to_jiff(),
        ended_at: row.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
        status: row.status.parse().map_err(|_| broken())?,
        language: row.language.as_deref().and_then(language),
        last_sequence: row.last_sequence,
        sealed_metadata: row.sealed_metadata,
    }))
}

/// Ends a session: it takes no message any more.
pub async fn end_session(tx: &mut TenantTx, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update sessions set ended_at = coalesce(ended_at, $1) where tenant_id = $2 and session_id = $3",
        now.to_sqlx(),
        tenant.as_str(),
        id.to_string(),
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub(crate) fn permissions(names: &[String]) -> Permissions {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

pub(crate) fn language(code: &str) -> Option<Language> {
    Language::ALL.into_iter().find(|language| language.code() == code)
}

fn names(permissions: &Permissions) -> Vec<String> {
    permissions.iter().map(|permission| permission.to_string()).collect()
}

fn after(now: Timestamp, ttl: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(ttl)
        .ok()
        .and_then(|ttl| now.checked_add(ttl).ok())
        .unwrap_or(Timestamp::MAX)
}
