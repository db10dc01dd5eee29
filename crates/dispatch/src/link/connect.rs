//! Opens the connection of a bind: TCP, and TLS where the link asks for it.

use super::tls;
use domain::link::LinkSettings;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// How long a connection may take to come up.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A connected socket, encrypted or not.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {
    /// The connection beneath.
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Closes a connection in such a way that what the kernel has not sent yet is thrown away. After
/// an ordinary close it would go on trying, and messages would leave minutes later, when a broken
/// network is whole again and somebody else has sent them.
pub(super) fn abandon(socket: Box<dyn Socket>) {
    if let Err(error) = socket.tcp().set_zero_linger() {
        tracing::warn!(%error, "what waits in the kernel may still be sent");
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Fills whatever the kernel takes for a peer that reads nothing, ends the connection, and lets
    /// the peer read: how much was written, and what the peer got.
    async fn ended(end: fn(Box<dyn Socket>)) -> (usize, io::Result<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap());
        let (mut ours, mut theirs) = (ours.await.unwrap(), listener.accept().await.unwrap().0);
        let (mut written, block) = (0, [7; 64 * 1024]);
        let pause = Duration::from_millis(100);
        while let Ok(more) = tokio::time::timeout(pause, ours.write(&block)).await {
            written += more.unwrap();
        }
        end(Box::new(ours));
        let mut got = Vec::new();
        (written, theirs.read_to_end(&mut got).await)
    }

    #[tokio::test]
    async fn what_the_kernel_has_not_sent_is_thrown_away_with_an_abandoned_connection() {
        let (written, got) = ended(drop).await;
        assert_eq!(
            got.unwrap(),
            written,
            "after an ordinary close it still leaves"
        );
        let (_, got) = ended(abandon).await;
        assert_eq!(got.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
