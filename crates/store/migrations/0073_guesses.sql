-- Guesses at accounts: until when each of so many buckets is used up, by the rule of misy_domain::limit. A keyed hash of
-- what is guessed and of the account, whether there is one or not, chooses the bucket: so there are never more rows than
-- buckets, whoever guesses at whatever, and nobody can aim at somebody else's.
create table platform.guesses (
    bucket integer primary key check (bucket between 0 and 4194303),
    arrival timestamptz not null check (isfinite(arrival))
) with (fillfactor = 70);
create index guesses_by_arrival on platform.guesses (arrival);

-- Counts a guess, or refuses it and says for how many microseconds. Tidies up a little of what says nothing any more.
create function platform.count_guess(p_bucket integer, p_interval bigint, p_burst bigint, p_now timestamptz)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- The clocks of replicas may differ. What is further ahead than that no guess can have left.
    skew constant pg_catalog.interval := interval '10 minutes';
    one constant pg_catalog.interval := p_interval * interval '1 microsecond';
    last constant pg_catalog.timestamptz := p_now + p_burst * interval '1 microsecond';
    kept pg_catalog.timestamptz;
begin
    delete from platform.guesses where bucket in (
        select g.bucket from platform.guesses g where g.arrival < p_now - skew
        order by g.arrival limit 20 for update skip locked);
    insert into platform.guesses as g values (p_bucket, p_now + one)
    on conflict (bucket) do update set arrival = greatest(least(g.arrival, last + skew), p_now) + one
    where greatest(least(g.arrival, last + skew), p_now) + one <= last;
    if found then
        return 0;
    end if;
    update platform.guesses g set arrival = least(g.arrival, last + skew) where g.bucket = p_bucket
    returning g.arrival into kept;
    return greatest(1, (extract(epoch from kept + one - last) * 1000000)::pg_catalog.int8);
end
$$;
grant execute on function platform.count_guess(integer, bigint, bigint, timestamptz) to misy_app;
