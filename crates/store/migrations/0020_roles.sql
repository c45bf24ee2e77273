-- Roles that tenants make for themselves: a name for a list of actions of the access policies.

create table misy.roles (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    role_id text collate "C" not null check (role_id ~ '^[a-z][a-z0-9_-]{1,38}$'),
    name text not null,
    description text not null default '',
    actions text[] not null,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, role_id)
);
call misy.protect('misy.roles');
grant select, insert, update, delete on misy.roles to misy_app, misy_system;
grant select on misy.roles to misy_worker;
