//! What people of a tenant tell each other about a conversation.

use super::Assignee;
use crate::{StoreError, TenantKeys, TenantTx, readable::stored, users, vault::Via};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{ConversationId, Entropy, NoteId, TenantId, Timestamp, UserId};
use misy_trust::Place;
use std::collections::HashMap;

/// A note. The contact never sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub note_id: NoteId,
    /// Who wrote it; nobody any more, where they were removed.
    pub author: Option<Assignee>,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub created_at: Timestamp,
}

fn place<'a>(tenant: &'a TenantId, note: &'a str) -> Place<'a> {
    Place { tenant, table: "conversation_notes", column: "sealed_note", row: note }
}

/// Adds a note; whether there is such a conversation. The same id again is the same note.
#[allow(clippy::too_many_arguments, reason = "what a note is made of")]
pub async fn add_note(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
    note: NoteId,
    author: UserId,
    text: &str,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let (row, conversation) = (note.to_string(), conversation.to_string());
    let Some(key) = keys.contact(Via::Connection(tx.connection()), &conversation).await? else {
        return Ok(false);
    };
    sqlx::query!(
        "insert into conversation_notes (tenant_id, note_id, conversation_id, user_id, sealed_note, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        tenant.as_str(),
        row,
        conversation,
        author.to_string(),
        key.seal(&place(&tenant, &row), text.as_bytes(), entropy),
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(true)
}

/// The notes on a conversation, oldest first.
pub async fn notes(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
) -> Result<Vec<Note>, StoreError> {
    let tenant = tx.tenant().clone();
    let conversation = conversation.to_string();
    let rows = sqlx::query!(
        r#"select note_id, user_id, sealed_note, created_at as "created_at: SqlTimestamp" from conversation_notes
           where tenant_id = $1 and conversation_id = $2 order by note_id"#,
        tenant.as_str(),
        conversation,
    )
    .fetch_all(tx.connection())
    .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    // They are sealed under the contact's key, and gone with it.
    let Some(key) = keys.contact(Via::Connection(tx.connection()), &conversation).await? else {
        return Ok(Vec::new());
    };
    keys.know(Via::Connection(tx.connection()), rows.iter().map(|row| &*row.sealed_note)).await?;
    let authors: Vec<String> = rows.iter().map(|row| row.user_id.clone()).collect();
    let names: HashMap<UserId, String> = users::named(tx, keys, &authors).await?.into_iter().collect();
    rows.into_iter()
        .map(|row| {
            let bytes = key.open(keys, &place(&tenant, &row.note_id), &row.sealed_note)?;
            let user_id: UserId = stored(row.user_id.parse())?;
            let name = names.get(&user_id).cloned();
            Ok(Note {
                note_id: stored(row.note_id.parse())?,
                author: name.map(|name| Assignee { user_id, name }),
                text: String::from_utf8(bytes).map_err(|_| StoreError::Unsealable("conversation_notes"))?,
                created_at: row.created_at.to_jiff(),
            })
        })
        .collect()
}
