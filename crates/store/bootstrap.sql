-- Run by an administrator of the PostgreSQL server before the migrations, each time the program starts.
-- Roles belong to the whole server, so another replica or another installation may create them at the same moment.
do $$
declare
    role_name pg_catalog.text;
begin
    foreach role_name in array array['misy_owner', 'misy_app', 'misy_worker', 'misy_system', 'misy_sealer'] loop
        begin
            execute pg_catalog.format(
                'create role %I nosuperuser nocreatedb nocreaterole nobypassrls noreplication', role_name);
        exception when duplicate_object or unique_violation then
            null;
        end;
        -- The administrator makes the schema as its owner, and reads what the roles need before they can log in.
        if not pg_catalog.pg_has_role(current_user, role_name, 'member') then
            execute pg_catalog.format('grant %I to current_user', role_name);
        end if;
        -- What a role may set for its own later connections is not what it finds there. See store::database::login.
        if exists (select from pg_catalog.pg_db_role_setting s
                   join pg_catalog.pg_roles r on r.oid = s.setrole where r.rolname = role_name) then
            execute pg_catalog.format('alter role %I reset all', role_name);
            execute pg_catalog.format('alter role %I in database %I reset all', role_name, pg_catalog.current_database());
        end if;
    end loop;
    -- The owner of the schema cannot log in; the others do so as themselves.
    foreach role_name in array array['misy_app', 'misy_worker', 'misy_system', 'misy_sealer'] loop
        if not (select rolcanlogin from pg_catalog.pg_roles where rolname = role_name) then
            execute pg_catalog.format('alter role %I login', role_name);
        end if;
    end loop;
end
$$;

revoke all on schema public from public;
create schema if not exists misy authorization misy_owner;
create schema if not exists platform authorization misy_owner;

-- Held by whoever brings the schema up to date. Not an advisory lock: those may be taken by anybody.
set role misy_owner;
create table if not exists platform.schema_lock ();
reset role;

-- No role of the program creates anything anywhere, not even for the moment: what it could put into pg_temp is looked up by
-- whatever runs with more rights than it has.
do $$
declare
    role_name pg_catalog.text;
begin
    if pg_catalog.has_database_privilege('misy_app', pg_catalog.current_database(), 'temporary') then
        execute pg_catalog.format('revoke all on database %I from public', pg_catalog.current_database());
    end if;
    foreach role_name in array array['misy_owner', 'misy_app', 'misy_worker', 'misy_system', 'misy_sealer'] loop
        if not pg_catalog.has_database_privilege(role_name, pg_catalog.current_database(), 'connect') then
            execute pg_catalog.format('grant connect on database %I to %I', pg_catalog.current_database(), role_name);
        end if;
        if pg_catalog.has_database_privilege(role_name, pg_catalog.current_database(), 'temporary, create') then
            raise exception 'the role % may create things in the database %', role_name, pg_catalog.current_database()
                using hint = pg_catalog.format(
                    'let the owner of the database run: revoke create, temporary on database %I from public, %I',
                    pg_catalog.current_database(), role_name);
        end if;
    end loop;
end
$$;

-- What PostgreSQL lets everybody do and no role of the program needs: large objects belong to whoever makes them, advisory
-- locks to whoever takes them first. Only a superuser can take that away; on a server without one, `misy doctor` says so.
do $$
declare
    routine pg_catalog.regprocedure;
begin
    if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
        return;
    end if;
    for routine in
        select p.oid from pg_catalog.pg_proc p
        where p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
            and p.proname ~ '^(lo_|loread$|lowrite$|pg_advisory_|pg_try_advisory_)'
            and pg_catalog.has_function_privilege('misy_app', p.oid, 'execute')
    loop
        execute pg_catalog.format('revoke execute on function %s from public', routine);
    end loop;
    if pg_catalog.has_language_privilege('misy_app', 'plpgsql', 'usage') then
        grant usage on language plpgsql to misy_owner;
        revoke usage on language plpgsql from public;
    end if;
end
$$;

-- Roles of the program define nothing, not even for themselves: by `drop owned by current_user` alone a role would take its own
-- rights and policies away, and with them everybody's service. Only a superuser can see to that too.
do $do$
begin
    if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
        return;
    end if;
    create or replace function platform.refuse_definitions() returns event_trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
    begin
        if session_user in ('misy_app', 'misy_worker', 'misy_system', 'misy_sealer') then
            raise exception 'roles of the program define nothing' using errcode = 'insufficient_privilege';
        end if;
    end
    $$;
    revoke execute on function platform.refuse_definitions() from public;
    if not exists (select from pg_catalog.pg_event_trigger where evtname = 'refuse_definitions') then
        create event trigger refuse_definitions on ddl_command_start execute function platform.refuse_definitions();
    end if;
end
$do$;
