//! The rules of the schema. Each is a question to the catalogue that answers with what breaks it, in words.

/// The functions that run with their owner's rights, what they may answer, and who may call them. They answer with nothing, a yes
/// or no, how long to wait, a tenant id, for work that is claimed the ids of the work, and once a state that only the browser can open which holds
/// its handle; a clean-up with what it came to and two numbers. Triggers need nobody's leave.
const DEFINERS: &str = "
    ('platform.owner_tenant()', 'text', 'misy_app,misy_system,misy_worker'),
    ('platform.tenant_of_credential(hash bytea)', 'text', 'misy_app,misy_system,misy_worker'),
    ('platform.tenant_of_secret(id text)', 'text', 'misy_app,misy_system,misy_worker'),
    ('platform.origin_is_known(candidate text)', 'boolean', 'misy_app,misy_system,misy_worker'),
    ('platform.tenant_of_channel_account(p_channel text, p_vendor_account text)', 'text', 'misy_app'),
    ('platform.tenant_of_account(p_channel text, p_account text)', 'text', 'misy_app'),
    ('platform.follow_channel_accounts()', 'trigger', ''),
    ('platform.reserve_tenant_id()', 'trigger', ''),
    ('platform.follow_api_keys()', 'trigger', ''),
    ('platform.follow_tenant_secrets()', 'trigger', ''),
    ('platform.follow_site_origins()', 'trigger', ''),
    ('platform.accounts_of_email(route bytea, devices bytea[], wanted text)', 'TABLE(tenant_id text, device bytea)',
     'misy_app,misy_system'),
    ('platform.follow_user_devices()', 'trigger', ''),
    ('platform.follow_users()', 'trigger', ''),
    ('platform.follow_email_domains()', 'trigger', ''),
    ('platform.follow_passkeys()', 'trigger', ''),
    ('platform.follow_attachments()', 'trigger', ''),
    ('platform.files_to_remove(p_after_tenant text, p_after_file text, p_limit integer)', 'TABLE(tenant_id text, id text)', 'misy_system'),
    ('platform.files_are_removed(p_tenants text[], p_files text[])', 'boolean', 'misy_system'),
    ('platform.keep_ceremony(p_lookup bytea, p_state bytea, p_expires timestamp with time zone)',
     'boolean', 'misy_app'),
    ('platform.take_ceremony(p_lookup bytea, p_now timestamp with time zone)', 'bytea', 'misy_app'),
    ('platform.follow_user_tokens()', 'trigger', ''),
    ('platform.hold_certificate(p_key bytea, p_tenant text, p_certificate text, p_now timestamp with time zone)', 'boolean',
     'misy_app'),
    ('platform.count_guess(p_bucket integer, p_rule text)', 'bigint',
     'misy_app,misy_system'),
    ('platform.purge_batch(p_tenant text, p_now timestamp with time zone, p_limit integer, OUT outcome text, OUT removed bigint, OUT total bigint)',
     'record', 'misy_system'),
    ('platform.add_root_key(p_provider text, p_generation bigint, p_version bigint, p_wrapped text, p_seal bytea, p_links bytea[], p_release bytea)',
     'boolean', 'misy_system'),
    ('platform.drop_root_key(p_provider text, p_generation bigint, p_word bytea)', 'boolean', 'misy_system'),
    ('misy.audit_entries_wait()', 'trigger', ''),
    ('misy.record_calls(p_tenants text[], p_ids text[], p_at timestamp with time zone[], p_kinds text[], p_actions text[], p_actors text[], p_sites text[], p_sessions text[], p_agents text[], p_origins text[], p_outcomes text[], p_statuses integer[], p_durations bigint[], p_requests text[], p_subjects text[], p_details jsonb[])',
     'SETOF text', 'misy_worker'),
    ('misy.refuse_retired_key()', 'trigger', ''),
    ('misy.release_conversations()', 'trigger', ''),
    ('misy.new_data_keys()', 'TABLE(tenant_id text, version integer)', 'misy_worker')";

/// Functions that run with their owner's rights and are given a time. All others ask the clock of the database: a caller must not
/// choose what time it is where rights, limits or leases depend on it.
const GIVEN_A_TIME: &str = "
    ('record_calls', 'when something happened, as the entry tells it'),
    ('keep_ceremony', 'over sooner, if the program''s clock says so; never later'), ('take_ceremony', 'the same'),
    ('hold_certificate', 'another holder''s certificate is over when both clocks say so'),
    ('purge_batch', 'a tenant''s time is over when both clocks say so')";

