//! (c) Durable messages per second over HTTP against pgbench calling the same function on the same server.

use crate::{load, pgbench, report, stage::Stage};
use reqwest::Method;

const SESSIONS: usize = 200;
const MESSAGES: usize = 12_000;
const ROUNDS: usize = 3;

pub(crate) async fn measure() -> anyhow::Result<()> {
    // Without workers: the question is what taking a message costs, not answering it.
    let stage = Stage::set(&[("MISY_WORKER", "off")]).await?;
    let (visitor, sessions) = stage.visitor(SESSIONS).await?;
    let socket = stage.socket_dir();
    pgbench::psql(
        &socket,
        "postgres",
        "create schema bench; create table bench.sessions as select row_number() over () as place, tenant_id, session_id, \
         site_id, token_family, channel from misy.sessions; create unique index on bench.sessions (place); \
         grant usage on schema bench to misy_app; grant select on bench.sessions to misy_app; analyze",
    )?;
    let script = format!("\\set place random(1, {SESSIONS})\n{}", include_str!("ingest.sql"));
    let (mut http, mut direct) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut requests = Vec::with_capacity(MESSAGES);
        for (place, session) in sessions.iter().cycle().take(MESSAGES).enumerate() {
            let body = visitor.message(session, &format!("m{round}-{place}"), "¿atienden los sábados?");
            requests.push(load::bytes(visitor.signed(
                Method::POST,
                "/messages",
                body.to_string().into_bytes(),
            ))?);
        }
        let took = load::send(stage.address(), requests, 8, 202).await?;
        #[allow(clippy::cast_precision_loss, reason = "a small number")]
        http.push(MESSAGES as f64 / took.as_secs_f64());
        direct.push(pgbench::rate(&socket, "misy_app", &script, 5)?);
    }
    http.sort_by(f64::total_cmp);
    direct.sort_by(f64::total_cmp);
    let (http, direct) = (http[ROUNDS / 2], direct[ROUNDS / 2]);
    report(format!(
        "ingest       {http:.0} messages/s over HTTP, {direct:.0}/s by pgbench: {:.0} % (budget 60 %)",
        100.0 * http / direct
    ));
    Ok(())
}
