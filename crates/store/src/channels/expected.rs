//! What a vendor was refused and sends again. What the same person wrote later waits for it, also when it comes in another body.
//!
//! The order is that of the vendor's clock; of what has the same time, that in which it came. A message waits for a while at most:
//! then what it waited for is expected no more, since the vendor may have given it up.

use super::{Sender, name_of};
use crate::{StoreError, TenantKeys, TenantTx, leases::interval};
use jiff_sqlx::Timestamp as SqlTimestamp;
use misy_domain::{ChannelAccountId, Timestamp};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// What is noted of one account at a time. Whatever is refused beyond that is told apart from nothing.
const MOST: i64 = 10_000;
/// Vendors send a body again for so long.
const SENT_AGAIN: Duration = Duration::from_hours(7 * 24);

/// A message that a vendor tells of, as it is found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    writer: [u8; 32],
    name: String,
    sent_at: Option<Timestamp>,
}

impl Told {
    /// Something that somebody wrote, with its id on their account, at a time of the vendor's clock.
    pub fn of(keys: &TenantKeys, writer: &Sender<'_>, id: &str, sent_at: Option<Timestamp>) -> Self {
        Self { writer: writer.index(keys), name: name_of(keys, writer.account, id), sent_at }
    }
}

/// A message that is expected.
#[derive(Debug, Clone)]
struct Note {
    name: String,
    at: At,
    /// It has waited long enough for those before it.
    is_overdue: bool,
}

/// A place in the order: when it was sent, when it was refused first, and its place there.
type At = (Option<Timestamp>, Timestamp, usize);

/// What is expected of the writers of a body, and what changes while that body is stored.
#[derive(Debug)]
pub struct Expected {
    account: ChannelAccountId,
    of_writers: HashMap<[u8; 32], Vec<Note>>,
    /// What is expected no more.
    over: HashSet<String>,
    /// What is expected from now on, and whether it waits for others.
    refused: Vec<(Told, bool)>,
}

impl Expected {
    fn at(&self, told: &Told) -> At {
        let noted =
            self.of_writers.get(&told.writer).into_iter().flatten().find(|note| note.name == told.name);
        noted.map_or((told.sent_at, Timestamp::MAX, usize::MAX), |note| note.at)
    }

    /// Whether something is expected that the same person wrote before. If it has waited for that long enough, that is over.
    pub fn must_wait(&mut self, told: &Told) -> bool {
        let at = self.at(told);
        let Some(notes) = self.of_writers.get_mut(&told.writer) else { return false };
        let is_before = |note: &Note| note.name != told.name && note.at < at;
        if !notes.iter().any(is_before) {
            return false;
        }
        if !notes.iter().any(|note| note.name == told.name && note.is_overdue) {
            return true;
        }
        let over = notes.extract_if(.., |note| is_before(note));
        self.over.extend(over.map(|note| note.name));
        false
    }

    /// It came, and was taken.
    pub fn came(&mut self, told: &Told) {
        let Some(notes) = self.of_writers.get_mut(&told.writer) else { return };
        if let Some(found) = notes.iter().position(|note| note.name == told.name) {
            self.over.insert(notes.remove(found).name);
        }
    }

    /// It was refused, and is sent again: for something of its own, or because it must wait.
    pub fn refused(&mut self, told: Told, must_wait: bool) {
        let notes = self.of_writers.entry(told.writer).or_default();
        if !notes.iter().any(|note| note.name == told.name) {
            let at = (told.sent_at, Timestamp::MAX, self.refused.len());
            notes.push(Note { name: told.name.clone(), at, is_overdue: false });
        }
        self.refused.push((told, must_wait));
    }

    /// Whether it has anything to keep.
    pub fn is_changed(&self) -> bool {
        !self.over.is_empty() || !self.refused.is_empty()
    }

    /// Keeps what changed.
    pub async fn keep(&self, tx: &mut TenantTx) -> Result<(), StoreError> {
        let (tenant, account) = (tx.tenant().clone(), self.account.to_string());
        let over: Vec<String> = self.over.iter().cloned().collect();
        sqlx::query!(
            "delete from expected_messages
             where tenant_id = $1 and account_id = $2
                 and (external_id = any ($3) or noted_at < clock_timestamp() - $4::interval)",
            tenant.as_str(),
            account,
            &over,
            interval(SENT_AGAIN) as _,
        )
        .execute(tx.connection())
        .await?;
        let (mut names, mut writers) = (Vec::new(), Vec::new());
        let (mut sent, mut held) = (Vec::new(), Vec::new());
        for (told, must_wait) in &self.refused {
            names.push(told.name.clone());
            writers.push(told.writer.to_vec());
            sent.push(told.sent_at.map(Timestamp::as_microsecond));
            held.push(*must_wait);
        }
        sqlx::query!(
            "insert into expected_messages as e (tenant_id, account_id, external_id, writer_index, sent_at, place, held_since)
             select $1, $2, r.name, r.writer, timestamptz 'epoch' + r.sent * interval '1 microsecond', r.place::integer,
                    case when r.held then clock_timestamp() end
             from unnest($3::text[], $4::bytea[], $5::bigint[], $6::boolean[])
                 with ordinality as r (name, writer, sent, held, place)
             order by r.place
             limit greatest(0, $7 - (select count(*) from expected_messages n where n.tenant_id = $1 and n.account_id = $2))
             on conflict (tenant_id, account_id, external_id) do update
             set held_since = coalesce(e.held_since, excluded.held_since)",
            tenant.as_str(),
            account,
            &names,
            &writers,
            &sent as &[Option<i64>],
            &held,
            MOST,
        )
        .execute(tx.connection())
        .await?;
        Ok(())
    }
}

/// What is expected of those who wrote these messages. What has waited for `patience` waits no more.
pub async fn expected(
    tx: &mut TenantTx,
    account: ChannelAccountId,
    told: &[Told],
    patience: Duration,
) -> Result<Expected, StoreError> {
    let tenant = tx.tenant().clone();
    let writers: HashSet<&[u8]> = told.iter().map(|told| &told.writer[..]).collect();
    let writers: Vec<Vec<u8>> = writers.into_iter().map(<[u8]>::to_vec).collect();
    let rows = sqlx::query!(
        r#"select external_id, writer_index, sent_at, noted_at, place,
                  coalesce(held_since < clock_timestamp() - $4::interval, false) as "is_overdue!"
           from expected_messages
           where tenant_id = $1 and account_id = $2 and writer_index = any ($3)"#,
        tenant.as_str(),
        account.to_string(),
        &writers,
        interval(patience) as _,
    )
    .fetch_all(tx.connection())
    .await?;
    let mut of_writers: HashMap<[u8; 32], Vec<Note>> = HashMap::new();
    for row in rows {
        let Ok(writer) = row.writer_index.try_into() else { continue };
        let place = usize::try_from(row.place).unwrap_or_default();
        let at = (row.sent_at.map(SqlTimestamp::to_jiff), row.noted_at.to_jiff(), place);
        let note = Note { name: row.external_id, at, is_overdue: row.is_overdue };
        of_writers.entry(writer).or_default().push(note);
    }
    Ok(Expected { account, of_writers, over: HashSet::new(), refused: Vec::new() })
}