/// And those that `misy.lease` makes for each leased table. That they do what it wrote is a rule of its own.
const DEFINERS_OF_LEASES: &str = "
    select format('misy.claim_%s(p_worker text, p_batch integer, p_lease interval, p_after_tenant text, p_most_attempts integer, p_most_of_tenant integer, p_full text[])', l.table_name),
           'TABLE(tenant_id text, id text, fence bigint, attempts integer)', 'misy_worker'
    from platform.leased_tables l
    union all
    select format('misy.extend_%s(p_worker text, p_tenants text[], p_ids text[], p_fences bigint[], p_lease interval)', l.table_name),
           'TABLE(tenant_id text, id text, fence bigint)', 'misy_worker'
    from platform.leased_tables l";

/// All that the sequencer of the audit trail may do with tenants' tables.
const SEALER_GRANTS: &str = "
    ('audit_entries', 'SELECT'), ('audit_pending', 'SELECT'), ('audit_pending', 'DELETE'),
    ('audit_leaves', 'SELECT'), ('audit_leaves', 'INSERT'), ('audit_nodes', 'SELECT'), ('audit_nodes', 'INSERT'),
    ('audit_checkpoints', 'SELECT'), ('audit_checkpoints', 'INSERT'),
    ('audit_quarantine', 'SELECT'), ('audit_quarantine', 'INSERT'),
    ('audit_trees', 'SELECT'), ('audit_trees', 'INSERT'), ('audit_trees', 'UPDATE'),
    ('tenants', 'SELECT'), ('alerts', 'SELECT'), ('alerts', 'INSERT')";

/// Tables that calls fill and that have no cap, with what bounds them instead. All others have a trigger of that name
/// (migrations, `caps`).
const BOUNDED_OTHERWISE: &str = "
    ('tenants', 'registrations are counted per address'),
    ('data_keys', 'one rotation at a time'), ('key_rotations', 'one rotation at a time'),
    ('contacts', 'shares of visitors'), ('contact_keys', 'shares of visitors'), ('conversations', 'shares of visitors'),
    ('sessions', 'shares of visitors'), ('token_renewals', 'shares of visitors; gone when nobody can renew'),
    ('revoked_tokens', 'shares of visitors; gone with the last token of the chain'),
    ('contact_identities', 'quota of the month: one for each contact that writes or sends a file'),
    ('channel_threads', 'quota of the month: one for each contact that writes or sends a file'),
    ('deliveries', 'one for each message that is said'), ('delivery_pieces', 'a few for each message that is said'),
    ('messages', 'quota of the month'), ('decisions', 'one for each turn'),
    ('bookings', 'quota of the month; one hold for each conversation, a few bookings for each contact'),
    ('booking_shares', 'shares of visitors; gone after two days'), ('booking_calendars', 'one for each provider of a pack'), ('booking_forms', 'one for each turn; gone with the next'),
    ('usage_slots', 'sixteen a month'), ('usage_events', 'quota of the month'), ('quotas', 'one for each kind'),
    ('quota_events', 'two for each kind and month'), ('refusals', 'one for each day and code'),
    ('audit_entries', 'the trail: only grows'), ('audit_pending', 'sealed and gone'), ('audit_leaves', 'the trail'),
    ('audit_quarantine', 'the trail'), ('audit_nodes', 'the trail'), ('audit_checkpoints', 'the trail'), ('audit_trees', 'one for each tenant'),
    ('privilege_uses', 'twenty an hour for each person; only grows'), ('alerts', 'one for each occurrence'),
    ('tenant_events', 'the life of a tenant'), ('idempotency_keys', 'with what was made; gone after a day and an hour'),
    ('mails', 'counted by tenant and person; gone when sent, or given up thirty days ago'), ('enrollments', 'one for each key'),
    ('user_recovery_codes', 'ten for each person'), ('sign_in_providers', 'one for each tenant')";

/// What roles may do with the few tables of `platform` that are nobody's secret. All others have no grant at all.
const PLATFORM_GRANTS: &str = "
    ('token_signing_keys', 'misy_app', 'SELECT'), ('token_signing_keys', 'misy_worker', 'SELECT'),
    ('token_signing_keys', 'misy_system', 'SELECT'), ('token_signing_keys', 'misy_system', 'INSERT'),
    ('token_signing_keys', 'misy_system', 'UPDATE'), ('token_signing_keys', 'misy_system', 'DELETE'),
    ('global_settings', 'misy_app', 'SELECT'), ('global_settings', 'misy_worker', 'SELECT'),
    ('global_settings', 'misy_system', 'SELECT'), ('global_settings', 'misy_system', 'INSERT'),
    ('global_settings', 'misy_system', 'UPDATE'), ('global_settings', 'misy_system', 'DELETE'),
    ('installation_secrets', 'misy_app', 'SELECT'), ('installation_secrets', 'misy_worker', 'SELECT'),
    ('installation_secrets', 'misy_system', 'SELECT'), ('installation_secrets', 'misy_system', 'INSERT'),
    ('installation_secrets', 'misy_system', 'UPDATE'),
    ('audit_keys', 'misy_app', 'SELECT'), ('audit_keys', 'misy_worker', 'SELECT'), ('audit_keys', 'misy_system', 'SELECT'),
    ('audit_keys', 'misy_sealer', 'SELECT'),
    ('audit_keys', 'misy_system', 'INSERT'),
    ('sealed_columns', 'misy_app', 'SELECT'), ('sealed_columns', 'misy_worker', 'SELECT'),
    ('sealed_columns', 'misy_system', 'SELECT'),
    ('leased_tables', 'misy_app', 'SELECT'), ('leased_tables', 'misy_worker', 'SELECT'),
    ('leased_tables', 'misy_system', 'SELECT'),
    ('loops', 'misy_worker', 'SELECT'), ('loops', 'misy_worker', 'INSERT'), ('loops', 'misy_worker', 'UPDATE'),
    ('root_keys', 'misy_app', 'SELECT'), ('root_keys', 'misy_worker', 'SELECT'), ('root_keys', 'misy_system', 'SELECT'),
    ('installation', 'misy_system', 'SELECT'), ('installation', 'misy_system', 'INSERT')";

