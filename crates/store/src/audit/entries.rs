//! Entries as they are stored, in the form that their leaves hash.

use crate::{StoreError, TenantTx, readable::stored};
use jiff_sqlx::Timestamp as SqlTimestamp;
use misy_trust::audit_tree::{Hash, entry::canonical, leaf_hash};
use serde_json::{Map, Value};
use std::io::Write;

/// An entry as it is stored, and its leaf if it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEntry {
    /// Its id.
    pub audit_id: String,
    /// Its place in the tree.
    pub leaf_index: Option<i64>,
    /// The hash that the tree has for it.
    pub leaf_hash: Option<Vec<u8>>,
    /// Its members, by the names of the API; see [`misy_trust::audit_tree::entry`].
    pub members: Map<String, Value>,
}

impl StoredEntry {
    /// The hash of what is stored.
    pub fn hash(&self) -> Result<Hash, StoreError> {
        Ok(leaf_hash(&stored(canonical(&self.members))?))
    }

    /// A member that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// A member that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.members.get(name).and_then(Value::as_i64)
    }
}

struct Row {
    audit_id: String,
    at: SqlTimestamp,
    kind: String,
    action: String,
    actor: String,
    site_id: Option<String>,
    session_id: Option<String>,
    agent_name: Option<String>,
    origin: Option<String>,
    outcome: String,
    status: Option<i32>,
    duration_micros: Option<i64>,
    request_id: Option<String>,
    subject: Option<String>,
    detail: Option<String>,
    leaf_index: Option<i64>,
    leaf_hash: Option<Vec<u8>>,
}

/// Writes a member that is text, with the comma before it.
fn text(bytes: &mut Vec<u8>, name: &str, value: Option<&str>) -> std::io::Result<()> {
    if let Some(value) = value {
        write!(bytes, ",\"{name}\":")?;
        serde_json::to_writer(bytes, value)?;
    }
    Ok(())
}

/// Writes a member that is a number, with the comma before it.
fn number(bytes: &mut Vec<u8>, name: &str, value: Option<i64>) -> std::io::Result<()> {
    if let Some(value) = value {
        write!(bytes, ",\"{name}\":{value}")?;
    }
    Ok(())
}

impl Row {
    /// The canonical bytes, straight from the row: what [`canonical`] makes of [`Row::into_entry`].
    fn write_canonical(&self, tenant: &str, bytes: &mut Vec<u8>) -> std::io::Result<()> {
        let at = format!("{:.6}", self.at.to_jiff());
        text(bytes, "action", Some(&self.action))?;
        text(bytes, "actor", Some(&self.actor))?;
        text(bytes, "agentName", self.agent_name.as_deref())?;
        text(bytes, "at", Some(&at))?;
        text(bytes, "auditId", Some(&self.audit_id))?;
        text(bytes, "detail", self.detail.as_deref())?;
        number(bytes, "durationMicros", self.duration_micros)?;
        text(bytes, "kind", Some(&self.kind))?;
        text(bytes, "origin", self.origin.as_deref())?;
        text(bytes, "outcome", Some(&self.outcome))?;
        text(bytes, "requestId", self.request_id.as_deref())?;
        text(bytes, "sessionId", self.session_id.as_deref())?;
        text(bytes, "siteId", self.site_id.as_deref())?;
        number(bytes, "status", self.status.map(i64::from))?;
        text(bytes, "subject", self.subject.as_deref())?;
        text(bytes, "tenantId", Some(tenant))?;
        bytes.push(b'}');
        // The first comma opens the object.
        bytes[0] = b'{';
        Ok(())
    }

    fn into_entry(self, tenant: &str) -> StoredEntry {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        put("tenantId", Some(tenant.into()));
        put("auditId", Some(self.audit_id.clone().into()));
        put("at", Some(format!("{:.6}", self.at.to_jiff()).into()));
        put("kind", Some(self.kind.into()));
        put("action", Some(self.action.into()));
        put("actor", Some(self.actor.into()));
        put("siteId", self.site_id.map(Value::from));
        put("sessionId", self.session_id.map(Value::from));
        put("agentName", self.agent_name.map(Value::from));
        put("origin", self.origin.map(Value::from));
        put("outcome", Some(self.outcome.into()));
        put("status", self.status.map(Value::from));
        put("durationMicros", self.duration_micros.map(Value::from));
        put("requestId", self.request_id.map(Value::from));
        put("subject", self.subject.map(Value::from));
        put("detail", self.detail.map(Value::from));
        StoredEntry {
            audit_id: self.audit_id,
            leaf_index: self.leaf_index,
            leaf_hash: self.leaf_hash,
            members,
        }
    }
}

