select outcome from misy.ingest_counted(
    'andina',
    (select session_id from bench.sessions where place = :place),
    (select site_id from bench.sessions where place = :place),
    (select token_family from bench.sessions where place = :place),
    (select channel from bench.sessions where place = :place),
    null, null, gen_random_uuid()::text, 'msg_' || replace(gen_random_uuid()::text, '-', ''),
    decode(repeat('5a', 160), 'hex'), null, now(), null, 1000000000);
