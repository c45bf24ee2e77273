//! Files that contacts send: what is known of each, and ([`bytes`]) where its bytes lie.
//!
//! The row comes first and goes first. It says that the file is stored only when its bytes are durable, and when it goes, the
//! database notes that the bytes are to follow ([`Database::remove_bytes`]). So a line leads to all bytes that were ever written.
//! Whoever is killed while it writes them leaves an unfinished piece beside their place, which nobody can read and which goes with
//! them.

mod bytes;

pub use bytes::{CHUNK, Files};

use crate::{
    ContactKey, Database, StoreError, TenantKeys, TenantTx,
    readable::{readable, stored},
    vault::Via,
};
use misy_domain::{ConversationId, Entropy, FileId, SiteId, TenantId, TokenId};
use misy_trust::Place;
use std::sync::Arc;

/// Files whose bytes are removed between two questions to the database.
const BATCH: i32 = 200;

/// A file that is about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// Its id.
    pub file_id: FileId,
    /// The conversation that may carry it.
    pub conversation: ConversationId,
    /// What its bytes say that it is.
    pub media_type: &'a str,
    /// How many there are.
    pub size: u64,
    /// What it is called.
    pub name: Option<&'a str>,
}

/// What came of a file that was to be stored.
pub enum Begun {
    /// Its bytes can be written under this key.
    Begun(Arc<ContactKey>),
    /// There is no such conversation.
    NotFound,
    /// The tenant has no room for it.
    NoRoom,
}

/// A file that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its id.
    pub file_id: FileId,
    /// Whose it is.
    pub conversation: ConversationId,
    /// What it is.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// What it is called.
    pub name: Option<String>,
}

/// Who reads a file.
#[derive(Debug, Clone, Copy)]
pub enum Reader<'a> {
    /// A visitor, by a session on the file's conversation.
    Session {
        /// The site of the session.
        site: &'a SiteId,
        /// The token family of the session.
        family: TokenId,
    },
    /// A program of the tenant, which passes messages on: files of threads on channel accounts.
    Program,
    /// Somebody with a link, which was given to whoever may read it.
    Link,
}

struct Row {
    file_id: String,
    conversation_id: String,
    media_type: String,
    size: i64,
    sealed_name: Option<Vec<u8>>,
}

impl Row {
    fn open(self, keys: &TenantKeys, key: &ContactKey) -> Result<StoredFile, StoreError> {
        let name = match &self.sealed_name {
            None => None,
            Some(sealed) => {
                let name = key.open(keys, &place_of_name(keys.tenant(), &self.file_id), sealed)?;
                Some(stored(String::from_utf8(name))?)
            }
        };
        Ok(StoredFile {
            file_id: stored(self.file_id.parse())?,
            conversation: stored(self.conversation_id.parse())?,
            media_type: self.media_type,
            size: stored(u64::try_from(self.size))?,
            name,
        })
    }
}

fn place_of_name<'a>(tenant: &'a TenantId, file: &'a str) -> Place<'a> {
    Place { tenant, table: "attachments", column: "sealed_name", row: file }
}

/// Takes note of a file whose bytes are about to be written. `room`: bytes that the tenant may have in all, if there is a limit.
pub async fn begin(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    new: &NewFile<'_>,
    room: Option<i64>,
    entropy: &dyn Entropy,
) -> Result<Begun, StoreError> {
    let (tenant, file, conversation) =
        (tx.tenant().clone(), new.file_id.to_string(), new.conversation.to_string());
    let Some(key) = keys.contact(Via::Connection(tx.connection()), &conversation).await? else {
        return Ok(Begun::NotFound);
    };
    let name = new.name.map(|name| key.seal(&place_of_name(&tenant, &file), name.as_bytes(), entropy));
    // One after the other, so that each counts those before it.
    sqlx::query!("select 1 as one from tenants where tenant_id = $1 for no key update", tenant.as_str())
        .fetch_optional(tx.connection())
        .await?;
    let made = sqlx::query!(
        "insert into attachments (tenant_id, file_id, conversation_id, contact_id, media_type, size, sealed_name)
         select $1, $2, $3, $4, $5, $6::bigint, $7
         where $8::bigint is null
             or (select coalesce(sum(a.size), 0) from attachments a where a.tenant_id = $1) + $6::bigint <= $8",
        tenant.as_str(),
        file,
        conversation,
        key.contact(),
        new.media_type,
        i64::try_from(new.size).unwrap_or(i64::MAX),
        name,
        room,
    )
    .execute(tx.connection())
    .await?;
    Ok(if made.rows_affected() == 0 { Begun::NoRoom } else { Begun::Begun(key) })
}

