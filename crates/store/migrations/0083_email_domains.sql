-- Domains of e-mail addresses that a tenant has proved to be its own: its provider introduces people of these only.

create table misy.email_domains (
    tenant_id text collate "C" not null references misy.tenants on delete cascade,
    domain text collate "C" not null,
    -- The line that the tenant publishes in a file of the domain.
    challenge text not null,
    created_at timestamptz not null,
    proved_at timestamptz,
    primary key (tenant_id, domain)
);
call misy.protect('misy.email_domains');
grant select, insert, update, delete on misy.email_domains to misy_app, misy_system;
grant select on misy.email_domains to misy_worker;

-- A domain is one tenant's. No role may read this table; the key refuses whoever comes second.
create table platform.email_domains (
    domain text collate "C" primary key,
    tenant_id text collate "C" not null
);

create function platform.follow_email_domains() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op <> 'INSERT' then
        delete from platform.email_domains d where d.domain = old.domain and d.tenant_id = old.tenant_id;
    end if;
    if tg_op <> 'DELETE' and new.proved_at is not null then
        insert into platform.email_domains values (new.domain, new.tenant_id);
    end if;
    return null;
end
$$;
create trigger follow_email_domains after insert or delete or update on misy.email_domains
    for each row execute function platform.follow_email_domains();