/// The entries of these ids that have no leaf, in the order of their ids, each with its hash; and those that cannot be read.
pub(super) async fn without_leaf(
    tx: &mut TenantTx,
    ids: &[String],
) -> Result<(Vec<(String, Hash)>, Vec<String>), StoreError> {
    match hashed(tx, ids).await {
        Err(StoreError::Database(sqlx::Error::ColumnDecode { .. })) => {}
        hashed => return Ok((hashed?, Vec::new())),
    }
    let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    for id in ids {
        match hashed(tx, std::slice::from_ref(&id)).await {
            Err(StoreError::Database(sqlx::Error::ColumnDecode { .. })) => unreadable.push(id),
            hashed => entries.extend(hashed?),
        }
    }
    Ok((entries, unreadable))
}

async fn hashed(tx: &mut TenantTx, ids: &[String]) -> Result<Vec<(String, Hash)>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"select e.audit_id, e.at, e.kind, e.action, e.actor, e.site_id, e.session_id, e.agent_name, e.origin, e.outcome,
                  e.status, e.duration_micros, e.request_id, e.subject, e.detail::text as detail,
                  null::bigint as leaf_index, null::bytea as leaf_hash
           from audit_entries e
           where e.tenant_id = $1 and e.audit_id = any ($2)
               -- One look-up for each: a join may read all leaves of a trail instead, however few are asked for.
               and (select l.leaf_index from audit_leaves l where l.tenant_id = $1 and l.audit_id = e.audit_id) is null
           order by e.audit_id"#,
        tenant.as_str(),
        ids
    )
    .fetch_all(tx.connection())
    .await?;
    let mut bytes = Vec::with_capacity(1024);
    let hashed = rows.into_iter().map(|row| {
        bytes.clear();
        stored(row.write_canonical(tenant.as_str(), &mut bytes))?;
        Ok((row.audit_id, leaf_hash(&bytes)))
    });
    hashed.collect()
}

/// Entries in the order of their leaves, from this one on. A leaf whose entry is gone yields none.
pub async fn by_leaf(
    tx: &mut TenantTx,
    from: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<StoredEntry>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"select e.audit_id, e.at, e.kind, e.action, e.actor, e.site_id, e.session_id, e.agent_name, e.origin, e.outcome,
                  e.status, e.duration_micros, e.request_id, e.subject, e.detail::text as detail,
                  l.leaf_index as "leaf_index?", l.leaf_hash as "leaf_hash?"
           from audit_leaves l
           join audit_entries e on e.tenant_id = l.tenant_id and e.audit_id = l.audit_id
           where l.tenant_id = $1 and l.leaf_index >= $2 and l.leaf_index < $3
           order by l.leaf_index limit $4"#,
        tenant.as_str(),
        from,
        until,
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|row| row.into_entry(tenant.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_to_the_bytes_of_an_entry_leads_to_the_same() {
        let text = |text: &str| Some(text.to_owned());
        let row = |all: bool| Row {
            audit_id: "aud_1".into(),
            at: jiff_sqlx::ToSqlx::to_sqlx(
                "2026-05-01T12:00:00.5Z".parse::<misy_domain::Timestamp>().unwrap(),
            ),
            kind: "call".into(),
            action: "a\n\"\\\u{1}é".into(),
            actor: String::new(),
            site_id: text("s").filter(|_| all),
            session_id: text("ses").filter(|_| all),
            agent_name: text("n").filter(|_| all),
            origin: text("https://é").filter(|_| all),
            outcome: "ok".into(),
            status: Some(200).filter(|_| all),
            duration_micros: Some(i64::MAX).filter(|_| all),
            request_id: text("req").filter(|_| all),
            subject: text("x").filter(|_| all),
            detail: text("{\"a\": 1.50}").filter(|_| all),
            leaf_index: None,
            leaf_hash: None,
        };
        for all in [true, false] {
            let mut short = Vec::new();
            row(all).write_canonical("andina", &mut short).unwrap();
            let long = canonical(&row(all).into_entry("andina").members).unwrap();
            assert_eq!(String::from_utf8(short).unwrap(), String::from_utf8(long).unwrap());
        }
    }
}
