//! Where connections come in: in clear on loopback, by TLS from elsewhere. Handshakes wait for nobody and keep nobody waiting.

use crate::{extract::Place, tls::Tls};
use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use std::{future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// A handshake takes two round trips; who does not make it holds a place no longer than this.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// Handshakes at once; more wait in the kernel's queue.
const HANDSHAKES_MAX: usize = 256;
/// Too many open files, and the like, pass.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// A connection, whatever carries it.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

pub struct Door {
    address: SocketAddr,
    ready: mpsc::Receiver<(Box<dyn Wire>, SocketAddr)>,
    accepts: JoinHandle<()>,
}

impl Door {
    pub fn open(listener: TcpListener, tls: Option<Arc<Tls>>) -> io::Result<Door> {
        let address = listener.local_addr()?;
        let (to, ready) = mpsc::channel(1);
        Ok(Door { address, ready, accepts: tokio::spawn(accept(listener, tls, to)) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

impl Listener for Door {
    type Io = Box<dyn Wire>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Box<dyn Wire>, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => future::pending().await, // it accepts until it is dropped
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Door>> for Place {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Place {
        Place(*stream.remote_addr())
    }
}

async fn accept(listener: TcpListener, tls: Option<Arc<Tls>>, to: mpsc::Sender<(Box<dyn Wire>, SocketAddr)>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (tcp, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        // fragments are small and must not wait for each other
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "small packets wait for each other on this connection");
        }
        let (tls, to) = (tls.clone(), to.clone());
        tokio::spawn(async move {
            let Some(wire) = greet(tcp, tls).await else { return };
            drop(place);
            drop(to.send((wire, address)).await); // nobody takes it any more: the server stops
        });
    }
}

async fn greet(tcp: TcpStream, tls: Option<Arc<Tls>>) -> Option<Box<dyn Wire>> {
    let Some(tls) = tls else { return Some(Box::new(tcp)) };
    match timeout(HANDSHAKE_PATIENCE, TlsAcceptor::from(tls.config()).accept(tcp)).await {
        Ok(Ok(stream)) => Some(Box::new(stream)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake failed");
            None
        }
        Err(_) => None,
    }
}
