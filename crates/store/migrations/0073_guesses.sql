-- Guesses at accounts: until when each of so many buckets is used up, by the rule of misy_domain::limit. A keyed hash of
-- what is guessed and of the account, whether there is one or not, chooses the bucket: so there are never more rows of a
-- rule than buckets, whoever guesses at whatever, and nobody can aim at somebody else's. Mails are counted in the same way: of a
-- tenant, to a person of a tenant, to an address, and those that tell a person what was done.
create table platform.guesses (
    bucket integer not null check (bucket between 0 and 4194303),
    rule text not null check (rule in
        ('account', 'device', 'mails_of_tenant', 'mails_to_person', 'first_mail_to_person', 'mails_to_address', 'notices')),
    arrival timestamptz not null check (isfinite(arrival)),
    primary key (bucket, rule)
) with (fillfactor = 70);
create index guesses_by_arrival on platform.guesses (arrival);

-- Counts a guess, or refuses it and says for how many microseconds. Tidies up a little of what says nothing any more. The rules and
-- the time are the database's own: whoever calls this chooses neither. At an account 20 at once and 20 an hour, from a browser that is
-- known for it 10 at once and 10 in ten minutes. Mails: 200 an hour of a tenant, 6 to a person of which one is its
-- first, 30 to an address, 60 notices.
create function platform.count_guess(p_bucket integer, p_rule text)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    moment constant pg_catalog.timestamptz := clock_timestamp();
    one constant pg_catalog.interval :=
        case p_rule when 'account' then interval '3 minutes' when 'device' then interval '1 minute'
                    when 'mails_of_tenant' then interval '18 seconds' when 'mails_to_person' then interval '10 minutes'
                    when 'first_mail_to_person' then interval '1 hour'
                    when 'mails_to_address' then interval '2 minutes' when 'notices' then interval '1 minute' end;
    last constant pg_catalog.timestamptz :=
        moment + case when p_rule = 'device' then interval '10 minutes' when one is not null then interval '1 hour' end;
    kept pg_catalog.timestamptz;
begin
    if last is null then
        raise exception 'no rule for guesses is called so' using errcode = 'invalid_parameter_value';
    end if;
    delete from platform.guesses where (bucket, rule) in (
        select g.bucket, g.rule from platform.guesses g where g.arrival < moment
        order by g.arrival limit 20 for update skip locked);
    insert into platform.guesses as g values (p_bucket, p_rule, moment + one)
    on conflict (bucket, rule) do update set arrival = greatest(least(g.arrival, last), moment) + one
    where greatest(least(g.arrival, last), moment) + one <= last;
    if found then
        return 0;
    end if;
    update platform.guesses g set arrival = least(g.arrival, last) where g.bucket = p_bucket and g.rule = p_rule
    returning g.arrival into kept;
    return greatest(1, (extract(epoch from kept + one - last) * 1000000)::pg_catalog.int8);
end
$$;
grant execute on function platform.count_guess(integer, text) to misy_app, misy_system;
