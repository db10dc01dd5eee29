//! Opens the connection of a bind: TCP, and TLS where the link asks for it.

use super::tls;
use domain::link::LinkSettings;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// How long a connection may take to come up.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A connected socket, encrypted or not.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

/// Connects within [`CONNECT_MAX`].
///
/// # Errors
/// When the host cannot be found or reached, or its certificate is not accepted.
pub(super) async fn connect(settings: &LinkSettings) -> io::Result<Box<dyn Socket>> {
    let opening = async {
        let tcp = TcpStream::connect((settings.host.as_str(), settings.port)).await?;
        // Without this a lone message waits for the acknowledgement of the one before: 40 ms.
        tcp.set_nodelay(true)?;
        match &settings.tls {
            None => Ok(Box::new(tcp) as Box<dyn Socket>),
            Some(tls) => {
                let encrypted = tls::encrypt(tcp, tls, &settings.host).await?;
                Ok(Box::new(encrypted) as Box<dyn Socket>)
            }
        }
    };
    tokio::time::timeout(CONNECT_MAX, opening)
        .await
        .unwrap_or_else(|_| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "connecting took too long",
            ))
        })
}
