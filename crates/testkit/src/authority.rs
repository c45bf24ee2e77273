//! A private certificate authority for tests.

use misy_domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, Error,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// An authority with a key of its own.
pub struct Authority {
    /// Its certificate in PEM.
    pub pem: String,
    /// Its number with the authority above it, if there is one.
    pub serial: u64,
    issuer: Issuer<'static, KeyPair>,
    next: AtomicU64,
    /// What is sent behind each certificate of it, in DER: itself and those above, without the first.
    chain: Vec<Vec<u8>>,
}

/// When a certificate is good, in whole years: from the beginning of one to the beginning of another.
pub type Years = (i32, i32);

/// Long before and long after any test.
pub const GOOD: Years = (2000, 2200);
/// Over.
pub const OVER: Years = (2000, 2001);
/// Not begun.
pub const NOT_BEGUN: Years = (2150, 2200);

/// A certificate with its key.
#[derive(Clone)]
pub struct Issued {
    /// The certificate in PEM, with those between it and the first authority.
    pub pem: String,
    /// The certificate alone, in DER.
    pub der: Vec<u8>,
    /// Those between it and the first authority, in DER.
    pub chain: Vec<Vec<u8>>,
    /// Its private key in PEM.
    pub key: String,
    /// Its number with its authority.
    pub serial: u64,
}

impl Authority {
    /// A new authority.
    pub fn new(name: &str) -> Result<Self, Error> {
        let (params, key) = (ca(name)?, KeyPair::generate()?);
        let pem = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Self { pem, serial: 0, issuer, next: AtomicU64::new(1), chain: Vec::new() })
    }

    /// An authority under this one, with a certificate that may be changed before it is signed.
    pub fn under(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Result<Self, Error> {
        let (mut params, key) = (ca(name)?, KeyPair::generate()?);
        change(&mut params);
        let serial = self.number(&mut params);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = std::iter::once(certificate.der().to_vec()).chain(self.chain.iter().cloned()).collect();
        let issuer = Issuer::new(params, key);
        Ok(Self { pem: certificate.pem(), serial, issuer, next: AtomicU64::new(1), chain })
    }

    /// A certificate for a name, good on this machine.
    pub fn issue(&self, name: &str, years: Years) -> Result<Issued, Error> {
        self.issue_for_key(name, years, &KeyPair::generate()?, |_| {})
    }

    /// A certificate that may be changed before it is signed.
    pub fn issue_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Issued, Error> {
        self.issue_for_key(name, GOOD, &KeyPair::generate()?, change)
    }

    /// A certificate that says that it has no end (RFC 5280, section 4.1.2.5), for nobody in particular.
    pub fn issue_endless(&self) -> Result<Issued, Error> {
        self.issue_with("", |params| {
            params.not_after = date_time_ymd(9999, 12, 31) + Duration::from_secs(24 * 60 * 60 - 1);
            params.distinguished_name = DistinguishedName::new();
        })
    }

    /// The next certificate of the same key.
    pub fn renew(&self, old: &Issued, name: &str, years: Years) -> Result<Issued, Error> {
        self.issue_for_key(name, years, &KeyPair::from_pem(&old.key)?, |_| {})
    }

    fn issue_for_key(
        &self,
        name: &str,
        (from, until): Years,
        key: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Issued, Error> {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        change(&mut params);
        let serial = self.number(&mut params);
        let certificate = params.signed_by(key, &self.issuer)?;
        let (der, chain) = (certificate.der().to_vec(), self.chain.clone());
        let pem = if chain.is_empty() { certificate.pem() } else { certificate.pem() + &self.pem };
        Ok(Issued { pem, der, chain, key: key.serialize_pem(), serial })
    }

    fn number(&self, params: &mut CertificateParams) -> u64 {
        let serial = self.next.fetch_add(1, Ordering::Relaxed);
        params.serial_number = Some(SerialNumber::from(serial));
        serial
    }

    /// A list that revokes these, in PEM: long in force, and for long.
    pub fn revoke(&self, certificates: &[&Issued]) -> Result<String, Error> {
        let serials: Vec<u64> = certificates.iter().map(|certificate| certificate.serial).collect();
        let year = |year: i64| Timestamp::from_second((year - 1970) * 31_557_600).unwrap_or_default();
        self.list(&serials, year(2020), year(2200))
    }

    /// A list of these numbers, made at one time, the next one due at another.
    pub fn list(&self, serials: &[u64], made: Timestamp, due: Timestamp) -> Result<String, Error> {
        let epoch = date_time_ymd(1970, 1, 1);
        let at = |time: Timestamp| {
            epoch + Duration::from_secs(u64::try_from(time.as_second()).unwrap_or_default())
        };
        let revoked = serials.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: at(made),
            next_update: at(due),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer)?.pem()
    }
}

fn ca(name: &str) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
