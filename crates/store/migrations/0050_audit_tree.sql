-- A Merkle tree over each tenant's audit trail. Whoever writes entries waits for nobody: each statement that adds some leaves
-- a line in audit_pending in the same transaction, however long that takes to commit; a sequencer takes the lines, gives the
-- entries their places in the tree and signs how far it goes. Entries, leaves, nodes and checkpoints only grow. The sequencer
-- has a role of its own: whoever serves requests or works on conversations touches nothing of the tree.

-- Entries that have no leaf yet.
create table misy.audit_pending (
    tenant_id text collate "C" not null,
    pending_id uuid not null default gen_random_uuid(),
    audit_ids text[] not null,
    -- About how many bytes of memory the entries take.
    octets bigint not null,
    primary key (tenant_id, pending_id)
);
call misy.protect('misy.audit_pending');
grant select on misy.audit_pending to misy_app, misy_worker, misy_system;
grant select, delete on misy.audit_pending to misy_sealer;

-- Who may tell of what: requests are served by one role, calls and turns written down by another, and what crosses tenants is
-- the third one's.
create function misy.audit_entries_wait() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    refused pg_catalog.text;
begin
    select added.kind into refused from added
    where case session_user
        when 'misy_app' then added.kind <> 'change'
        when 'misy_worker' then added.kind not in ('call', 'change', 'turn')
        when 'misy_system' then added.kind not in ('change', 'system')
        when 'misy_sealer' then true
        else false
    end
    limit 1;
    if found then
        raise exception '% writes no audit entries of the kind %', session_user, refused
            using errcode = 'insufficient_privilege';
    end if;
    if (select count(*) from added) > 5000 then
        raise exception 'too many audit entries in one statement' using errcode = 'program_limit_exceeded';
    end if;
    -- In pieces, so that the sequencer takes as much at a time as it has room for.
    insert into misy.audit_pending (tenant_id, audit_ids, octets)
    select p.tenant_id, array_agg(p.audit_id order by p.audit_id), sum(p.octets)
    from (select s.tenant_id, s.audit_id, s.octets,
                 (sum(s.octets) over (partition by s.tenant_id order by s.audit_id))::pg_catalog.int8 / 262144 as piece
          from (select a.tenant_id, a.audit_id,
                       (400 + octet_length(concat(a.action, a.outcome, a.actor, a.site_id, a.session_id, a.agent_name, a.origin,
                                                  a.request_id, a.subject))
                        + coalesce(octet_length(a.detail::pg_catalog.text), 0))::pg_catalog.int8 as octets
                from added a) s) p
    group by p.tenant_id, p.piece;
    return null;
end
$$;
create trigger wait_for_leaf after insert on misy.audit_entries
    referencing new table as added for each statement execute function misy.audit_entries_wait();

-- The place of each entry: consecutive from 0.
create table misy.audit_leaves (
    tenant_id text collate "C" not null,
    leaf_index bigint not null check (leaf_index >= 0),
    audit_id text collate "C" not null,
    leaf_hash bytea not null check (length(leaf_hash) = 32),
    primary key (tenant_id, leaf_index),
    unique (tenant_id, audit_id)
);
call misy.protect('misy.audit_leaves');

-- The root of every complete subtree of 256, 65,536 … leaves (level 8, 16 …): all others follow from at most 255 of the
-- hashes below them.
create table misy.audit_nodes (
    tenant_id text collate "C" not null,
    level smallint not null,
    node_index bigint not null,
    node_hash bytea not null check (length(node_hash) = 32),
    primary key (tenant_id, level, node_index)
);
call misy.protect('misy.audit_nodes');

-- Signed notes (C2SP tlog-checkpoint).
create table misy.audit_checkpoints (
    tenant_id text collate "C" not null,
    tree_size bigint not null check (tree_size > 0),
    root_hash bytea not null check (length(root_hash) = 32),
    note text not null,
    signed_at timestamptz not null,
    primary key (tenant_id, tree_size)
);
call misy.protect('misy.audit_checkpoints');
grant select on misy.audit_leaves, misy.audit_nodes, misy.audit_checkpoints to misy_app, misy_worker, misy_system;
grant select, insert on misy.audit_leaves, misy.audit_nodes, misy.audit_checkpoints to misy_sealer;

-- Entries that cannot be read, and so have no leaf. There are none unless somebody changed the table; then one of them must
-- not keep all others waiting.
create table misy.audit_quarantine (
    tenant_id text collate "C" not null,
    audit_id text collate "C" not null,
    found_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (tenant_id, audit_id)
);
call misy.protect('misy.audit_quarantine');
grant select on misy.audit_quarantine to misy_app, misy_worker, misy_system;
grant select, insert on misy.audit_quarantine to misy_sealer;
create trigger append_only before update or delete on misy.audit_quarantine
    for each row execute function misy.refuse_change();
