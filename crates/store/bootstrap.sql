-- Run by an administrator of the PostgreSQL server before the migrations, each time the program starts.
-- Roles belong to the whole server, so another replica or another installation may create them at the same moment.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['misy_owner', 'misy_migrator', 'misy_app', 'misy_worker', 'misy_system'] loop
        begin
            execute format('create role %I nosuperuser nocreatedb nocreaterole nobypassrls noreplication', role_name);
        exception when duplicate_object or unique_violation then
            null;
        end;
    end loop;
    -- The owner of the schema cannot log in; everybody else does so by the server's own rules.
    foreach role_name in array array['misy_migrator', 'misy_app', 'misy_worker', 'misy_system'] loop
        if not (select rolcanlogin from pg_catalog.pg_roles where rolname = role_name) then
            execute format('alter role %I login', role_name);
        end if;
    end loop;
    if not pg_catalog.pg_has_role('misy_migrator', 'misy_owner', 'member') then
        grant misy_owner to misy_migrator;
    end if;
    -- With a given server the program logs in as one user and takes on the roles.
    foreach role_name in array array['misy_owner', 'misy_app', 'misy_worker', 'misy_system'] loop
        if not pg_catalog.pg_has_role(current_user, role_name, 'member') then
            execute format('grant %I to current_user', role_name);
        end if;
    end loop;
end
$$;

revoke all on schema public from public;
create schema if not exists misy authorization misy_owner;
create schema if not exists platform authorization misy_owner;

-- No role of the program creates anything anywhere, not even for the moment: what it could put into pg_temp is looked up by
-- whatever runs with more rights than it has.
do $$
declare
    role_name pg_catalog.text;
begin
    if pg_catalog.has_database_privilege('misy_app', pg_catalog.current_database(), 'temporary') then
        execute pg_catalog.format('revoke all on database %I from public', pg_catalog.current_database());
        execute pg_catalog.format(
            'grant connect on database %I to misy_owner, misy_migrator, misy_app, misy_worker, misy_system',
            pg_catalog.current_database());
    end if;
    foreach role_name in array array['misy_app', 'misy_worker', 'misy_system'] loop
        if pg_catalog.has_database_privilege(role_name, pg_catalog.current_database(), 'temporary, create') then
            raise exception 'the role % may create things in the database %', role_name, pg_catalog.current_database()
                using hint = pg_catalog.format(
                    'let the owner of the database run: revoke create, temporary on database %I from public, %I',
                    pg_catalog.current_database(), role_name);
        end if;
    end loop;
end
$$;
