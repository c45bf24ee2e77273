//! TLS: certificates, whom they are asked of, and how they are exchanged for new ones while the program runs.

mod authorities;
pub(crate) mod overdue;
mod peer;

pub(crate) use authorities::{Lists, reason};
pub(crate) use peer::Peer;

use anyhow::{Context, bail};
use authorities::{Answering, Authorities};
use misy_trust::Fingerprint;
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::NoServerSessionStorage,
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
    /// For how long a revocation list counts after the next one was due.
    pub(crate) grace: Duration,
}

/// What is in force until the files change.
pub(crate) struct Loaded {
    /// Counts what was read: whoever has judged by an earlier one judges again.
    pub(crate) generation: u64,
    /// Whose client certificates count.
    pub(crate) authorities: Option<Arc<Authorities>>,
    /// Authorities of the file that no revocation list is of, although there are lists.
    pub(crate) without_list: Vec<String>,
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
    loaded: watch::Sender<Arc<Loaded>>,
}

/// What of a file tells that it was written or exchanged for another: inode, change of the inode, length.
type Stamp = Vec<Option<(u64, i64, i64, u64)>>;

impl Tls {
    /// Reads the files; what is wrong with them keeps the program from starting.
    pub(crate) fn load(files: Files) -> anyhow::Result<Arc<Self>> {
        let loaded = watch::Sender::new(Arc::new(read(&files, None)?));
        Ok(Arc::new(Self { files, loaded }))
    }

    /// What is in force now.
    pub(crate) fn now(&self) -> Arc<Loaded> {
        self.loaded.borrow().clone()
    }

    /// Hears when something else is in force.
    fn generations(&self) -> watch::Receiver<Arc<Loaded>> {
        self.loaded.subscribe()
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
            match read(&self.files, Some(&self.now())) {
                Ok(loaded) => {
                    self.loaded.send_replace(Arc::new(loaded));
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
            Some((data.ino(), data.ctime(), data.ctime_nsec(), data.len()))
        };
        [Some(certificate), Some(key), authorities.as_ref(), revoked.as_ref()]
            .into_iter()
            .flatten()
            .map(of)
            .collect()
    }
}

/// Reads all files. `before`: what is in force until then.
fn read(files: &Files, before: Option<&Loaded>) -> anyhow::Result<Loaded> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&files.certificate)?;
    let own = Fingerprint::of(chain.first().context("no certificate")?);
    let key = || {
        PrivateKeyDer::from_pem_file(&files.key)
            .with_context(|| format!("no private key in {}", files.key.display()))
    };
    let lists = Arc::new(match &files.revoked {
        Some(file) => Lists::read(file, files.grace)?,
        None => Lists::none(),
    });
    if let Some(before) = before.and_then(|before| before.authorities.as_ref()) {
        lists.is_not_older_than(&before.lists)?;
    }
    let (mut roots, mut authorities, mut without_list) = (None, None, Vec::new());
    if let Some(file) = &files.authorities {
        let known = certificates(file)?;
        without_list = lists.missing(&known);
        let known = Arc::new(root_store(known, file)?);
        authorities = Some(Arc::new(Authorities::new(&known, &lists, files.mutual, &provider)?));
        roots = Some(known);
    } else if files.mutual {
        bail!("mutual TLS needs authorities");
    }
    for name in &without_list {
        warn!(authority = name, "there is no revocation list of this authority; what it issued is refused");
    }
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let builder = match &authorities {
        Some(authorities) => builder.with_client_cert_verifier(authorities.clone()),
        None => builder.with_no_client_auth(),
    };
    let unfit = || format!("{} and its key do not fit", files.certificate.display());
    let mut server = builder.with_single_cert(chain.clone(), key()?).with_context(unfit)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    if authorities.is_some() {
        // A resumed session would bring back a client certificate that nobody has looked at again.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
    }
    let client = match roots.filter(|_| files.mutual) {
        None => None,
        Some(roots) => {
            let answering = Arc::new(Answering::new(&roots, &lists, &provider)?);
            let builder =
                ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
            let mut client = builder
                .dangerous()
                .with_custom_certificate_verifier(answering)
                .with_client_auth_cert(chain, key()?)
                .with_context(unfit)?;
            client.alpn_protocols = vec![b"http/1.1".to_vec()];
            Some(Arc::new(client))
        }
    };
    let generation = before.map_or(0, |before| before.generation + 1);
    Ok(Loaded { generation, authorities, without_list, server: Arc::new(server), client, own })
}

fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .collect();
    let all = all.with_context(|| format!("{} is no PEM", file.display()))?;
    anyhow::ensure!(!all.is_empty(), "no certificate in {}", file.display());
    Ok(all)
}

fn root_store(authorities: Vec<CertificateDer<'static>>, file: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in authorities {
        roots.add(certificate).with_context(|| format!("a certificate of {}", file.display()))?;
    }
    Ok(roots)
}
