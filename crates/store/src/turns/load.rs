//! Everything a turn needs, read at once.

use super::{Conversations, HISTORY, Kept, MOST_WAITING, TurnWork, Waited, place};
use crate::{
    StoreError, TenantKeys, TenantTx, leases::Lease, messages::Row, readable::stored, sessions, vault::Via,
};
use misy_domain::{Channel, Locale, MessageOrigin, Permissions, SiteId, TenantId};
use serde_json::Value;

/// Reads what a turn needs. `None` if no message waits: then the conversation rests again once the transaction is
/// committed. [`StoreError::LeaseLost`] if the conversation is somebody else's by now.
pub async fn load_turn(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    lease: &Lease<Conversations>,
) -> Result<Option<TurnWork>, StoreError> {
    let tenant = tx.tenant().clone();
    let conversation = lease.id.to_string();
    let state = sqlx::query!(
        r#"select c.status, c.assignee is not null or c.status = 'closed' as "is_silent!", c.language, c.unanswered_in_a_row, c.answered_sequence, c.last_inbound_sequence,
                  c.waits_for, c.sealed_wait, c.waits_until <= clock_timestamp() as wait_is_over,
                  (select max(p.version) from context_packs p where p.tenant_id = c.tenant_id) as pack_version,
                  (select t.plan from tenants t where t.tenant_id = c.tenant_id) as plan,
                  (select jsonb_agg(jsonb_build_object('scope', l.scope, 'subject', l.subject, 'requests', l.requests,
                                                       'periodSeconds', l.period_seconds))
                   from rate_limits l where l.tenant_id = c.tenant_id and l.scope = 'agent') as agent_limits
           from conversations c
           where c.tenant_id = $1 and c.conversation_id = $2 and c.fence = $3 and c.lease_owner = $4"#,
        tenant.as_str(),
        conversation,
        lease.fence,
        lease.worker.as_str(),
    )
    .fetch_optional(tx.connection())
    .await?
    .ok_or(StoreError::LeaseLost)?;
    let waiting = waiting(tx, &tenant, &conversation, state.answered_sequence).await?;
    let Some(newest) = waiting.last() else {
        rest(tx, lease, state.last_inbound_sequence).await?;
        return Ok(None);
    };
    let origin = origin_of_turn(tx, &tenant, &conversation, newest).await?;
    let history = before(tx, &tenant, &conversation, state.answered_sequence).await?;

    let waiting = Row::open_all(waiting, keys, &conversation, Via::Connection(tx.connection())).await?;
    let history = Row::open_all(history, keys, &conversation, Via::Connection(tx.connection())).await?;

    let broken = || StoreError::Unsealable("conversations");
    let waited = match (state.waits_for, state.sealed_wait) {
        (Some(waits_for), Some(sealed)) => {
            let kept = open_wait(tx, keys, &conversation, &sealed).await?;
            let (waits_for, is_over) = (stored(waits_for.parse())?, state.wait_is_over.unwrap_or_default());
            let Kept { agent, state, outcome, seen_through } = kept;
            Some(Waited { waits_for, is_over, agent, state, outcome, seen_through })
        }
        _ => None,
    };
    let seen_through = state.last_inbound_sequence.max(waiting.last().map_or(0, |last| last.sequence));
    Ok(Some(TurnWork {
        origin: origin.origin,
        site_id: origin.site_id,
        channel: origin.channel,
        locale: origin.locale,
        permissions: origin.permissions,
        is_silent: state.is_silent,
        status: state.status.parse().map_err(|_| broken())?,
        language: state.language.as_deref().and_then(sessions::language),
        unanswered_in_a_row: u8::try_from(state.unanswered_in_a_row).unwrap_or(u8::MAX),
        waiting,
        seen_through,
        history,
        pack_version: state.pack_version.ok_or(StoreError::Unsealable("context_packs"))?,
        plan: stored(state.plan.unwrap_or_default().parse())?,
        agent_limits: match state.agent_limits {
            Some(rows) => stored(serde_json::from_value(rows))?,
            None => Vec::new(),
        },
        waited,
    }))
}

pub(super) async fn open_wait(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: &str,
    sealed: &[u8],
) -> Result<Kept<String>, StoreError> {
    let broken = || StoreError::Unsealable("conversations");
    let tenant = tx.tenant().clone();
    let key = keys.contact(Via::Connection(tx.connection()), conversation).await?.ok_or_else(broken)?;
    keys.know(Via::Connection(tx.connection()), [sealed]).await?;
    let bytes = key.open(keys, &place(&tenant, "sealed_wait", conversation), sealed)?;
    serde_json::from_slice(&bytes).map_err(|_| broken())
}