/// What roles may write of a row without the rest of it.
const COLUMN_GRANTS: &str = "
    ('conversations', 'status', 'misy_worker', 'UPDATE'), ('conversations', 'language', 'misy_worker', 'UPDATE'),
    ('conversations', 'last_sequence', 'misy_worker', 'UPDATE'),
    ('conversations', 'answered_sequence', 'misy_worker', 'UPDATE'),
    ('conversations', 'unanswered_in_a_row', 'misy_worker', 'UPDATE'),
    ('conversations', 'work_at', 'misy_worker', 'UPDATE'), ('conversations', 'lease_owner', 'misy_worker', 'UPDATE'),
    ('conversations', 'fence', 'misy_worker', 'UPDATE'), ('conversations', 'attempts', 'misy_worker', 'UPDATE'),
    ('conversations', 'last_error', 'misy_worker', 'UPDATE'), ('conversations', 'dead_at', 'misy_worker', 'UPDATE'),
    ('conversations', 'handoff_reason', 'misy_worker', 'UPDATE'),
    ('conversations', 'sealed_handoff', 'misy_worker', 'UPDATE'), ('conversations', 'waits_for', 'misy_worker', 'UPDATE'),
    ('conversations', 'waits_until', 'misy_worker', 'UPDATE'), ('conversations', 'sealed_wait', 'misy_worker', 'UPDATE'),
    ('conversations', 'woken', 'misy_worker', 'UPDATE'), ('conversations', 'wait', 'misy_worker', 'UPDATE'),
    ('conversations', 'waits_since', 'misy_worker', 'UPDATE'), ('conversations', 'waits_agent', 'misy_worker', 'UPDATE'),
    ('conversations', 'active_at', 'misy_worker', 'UPDATE'),
    ('conversations', 'waiting_since', 'misy_worker', 'UPDATE'), ('conversations', 'handling', 'misy_worker', 'UPDATE'),
    ('conversations', 'status', 'misy_app', 'UPDATE'), ('conversations', 'language', 'misy_app', 'UPDATE'),
    ('conversations', 'last_sequence', 'misy_app', 'UPDATE'),
    ('conversations', 'last_inbound_sequence', 'misy_app', 'UPDATE'),
    ('conversations', 'work_at', 'misy_app', 'UPDATE'), ('conversations', 'lease_owner', 'misy_app', 'UPDATE'),
    ('conversations', 'fence', 'misy_app', 'UPDATE'), ('conversations', 'attempts', 'misy_app', 'UPDATE'),
    ('conversations', 'last_error', 'misy_app', 'UPDATE'), ('conversations', 'dead_at', 'misy_app', 'UPDATE'),
    ('conversations', 'sealed_handoff', 'misy_app', 'UPDATE'), ('conversations', 'sealed_wait', 'misy_app', 'UPDATE'),
    ('conversations', 'woken', 'misy_app', 'UPDATE'), ('conversations', 'active_at', 'misy_app', 'UPDATE'),
    ('conversations', 'assignee', 'misy_app', 'UPDATE'), ('conversations', 'waiting_since', 'misy_app', 'UPDATE'),
    ('conversations', 'handling', 'misy_app', 'UPDATE'),
    ('conversations', 'answered_sequence', 'misy_app', 'UPDATE'),
    ('conversations', 'unanswered_in_a_row', 'misy_app', 'UPDATE'), ('conversations', 'handoff_reason', 'misy_app', 'UPDATE'), ('conversation_notes', 'sealed_note', 'misy_app', 'UPDATE'),
    ('sessions', 'token_family', 'misy_app', 'UPDATE'), ('sessions', 'sealed_metadata', 'misy_app', 'UPDATE'),
    ('sessions', 'permissions', 'misy_app', 'UPDATE'), ('sessions', 'expires_at', 'misy_app', 'UPDATE'),
    ('sessions', 'ended_at', 'misy_app', 'UPDATE'),
    ('channel_accounts', 'status', 'misy_worker', 'UPDATE'),
    ('channel_accounts', 'disabled_reason', 'misy_worker', 'UPDATE'),
    ('channel_accounts', 'version', 'misy_worker', 'UPDATE'), ('channel_accounts', 'updated_at', 'misy_worker', 'UPDATE'),
    ('channel_threads', 'locale', 'misy_worker', 'UPDATE'),
    ('deliveries', 'status', 'misy_worker', 'UPDATE'), ('deliveries', 'vendor_message_id', 'misy_worker', 'UPDATE'),
    ('deliveries', 'sent_at', 'misy_worker', 'UPDATE'),
    ('deliveries', 'delivered_at', 'misy_worker', 'UPDATE'), ('deliveries', 'read_at', 'misy_worker', 'UPDATE'),
    ('delivery_pieces', 'status', 'misy_worker', 'UPDATE'),
    ('delivery_pieces', 'vendor_message_id', 'misy_worker', 'UPDATE'),
    ('delivery_pieces', 'error', 'misy_worker', 'UPDATE'), ('delivery_pieces', 'tried_at', 'misy_worker', 'UPDATE'),
    ('delivery_pieces', 'tries', 'misy_worker', 'UPDATE'), ('delivery_pieces', 'heard', 'misy_worker', 'UPDATE'),
    ('delivery_pieces', 'status', 'misy_app', 'UPDATE'), ('delivery_pieces', 'vendor_message_id', 'misy_app', 'UPDATE'),
    ('delivery_pieces', 'error', 'misy_app', 'UPDATE'),
    ('attachments', 'stored_at', 'misy_app', 'UPDATE'), ('attachments', 'message_id', 'misy_app', 'UPDATE'),
    ('attachments', 'sealed_name', 'misy_app', 'UPDATE'), ('attachments', 'stored_at', 'misy_system', 'UPDATE'),
    ('bookings', 'changed_at', 'misy_system', 'UPDATE'), ('booking_forms', 'created_at', 'misy_system', 'UPDATE'),
    ('booking_forms', 'sealed_form', 'misy_app', 'UPDATE'),
    ('booking_shares', 'booked', 'misy_app', 'UPDATE'), ('booking_shares', 'booked', 'misy_worker', 'UPDATE'),
    ('booking_shares', 'booked', 'misy_system', 'UPDATE'),
    ('messages', 'sealed_body', 'misy_app', 'UPDATE')";

