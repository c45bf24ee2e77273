//! (b) The same reads of a history, by the unprivileged role under policies and by a role that they do not touch.

use crate::{load, pgbench, report, stage::Stage};
use reqwest::Method;

const ROUNDS: usize = 3;

pub(crate) async fn measure() -> anyhow::Result<()> {
    let stage = Stage::set(&[("MISY_WORKER", "off")]).await?;
    let (visitor, sessions) = stage.visitor(50).await?;
    let mut requests = Vec::new();
    for (place, session) in sessions.iter().cycle().take(5000).enumerate() {
        let body = visitor.message(session, &format!("m{place}"), "¿cuál es el horario?");
        requests.push(load::bytes(visitor.signed(Method::POST, "/messages", body.to_string().into_bytes()))?);
    }
    load::send(stage.address(), requests, 8, 202).await?;
    let socket = stage.socket_dir();
    pgbench::psql(&socket, "postgres", "analyze")?;
    let conversation = pgbench::psql(
        &socket,
        "postgres",
        "select conversation_id from misy.conversations order by last_sequence desc limit 1",
    )?;
    let script = format!(
        "begin;\nset local app.tenant_id = 'andina';\n\
         select sequence, message_id, role, sealed_body, created_at from messages where tenant_id = 'andina' \
         and conversation_id = '{conversation}' and sequence > 20 order by sequence limit 50;\ncommit;\n"
    );
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        with.push(pgbench::rate(&socket, "misy_app", &script, 4)?);
        without.push(pgbench::rate(&socket, "postgres", &script, 4)?);
    }
    with.sort_by(f64::total_cmp);
    without.sort_by(f64::total_cmp);
    let (with, without) = (with[ROUNDS / 2], without[ROUNDS / 2]);
    report(format!(
        "rls          {with:.0} reads/s under policies, {without:.0}/s without: {:.2} × (budget 1.15 ×)",
        without / with
    ));
    Ok(())
}
