-- Privileged operations of the owner's people. A row stands with the tenant that was touched, so that this tenant sees it,
-- and outlives what it gave: who had access, why, from when to when. No reference to the tenant: it outlives that too.
create table misy.privilege_uses (
    tenant_id text collate "C" not null,
    grant_id text collate "C" not null,
    -- Whose person used it: the owner tenant and the user.
    home_tenant text collate "C" not null,
    actor text collate "C" not null,
    operation text not null,
    resource text not null,
    reason text not null,
    used_at timestamptz not null,
    -- Until when access lasts that it gave; null for what was done at once.
    expires_at timestamptz,
    ended_at timestamptz,
    ended_by text collate "C",
    primary key (tenant_id, grant_id)
);
create index privilege_uses_access on misy.privilege_uses (tenant_id, actor, expires_at) where ended_at is null;
create index privilege_uses_recent on misy.privilege_uses (tenant_id, used_at);
call misy.protect('misy.privilege_uses');
grant select, insert, update on misy.privilege_uses to misy_app, misy_system;
grant select on misy.privilege_uses to misy_worker;

-- Access can be ended; nothing else about it is ever changed.
create function misy.refuse_change_of_privilege() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if old.ended_at is not null
        or (to_jsonb(new) - 'ended_at' - 'ended_by') <> (to_jsonb(old) - 'ended_at' - 'ended_by') then
        raise exception 'what was done stays as it was written' using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;
create trigger only_ends before update on misy.privilege_uses
    for each row execute function misy.refuse_change_of_privilege();

-- What should be looked at now. `occurrence` keeps one event from raising the same alert twice. It is a keyed hash: whoever
-- only reaches the database cannot put one there before the event. And none is born acknowledged.
create table misy.alerts (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    alert_id text collate "C" not null,
    rule text not null,
    occurrence text collate "C" not null,
    severity text not null check (severity in ('info', 'warning', 'critical')),
    actor text collate "C",
    subject text,
    detail jsonb not null default '{}',
    raised_at timestamptz not null,
    acknowledged_at timestamptz,
    acknowledged_by text collate "C",
    primary key (tenant_id, alert_id),
    unique (tenant_id, rule, occurrence)
);
call misy.protect('misy.alerts');
grant select, insert on misy.alerts to misy_app, misy_worker, misy_system;
create trigger born_open before insert on misy.alerts
    for each row when (new.acknowledged_at is not null or new.acknowledged_by is not null)
    execute function misy.refuse_change();
grant update on misy.alerts to misy_app, misy_system;

-- What the owner decided for the whole installation while it runs; it wins over the program's settings.
create table platform.global_settings (
    name text primary key,
    value jsonb not null,
    changed_at timestamptz not null,
    changed_by text not null
);
grant select on platform.global_settings to misy_app, misy_worker, misy_system;
grant insert, update, delete on platform.global_settings to misy_system;
