//! Connections over TLS. One that takes its time to begin keeps no other one waiting.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a connection may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections may be beginning at once: a room's.
const AT_ONCE: usize = 256;

/// The first byte of every TLS connection.
const HANDSHAKE: u8 = 0x16;

/// As much as is read of a request that came without TLS.
const HEAD: u64 = 8192;

/// Connections that have begun.
pub(crate) struct Secured {
    begun: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Secured {
    /// Begins with the connections of a listener.
    pub(crate) fn start(listener: TcpListener, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, begun) = mpsc::channel(16);
        let (acceptor, places) = (TlsAcceptor::from(tls), Arc::new(Semaphore::new(AT_ONCE)));
        tokio::spawn(async move {
            loop {
                let Ok(place) = places.clone().acquire_owned().await else { return };
                let (stream, from) = tokio::select! {
                    () = sender.closed() => return,
                    accepted = listener.accept() => match accepted {
                        Ok(accepted) => accepted,
                        Err(_) => {
                            // As when too many files are open: there will be room again.
                            sleep(Duration::from_millis(100)).await;
                            continue;
                        }
                    },
                };
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(Some(stream))) = timeout(PATIENCE, begin(&acceptor, stream)).await
                    {
                        // Nobody listens any more when the site has been stopped.
                        let _unheard = sender.send((stream, from)).await;
                    }
                    drop(place);
                });
            }
        });
        Ok(Self { begun, address })
    }
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.begun.recv().await {
            Some(begun) => begun,
            // The listener has ended, and so will the site.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// Begins a connection. One without TLS, as a browser makes it for an address that was typed without
/// `https://`, is sent to the same address with it.
async fn begin(
    acceptor: &TlsAcceptor,
    mut stream: TcpStream,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    stream.set_nodelay(true)?;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    if first == [HANDSHAKE] {
        return acceptor.accept(stream).await.map(Some);
    }
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && (head.len() as u64) < HEAD {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    let answer = match String::from_utf8(head).ok().as_deref().and_then(same_with_tls) {
        Some(address) => format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {address}\r\n"),
        None => "HTTP/1.1 400 Bad Request\r\n".to_owned(),
    };
    let end = "Content-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all((answer + end).as_bytes()).await?;
    stream.shutdown().await?;
    Ok(None)
}

/// The address that a request asks for, with `https`.
fn same_with_tls(head: &str) -> Option<String> {
    let mut lines = head.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?;
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let (_, host) = headers.find(|(name, _)| name.eq_ignore_ascii_case("host"))?;
    let host = host.trim();
    let of_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let is_plain = path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic());
    let is_host = !host.is_empty() && host.chars().all(of_host);
    (is_plain && is_host).then(|| format!("https://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_without_tls_is_sent_to_the_same_address_with_it() {
        let head = "GET /docs/?a=1 HTTP/1.1\r\nAccept: */*\r\nhost: 10.0.0.7:8080\r\n\r\n";
        assert_eq!(same_with_tls(head).as_deref(), Some("https://10.0.0.7:8080/docs/?a=1"));
        for head in [
            "",
            "GET / HTTP/1.1\r\n\r\n",
            "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x/y@z\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: \r\n\r\n",
        ] {
            assert_eq!(same_with_tls(head), None, "{head:?}");
        }
    }
}
