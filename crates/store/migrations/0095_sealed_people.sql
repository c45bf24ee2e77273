-- What is sealed of people takes part in the rotation of data keys like everything else (see 0030).
insert into platform.sealed_columns (table_name, column_name, key_columns, row_expression) values
    ('users', 'sealed_email', '{user_id}', 't.user_id'),
    ('users', 'sealed_name', '{user_id}', 't.user_id'),
    ('users', 'sealed_totp', '{user_id}', 't.user_id'),
    ('users', 'sealed_totp_candidate', '{user_id}', 't.user_id'),
    ('mails', 'sealed_mail', '{mail_id}', 't.mail_id'),
    ('passkeys', 'sealed_passkey', '{passkey_id}', 't.passkey_id'),
    ('sign_in_providers', 'sealed_client_secret', '{tenant_id}', '''''');

do $$
declare
    one record;
begin
    for one in select table_name, column_name from platform.sealed_columns
               where table_name in ('users', 'mails', 'passkeys', 'sign_in_providers') loop
        execute format(
            'create trigger %I after insert or update of %I on misy.%I for each row '
            'when (misy.data_key_version(new.%I) is not null) execute function misy.refuse_retired_key(%L)',
            'refuse_retired_key_' || one.column_name, one.column_name, one.table_name, one.column_name, one.column_name);
    end loop;
end
$$;