/// Whose rows a role removes. What hangs on a row goes with it, so whoever removes one needs no right to the others.
const REMOVALS: &str = "
    ('context_packs', 'misy_app'), ('email_domains', 'misy_app'), ('federated_identities', 'misy_app'),
    ('idempotency_keys', 'misy_app'), ('passkeys', 'misy_app'), ('quotas', 'misy_app'), ('rate_limits', 'misy_app'),
    ('revoked_tokens', 'misy_app'), ('roles', 'misy_app'), ('sign_in_providers', 'misy_app'), ('site_origins', 'misy_app'),
    ('sites', 'misy_app'), ('token_renewals', 'misy_app'), ('user_devices', 'misy_app'),
    ('user_recovery_codes', 'misy_app'), ('user_sessions', 'misy_app'), ('user_tickets', 'misy_app'), ('users', 'misy_app'),
    ('passkeys', 'misy_system'), ('user_devices', 'misy_system'), ('user_recovery_codes', 'misy_system'),
    ('user_sessions', 'misy_system'), ('user_tickets', 'misy_system'), ('idempotency_keys', 'misy_system'),
    ('attachments', 'misy_app'), ('attachments', 'misy_system'), ('mails', 'misy_system'), ('revoked_tokens', 'misy_system'), ('token_renewals', 'misy_system'),
    ('bookings', 'misy_app'), ('bookings', 'misy_worker'), ('bookings', 'misy_system'),
    ('booking_forms', 'misy_worker'), ('booking_forms', 'misy_system'), ('booking_shares', 'misy_system'),
    ('mails', 'misy_app'), ('key_rotations', 'misy_app'), ('deliveries', 'misy_app'), ('mails', 'misy_worker'), ('audit_pending', 'misy_sealer')";

/// The expression that narrows a table to the tenant of the transaction.
const OWN_TENANT: &str = "(tenant_id = ( SELECT NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text) AS \"nullif\"))";
const ON_BEHALF: &str = "((( SELECT COALESCE(current_setting(''app.on_behalf_of''::text, true), ''''::text) AS \"coalesce\") = ''''::text) OR (( SELECT COALESCE(current_setting(''app.on_behalf_of''::text, true), ''''::text) AS \"coalesce\") = tenant_id))";

