//! Work that was given up: looked at, revived, dropped.

use crate::{
    StoreError, TenantTx,
    deliveries::Deliveries,
    leases::{Leased, Trouble},
    mails::Mails,
    rotation::Rotations,
    turns::Conversations,
};
use jiff_sqlx::ToSqlx;
use misy_domain::Timestamp;
use std::{fmt, str::FromStr};

/// The kinds of work that there are; a test compares them with the leased tables.
pub const KINDS: &[&str] = &[Conversations::KIND, Deliveries::KIND, Mails::KIND, Rotations::KIND];

/// Work that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadWork {
    /// What it is: [`Leased::KIND`].
    pub kind: String,
    /// The id of the row.
    pub id: String,
    /// How often it was tried.
    pub attempts: i32,
    /// The code of the last failure.
    pub last_error: Option<String>,
    /// When it was given up.
    pub dead_at: Timestamp,
}

/// A place in the list of work that was given up: behind this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// When that was given up.
    pub dead_at: Timestamp,
    /// What it is.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// The text is no place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no place in a list of work")]
pub struct NoPlace;

impl Behind {
    /// Behind this.
    pub fn of(work: &DeadWork) -> Self {
        Self { dead_at: work.dead_at, kind: work.kind.clone(), id: work.id.clone() }
    }
}

/// As it travels: `microseconds.kind.id`.
impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.dead_at.as_microsecond(), self.kind, self.id)
    }
}

impl FromStr for Behind {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut pieces = text.splitn(3, '.');
        let mut next = || pieces.next().filter(|piece| piece.len() <= 64).ok_or(NoPlace);
        let (at, kind, id) = (next()?, next()?, next()?);
        let at = at.parse().map_err(|_| NoPlace)?;
        // PostgreSQL holds no zero byte, and no kind or id has anything but these.
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_plain(kind) || !is_plain(id) {
            return Err(NoPlace);
        }
        let dead_at = Timestamp::from_microsecond(at).map_err(|_| NoPlace)?;
        Ok(Self { dead_at, kind: kind.to_owned(), id: id.to_owned() })
    }
}

impl DeadWork {
    /// What the last failure means, in plain words.
    pub fn meaning(&self) -> &'static str {
        let trouble = self.last_error.as_deref().and_then(Trouble::of_code);
        trouble.map_or(
            "Nobody has written down what this failure means. The log of that time says more.",
            Trouble::meaning,
        )
    }
}

/// Work of the tenant that was given up, the newest first: of one kind, if one is given.
pub async fn dead_work(
    tx: &mut TenantTx,
    kind: Option<&str>,
    behind: Option<&Behind>,
    limit: u32,
) -> Result<Vec<DeadWork>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select kind as "kind!", id as "id!", attempts as "attempts!", last_error, dead_at as "dead_at!"
           from dead_work($1, $2, $3, $4, $5, $6)"#,
        tenant.as_str(),
        kind,
        behind.map(|behind| behind.dead_at.to_sqlx()) as _,
        behind.map(|behind| &*behind.kind),
        behind.map(|behind| &*behind.id),
        i32::try_from(limit).unwrap_or(i32::MAX),
    )
    .fetch_all(tx.connection())
    .await?;
    let dead = rows.into_iter().map(|row| DeadWork {
        kind: row.kind,
        id: row.id,
        attempts: row.attempts,
        last_error: row.last_error,
        dead_at: row.dead_at.to_jiff(),
    });
    Ok(dead.collect())
}

/// Gives work that was given up another chance, at once; whether there was such work.
pub async fn revive(tx: &mut TenantTx, kind: &str, id: &str) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let revived = sqlx::query_scalar!("select revive_work($1, $2, $3)", tenant.as_str(), kind, id)
        .fetch_one(tx.connection())
        .await?;
    Ok(revived.unwrap_or_default())
}

/// Lets go of work that was given up; whether there was such work. A conversation stays and only rests.
pub async fn drop_work(tx: &mut TenantTx, kind: &str, id: &str) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let dropped = sqlx::query_scalar!("select drop_work($1, $2, $3)", tenant.as_str(), kind, id)
        .fetch_one(tx.connection())
        .await?;
    Ok(dropped.unwrap_or_default())
}