/// Ends a lease on a conversation in which nothing waits, for example because what waited was erased. A message that
/// arrives at this moment changes the sequence that is compared here, under the lock of the row.
async fn rest(tx: &mut TenantTx, lease: &Lease<Conversations>, seen: i64) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let rested = sqlx::query!(
        "update conversations
         set work_at = case when last_inbound_sequence > $1 then clock_timestamp() end,
             answered_sequence = greatest(answered_sequence, $1), lease_owner = null, attempts = 0, last_error = null,
             waits_for = null, waits_until = null, sealed_wait = null, wait = null, waits_since = null, waits_agent = null
         where tenant_id = $2 and conversation_id = $3 and fence = $4 and lease_owner = $5",
        seen,
        tenant.as_str(),
        lease.id.to_string(),
        lease.fence,
        lease.worker.as_str(),
    )
    .execute(tx.connection())
    .await?;
    if rested.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

async fn waiting(
    tx: &mut TenantTx,
    tenant: &TenantId,
    conversation: &str,
    answered: i64,
) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select message_id, session_id, account_id, sequence, role, agent_name, sealed_body, external_id, created_at
         from messages
         where tenant_id = $1 and conversation_id = $2 and sequence > $3 and role = 'contact'
         order by sequence
         limit $4",
        tenant.as_str(),
        conversation,
        answered,
        MOST_WAITING,
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows)
}

/// What was said before: what was answered already, and what anybody but the contact has said since.
async fn before(
    tx: &mut TenantTx,
    tenant: &TenantId,
    conversation: &str,
    answered: i64,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = sqlx::query_as!(
        Row,
        "select message_id, session_id, account_id, sequence, role, agent_name, sealed_body, external_id, created_at
         from messages
         where tenant_id = $1 and conversation_id = $2 and (sequence <= $3 or role <> 'contact')
         order by sequence desc
         limit $4",
        tenant.as_str(),
        conversation,
        answered,
        HISTORY,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.reverse();
    Ok(rows)
}

/// What the place allows and prefers where the newest waiting message was written.
struct OriginOfTurn {
    origin: MessageOrigin,
    site_id: Option<SiteId>,
    channel: Channel,
    locale: Option<Locale>,
    permissions: Permissions,
}

async fn origin_of_turn(
    tx: &mut TenantTx,
    tenant: &TenantId,
    conversation: &str,
    newest: &Row,
) -> Result<OriginOfTurn, StoreError> {
    match (&newest.session_id, &newest.account_id) {
        (Some(session), _) => session_of_turn(tx, tenant, session).await,
        (None, Some(account)) => account_of_turn(tx, tenant, conversation, account).await,
        (None, None) => Err(StoreError::Unsealable("messages")),
    }
}

async fn session_of_turn(
    tx: &mut TenantTx,
    tenant: &TenantId,
    session: &str,
) -> Result<OriginOfTurn, StoreError> {
    let row = sqlx::query!(
        "select s.site_id, s.channel, s.locale, s.permissions, i.permissions as site_permissions
         from sessions s
         join sites i on i.tenant_id = s.tenant_id and i.site_id = s.site_id
         where s.tenant_id = $1 and s.session_id = $2",
        tenant.as_str(),
        session,
    )
    .fetch_one(tx.connection())
    .await?;
    let of_site = sessions::permissions(&row.site_permissions);
    Ok(OriginOfTurn {
        origin: MessageOrigin::Session(stored(session.parse())?),
        site_id: Some(stored(row.site_id.parse())?),
        channel: stored(row.channel.parse())?,
        locale: row.locale.and_then(|text| text.parse().ok()),
        permissions: sessions::permissions(&row.permissions).intersection(&of_site),
    })
}

async fn account_of_turn(
    tx: &mut TenantTx,
    tenant: &TenantId,
    conversation: &str,
    account: &str,
) -> Result<OriginOfTurn, StoreError> {
    let row = sqlx::query!(
        "select a.channel, a.permissions, t.locale
         from channel_threads t
         join channel_accounts a on a.tenant_id = t.tenant_id and a.account_id = t.account_id
         where t.tenant_id = $1 and t.conversation_id = $2 and t.account_id = $3",
        tenant.as_str(),
        conversation,
        account,
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(OriginOfTurn {
        origin: MessageOrigin::Account(stored(account.parse())?),
        site_id: None,
        channel: stored(row.channel.parse())?,
        locale: row.locale.and_then(|text| text.parse().ok()),
        permissions: sessions::permissions(&row.permissions),
    })
}

/// The context pack of a version, as it was stored.
pub async fn pack_of_version(tx: &mut TenantTx, version: i64) -> Result<Option<Value>, StoreError> {
    let tenant = tx.tenant().clone();
    let pack = sqlx::query_scalar!(
        "select pack from context_packs where tenant_id = $1 and version = $2",
        tenant.as_str(),
        version,
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(pack)
}
