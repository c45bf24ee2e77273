//! Whose this is that somebody brought: a key, a token, a link. Whoever tried too many that are nobody's is not worth a look
//! into the database any more; who shares the address and has one that was good lately goes on.
//!
//! There is no other way to look for one: `clippy.toml` refuses the questions to the database anywhere else.

#![allow(clippy::disallowed_methods, reason = "this is the place that may")]

use crate::{
    address::{Purpose, count, is_spent},
    desk::FrontDesk,
    pipeline::Received,
    problem::Problem,
};
use misy_domain::{Channel, ChannelAccountId, TenantId};
use misy_store::{
    StoreError,
    credentials::{KeyKind, KeyRecord},
    users::{sign_ins::ProvedSignIn, tokens::ProvedToken},
};
use std::net::IpAddr;

/// The tenant of a link or a challenge.
pub(crate) async fn tenant(
    desk: &FrontDesk,
    received: &Received,
    hash: &[u8; 32],
) -> Result<Option<TenantId>, Problem> {
    guarded(desk, received.record.address, hash, desk.database.tenant_of_credential(hash)).await
}

/// Whose account of a channel has this id.
pub(crate) async fn tenant_of_account(
    desk: &FrontDesk,
    from: Option<IpAddr>,
    channel: Channel,
    account: ChannelAccountId,
) -> Result<Option<TenantId>, Problem> {
    let hash = misy_trust::sha256(format!("{channel} {account}").as_bytes());
    guarded(desk, from, &hash, desk.database.tenant_of_account(channel, account)).await
}

/// A key.
pub(crate) async fn key(
    desk: &FrontDesk,
    received: &Received,
    hash: &[u8; 32],
) -> Result<Option<(TenantId, KeyRecord)>, Problem> {
    guarded(desk, received.record.address, hash, desk.database.key_by_hash(hash)).await
}

/// The session of a browser.
pub(crate) async fn session(
    desk: &FrontDesk,
    received: &Received,
    hash: &[u8; 32],
) -> Result<Option<(TenantId, ProvedSignIn)>, Problem> {
    guarded(desk, received.record.address, hash, desk.database.sign_in_by_hash(hash, desk.clock.now())).await
}

/// A personal API token.
pub(crate) async fn personal_token(
    desk: &FrontDesk,
    received: &Received,
    hash: &[u8; 32],
) -> Result<Option<(TenantId, ProvedToken)>, Problem> {
    guarded(desk, received.record.address, hash, desk.database.personal_token_by_hash(hash, desk.clock.now()))
        .await
}

/// Whether somebody has this session, asked before a large body is read.
pub(crate) async fn is_session(
    desk: &FrontDesk,
    from: Option<IpAddr>,
    hash: &[u8; 32],
) -> Result<bool, Problem> {
    let look = desk.database.sign_in_by_hash(hash, desk.clock.now());
    Ok(guarded(desk, from, hash, look).await?.is_some())
}

/// Whether somebody has this personal token, asked before a large body is read.
pub(crate) async fn is_personal_token(
    desk: &FrontDesk,
    from: Option<IpAddr>,
    hash: &[u8; 32],
) -> Result<bool, Problem> {
    let look = desk.database.personal_token_by_hash(hash, desk.clock.now());
    Ok(guarded(desk, from, hash, look).await?.is_some())
}

/// Whether this is a set-up token, asked before a large body is read.
pub(crate) async fn is_set_up_token(
    desk: &FrontDesk,
    from: Option<IpAddr>,
    hash: &[u8; 32],
) -> Result<bool, Problem> {
    let found = guarded(desk, from, hash, desk.database.key_by_hash(hash)).await?;
    Ok(found.is_some_and(|(_, key)| key.kind == KeyKind::Administrator))
}

async fn guarded<T>(
    desk: &FrontDesk,
    address: Option<IpAddr>,
    hash: &[u8; 32],
    look: impl Future<Output = Result<Option<T>, StoreError>>,
) -> Result<Option<T>, Problem> {
    if is_spent(desk, address, Purpose::WrongKeys) && !desk.good_keys.contains_key(hash) {
        count(desk, address, Purpose::WrongKeys)?;
    }
    let found = look.await?;
    match found {
        Some(_) => desk.good_keys.insert(*hash, ()),
        None => drop(count(desk, address, Purpose::WrongKeys)),
    }
    Ok(found)
}
