//! TLS: certificates, whom they are asked of, and how they are exchanged for new ones while the program runs.

use anyhow::{Context, bail};
use misy_trust::{ClientCertificate, Fingerprint};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the files are looked at; SIGHUP does so at once.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Where everything stands, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The certificate with the chain behind it.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
    /// The authorities whose client certificates are good.
    pub(crate) authorities: Option<PathBuf>,
    /// Which of them were revoked.
    pub(crate) revoked: Option<PathBuf>,
    /// Whether nobody gets in without a client certificate.
    pub(crate) mutual: bool,
}

/// What is in force until the files change.
pub(crate) struct Loaded {
    /// For those who come.
    pub(crate) server: Arc<ServerConfig>,
    /// For going to others of the same authorities.
    pub(crate) client: Option<Arc<ClientConfig>>,
    /// Of the program's own certificate.
    pub(crate) own: Fingerprint,
}

/// TLS with files that may change. A change that does not work is told in the log and changes nothing.
pub(crate) struct Tls {
    files: Files,
    loaded: RwLock<Arc<Loaded>>,
}

/// What of a file tells that it was written.
type Stamp = Vec<Option<(SystemTime, u64)>>;

impl Tls {
    /// Reads the files; what is wrong with them keeps the program from starting.
    pub(crate) fn load(files: Files) -> anyhow::Result<Arc<Self>> {
        let loaded = RwLock::new(Arc::new(read(&files)?));
        Ok(Arc::new(Self { files, loaded }))
    }

    /// What is in force now.
    pub(crate) fn now(&self) -> Arc<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows the files until told to stop.
    pub(crate) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => Some(hangup),
            Err(error) => {
                warn!(%error, "SIGHUP cannot be heard");
                None
            }
        };
        let mut seen = self.stamp();
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_AGAIN) => false,
                Some(()) = async { match &mut hangup { Some(hangup) => hangup.recv().await, None => None } } => true,
            };
            let stamp = self.stamp();
            if stamp == seen && !asked {
                continue;
            }
            seen = stamp;
            match read(&self.files) {
                Ok(loaded) => {
                    *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                    info!(file = %self.files.certificate.display(), "certificates were read again");
                }
                Err(error) => {
                    let cause = format!("{error:#}");
                    warn!(cause, "new certificates cannot be used; the old ones stay in force");
                }
            }
        }
    }

    fn stamp(&self) -> Stamp {
        let Files { certificate, key, authorities, revoked, .. } = &self.files;
        let of = |file: &PathBuf| {
            let data = std::fs::metadata(file).ok()?;
            Some((data.modified().ok()?, data.len()))
        };
        [Some(certificate), Some(key), authorities.as_ref(), revoked.as_ref()]
            .into_iter()
            .flatten()
            .map(of)
            .collect()
    }
}

/// A client certificate as the handshake verified it.
pub(crate) fn peer_certificate(chain: Option<&[CertificateDer<'static>]>) -> Option<Arc<ClientCertificate>> {
    let certificate = ClientCertificate::from_der(chain?.first()?).ok()?;
    Some(Arc::new(certificate))
}

fn read(files: &Files) -> anyhow::Result<Loaded> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&files.certificate)?;
    let own = Fingerprint::of(chain.first().context("no certificate")?);
    let key = || {
        PrivateKeyDer::from_pem_file(&files.key)
            .with_context(|| format!("no private key in {}", files.key.display()))
    };
    let roots = match &files.authorities {
        Some(file) => Some(Arc::new(roots(file)?)),
        None if files.mutual => bail!("mutual TLS needs authorities"),
        None => None,
    };
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let builder = match &roots {
        Some(roots) => builder.with_client_cert_verifier(verifier(files, roots, &provider)?),
        None => builder.with_no_client_auth(),
    };
    let unfit = || format!("{} and its key do not fit", files.certificate.display());
    let mut server = builder.with_single_cert(chain.clone(), key()?).with_context(unfit)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    if roots.is_some() {
        // A resumed session would bring back a client certificate that nobody has looked at again.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
    }
    let client = match roots.filter(|_| files.mutual) {
        None => None,
        Some(roots) => {
            let builder =
                ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
            let mut client = builder
                .with_root_certificates(roots)
                .with_client_auth_cert(chain, key()?)
                .with_context(unfit)?;
            client.alpn_protocols = vec![b"http/1.1".to_vec()];
            Some(Arc::new(client))
        }
    };
    Ok(Loaded { server: Arc::new(server), client, own })
}

fn verifier(
    files: &Files,
    roots: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
    if let Some(file) = &files.revoked {
        let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_file_iter(file)
            .with_context(|| format!("cannot read {}", file.display()))?
            .collect();
        let lists = lists.with_context(|| format!("{} is no PEM", file.display()))?;
        anyhow::ensure!(!lists.is_empty(), "no revocation list in {}", file.display());
        builder = builder.with_crls(lists).only_check_end_entity_revocation();
    }
    if !files.mutual {
        builder = builder.allow_unauthenticated();
    }
    builder.build().context("client authorities")
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .collect();
    let all = all.with_context(|| format!("{} is no PEM", file.display()))?;
    anyhow::ensure!(!all.is_empty(), "no certificate in {}", file.display());
    Ok(all)
}

fn roots(file: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).with_context(|| format!("a certificate of {}", file.display()))?;
    }
    Ok(roots)
}
