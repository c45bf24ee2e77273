//! A private certificate authority for tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, Error, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::sync::atomic::{AtomicU64, Ordering};

/// An authority with a key of its own.
pub struct Authority {
    /// Its certificate in PEM.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
    serial: AtomicU64,
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
pub struct Issued {
    /// The certificate in PEM.
    pub pem: String,
    /// The certificate in DER.
    pub der: Vec<u8>,
    /// Its private key in PEM.
    pub key: String,
    serial: u64,
}

impl Authority {
    /// A new authority.
    pub fn new(name: &str) -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key), serial: AtomicU64::new(1) })
    }

    /// A certificate for a name, good on this machine.
    pub fn issue(&self, name: &str, years: Years) -> Result<Issued, Error> {
        self.issue_for_key(name, years, &KeyPair::generate()?)
    }

    /// The next certificate of the same key.
    pub fn renew(&self, old: &Issued, name: &str, years: Years) -> Result<Issued, Error> {
        self.issue_for_key(name, years, &KeyPair::from_pem(&old.key)?)
    }

    fn issue_for_key(&self, name: &str, (from, until): Years, key: &KeyPair) -> Result<Issued, Error> {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        params.serial_number = Some(SerialNumber::from(serial));
        let certificate = params.signed_by(key, &self.issuer)?;
        let der = certificate.der().to_vec();
        Ok(Issued { pem: certificate.pem(), der, key: key.serialize_pem(), serial })
    }

    /// A list that revokes these, in PEM.
    pub fn revoke(&self, certificates: &[&Issued]) -> Result<String, Error> {
        let revoked = certificates.iter().map(|certificate| RevokedCertParams {
            serial_number: SerialNumber::from(certificate.serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2200, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer)?.pem()
    }
}