create trigger append_only_truncate before truncate on misy.audit_quarantine
    for each statement execute function misy.refuse_change();

-- Where the sequencer stands; its row is the lease on the tenant's tree. What counts stands in the tables above.
create table misy.audit_trees (
    tenant_id text collate "C" primary key,
    tree_size bigint not null default 0,
    checkpoint_size bigint not null default 0,
    checkpoint_due timestamptz
);
call misy.protect('misy.audit_trees');
grant select on misy.audit_trees to misy_app, misy_worker, misy_system;
grant select, insert, update on misy.audit_trees to misy_sealer;
-- Whether a tenant is closed: then each entry may be its last.
grant select on misy.tenants to misy_sealer;
-- To tell of entries that cannot be sealed.
grant select, insert on misy.alerts to misy_sealer;

create trigger append_only before update or delete on misy.audit_leaves
    for each row execute function misy.refuse_change();
create trigger append_only_truncate before truncate on misy.audit_leaves
    for each statement execute function misy.refuse_change();
create trigger append_only before update or delete on misy.audit_nodes
    for each row execute function misy.refuse_change();
create trigger append_only_truncate before truncate on misy.audit_nodes
    for each statement execute function misy.refuse_change();
create trigger append_only before update or delete on misy.audit_checkpoints
    for each row execute function misy.refuse_change();
create trigger append_only_truncate before truncate on misy.audit_checkpoints
    for each statement execute function misy.refuse_change();

-- Also for whoever pretends to be a replica.
alter table misy.audit_entries enable always trigger append_only;
alter table misy.audit_entries enable always trigger append_only_truncate;
alter table misy.audit_entries enable always trigger wait_for_leaf;
alter table misy.audit_leaves enable always trigger append_only;
alter table misy.audit_leaves enable always trigger append_only_truncate;
alter table misy.audit_nodes enable always trigger append_only;
alter table misy.audit_nodes enable always trigger append_only_truncate;
alter table misy.audit_checkpoints enable always trigger append_only;
alter table misy.audit_checkpoints enable always trigger append_only_truncate;
alter table misy.audit_quarantine enable always trigger append_only;
alter table misy.audit_quarantine enable always trigger append_only_truncate;

-- The keys that sign checkpoints. Old ones stay for ever: what they signed must be verified for ever. A row is never changed:
-- what there is to say anew of a key, that it retires or is sealed under another root key, is another revision of it. And
-- nobody believes a row for standing here: all that it says is bound to what is sealed in it.
create table platform.audit_keys (
    key_id text collate "C" not null,
    revision bigint generated always as identity,
    public_key bytea not null check (length(public_key) = 32),
    -- The public key before it, and that key's signature of this one; the first key has neither.
    predecessor bytea check (length(predecessor) = 32),
    voucher bytea check (length(voucher) = 64),
    sealed_private_key bytea not null check (length(sealed_private_key) <= 1024),
    created_at timestamptz not null,
    retires_at timestamptz,
    primary key (key_id, revision),
    check (length(key_id) <= 60),
    check (least(created_at, retires_at) >= '2000-01-01 00:00Z'),
    check (greatest(created_at, retires_at) < '3000-01-01 00:00Z')
);
grant select on platform.audit_keys to misy_app, misy_worker, misy_system, misy_sealer;
grant insert on platform.audit_keys to misy_system;
create trigger append_only before update or delete on platform.audit_keys
    for each row execute function misy.refuse_change();
create trigger append_only_truncate before truncate on platform.audit_keys
    for each statement execute function misy.refuse_change();
alter table platform.audit_keys enable always trigger append_only;
alter table platform.audit_keys enable always trigger append_only_truncate;

-- They are read whole: there must not be any number of them.
create function platform.bound_audit_keys() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if (select count(*) from platform.audit_keys) > 1000 then
        raise exception 'there are more revisions of audit keys than anybody makes' using errcode = 'program_limit_exceeded';
    end if;
    return null;
end
$$;
create trigger bound after insert on platform.audit_keys
    for each statement execute function platform.bound_audit_keys();

-- What else is worth knowing, or how long it was where that is longer than an entry may be.
create function misy.audit_detail(detail jsonb) returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when octet_length(detail::pg_catalog.text) > 16000
        then jsonb_build_object('omittedBytes', octet_length(detail::pg_catalog.text)) else detail end
$$;
-- The entries that these columns are.
create function misy.audit_entries_given(
    p_tenants text[], p_ids text[], p_at timestamptz[], p_kinds text[], p_actions text[], p_actors text[], p_sites text[],
    p_sessions text[], p_agents text[], p_origins text[], p_outcomes text[], p_statuses integer[], p_durations bigint[],
    p_requests text[], p_subjects text[], p_details jsonb[])