/// All rules, as queries of one text column.
pub(crate) fn rules() -> Vec<String> {
    let mut rules: Vec<String> = RULES.iter().map(|rule| (*rule).to_owned()).collect();
    rules.push(format!(
        "select format('misy.%I has no cap', c.relname)
         from pg_class c
         where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p')
             and c.relname not in (select b.relation from (values {BOUNDED_OTHERWISE}) as b (relation, bound))
             and not exists (
                 select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                 where t.tgrelid = c.oid and t.tgname = 'cap' and p.proname in ('keep_cap', 'keep_newest')
                     and t.tgenabled in ('O', 'A'))"
    ));
    rules.push(format!(
        "select format('policy %s on %s is not the rule of the house', p.polname, p.polrelid::regclass)
         from pg_policy p
         where (
             (p.polname = 'granted' and p.polpermissive and p.polcmd = '*'
                 and pg_get_expr(p.polqual, p.polrelid) = 'true' and pg_get_expr(p.polwithcheck, p.polrelid) = 'true'
                 and (select array_agg(r.rolname::text order by r.rolname::text) from pg_roles r where r.oid = any (p.polroles))
                     = '{{misy_app,misy_owner,misy_sealer,misy_system,misy_worker}}')
             or
             (p.polname = 'own_tenant' and not p.polpermissive and p.polcmd = '*'
                 and pg_get_expr(p.polqual, p.polrelid) = '{OWN_TENANT}'
                 and pg_get_expr(p.polwithcheck, p.polrelid) = '{OWN_TENANT}'
                 and (select array_agg(r.rolname::text order by r.rolname::text) from pg_roles r where r.oid = any (p.polroles))
                     = '{{misy_app,misy_sealer,misy_worker}}')
             or
             (p.polname = 'on_behalf' and not p.polpermissive and p.polcmd = '*'
                 and pg_get_expr(p.polqual, p.polrelid) = '{ON_BEHALF}'
                 and pg_get_expr(p.polwithcheck, p.polrelid) = '{ON_BEHALF}'
                 and (select array_agg(r.rolname::text) from pg_roles r where r.oid = any (p.polroles)) = '{{misy_system}}')) is not true"
    ));
    rules.push(format!(
        "select format('%I.%I(%s) runs with its owner''s rights and is not on the list, or others may call it', n.nspname, p.proname,
                       pg_get_function_identity_arguments(p.oid))
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where p.prosecdef and n.nspname in ('misy', 'platform')
             and not exists (
                 select from (values {DEFINERS} union all {DEFINERS_OF_LEASES}) as allowed (signature, result, callers)
                 where allowed.signature = format('%I.%I(%s)', n.nspname, p.proname,
                                                  pg_get_function_identity_arguments(p.oid))
                     and allowed.result = pg_get_function_result(p.oid)
                     and allowed.callers = coalesce(
                         (select string_agg(a.grantee::regrole::text, ',' order by a.grantee::regrole::text)
                          from aclexplode(p.proacl) a where a.grantee <> p.proowner), ''))"
    ));
    rules.push(format!(
        "select format('%I.%I is given a time', n.nspname, p.proname)
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where p.prosecdef and n.nspname in ('misy', 'platform')
             and p.proargtypes::oid[] && array['timestamptz', 'timestamp', 'timestamptz[]', 'date']::regtype[]::oid[]
             and p.proname not in (select g.name from (values {GIVEN_A_TIME}) as g (name, why))"
    ));
    rules.push(format!(
        "select format('misy_sealer may %s %s', a.privilege_type, c.oid::regclass)
         from pg_class c cross join aclexplode(c.relacl) a
         where c.relnamespace = 'misy'::regnamespace and a.grantee = 'misy_sealer'::regrole
             and (c.relname::text, a.privilege_type) not in ({SEALER_GRANTS})"
    ));
    rules.push(format!(
        "select format('%s may %s %s', a.grantee::regrole, a.privilege_type, c.oid::regclass)
         from pg_class c cross join aclexplode(c.relacl) a
         where c.relnamespace = 'platform'::regnamespace and a.grantee <> 'misy_owner'::regrole
             and (c.relname::text, a.grantee::regrole::text, a.privilege_type) not in ({PLATFORM_GRANTS})"
    ));
    rules.push(format!(
        "select format('a grant of %s on the column %s.%s to %s', g.privilege_type, c.oid::regclass, a.attname,
                       g.grantee::regrole)
         from pg_attribute a join pg_class c on c.oid = a.attrelid cross join aclexplode(a.attacl) g
         where c.relnamespace in ('misy'::regnamespace, 'platform'::regnamespace)
             and (c.relname::text, a.attname::text, g.grantee::regrole::text, g.privilege_type) not in ({COLUMN_GRANTS})
             -- Whoever works on a row writes what became of the lease.
             and not (g.grantee = 'misy_worker'::regrole and g.privilege_type = 'UPDATE'
                 and a.attname in ('work_at', 'lease_owner', 'attempts', 'last_error', 'dead_at')
                 and c.relname in (select l.table_name from platform.leased_tables l))"
    ));
    rules.push(format!(
        "select format('%s may remove rows of %s', a.grantee::regrole, c.oid::regclass)
         from pg_class c cross join aclexplode(c.relacl) a
         where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p') and a.privilege_type = 'DELETE'
             and a.grantee <> c.relowner and (c.relname::text, a.grantee::regrole::text) not in ({REMOVALS})"
    ));
    rules
}

