//! TLS of a link: which authorities are trusted, and which name the certificate must carry.

use domain::link::TlsSettings;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(super) async fn encrypt(
    tcp: TcpStream,
    settings: &TlsSettings,
    host: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let name = settings
        .server_name
        .clone()
        .unwrap_or_else(|| host.to_owned());
    let name = ServerName::try_from(name)
        .map_err(|error| other(format!("the TLS server name cannot be used: {error}")))?;
    let roots = match &settings.ca_file {
        Some(file) => authorities(Path::new(file))?,
        None => RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        },
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| other(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
}

fn authorities(file: &Path) -> io::Result<RootCertStore> {
    let unreadable = |error: &dyn std::fmt::Display| {
        other(format!(
            "the CA file {} cannot be used: {error}",
            file.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() {
        return Err(unreadable(&"it holds no certificate"));
    }
    Ok(roots)
}

fn other(message: String) -> io::Error {
    io::Error::other(message)
}
