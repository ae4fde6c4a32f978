//! Where strangers' connections come in: so many at once, and none that lasts without being served.

use axum::serve::Listener;
use domain::limit::{LINK_STALL_SECONDS_MAX, PUBLIC_CONNECTIONS_MAX};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep, sleep_until},
};

const STALL: Duration = Duration::from_secs(LINK_STALL_SECONDS_MAX);
/// Too many open files, and the like, pass.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// More than so many wait in the kernel's queue.
pub(crate) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Door {
    pub fn new(listener: TcpListener) -> Door {
        Door { listener, places: Arc::new(Semaphore::new(PUBLIC_CONNECTIONS_MAX)) }
    }
}

impl Listener for Door {
    type Io = Held<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Held<TcpStream>, SocketAddr) {
        let Ok(place) = self.places.clone().acquire_owned().await else { return std::future::pending().await };
        loop {
            match self.listener.accept().await {
                Ok((tcp, address)) => return (Held::new(tcp, Some(place), STALL), address),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not taken");
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when nothing was written to it for so long: whoever asks is answered sooner, whoever fetches takes bytes, and
/// whoever sends a request letter by letter is neither.
pub(crate) struct Held<T> {
    wire: T,
    until: Pin<Box<Sleep>>,
    stall: Duration,
    _place: Option<OwnedSemaphorePermit>,
}

impl<T> Held<T> {
    fn new(wire: T, place: Option<OwnedSemaphorePermit>, stall: Duration) -> Held<T> {
        Held { wire, until: Box::pin(sleep_until(Instant::now() + stall)), stall, _place: place }
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.until.as_mut().poll(cx).is_ready()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Held<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.wire).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Held<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let written = ready!(Pin::new(&mut self.wire).poll_write(cx, bytes));
        if matches!(written, Ok(some) if 0 < some) {
            let until = Instant::now() + self.stall;
            self.until.as_mut().reset(until);
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_connection_whose_time_is_over_ends_however_busily_it_sends() {
        let (mut stranger, ours) = duplex(64);
        let mut held = Held::new(ours, None, Duration::ZERO);
        sleep(Duration::from_millis(2)).await;
        stranger.write_all(b"GET").await.unwrap();
        assert_eq!(held.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(held.write(b"x").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn what_is_read_gives_no_time_and_what_is_written_does() {
        let (mut stranger, ours) = duplex(64);
        let mut held = Held::new(ours, None, STALL);
        let at_first = held.until.deadline();
        stranger.write_all(b"GET").await.unwrap();
        held.read_exact(&mut [0; 3]).await.unwrap();
        assert_eq!(held.until.deadline(), at_first);
        held.write_all(b"x").await.unwrap();
        assert!(at_first < held.until.deadline());
    }

    #[tokio::test]
    async fn a_place_is_taken_as_long_as_its_connection_lives() {
        let places = Arc::new(Semaphore::new(1));
        let (_stranger, ours) = duplex(64);
        let held = Held::new(ours, places.clone().acquire_owned().await.ok(), STALL);
        assert!(places.try_acquire().is_err());
        drop(held);
        assert!(places.try_acquire().is_ok());
    }
}
