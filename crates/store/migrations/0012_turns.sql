-- The end of a turn.

-- Why a person was asked to take over, and what that person should know: the summary may quote the contact.
alter table misy.conversations add column handoff_reason text, add column sealed_handoff bytea;

-- What the turn waits for, until when at most, and where its agent goes on. While it waits nobody holds the conversation, and
-- `work_at` is when it is due again: at `waits_until`, or before that when somebody wakes it.
alter table misy.conversations
    add column waits_for text check (waits_for in ('tool', 'person', 'timer')),
    add column waits_until timestamptz,
    add column sealed_wait bytea,
    -- The wait by its number, which is the fence of the claim that began it; since when; and who waits.
    add column wait bigint,
    add column waits_since timestamptz,
    add column waits_agent text,
    -- The fence of the claim in which the turn was woken, so that a turn that has not begun to wait yet is not forgotten.
    add column woken bigint not null default 0;
-- Turns that wait, by how long they do.
create index conversations_with_waiting_turns on misy.conversations (tenant_id, waits_since, conversation_id) where waits_for is not null;

-- Writes everything that a turn came to, or nothing when the lease was lost meanwhile: the replies with the next
-- sequences, the decision under every message asked and answered, the state of the conversation, and the audit entry. What
-- arrived during the turn makes the conversation due again at once. Nulls keep status and handoff as they are. With
-- `p_waits_for` the turn is not over: what was asked stays unanswered, and it goes on after `p_wait` or when it is woken. Then
-- `p_answered_through` is what had come when it was loaded: of what came later it must hear.
create function misy.commit_turn(
    p_tenant text, p_conversation text, p_worker text, p_fence bigint, p_answered_through bigint,
    p_session text, p_account text, p_site text, p_reply_ids text[], p_reply_agents text[], p_reply_bodies bytea[], p_asked_ids text[],
    p_decision jsonb, p_language text, p_unanswered smallint, p_status text, p_handoff_reason text, p_sealed_handoff bytea,
    p_audit_id text, p_audit_agent text, p_audit_outcome text, p_duration_micros bigint, p_audit_detail jsonb,
    p_now timestamptz, p_waits_for text, p_wait interval, p_sealed_wait bytea,
    out committed boolean, out last_sequence bigint, out has_more boolean)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    set_tenant text;
    present constant timestamptz := pg_catalog.clock_timestamp();
    was_woken boolean;
begin
    set_tenant := pg_catalog.set_config('app.tenant_id', p_tenant, true);

    select c.last_sequence, c.last_inbound_sequence > p_answered_through, c.woken = p_fence
    into last_sequence, has_more, was_woken
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
        answered_sequence = case when p_waits_for is null then p_answered_through else c.answered_sequence end,
        unanswered_in_a_row = p_unanswered,
        language = coalesce(p_language, c.language),
        status = coalesce(p_status, c.status),
        active_at = case when cardinality(p_reply_ids) > 0 then present else c.active_at end,
        waiting_since = case when p_status = 'handoff' and c.assignee is null then coalesce(c.waiting_since, present)
                             else c.waiting_since end,
        handling = c.handling + (p_status is distinct from c.status and p_status is not null)::integer,
        handoff_reason = coalesce(p_handoff_reason, c.handoff_reason),
        sealed_handoff = coalesce(p_sealed_handoff, c.sealed_handoff),
        waits_for = p_waits_for,
        waits_until = present + p_wait,
        sealed_wait = p_sealed_wait,
        wait = case when p_waits_for is not null then p_fence end,
        waits_since = case when p_waits_for is not null then present end,
        waits_agent = case when p_waits_for is not null then p_audit_agent end,
        work_at = case
            when commit_turn.has_more or p_waits_for is not null and was_woken then present
            when p_waits_for is not null then present + p_wait
        end,
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
    bytea, text, text, text, bigint, jsonb, timestamptz, text, interval, bytea) from public;
grant execute on function misy.commit_turn(
    text, text, text, bigint, bigint, text, text, text, text[], text[], bytea[], text[], jsonb, text, smallint, text, text,
    bytea, text, text, text, bigint, jsonb, timestamptz, text, interval, bytea) to misy_worker;

-- Lets a turn that waits go on now, and one that is about to wait not wait; whether there is such a conversation.
create function misy.wake_turn(p_tenant text, p_conversation text) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update misy.conversations c
    set woken = c.fence,
        work_at = case
            when c.waits_for is not null and c.lease_owner is null and c.dead_at is null then pg_catalog.clock_timestamp()
            else c.work_at
        end
    where c.tenant_id = p_tenant and c.conversation_id = p_conversation;
    return found;
end
$$;
revoke execute on function misy.wake_turn(text, text) from public;
grant execute on function misy.wake_turn(text, text) to misy_app, misy_worker;
