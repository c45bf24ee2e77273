//! Looks after a live stream from outside of it. The stream itself is asked for its next piece only while its reader takes
//! what it was given, so it cannot be what notices that its token was revoked.

use super::Opening;
use crate::{
    connection::Connection,
    desk::FrontDesk,
    problem::Code,
    tenant_state::{News, TenantState},
    token_desk::KnownToken,
};
use misy_domain::{Permission, TenantId};
use misy_trust::ClientCertificate;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How long a stream may take to say why it ends.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(150);
/// How often a client certificate is looked at: it is over without anybody changing anything.
const LOOK_AT_CERTIFICATE: Duration = Duration::from_millis(500);

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is no longer served; the code of the refusal.
    Refused(Code),
    /// The program stops; the client comes back elsewhere.
    Stopping,
}

/// What is looked after.
pub(super) struct Watcher {
    desk: FrontDesk,
    tenant: TenantId,
    token: Arc<KnownToken>,
    certificate: Option<Arc<ClientCertificate>>,
    news: News,
}

impl Watcher {
    /// Begins to look after a stream; ends with it, or ends it.
    pub(super) fn start(desk: &FrontDesk, opening: &Opening) -> watch::Receiver<Option<Ending>> {
        let (told, ending) = watch::channel(None);
        let watcher = Self {
            news: desk.tenants.watch(&opening.tenant),
            desk: desk.clone(),
            tenant: opening.tenant.clone(),
            token: opening.token.clone(),
            certificate: opening.certificate.clone(),
        };
        desk.in_background(watcher.run(told, opening.connection.clone()));
        ending
    }

    async fn run(mut self, told: watch::Sender<Option<Ending>>, connection: Option<Connection>) {
        let ending = tokio::select! {
            // The stream is gone.
            () = told.closed() => return,
            ending = self.ending() => ending,
        };
        told.send_replace(Some(ending));
        // A reader that reads gets the last words. One that does not has what it was sent before, and nothing more.
        tokio::time::sleep(LAST_WORDS).await;
        if let Some(connection) = connection
            && (!told.is_closed() || connection.is_stalled())
        {
            connection.cut();
        }
    }

    /// Waits for the stream's end.
    async fn ending(&mut self) -> Ending {
        loop {
            // Looking takes a future of some kilobytes: boxed, it is there only while we look.
            if let Some(refusal) = Box::pin(self.refusal()).await {
                return Ending::Refused(refusal);
            }
            let now = self.desk.clock.now();
            let left = Duration::try_from(self.token.claims.exp.duration_since(now)).unwrap_or_default();
            let most = match self.certificate {
                Some(_) => LOOK_AT_CERTIFICATE,
                None => self.desk.settings.keep_alive,
            };
            tokio::select! {
                () = self.news.changed() => {}
                () = tokio::time::sleep(left.min(most)) => {}
                () = self.desk.stopping.cancelled() => return Ending::Stopping,
            }
        }
    }

    /// Why the stream would be refused now; `None` while it would not.
    async fn refusal(&self) -> Option<Code> {
        let claims = &self.token.claims;
        let now = self.desk.clock.now();
        let refusal = match self.desk.tenants.get(&self.tenant).await {
            Ok(Some(state)) => self.refusal_of(&state),
            Ok(None) => Some(Code::TokenRevoked),
            Err(error) => {
                tracing::debug!(tenantId = %self.tenant, %error, "a tenant cannot be looked at");
                None
            }
        };
        refusal.or_else(|| (claims.exp <= now).then_some(Code::TokenExpired))
    }

    fn refusal_of(&self, state: &TenantState) -> Option<Code> {
        let claims = &self.token.claims;
        if !state.is_active() {
            return Some(Code::TenantSuspended);
        }
        if state.has_revoked(claims) {
            return Some(Code::TokenRevoked);
        }
        if let Err(refusal) = state.check_holder(claims, self.certificate.as_deref(), self.desk.clock.now()) {
            return Some(refusal);
        }
        let site = state.site(&claims.site_id);
        let listed = site
            .is_some_and(|site| claims.origin.as_ref().is_none_or(|origin| site.origins.contains(origin)));
        if !listed {
            return Some(Code::OriginNotAllowed);
        }
        let may_read = state.permissions_now(claims).contains(Permission::ChatRead);
        (!may_read).then_some(Code::PermissionDenied)
    }
}
