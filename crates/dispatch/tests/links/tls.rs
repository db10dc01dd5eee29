//! A link over TLS: the same message, through a certificate that is trusted and one that is not.

use crate::common::{World, sim, to, until};
use domain::line::LineSettings;
use domain::link::{LinkSettings, LinkState, TlsSettings};
use domain::status::State;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use smsc_sim::Behaviour;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Puts TLS in front of a plain SMSC; answers its address and its certificate as PEM.
async fn tls_in_front_of(plain: SocketAddr) -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(["smsc.test".to_owned()]).expect("a certificate");
    let pem = made.cert.pem();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut encrypted) = acceptor.accept(tcp).await else {
                    return;
                };
                let Ok(mut smsc) = TcpStream::connect(plain).await else {
                    return;
                };
                let _ = tokio::io::copy_bidirectional(&mut encrypted, &mut smsc).await;
            });
        }
    });
    (addr, pem)
}

#[tokio::test]
async fn a_message_goes_over_tls_to_a_certificate_that_is_trusted() {
    let sim = sim(Behaviour::default()).await;
    let (addr, pem) = tls_in_front_of(sim.addr()).await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).expect("a file");
    let tls = TlsSettings {
        server_name: Some("smsc.test".into()),
        ca_file: Some(file.to_string_lossy().into_owned()),
    };
    let settings = LinkSettings {
        tls: Some(tls),
        ..to(addr)
    };
    let world = World::running(settings, LineSettings::default()).await;
    let bulk = world.accept("سلام", 9_121_111_111, 1).await;
    world.until(bulk, State::Delivered, 1).await;
    assert_eq!(sim.counts().accepted, 1);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_keeps_the_link_down_and_says_why() {
    let sim = sim(Behaviour::default()).await;
    let (addr, _) = tls_in_front_of(sim.addr()).await;
    let settings = LinkSettings {
        tls: Some(TlsSettings::default()),
        ..to(addr)
    };
    let world = World::running(settings, LineSettings::default()).await;
    until("the reason to be written down", || async {
        let statuses = world.store.link_statuses().await.expect("a store");
        statuses.iter().any(|status| {
            status.state == LinkState::Down
                && status
                    .last_error
                    .as_ref()
                    .is_some_and(|why| why.contains("certificate"))
        })
    })
    .await;
    assert_eq!(sim.counts().binds, 0);
}
