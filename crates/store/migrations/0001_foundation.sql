-- Two schemas. `misy` holds the tenants' data: every table carries tenant_id first in every key and is protected by
-- row-level security. `platform` holds what belongs to the installation: who owns which credential, and signing keys.

grant usage on schema misy to misy_app, misy_worker, misy_system, misy_sealer;
grant usage on schema platform to misy_app, misy_worker, misy_system, misy_sealer;
alter default privileges in schema misy revoke execute on functions from public;
alter default privileges in schema platform revoke execute on functions from public;
alter default privileges revoke execute on functions from public;

-- Puts a table of tenant data under the one rule: whoever serves requests or works sees the rows of the tenant that the
-- transaction was opened for, and without a tenant sees none. `misy_system` (the owner's audited cross-tenant work) sees all until
-- it goes on on behalf of one tenant. `misy_owner` (the body of the few SECURITY DEFINER functions) is not narrowed.
create procedure misy.protect(target regclass)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
        'create policy granted on %s as permissive for all '
        'to misy_app, misy_worker, misy_system, misy_sealer, misy_owner using (true) with check (true)', target);
    execute format(
        'create policy own_tenant on %s as restrictive for all to misy_app, misy_worker, misy_sealer '
        'using (tenant_id = (select nullif(current_setting(''app.tenant_id'', true), ''''))) '
        'with check (tenant_id = (select nullif(current_setting(''app.tenant_id'', true), '''')))', target);
    execute format(
        'create policy on_behalf on %s as restrictive for all to misy_system '
        'using ((select coalesce(current_setting(''app.on_behalf_of'', true), '''')) in ('''', tenant_id)) '
        'with check ((select coalesce(current_setting(''app.on_behalf_of'', true), '''')) in ('''', tenant_id))', target);
end
$$;

-- What the program takes for the id of a tenant (`domain::TenantId`): a row of another could be read by nobody.
create function misy.is_tenant_id(id text) returns boolean
language sql immutable
return id ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$' and id !~ '--';
revoke execute on function misy.is_tenant_id(text) from public;
grant execute on function misy.is_tenant_id(text) to misy_app, misy_worker, misy_system, misy_sealer;

-- For tables that only grow.
create function misy.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
