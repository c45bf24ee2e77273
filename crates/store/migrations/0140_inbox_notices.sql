-- What a list of conversations looks like, so that whoever follows it notices what nobody rang for: also that a conversation was given
-- back, closed or given to somebody else.

alter table misy.conversations
    -- When it changed last who answers.
    add column handled_at timestamptz;
create index conversations_handled on misy.conversations (tenant_id, handled_at, conversation_id) where handled_at is not null;

create function misy.note_handling() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.handled_at := pg_catalog.clock_timestamp();
    return new;
end
$$;
create trigger note_handling before update of status, assignee, waiting_since, handling on misy.conversations
    for each row when (
        (old.status, old.assignee, old.waiting_since, old.handling)
            is distinct from (new.status, new.assignee, new.waiting_since, new.handling))
    execute function misy.note_handling();

-- A text that is another one once somebody wrote, or somebody else answers. It is made of the fifty conversations with the newest
-- activity, and of the fifty with the newest change: the newest alone would hide a change that was committed after a later one.
create function misy.inbox_mark(p_tenant text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select md5(concat_ws(
        '/',
        (select string_agg(concat_ws(',', n.conversation_id, n.last_sequence, n.active_at), ';' order by n.conversation_id)
         from (select c.conversation_id, c.last_sequence, c.active_at from misy.conversations c
               where c.tenant_id = p_tenant and c.active_at is not null
               order by c.active_at desc, c.conversation_id desc limit 50) n),
        (select string_agg(concat_ws(',', n.conversation_id, n.handling, n.status, n.assignee, n.handled_at), ';'
                           order by n.conversation_id)
         from (select c.conversation_id, c.handling, c.status, c.assignee, c.handled_at from misy.conversations c
               where c.tenant_id = p_tenant and c.handled_at is not null
               order by c.handled_at desc, c.conversation_id desc limit 50) n),
        (select count(*) from (select from misy.conversations c
                               where c.tenant_id = p_tenant and c.waiting_since is not null limit 1000) w)))
$$;

-- Raises an alert for each tenant in which somebody has waited for a person for so long, once an hour; says how many. The occurrence
-- follows from the alert before it, so that replicas which look at the same moment raise one. The key is the program's: nobody else
-- can take an occurrence ahead of its alert.
drop function misy.tell_of_waiting(interval);
create function misy.tell_of_waiting(p_patience interval, p_key bytea) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    present constant timestamptz := pg_catalog.clock_timestamp();
    told bigint;
begin
    insert into misy.alerts (tenant_id, alert_id, rule, occurrence, severity, subject, detail, raised_at)
    select t.tenant_id, misy.new_id('alr'), 'handoff_waiting',
           encode(sha256(p_key || convert_to(t.tenant_id || '/' || coalesce(l.alert_id, ''), 'UTF8')), 'base64'), 'warning',
           w.conversation_id,
           jsonb_build_object('minutes', floor(extract(epoch from present - w.waiting_since) / 60)), present
    from misy.tenants t
    cross join lateral (
        select c.conversation_id, c.waiting_since
        from misy.conversations c
        where c.tenant_id = t.tenant_id and c.waiting_since < present - p_patience
        order by c.waiting_since limit 1) w
    left join lateral (
        select a.alert_id, a.raised_at
        from misy.alerts a
        where a.tenant_id = t.tenant_id and a.rule = 'handoff_waiting'
        order by a.raised_at desc, a.alert_id desc limit 1) l on true
    where t.status = 'active' and (l.raised_at is null or l.raised_at <= present - interval '1 hour')
    on conflict (tenant_id, rule, occurrence) do nothing;
    get diagnostics told = row_count;
    return told;
end
$$;

revoke execute on function misy.note_handling(), misy.inbox_mark(text), misy.tell_of_waiting(interval, bytea) from public;
grant execute on function misy.inbox_mark(text) to misy_app;
grant execute on function misy.tell_of_waiting(interval, bytea) to misy_system;
