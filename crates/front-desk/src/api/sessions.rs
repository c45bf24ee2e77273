//! Sessions: what a visitor holds, together with its token, to write and read.

pub mod bookings;
pub mod events;
pub mod history;
pub mod open;
pub mod read;

use crate::{pipeline::Access, pipeline::TenantCall, problem::Problem};
use misy_domain::{Permission, SessionId, share::Trace};
use misy_store::{Database, sessions::Session};

/// Calls that read a session.
pub struct ReadChat;

impl Access for ReadChat {
    const PERMISSION: Option<Permission> = Some(Permission::ChatRead);
}

/// Calls that open one.
pub struct WriteChat;

impl Access for WriteChat {
    const PERMISSION: Option<Permission> = Some(Permission::ChatWrite);
    const LEAVES: Option<Trace> = Some(Trace::Session);
}

/// The session that the path names, if it belongs to the tenant, the site and the chain of tokens of the call.
async fn own_session<A: Access>(database: &Database, call: &TenantCall<A>) -> Result<Session, Problem> {
    let id: SessionId = call.received.param("sessionId")?;
    call.received.record.facts().session = Some(id.to_string());
    let mut tx = database.tenant("sessions.read", call.tenant()).await?;
    let session = misy_store::sessions::session(&mut tx, id, call.family(), call.site()).await?;
    tx.commit().await?;
    session.ok_or_else(Problem::not_found)
}
