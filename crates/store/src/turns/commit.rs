//! Everything a turn came to, written at once.

use super::{CommittedTurn, Conversations, Kept, NewHandoff, NewWait, TurnResult, place, seal_kept};
use crate::{
    Bell, Database, StoreError, TenantKeys, TenantTx,
    bell::News,
    leases::{Lease, interval},
    messages,
    sessions::ConversationStatus,
    vault::{ContactKey, Via},
};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    AuditId, Clock, Content, Entropy, MessageId, MessageOrigin, Reply, Role, SiteId, TenantId,
};
use misy_telemetry::Span;

impl Database {
    /// Makes a turn durable in one round trip and rings the bell; [`StoreError::LeaseLost`], and nothing written, if the
    /// conversation is somebody else's by now.
    pub async fn commit_turn(
        &self,
        lease: &Lease<Conversations>,
        result: &TurnResult<'_>,
        keys: &TenantKeys,
        bell: &Bell,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<CommittedTurn, StoreError> {
        self.commit_turn_with(None, lease, result, keys, bell, clock, entropy).await
    }

    /// The same, together with what a transaction of the worker did: both become durable, or neither.
    #[allow(clippy::too_many_arguments, reason = "those of a turn, and the transaction")]
    pub async fn commit_turn_with(
        &self,
        mut with: Option<TenantTx>,
        lease: &Lease<Conversations>,
        result: &TurnResult<'_>,
        keys: &TenantKeys,
        bell: &Bell,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<CommittedTurn, StoreError> {
        let asked: Vec<MessageId> = result.work.waiting.iter().map(|message| message.message_id).collect();
        // What is said before a wait answers nothing yet.
        let answers = if result.wait.is_some() { &[] } else { asked.as_slice() };
        let via = match &mut with {
            Some(tx) => Via::Connection(tx.connection()),
            None => Via::Pool(self.worker()),
        };
        let key = keys.contact(via, &lease.id.to_string()).await?;
        // Without its contact the conversation is gone, and the lease with it.
        let key = key.ok_or(StoreError::LeaseLost)?;
        let sealed = SealedReplies::of(result.replies, answers, &lease.tenant, &key, clock, entropy)?;
        let sealed_handoff = result.handoff.map(|handoff| seal_handoff(lease, handoff, &key, entropy));
        let status = result.handoff.map(|_| ConversationStatus::Handoff.as_str());
        let outcome = match (&result.handoff, &result.wait, result.replies.is_empty()) {
            (Some(_), ..) => "handoff",
            (None, Some(_), _) => "waiting",
            (None, None, true) => "silent",
            (None, None, false) => "answered",
        };
        let sealed_wait = result
            .wait
            .map(|wait| seal_wait(lease, wait, result.work.seen_through, &key, entropy))
            .transpose()?;
        let (session, account) = match result.work.origin {
            MessageOrigin::Session(session) => (Some(session.to_string()), None),
            MessageOrigin::Account(account) => (None, Some(account.to_string())),
        };
        let detail = serde_json::json!({
            "packVersion": result.work.pack_version,
            "asked": asked.len(),
            "replies": result.replies.len(),
        });
        let committing = sqlx::query!(
            "select committed, last_sequence, has_more
             from commit_turn($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                              $21, $22, $23, $24, $25, $26, $27)",
            lease.tenant.as_str(),
            lease.id.to_string(),
            lease.worker.as_str(),
            lease.fence,
            if result.wait.is_some() { result.work.seen_through } else { result.work.answered_through() },
            session,
            account,
            result.work.site_id.as_ref().map(SiteId::as_str),
            &sealed.ids_as_text(),
            &sealed.agents,
            &sealed.bodies,
            &asked.iter().map(MessageId::to_string).collect::<Vec<_>>(),
            result.wait.is_none().then_some(result.decision),
            result.language.code(),
            i16::from(result.unanswered_in_a_row),
            status,
            result.handoff.map(|handoff| handoff.reason),
            sealed_handoff,
            AuditId::new(clock, entropy).to_string(),
            result.agent,
            outcome,
            i64::try_from(result.took.as_micros()).unwrap_or(i64::MAX),
            detail,
            clock.now().to_sqlx(),
            result.wait.map(|wait| wait.waits_for.as_str()),
            result.wait.map(|wait| interval(wait.most)) as _,
            sealed_wait,
        );
        let row = match &mut with {
            Some(tx) => committing.fetch_one(tx.connection()).await?,
            None => committing.fetch_one(self.worker()).await?,
        };
        // What was done with it goes with it.
        if row.committed != Some(true) {
            return Err(StoreError::LeaseLost);
        }
        if let Some(tx) = with {
            tx.commit().await?;
        }
        let last_sequence = row.last_sequence.unwrap_or_default();
        let has_more = row.has_more.unwrap_or_default();
        if has_more {
            bell.ring_work();
        }
        if matches!(result.work.origin, MessageOrigin::Account(_)) {
            bell.ring_deliveries();
        }
        let status_changed = result.handoff.is_some() && result.work.status != ConversationStatus::Handoff;
        let news = News { status_changed, ..News::typing(None) };
        bell.ring(&lease.tenant, lease.id, News { sequence: Some(last_sequence), ..news });
        Ok(CommittedTurn { replies: sealed.ids, last_sequence, has_more })
    }
}

struct SealedReplies {
    ids: Vec<MessageId>,
    agents: Vec<String>,
    bodies: Vec<Vec<u8>>,
}

impl SealedReplies {
    fn of(
        replies: &[Reply],
        asked: &[MessageId],
        tenant: &TenantId,
        key: &ContactKey,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Self, StoreError> {
        let mut sealed = Self { ids: Vec::new(), agents: Vec::new(), bodies: Vec::new() };
        for reply in replies {
            let id = MessageId::new(clock, entropy);
            let content = Content {
                parts: reply.parts.clone(),
                sources: reply.sources.clone(),
                in_reply_to: asked.to_vec(),
                trace: Span::present(),
                ..Content::default()
            };
            sealed.bodies.push(messages::seal(&content, key, tenant, id, Role::Agent, entropy)?);
            sealed.agents.push(reply.agent_name.clone());
            sealed.ids.push(id);
        }
        Ok(sealed)
    }

    fn ids_as_text(&self) -> Vec<String> {
        self.ids.iter().map(MessageId::to_string).collect()
    }
}

fn seal_handoff(
    lease: &Lease<Conversations>,
    handoff: NewHandoff<'_>,
    key: &ContactKey,
    entropy: &dyn Entropy,
) -> Vec<u8> {
    let row = lease.id.to_string();
    key.seal(&place(&lease.tenant, "sealed_handoff", &row), handoff.summary.as_bytes(), entropy)
}

fn seal_wait(
    lease: &Lease<Conversations>,
    wait: NewWait<'_>,
    seen_through: i64,
    key: &ContactKey,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, StoreError> {
    let row = lease.id.to_string();
    let kept = Kept { agent: wait.agent, state: wait.state.clone(), outcome: None, seen_through };
    seal_kept(&kept, &place(&lease.tenant, "sealed_wait", &row), key, entropy)
}
