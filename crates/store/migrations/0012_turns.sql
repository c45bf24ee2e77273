-- The end of a turn.

-- Why a person was asked to take over, and what that person should know: the summary may quote the contact.
alter table misy.conversations add column handoff_reason text, add column sealed_handoff bytea;

-- Writes everything that a turn came to, or nothing when the lease was lost meanwhile: the replies with the next
-- sequences, the decision under every message asked and answered, the state of the conversation, and the audit entry. What
-- arrived during the turn makes the conversation due again at once. Nulls keep status and handoff as they are.
create function misy.commit_turn(
    p_tenant text, p_conversation text, p_worker text, p_fence bigint, p_answered_through bigint,
    p_session text, p_account text, p_site text, p_reply_ids text[], p_reply_agents text[], p_reply_bodies bytea[], p_asked_ids text[],
    p_decision jsonb, p_language text, p_unanswered smallint, p_status text, p_handoff_reason text, p_sealed_handoff bytea,
    p_audit_id text, p_audit_agent text, p_audit_outcome text, p_duration_micros bigint, p_audit_detail jsonb,
    p_now timestamptz,
    out committed boolean, out last_sequence bigint, out has_more boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);

    select c.last_sequence, c.last_inbound_sequence > p_answered_through
    into last_sequence, has_more
    from misy.conversations c
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation
        and c.fence = p_fence and c.lease_owner = p_worker
    for no key update;
    committed := found;
    if not committed then
        return;
    end if;

    insert into misy.messages (tenant_id, conversation_id, sequence, message_id, session_id, account_id, role, agent_name,
                               sealed_body, created_at)
    select p_tenant, p_conversation, commit_turn.last_sequence + r.at, r.message_id, p_session, p_account, 'agent',
           r.agent_name, r.sealed_body, p_now
    from unnest(p_reply_ids, p_reply_agents, p_reply_bodies) with ordinality
        as r (message_id, agent_name, sealed_body, at);
    if p_account is not null and cardinality(p_reply_ids) > 0 then
        perform misy.enqueue_deliveries(p_tenant, p_conversation, commit_turn.last_sequence, p_now);
    end if;
    last_sequence := last_sequence + cardinality(p_reply_ids);

    if p_decision is not null then
        insert into misy.decisions (tenant_id, message_id, conversation_id, record, created_at)
        select p_tenant, m.message_id, p_conversation, p_decision, p_now
        from unnest(p_asked_ids || p_reply_ids) as m (message_id);
    end if;

    update misy.conversations c
    set last_sequence = commit_turn.last_sequence,
        answered_sequence = p_answered_through,
        unanswered_in_a_row = p_unanswered,
        language = coalesce(p_language, c.language),
        status = coalesce(p_status, c.status),
        handoff_reason = coalesce(p_handoff_reason, c.handoff_reason),
        sealed_handoff = coalesce(p_sealed_handoff, c.sealed_handoff),
        work_at = case when commit_turn.has_more then pg_catalog.clock_timestamp() end,
        lease_owner = null,
        attempts = 0,
        last_error = null
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation;

    insert into misy.audit_entries (tenant_id, audit_id, at, kind, action, actor, site_id, session_id, agent_name,
                                    outcome, duration_micros, subject, detail)
    values (p_tenant, p_audit_id, p_now, 'turn', 'conversation.turn', 'agent:' || coalesce(p_audit_agent, 'none'), p_site,
            p_session, p_audit_agent, p_audit_outcome, p_duration_micros, p_conversation, p_audit_detail);
end
$$;

revoke execute on function misy.commit_turn(
    text, text, text, bigint, bigint, text, text, text, text[], text[], bytea[], text[], jsonb, text, smallint, text, text,
    bytea, text, text, text, bigint, jsonb, timestamptz) from public;
grant execute on function misy.commit_turn(
    text, text, text, bigint, bigint, text, text, text, text[], text[], bytea[], text[], jsonb, text, smallint, text, text,
    bytea, text, text, text, bigint, jsonb, timestamptz) to misy_worker;