/// Functions that PostgreSQL makes with a type, in its own code, and drops with it.
macro_rules! not_made_with_a_type {
    ($rule:literal) => {
        concat!(
            $rule,
            " and not exists (
                 select from pg_depend d
                 where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i'
                     and d.refclassid = 'pg_type'::regclass)"
        )
    };
}

/// The rules that need no list.
const RULES: &[&str] = &[
    // Whose a row is.
    "select format('%s takes rows of what is no tenant', c.oid::regclass)
     from pg_class c
     where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and not exists (
             select from pg_constraint k
             where k.conrelid = c.oid
                 and (k.contype = 'f' or k.contype = 'c' and pg_get_constraintdef(k.oid) ~ 'is_tenant_id'))",
    // Where things are.
    "select format('%s %s is outside of the schemas misy and platform', c.relkind, c.oid::regclass)
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname not in ('misy', 'platform', 'information_schema') and n.nspname !~ '^pg_'",
    "select format('function %s is outside of the schemas misy and platform', p.oid::regprocedure)
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname not in ('misy', 'platform', 'information_schema') and n.nspname !~ '^pg_'",
    // Sealed things.
    "select format('%s.%s is sealed and takes no part in the rotation of keys', c.relname, a.attname)
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p') and a.attname ~ '^sealed_' and not a.attisdropped
         and not exists (select from platform.sealed_columns s
                         where s.table_name = c.relname and s.column_name = a.attname)",
    "select format('extension %s', extname) from pg_extension where extname <> 'plpgsql'",
    "select format('event trigger %s', evtname) from pg_event_trigger
     where evtname <> 'refuse_definitions' or evtenabled <> 'O' or evtevent <> 'ddl_command_start' or evttags is not null",
    "select format('publication %s', pubname) from pg_publication",
    // Kinds of things.
    "select format('%s is of kind %s, which has no row-level security of its own', c.oid::regclass, c.relkind)
     from pg_class c
     where c.relnamespace in ('misy'::regnamespace, 'platform'::regnamespace) and c.relkind in ('m', 'f')",
    "select format('view %s runs with its owner''s rights', c.oid::regclass)
     from pg_class c
     where c.relnamespace in ('misy'::regnamespace, 'platform'::regnamespace) and c.relkind = 'v'
         and not coalesce(c.reloptions && '{security_invoker=true,security_invoker=on}', false)",
    "select format('rule %s on %s', r.rulename, r.ev_class::regclass)
     from pg_rewrite r join pg_class c on c.oid = r.ev_class
     where c.relnamespace in ('misy'::regnamespace, 'platform'::regnamespace) and r.rulename <> '_RETURN'",
    // Owners.
    "select format('%s belongs to %s', c.oid::regclass, c.relowner::regrole)
     from pg_class c
     where c.relnamespace in ('misy'::regnamespace, 'platform'::regnamespace) and c.relowner <> 'misy_owner'::regrole",
    not_made_with_a_type!(
        "select format('%s belongs to %s', p.oid::regprocedure, p.proowner::regrole)
     from pg_proc p
     where p.pronamespace in ('misy'::regnamespace, 'platform'::regnamespace) and p.proowner <> 'misy_owner'::regrole
         -- Of the superuser, who alone may have it called.
         and p.oid <> 'platform.refuse_definitions()'::regprocedure"
    ),
    "select format('schema %s belongs to %s', n.nspname, n.nspowner::regrole)
     from pg_namespace n where n.nspname in ('misy', 'platform') and n.nspowner <> 'misy_owner'::regrole",
    // Tables of tenants.
    "select format('%s has no tenant_id that is text, not null and compared byte by byte', c.oid::regclass)
     from pg_class c
     where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p')
         and not exists (
             select from pg_attribute a join pg_collation l on l.oid = a.attcollation
             where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull and a.atttypid = 'text'::regtype
                 and l.collname = 'C')",
    "select format('%s has no primary key', c.oid::regclass)
     from pg_class c
     where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p')
         and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')",
    "select format('%s does not enable and force row-level security', c.oid::regclass)
     from pg_class c
     where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p')
         and not (c.relrowsecurity and c.relforcerowsecurity)",
    "select format('%s has %s policies instead of three', c.oid::regclass, count(p.oid))
     from pg_class c left join pg_policy p on p.polrelid = c.oid
     where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p')
     group by c.oid having count(p.oid) <> 3",
    "select format('index %s does not begin with tenant_id', i.indexrelid::regclass)
     from pg_index i join pg_class c on c.oid = i.indrelid
     where c.relnamespace = 'misy'::regnamespace
         and not exists (
             select from pg_attribute a
             where a.attrelid = i.indrelid and a.attnum = i.indkey[0] and a.attname = 'tenant_id')
         -- What may not overlap compares ranges: the tenant is one that holds its id alone.
         and not (i.indisexclusion and pg_get_indexdef(i.indexrelid, 1, true)
             ~ '^(misy[.])?text_range[(]tenant_id, tenant_id, ''\\[\\]''::text[)]$')",
    "select format('constraint %s of %s does not begin with tenant_id', k.conname, k.conrelid::regclass)
     from pg_constraint k join pg_class c on c.oid = k.conrelid
     where c.relnamespace = 'misy'::regnamespace and k.contype in ('p', 'u', 'f')
         and not exists (
             select from pg_attribute a
             where a.attrelid = k.conrelid and a.attnum = k.conkey[1] and a.attname = 'tenant_id')",
    "select format('foreign key %s of %s leads out of the tenant', k.conname, k.conrelid::regclass)
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class f on f.oid = k.confrelid
     where c.relnamespace = 'misy'::regnamespace and k.contype = 'f'
         and (f.relnamespace <> 'misy'::regnamespace or not exists (
             select from pg_attribute a
             where a.attrelid = k.confrelid and a.attnum = k.confkey[1] and a.attname = 'tenant_id'))",
    "select format('%s.%I is sealed and does not join the rotation of keys: see platform.sealed_columns', c.relname, a.attname)
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped
         and a.atttypid = 'bytea'::regtype and a.attname ~ '^(sealed|wrapped)'
         and not exists (select from platform.sealed_columns s
                         where s.table_name = c.relname and s.column_name = a.attname)",
    "select format('%s.%I joins the rotation of keys without the trigger refuse_retired_key', s.table_name, s.column_name)
     from platform.sealed_columns s
     where not exists (
         select from pg_trigger t
         where t.tgrelid = format('misy.%I', s.table_name)::regclass and t.tgfoid = 'misy.refuse_retired_key'::regproc
             and encode(t.tgargs, 'escape') = s.column_name || '\\000')",
    // Leased tables. Each has the functions that misy.lease makes, and they say what those of conversations say.
    "with made as (
         select l.table_name, replace(f.name, '%', l.table_name) as name, f.name as pattern, p.oid,
                regexp_replace(replace(replace(p.prosrc, l.table_name, '%'), l.key_column, '#'),
                               'only_active constant boolean := (true|false)', '') as body
         from platform.leased_tables l
         cross join unnest(array['claim_%', 'claim_%_of', 'extend_%', 'postpone_%', 'fail_%']) f (name)
         left join pg_proc p
             on p.pronamespace = 'misy'::regnamespace and p.proname = replace(f.name, '%', l.table_name)
     )
     select format('misy.%s is not what misy.lease makes', m.name)
     from made m join made pattern on pattern.table_name = 'conversations' and pattern.pattern = m.pattern
     where m.body is distinct from pattern.body",
    "select format('misy.%I raises no alert when its work dies', l.table_name)
     from platform.leased_tables l
     where not exists (
         select from pg_trigger t
         where t.tgrelid = format('misy.%I', l.table_name)::regclass and t.tgfoid = 'misy.tell_of_dead_work()'::regprocedure
             and t.tgenabled in ('O', 'A'))",
    // Grants.
    "select format('everybody may %s %s', a.privilege_type, c.oid::regclass)
     from pg_class c cross join aclexplode(c.relacl) a
     where c.relnamespace in ('misy'::regnamespace, 'platform'::regnamespace) and a.grantee = 0",
    "select format('%s may %s %s', a.grantee::regrole, a.privilege_type, c.oid::regclass)
     from pg_class c cross join aclexplode(c.relacl) a
     where c.relnamespace = 'misy'::regnamespace and a.grantee not in (0, 'misy_owner'::regrole)
         and (a.grantee::regrole::text not in ('misy_app', 'misy_worker', 'misy_system', 'misy_sealer')
             or a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') or a.is_grantable)",
    "select format('%s may %s %s, which only grows', a.grantee::regrole, a.privilege_type, c.relname)
     from pg_class c cross join aclexplode(c.relacl) a
     where c.oid in ('misy.audit_entries'::regclass, 'misy.audit_leaves'::regclass, 'misy.audit_nodes'::regclass,
                     'misy.audit_checkpoints'::regclass, 'misy.audit_quarantine'::regclass)
         and a.grantee not in (0, 'misy_owner'::regrole)
         and a.privilege_type not in ('SELECT', 'INSERT')",
    "select format('%s may %s the schema %s', coalesce(nullif(a.grantee, 0)::regrole::text, 'everybody'),
                   a.privilege_type, n.nspname)
     from pg_namespace n
     cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
     where n.nspname in ('misy', 'platform', 'public') and a.grantee <> n.nspowner
         and not (n.nspname <> 'public' and a.privilege_type = 'USAGE' and not a.is_grantable
             and a.grantee in ('misy_app'::regrole, 'misy_worker'::regrole, 'misy_system'::regrole, 'misy_sealer'::regrole))",
    // Creating.
    "select format('%s may %s the database', coalesce(nullif(a.grantee, 0)::regrole::text, 'everybody'), a.privilege_type)
     from pg_database d cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
     where d.datname = current_database() and a.privilege_type <> 'CONNECT' and a.grantee <> d.datdba",
    "select format('role %s may create in the schema %s', r.rolname, n.nspname)
     from pg_roles r cross join pg_namespace n
     where r.rolname in ('misy_app', 'misy_worker', 'misy_system', 'misy_sealer')
         and has_schema_privilege(r.oid, n.oid, 'create')",
    "select format('%s %s belongs to %s', d.classid::regclass, d.objid, r.rolname)
     from pg_shdepend d join pg_roles r on r.oid = d.refobjid and d.refclassid = 'pg_authid'::regclass
     where d.deptype = 'o' and d.dbid = (select oid from pg_database where datname = current_database())
         and r.rolname in ('misy_app', 'misy_worker', 'misy_system', 'misy_sealer')",
    "select format('everybody may call %s, which leaves something behind', p.oid::regprocedure)
     from pg_proc p
     where p.pronamespace = 'pg_catalog'::regnamespace
         and p.proname ~ '^(lo_|loread$|lowrite$|pg_advisory_|pg_try_advisory_)'
         and has_function_privilege('misy_app', p.oid, 'execute')",
    "select 'everybody may run blocks of plpgsql' where has_language_privilege('misy_app', 'plpgsql', 'usage')",
    "select format('default privileges give everybody %s', a.privilege_type)
     from pg_default_acl d cross join aclexplode(d.defaclacl) a where a.grantee = 0",
    // Functions.
    not_made_with_a_type!(
        "select format('everybody may call %s', p.oid::regprocedure)
     from pg_proc p cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
     where p.pronamespace in ('misy'::regnamespace, 'platform'::regnamespace) and a.grantee = 0"
    ),
    "select format('%s may call %s', a.grantee::regrole, p.oid::regprocedure)
     from pg_proc p cross join aclexplode(p.proacl) a
     where p.pronamespace in ('misy'::regnamespace, 'platform'::regnamespace)
         and a.grantee not in (0, 'misy_owner'::regrole)
         and (a.grantee::regrole::text not in ('misy_app', 'misy_worker', 'misy_system') or a.is_grantable)
         -- What a check asks, whoever writes the row may ask.
         and p.oid <> 'misy.is_tenant_id(text)'::regprocedure
         and a.grantee <> p.proowner",
    // With an empty path, types are looked up in pg_temp first. A body in standard SQL is resolved when it is written.
    not_made_with_a_type!(
        "select format('%s does not look up names in pg_catalog first and pg_temp last', p.oid::regprocedure)
     from pg_proc p
     where p.pronamespace in ('misy'::regnamespace, 'platform'::regnamespace)
         and (p.prosecdef or p.prosqlbody is null)
         and not coalesce(p.proconfig @> array['search_path=pg_catalog, pg_temp'], false)"
    ),
    r"select format('%s runs with its owner''s rights and names a type without its schema', p.oid::regprocedure)
     from pg_proc p
     where p.pronamespace in ('misy'::regnamespace, 'platform'::regnamespace) and p.prosecdef
         and regexp_replace(p.prosrc, '--[^\n]*', '', 'g')
             ~ '(\m[a-z_]+ (constant )?|::)(text|bytea|jsonb|json|uuid|timestamptz|regclass|regprocedure|regnamespace|regrole)\M'",
    "select format('%s is declared leakproof', p.oid::regprocedure)
     from pg_proc p
     where p.pronamespace in ('misy'::regnamespace, 'platform'::regnamespace) and p.proleakproof",
    not_made_with_a_type!(
        "select format('%s is written in %s', p.oid::regprocedure, l.lanname)
     from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace in ('misy'::regnamespace, 'platform'::regnamespace) and l.lanname not in ('sql', 'plpgsql')"
    ),
    // Roles.
    "select format('role %s has rights over the server', r.rolname)
     from pg_roles r
     where r.rolname ~ '^misy_'
         and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)",
    "select 'misy_owner can log in' from pg_roles r where r.rolname = 'misy_owner' and r.rolcanlogin",
    "select format('role %s is a member of %s', m.member::regrole, m.roleid::regrole)
     from pg_auth_members m
     where m.member::regrole::text in ('misy_app', 'misy_worker', 'misy_system', 'misy_sealer', 'misy_owner')",
];
