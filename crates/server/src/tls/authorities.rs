//! Whose certificates count, and which of them were revoked: the same judgement for a handshake and for each request that
//! follows it.

use anyhow::Context;
use misy_domain::Timestamp;
use misy_trust::{
    ClientCertificate, Currency, RevocationList,
    certificate::{issuer_of, subject_of},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime, pem::PemObject},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

/// Revocation lists, of each authority and part the newest.
#[derive(Debug)]
pub(crate) struct Lists {
    known: Vec<(RevocationList, CertificateRevocationListDer<'static>)>,
    /// For how long a list counts after the next one was due.
    grace: Duration,
}

impl Lists {
    /// No list: nothing is ever revoked.
    pub(super) fn none() -> Self {
        Self { known: Vec::new(), grace: Duration::ZERO }
    }

    pub(super) fn read(file: &Path, grace: Duration) -> anyhow::Result<Self> {
        let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_file_iter(file)
            .with_context(|| format!("cannot read {}", file.display()))?
            .collect();
        let mut known = Vec::new();
        for der in lists.with_context(|| format!("{} is no PEM", file.display()))? {
            let list = RevocationList::from_der(&der).with_context(|| format!("{}", file.display()))?;
            known.push((list, der));
        }
        anyhow::ensure!(!known.is_empty(), "no revocation list in {}", file.display());
        // Who verifies takes the first that fits, so an older one beside it must not be there at all.
        known.sort_by_key(|(list, _)| std::cmp::Reverse(list.made_at));
        let mut newest: Vec<(RevocationList, _)> = Vec::new();
        for (list, der) in known {
            if !newest.iter().any(|(newer, _)| newer.is_about_the_same(&list)) {
                newest.push((list, der));
            }
        }
        Ok(Self { known: newest, grace })
    }

    /// A list that is older than the one in force would bring revoked certificates back.
    pub(super) fn is_not_older_than(&self, before: &Self) -> anyhow::Result<()> {
        for (list, _) in &self.known {
            let newer = before
                .known
                .iter()
                .find(|(old, _)| old.is_about_the_same(list) && old.made_at > list.made_at);
            if let Some((newer, _)) = newer {
                let (name, made, newer) = (&list.issuer_name, list.made_at, newer.made_at);
                anyhow::bail!("the revocation list of {name} is of {made}, and the one in force of {newer}");
            }
        }
        Ok(())
    }

    /// How each list stands.
    pub(crate) fn standings(&self, now: Timestamp) -> impl Iterator<Item = (&RevocationList, Currency)> {
        self.known.iter().map(move |(list, _)| (list, list.currency(now, self.grace)))
    }

    /// Those of the authorities that no list is of: what they issued is refused.
    pub(super) fn missing(&self, authorities: &[CertificateDer<'static>]) -> Vec<String> {
        if self.known.is_empty() {
            return Vec::new();
        }
        let has_none = |authority: &&CertificateDer<'static>| {
            subject_of(authority).is_ok_and(|name| !self.known.iter().any(|(list, _)| list.issuer == name))
        };
        let name =
            |authority: &CertificateDer<'static>| Some(ClientCertificate::from_der(authority).ok()?.subject);
        authorities.iter().filter(has_none).filter_map(name).collect()
    }

    fn ders(&self) -> Vec<CertificateRevocationListDer<'static>> {
        self.known.iter().map(|(_, der)| der.clone()).collect()
    }

    /// Refuses what an outdated list would have to speak for. Each certificate of a path stands in the chain that was shown,
    /// all but the authority itself, so none is left out.
    fn check<'a>(
        &self,
        chain: impl Iterator<Item = &'a CertificateDer<'a>>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let unreadable = || Error::InvalidCertificate(CertificateError::BadEncoding);
        let at = i64::try_from(now.as_secs()).ok().and_then(|second| Timestamp::from_second(second).ok());
        let at = at.ok_or(Error::FailedToGetCurrentTime)?;
        let outdated: Vec<_> =
            self.standings(at).filter(|(_, currency)| *currency == Currency::Outdated).collect();
        if outdated.is_empty() {
            return Ok(());
        }
        for certificate in chain {
            let issuer = issuer_of(certificate).map_err(|_| unreadable())?;
            if outdated.iter().any(|(list, _)| list.issuer == issuer) {
                return Err(Error::InvalidCertificate(CertificateError::ExpiredRevocationList));
            }
        }
        Ok(())
    }
}