/// Its bytes are durable: from now on it is there. False if it was removed meanwhile, and its bytes must go.
pub async fn finish(tx: &mut TenantTx, file: FileId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "update attachments set stored_at = clock_timestamp()
         where tenant_id = $1 and file_id = $2 and stored_at is null",
        tenant.as_str(),
        file.to_string(),
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// A file, if it is there for this reader; with the key that opens it.
pub async fn find(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    file: FileId,
    reader: Reader<'_>,
) -> Result<Option<(StoredFile, Arc<ContactKey>)>, StoreError> {
    let tenant = tx.tenant().clone();
    let (kind, site, family) = match reader {
        Reader::Session { site, family } => ("session", Some(site.as_str()), Some(family.to_string())),
        Reader::Program => ("program", None, None),
        Reader::Link => ("link", None, None),
    };
    let row = sqlx::query_as!(
        Row,
        "select a.file_id, a.conversation_id, a.media_type, a.size, a.sealed_name
         from attachments a
         where a.tenant_id = $1 and a.file_id = $2 and a.stored_at is not null and case $3
             when 'session' then exists (
                 select from sessions s
                 where s.tenant_id = $1 and s.conversation_id = a.conversation_id and s.site_id = $4 and s.token_family = $5)
             when 'program' then exists (
                 select from channel_threads t where t.tenant_id = $1 and t.conversation_id = a.conversation_id)
             else $3 = 'link' end",
        tenant.as_str(),
        file.to_string(),
        kind,
        site,
        family,
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let Some(key) = keys.contact(Via::Connection(tx.connection()), &row.conversation_id).await? else {
        return Ok(None);
    };
    Ok(Some((row.open(keys, &key)?, key)))
}

/// What came of the removal of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone; its bytes follow.
    Gone,
    /// A message carries it: it is a part of what was said.
    Sent,
    /// There is no such file for whoever asks.
    NotFound,
}

/// Removes a file that no message carries yet, for whoever brought it.
pub async fn take_back(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    file: FileId,
    reader: Reader<'_>,
) -> Result<Removed, StoreError> {
    if find(tx, keys, file, reader).await?.is_none() {
        return Ok(Removed::NotFound);
    }
    let tenant = tx.tenant().clone();
    // A message that takes it at this moment has its row.
    let gone = sqlx::query!(
        "delete from attachments where tenant_id = $1 and file_id = $2 and message_id is null",
        tenant.as_str(),
        file.to_string(),
    )
    .execute(tx.connection())
    .await?;
    Ok(if gone.rows_affected() == 0 { Removed::Sent } else { Removed::Gone })
}

/// Removes a file of the tenant, sent or not; says whether it was there. A message that carries it keeps its words.
pub async fn remove(tx: &mut TenantTx, file: FileId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let gone = sqlx::query!(
        "delete from attachments where tenant_id = $1 and file_id = $2",
        tenant.as_str(),
        file.to_string(),
    )
    .execute(tx.connection())
    .await?;
    Ok(gone.rows_affected() > 0)
}

/// What the files of a tenant take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How many there are.
    pub files: i64,
    /// Their bytes.
    pub bytes: i64,
}

/// What the files of the tenant take.
pub async fn taken(tx: &mut TenantTx) -> Result<Taken, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        r#"select count(*) as "files!", coalesce(sum(size), 0)::bigint as "bytes!" from attachments where tenant_id = $1"#,
        tenant.as_str(),
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(Taken { files: row.files, bytes: row.bytes })
}

/// Those of the files that are stored for this conversation, in the order in which they are named.
pub async fn of_conversation(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
    files: &[FileId],
) -> Result<Vec<StoredFile>, StoreError> {
    let tenant = tx.tenant().clone();
    let (conversation, ids) =
        (conversation.to_string(), files.iter().map(ToString::to_string).collect::<Vec<_>>());
    let rows = sqlx::query_as!(
        Row,
        "select file_id, conversation_id, media_type, size, sealed_name
         from attachments
         where tenant_id = $1 and conversation_id = $2 and file_id = any ($3) and stored_at is not null
         order by array_position($3, file_id)",
        tenant.as_str(),
        conversation,
        &ids,
    )
    .fetch_all(tx.connection())
    .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let Some(key) = keys.contact(Via::Connection(tx.connection()), &conversation).await? else {
        return Ok(Vec::new());
    };
    rows.into_iter().map(|row| row.open(keys, &key)).collect()
}

impl Database {
    /// Removes the bytes of files whose rows are gone, of all tenants; says of how many. Several processes may do so at once,
    /// and each may be stopped anywhere.
    pub async fn remove_bytes(&self, files: &Files) -> Result<usize, StoreError> {
        let (mut after, mut gone) = ((String::new(), String::new()), 0);
        loop {
            let mut tx = self.system("files.to_remove").await?;
            let rows = sqlx::query!(
                r#"select tenant_id as "tenant_id!", id as "id!" from platform.files_to_remove($1, $2, $3)"#,
                after.0,
                after.1,
                BATCH,
            )
            .fetch_all(tx.connection())
            .await?;
            tx.commit().await?;
            let Some(last) = rows.last() else { return Ok(gone) };
            after = (last.tenant_id.clone(), last.id.clone());
            let named = readable("file to remove", rows, |row| {
                let ids = (row.tenant_id.parse::<TenantId>().ok(), row.id.parse::<FileId>().ok());
                ids.0.zip(ids.1).ok_or("no ids of a tenant and a file")
            });
            let (mut tenants, mut removed) = (Vec::new(), Vec::new());
            for (tenant, file) in named {
                // What cannot be removed now is tried again in the next round.
                match files.remove(&tenant, file).await {
                    Ok(()) => {
                        tenants.push(tenant.to_string());
                        removed.push(file.to_string());
                    }
                    Err(error) => tracing::warn!(%tenant, %file, %error, "the bytes of a file stay for now"),
                }
            }
            let mut tx = self.system("files.are_removed").await?;
            sqlx::query!(r#"select platform.files_are_removed($1, $2) as "done!""#, &tenants, &removed)
                .fetch_one(tx.connection())
                .await?;
            tx.commit().await?;
            gone += removed.len();
        }
    }
}
