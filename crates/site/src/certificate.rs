//! A certificate that this program makes for itself. No browser knows who has signed it, so it warns; that
//! the right machine answers is seen by the fingerprint.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use crate::SiteError;

/// Days for which it is good: longer than a course needs it, too short to be worth keeping.
const DAYS: i64 = 30;

/// Clocks of a room don't agree.
const CLOCKS: Duration = Duration::days(1);

/// A certificate with its key, for `localhost` and some addresses.
#[derive(Clone, Debug)]
pub struct Certificate {
    certificate: CertificateDer<'static>,
    key: Arc<PrivatePkcs8KeyDer<'static>>,
}

impl Certificate {
    /// Makes one for this machine, and for the addresses by which others reach it. The key never leaves
    /// memory: every start makes another one.
    ///
    /// # Errors
    /// If there are no random numbers.
    pub fn new(addresses: &[IpAddr]) -> Result<Self, SiteError> {
        let failed = |error: rcgen::Error| SiteError::Certificate(error.to_string());
        let own = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let names = own.iter().chain(addresses).map(ToString::to_string);
        let names: Vec<String> = ["localhost".to_owned()].into_iter().chain(names).collect();
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "RelP Playground on this network");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let now = OffsetDateTime::now_utc();
        params.not_before = now - CLOCKS;
        params.not_after = now + Duration::days(DAYS);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        let key = Arc::new(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Self { certificate: certificate.der().clone(), key })
    }

    /// The certificate itself, in DER.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// Its SHA-256, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(&self.certificate);
        hash.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    pub(crate) fn config(&self) -> Result<Arc<ServerConfig>, SiteError> {
        let failed = |error: rustls::Error| SiteError::Certificate(error.to_string());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key().into())
            .map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