/// The authorities of clients.
#[derive(Debug)]
pub(crate) struct Authorities {
    chains: Arc<dyn ClientCertVerifier>,
    pub(crate) lists: Arc<Lists>,
}

impl Authorities {
    pub(super) fn new(
        roots: &Arc<RootCertStore>,
        lists: &Arc<Lists>,
        mutual: bool,
        provider: &Arc<CryptoProvider>,
    ) -> anyhow::Result<Self> {
        // The whole chain is looked up, and what no list speaks for is refused: that is what the builder does unless told
        // otherwise. It ignores when the next list was due; `Lists::check` does not.
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .with_crls(lists.ders());
        if !mutual {
            builder = builder.allow_unauthenticated();
        }
        Ok(Self { chains: builder.build().context("client authorities")?, lists: lists.clone() })
    }

    /// Whether a chain counts: of one of the authorities, of now, and not revoked anywhere.
    pub(super) fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<(), Error> {
        let (own, between) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        self.verify_client_cert(own, between, now).map(|_| ())
    }
}

impl ClientCertVerifier for Authorities {
    fn offer_client_auth(&self) -> bool {
        self.chains.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chains.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // What cannot be read here could not be compared with what tenants have bound: the caller is told so at once.
        ClientCertificate::from_der(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let verified = self.chains.verify_client_cert(end_entity, intermediates, now)?;
        self.lists.check(std::iter::once(end_entity).chain(intermediates), now)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// The authorities of other processes, as this one calls them: what was revoked is as little believed when it answers.
#[derive(Debug)]
pub(super) struct Answering {
    chains: Arc<WebPkiServerVerifier>,
    lists: Arc<Lists>,
}

impl Answering {
    pub(super) fn new(
        roots: &Arc<RootCertStore>,
        lists: &Arc<Lists>,
        provider: &Arc<CryptoProvider>,
    ) -> anyhow::Result<Self> {
        let builder = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone());
        let chains = builder.with_crls(lists.ders()).build().context("authorities of other processes")?;
        Ok(Self { chains, lists: lists.clone() })
    }
}

impl ServerCertVerifier for Answering {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.chains.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        self.lists.check(std::iter::once(end_entity).chain(intermediates), now)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// A refusal in one word, for logs and metrics.
pub(crate) fn reason(error: &Error) -> &'static str {
    use CertificateError as E;
    match error {
        Error::InvalidCertificate(E::Revoked) => "certificate_revoked",
        Error::InvalidCertificate(E::Expired | E::ExpiredContext { .. }) => "certificate_over",
        Error::InvalidCertificate(E::NotValidYet | E::NotValidYetContext { .. }) => "certificate_not_begun",
        Error::InvalidCertificate(E::UnknownIssuer) => "authority_unknown",
        Error::InvalidCertificate(E::UnknownRevocationStatus) => "revocation_list_missing",
        Error::InvalidCertificate(E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. }) => {
            "revocation_list_outdated"
        }
        Error::InvalidCertificate(E::BadEncoding) => "certificate_unreadable",
        Error::InvalidCertificate(E::InvalidPurpose | E::InvalidPurposeContext { .. }) => {
            "certificate_for_another_purpose"
        }
        Error::InvalidCertificate(_) => "certificate_invalid",
        Error::InvalidCertRevocationList(_) => "revocation_list_invalid",
        Error::NoCertificatesPresented => "certificate_missing",
        _ => "refused",
    }
}
