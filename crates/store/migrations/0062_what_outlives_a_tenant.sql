-- Privileged operations outlive the tenant that they touched, like its audit: they tell what the owner's people did. A table
-- says so in its comment; the clean-up leaves it, and everybody can read why.
comment on table misy.privilege_uses is 'outlives its tenant';

create or replace function platform.tables_to_purge() returns table (target regclass)
language sql stable
set search_path = ''
as $$
    with recursive depth (oid, level) as (
        select c.oid, 0
        from pg_catalog.pg_class c
        where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        union
        select k.conrelid, d.level + 1
        from depth d
        join pg_catalog.pg_constraint k on k.confrelid = d.oid and k.contype = 'f' and k.conrelid <> k.confrelid
        where d.level < 20
    )
    select c.oid::regclass
    from depth d join pg_catalog.pg_class c on c.oid = d.oid
    where c.oid <> 'misy.tenants'::regclass and c.relname not like 'audit%' and not c.relispartition
        and pg_catalog.obj_description(c.oid, 'pg_class') is distinct from 'outlives its tenant'
        and not exists (
            select from pg_catalog.pg_trigger t
            where t.tgrelid = c.oid and t.tgfoid = 'misy.refuse_change()'::regprocedure)
    group by c.oid, c.relname
    order by max(d.level) desc, c.relname
$$;
