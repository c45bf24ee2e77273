-- A Merkle tree over each tenant's audit trail. Whoever writes entries waits for nobody: each statement that adds some leaves
-- a line in audit_pending in the same transaction, however long that takes to commit; a sequencer takes the lines, gives the
-- entries their places in the tree and signs how far it goes. Entries, leaves, nodes and checkpoints only grow. The sequencer
-- has a role of its own: whoever serves requests or works on conversations touches nothing of the tree.

-- Entries that have no leaf yet.
create table misy.audit_pending (
    tenant_id text collate "C" not null,
    pending_id uuid not null default gen_random_uuid(),
    audit_ids text[] not null,
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
    insert into misy.audit_pending (tenant_id, audit_ids)
    select added.tenant_id, array_agg(added.audit_id order by added.audit_id) from added group by added.tenant_id;
    return null;
end
$$;
create trigger wait_for_leaf after insert on misy.audit_entries
    referencing new table as added for each statement execute function misy.audit_entries_wait();

insert into misy.audit_pending (tenant_id, audit_ids)
select tenant_id, array_agg(audit_id order by audit_id) from misy.audit_entries group by tenant_id;

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

-- The keys that sign checkpoints. Old ones stay for ever: what they signed must be verified for ever.
create table platform.audit_keys (
    key_id text collate "C" primary key,
    public_key bytea not null check (length(public_key) = 32),
    sealed_private_key bytea not null,
    created_at timestamptz not null,
    retires_at timestamptz
);
grant select on platform.audit_keys to misy_app, misy_worker, misy_system, misy_sealer;
grant insert, update on platform.audit_keys to misy_system;

-- Entries of calls, of many tenants in one statement and round trip. What was written before a lost connection and comes
-- again is not written again.
create function misy.record_calls(
    p_tenants text[], p_ids text[], p_at timestamptz[], p_actions text[], p_actors text[], p_sites text[],
    p_sessions text[], p_origins text[], p_outcomes text[], p_statuses integer[], p_durations bigint[],
    p_requests text[], p_subjects text[], p_details jsonb[])
returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into misy.audit_entries (tenant_id, audit_id, at, kind, action, actor, site_id, session_id, origin, outcome,
                                    status, duration_micros, request_id, subject, detail)
    select c.tenant, c.id, c.at, 'call', c.action, c.actor, c.site, c.session, c.origin, c.outcome, c.status, c.duration,
           c.request, c.subject, c.detail
    from unnest(p_tenants, p_ids, p_at, p_actions, p_actors, p_sites, p_sessions, p_origins, p_outcomes, p_statuses,
                p_durations, p_requests, p_subjects, p_details)
        as c (tenant, id, at, action, actor, site, session, origin, outcome, status, duration, request, subject, detail)
    on conflict (tenant_id, audit_id) do nothing
$$;
revoke execute on function misy.record_calls(text[], text[], timestamptz[], text[], text[], text[], text[], text[], text[],
    integer[], bigint[], text[], text[], jsonb[]) from public;
grant execute on function misy.record_calls(text[], text[], timestamptz[], text[], text[], text[], text[], text[], text[],
    integer[], bigint[], text[], text[], jsonb[]) to misy_worker;
