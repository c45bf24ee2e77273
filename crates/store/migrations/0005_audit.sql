-- One append-only trail per tenant. No reference to the tenant: attempts to register the owner are recorded before it
-- exists, and a sealed trail outlives its tenant.

create table misy.audit_entries (
    tenant_id text collate "C" not null,
    audit_id text collate "C" not null,
    at timestamptz not null default now(),
    -- call: a request and its outcome; change: what was changed; turn: what an agent did; system: cross-tenant work.
    kind text not null check (kind in ('call', 'change', 'turn', 'system')),
    action text not null,
    actor text not null,
    site_id text collate "C",
    session_id text collate "C",
    agent_name text,
    origin text,
    outcome text not null,
    status integer,
    duration_micros bigint,
    request_id text collate "C",
    subject text,
    detail jsonb,
    primary key (tenant_id, audit_id),
    -- Whatever stands here can be read, hashed and shown. Nothing here grows to more than some kilobytes when it is read.
    check (audit_id ~ '^aud_[0-9A-Za-z]{1,60}$'),
    check (at >= '2000-01-01 00:00Z' and at < '3000-01-01 00:00Z'),
    check (status between 100 and 999),
    check (duration_micros >= 0),
    check (pg_catalog.octet_length(action) <= 200 and pg_catalog.octet_length(outcome) <= 200),
    check (pg_catalog.octet_length(pg_catalog.concat(actor, site_id, session_id, agent_name, origin, request_id, subject))
           <= 8192),
    check (pg_catalog.octet_length(detail::text) <= 16384),
    -- The id of a call's entry is made of that of the request, whose last digit is even; those of all others are odd. So
    -- whoever may not tell of calls takes no call's id.
    constraint ids_of_calls
        check ((kind = 'call') = (pg_catalog.strpos('02468acegjmprtwy', pg_catalog.right(audit_id, 1)) > 0)),
    -- Agents do turns, and nobody else does.
    check ((kind = 'turn') = pg_catalog.starts_with(actor, 'agent:'))
);
call misy.protect('misy.audit_entries');
grant select, insert on misy.audit_entries to misy_app, misy_worker, misy_system;
grant select on misy.audit_entries to misy_sealer;

create trigger append_only before update or delete on misy.audit_entries
    for each row execute function misy.refuse_change();
create trigger append_only_truncate before truncate on misy.audit_entries
    for each statement execute function misy.refuse_change();
