//! What one visitor, and one network, may book in a day, and how many times they may keep at once.
//!
//! Whoever proves nothing about who they are takes a part of what the tenant has left for the month, as with messages. Who counts is said by
//! the contact and by the session that the conversation is in: its visitor and its networks, under names that nobody reads backwards. The
//! rows are locked while a booking is made, so that no two take the same last part.

use super::{By, NewBooking};
use crate::{StoreError, TenantTx, usage};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    Metered, Timestamp,
    network::Width,
    share::{Shares, Trace},
};
use std::collections::BTreeMap;

/// Times that one visitor keeps at once, in however many sessions.
const KEEPS: i64 = 3;
/// As many times what a visitor keeps a host may keep.
const OF_A_HOST: i64 = 4;

/// Whether there is room in all shares that a booking, or a time that is kept, takes from. A booking is counted; what is called off goes on
/// counting.
pub(super) async fn take(
    tx: &mut TenantTx,
    new: &NewBooking<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if new.by == By::Staff {
        return Ok(true);
    }
    let whose = whose(tx, new).await?;
    let booked = locked(tx, &whose, now).await?;
    let left = match usage::monthly(tx, Metered::Bookings).await? {
        Some(monthly) => {
            let counted = usage::counted(tx, now).await?;
            monthly - counted.get(&Metered::Bookings).copied().unwrap_or_default()
        }
        None => i64::MAX,
    };
    let shares = Shares::of(Trace::Booking, left);
    let most = |name: &str| i64::from(share(&shares, name).requests);
    if booked.iter().any(|(name, booked)| *booked >= most(name)) {
        return Ok(false);
    }
    if new.hold.is_none() {
        count(tx, &whose, now).await?;
        return Ok(true);
    }
    let kept = kept(tx, new, &whose, now).await?;
    Ok(kept.iter().all(|(name, kept)| *kept < keeps(name)))
}

/// Whose shares it takes from, in order: the visitor's, by contact and by session, and those of the networks.
async fn whose(tx: &mut TenantTx, new: &NewBooking<'_>) -> Result<Vec<String>, StoreError> {
    let tenant = tx.tenant().clone();
    let counts_as = sqlx::query_scalar!(
        "select counts_as from sessions where tenant_id = $1 and conversation_id = $2 order by session_id limit 1",
        tenant.as_str(),
        new.conversation.map(|id| id.to_string()),
    )
    .fetch_optional(tx.connection())
    .await?;
    let mut whose = counts_as.unwrap_or_default();
    whose.push(format!("contact {}", new.contact));
    whose.sort_unstable();
    whose.dedup();
    Ok(whose)
}

/// The name without whose it is: what kind of share.
fn width(name: &str) -> Option<Width> {
    match name.split_once(' ').map_or(name, |(kind, _)| kind) {
        "host" => Some(Width::Host),
        "home" => Some(Width::Home),
        "region" => Some(Width::Region),
        _ => None,
    }
}

fn share(shares: &Shares, name: &str) -> misy_domain::limit::Quota {
    width(name).map_or(shares.visitor, |width| shares.of_network(width))
}

fn keeps(name: &str) -> i64 {
    width(name).map_or(KEEPS, |width| KEEPS * OF_A_HOST * i64::from(width.times()))
}

/// What each has booked today, which nobody else counts until the transaction ends.
async fn locked(
    tx: &mut TenantTx,
    whose: &[String],
    now: Timestamp,
) -> Result<Vec<(String, i64)>, StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        r#"insert into booking_shares (tenant_id, whose, day)
           select $1, w.whose, ($3::timestamptz at time zone 'UTC')::date from unnest($2::text[]) w (whose) order by w.whose collate "C"
           on conflict do nothing"#,
        tenant.as_str(),
        whose,
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    let rows = sqlx::query!(
        "select whose, booked from booking_shares
         where tenant_id = $1 and whose = any ($2) and day = ($3::timestamptz at time zone 'UTC')::date
         order by whose for no key update",
        tenant.as_str(),
        whose,
        now.to_sqlx() as _,
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|row| (row.whose, i64::from(row.booked))).collect())
}

async fn count(tx: &mut TenantTx, whose: &[String], now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update booking_shares set booked = booked + 1
         where tenant_id = $1 and whose = any ($2) and day = ($3::timestamptz at time zone 'UTC')::date",
        tenant.as_str(),
        whose,
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// How many other times each keeps at this moment.
async fn kept(
    tx: &mut TenantTx,
    new: &NewBooking<'_>,
    whose: &[String],
    now: Timestamp,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select w.whose as "whose!", count(*) as "kept!"
           from bookings b
           join sessions s on s.tenant_id = b.tenant_id and s.conversation_id = b.conversation_id
           cross join unnest(s.counts_as) w (whose)
           where b.tenant_id = $1 and b.state = 'held' and b.held_until > $2 and b.booking_id <> $3 and w.whose = any ($4)
           group by w.whose"#,
        tenant.as_str(),
        now.to_sqlx() as _,
        new.booking_id.to_string(),
        whose,
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|row| (row.whose, row.kept)).collect())
}
