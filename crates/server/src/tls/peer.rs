//! Who is at the other end of a connection by their client certificate. The handshake judged it once; each request judges it
//! again, by the newest of what was read, so that a revocation reaches connections that are open.

use super::{Tls, authorities::reason};
use misy_trust::{ClientCertificate, RefusedCertificate, certificate::NotACertificate};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};

/// How often a connection that nothing is asked on is looked at, since time alone ends certificates too.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// A client certificate, with the chain it was shown with.
pub(crate) struct Peer {
    tls: Arc<Tls>,
    chain: Vec<CertificateDer<'static>>,
    certificate: Arc<ClientCertificate>,
    judged: Mutex<Option<Judged>>,
}

/// A judgement holds for what was read, and for a second.
#[derive(Clone, Copy)]
struct Judged {
    generation: u64,
    second: u64,
    outcome: Result<(), RefusedCertificate>,
}

impl Peer {
    /// Whoever showed this chain in a handshake; `None` when there was none.
    pub(crate) fn of(
        tls: &Arc<Tls>,
        chain: Option<&[CertificateDer<'static>]>,
    ) -> Result<Option<Arc<Self>>, NotACertificate> {
        let Some(chain) = chain else { return Ok(None) };
        let certificate = Arc::new(ClientCertificate::from_der(chain.first().ok_or(NotACertificate)?)?);
        let (tls, chain, judged) = (tls.clone(), chain.to_vec(), Mutex::default());
        Ok(Some(Arc::new(Self { tls, chain, certificate, judged })))
    }

    /// The certificate, if it counts now.
    pub(crate) fn judge(&self) -> Result<Arc<ClientCertificate>, RefusedCertificate> {
        let now = UnixTime::now();
        let loaded = self.tls.now();
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            judged.filter(|known| known.generation == loaded.generation && known.second == now.as_secs());
        let outcome = known.map_or_else(
            || {
                let refused = |error| RefusedCertificate { reason: reason(&error) };
                // Without authorities nobody is asked for a certificate, so none counts.
                let none = RefusedCertificate { reason: "authority_unknown" };
                let authorities = loaded.authorities.as_ref().ok_or(none);
                authorities.and_then(|authorities| authorities.judge(&self.chain, now).map_err(refused))
            },
            |known| known.outcome,
        );
        *judged = Some(Judged { generation: loaded.generation, second: now.as_secs(), outcome });
        outcome.map(|()| self.certificate.clone())
    }

    /// Waits until the certificate counts no more.
    pub(crate) async fn refused(&self) -> RefusedCertificate {
        let mut generations = self.tls.generations();
        loop {
            generations.mark_unchanged();
            if let Err(refused) = self.judge() {
                return refused;
            }
            tokio::select! {
                _ = generations.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }
}