returns setof misy.audit_entries
language sql
set search_path = pg_catalog, pg_temp
as $$
    select c.tenant, c.id, c.at, c.kind, left(c.action, 50), left(c.actor, 300), left(c.site, 100), left(c.session, 100),
           left(c.agent, 100), left(c.origin, 300), left(c.outcome, 50), c.status, c.duration, left(c.request, 100),
           left(c.subject, 300), misy.audit_detail(c.detail)
    from unnest(p_tenants, p_ids, p_at, p_kinds, p_actions, p_actors, p_sites, p_sessions, p_agents, p_origins, p_outcomes,
                p_statuses, p_durations, p_requests, p_subjects, p_details)
        as c (tenant, id, at, kind, action, actor, site, session, agent, origin, outcome, status, duration, request, subject,
              detail)
$$;

-- Entries of calls and of what was tried, of many tenants in one statement and round trip. What was written before a lost
-- connection and comes again is not written again. Where something else stands under an entry's id somebody put it there: then
-- the entry is written under another id, the tenant is alerted, and the answer names the id. Texts longer than any of ours are cut.
create function misy.record_calls(
    p_tenants text[], p_ids text[], p_at timestamptz[], p_kinds text[], p_actions text[], p_actors text[], p_sites text[],
    p_sessions text[], p_agents text[], p_origins text[], p_outcomes text[], p_statuses integer[], p_durations bigint[],
    p_requests text[], p_subjects text[], p_details jsonb[])
returns setof text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    added pg_catalog.int8;
    told misy.audit_entries;
    taken pg_catalog.text;
begin
    insert into misy.audit_entries (tenant_id, audit_id, at, kind, action, actor, site_id, session_id, agent_name, origin,
                                    outcome, status, duration_micros, request_id, subject, detail)
    select g.* from misy.audit_entries_given(p_tenants, p_ids, p_at, p_kinds, p_actions, p_actors, p_sites, p_sessions,
        p_agents, p_origins, p_outcomes, p_statuses, p_durations, p_requests, p_subjects, p_details) g
    on conflict (tenant_id, audit_id) do nothing;
    get diagnostics added = row_count;
    if added = cardinality(p_ids) then
        return;
    end if;
    for told in
        select g.* from misy.audit_entries_given(p_tenants, p_ids, p_at, p_kinds, p_actions, p_actors, p_sites, p_sessions,
            p_agents, p_origins, p_outcomes, p_statuses, p_durations, p_requests, p_subjects, p_details) g
        where not exists (
            select from misy.audit_entries e
            where e.tenant_id = g.tenant_id and e.audit_id = g.audit_id
                and (e.at, e.kind, e.action, e.actor, e.site_id, e.session_id, e.agent_name, e.origin, e.outcome, e.status,
                     e.duration_micros, e.request_id, e.subject, e.detail)
                    is not distinct from
                    (g.at, g.kind, g.action, g.actor, g.site_id, g.session_id, g.agent_name, g.origin, g.outcome, g.status,
                     g.duration_micros, g.request_id, g.subject, g.detail))
    loop
        taken := told.audit_id;
        -- Of the same millisecond, and with a last digit that fits the kind.
        told.audit_id := left(taken, 14) || left(replace(gen_random_uuid()::pg_catalog.text, '-', ''), 15)
            || case told.kind when 'call' then '0' else '1' end;
        told.detail := coalesce(told.detail, '{}') || jsonb_build_object('insteadOf', taken);
        insert into misy.audit_entries values (told.*);
        insert into misy.alerts (tenant_id, alert_id, rule, occurrence, severity, subject, detail, raised_at)
        select t.tenant_id, 'alr_' || substr(told.audit_id, 5), 'audit_entry_taken', gen_random_uuid()::pg_catalog.text,
               'critical', taken, jsonb_build_object('insteadOf', taken, 'auditId', told.audit_id), clock_timestamp()
        from misy.tenants t where t.tenant_id = told.tenant_id;
        return next taken;
    end loop;
end
$$;

revoke execute on function misy.record_calls(text[], text[], timestamptz[], text[], text[], text[], text[], text[], text[],
    text[], text[], integer[], bigint[], text[], text[], jsonb[]),
    misy.audit_entries_given(text[], text[], timestamptz[], text[], text[], text[], text[], text[], text[], text[], text[],
    integer[], bigint[], text[], text[], jsonb[]), misy.audit_detail(jsonb) from public;
grant execute on function misy.record_calls(text[], text[], timestamptz[], text[], text[], text[], text[], text[], text[],
    text[], text[], integer[], bigint[], text[], text[], jsonb[]) to misy_worker;
grant execute on function misy.audit_detail(jsonb) to misy_app, misy_worker, misy_system;
