//! A socket whose peer must take what it is sent. Below TLS, so it sees what really moves.

use misy_front_desk::Connection;
use socket2::SockRef;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

/// What a peer takes at least in each span of patience while something waits for it. The kernel makes room in steps that are
/// larger, so who reads at a kilobyte a second is far from this.
const LEAST: usize = 16 * 1024;
/// What the kernel holds of what was sent and not taken.
const SEND_BUFFER: usize = 64 * 1024;

/// The socket.
pub(crate) struct Paced {
    stream: TcpStream,
    connection: Connection,
    patience: Duration,
    /// While the peer makes no room for what waits. Nothing is held for the many that have nothing waiting.
    wait: Option<Wait>,
    /// Whether somebody wanted to read meanwhile.
    wants_read: bool,
    timed_out: bool,
}

struct Wait {
    until: Pin<Box<Sleep>>,
    moved: usize,
}

impl Paced {
    /// Wraps a socket. `patience`: how long the peer may take for the next bytes while some wait for it.
    pub(crate) fn new(stream: TcpStream, connection: Connection, patience: Duration) -> Self {
        let socket = SockRef::from(&stream);
        // Each is a wall behind the one below, so a system that does not know it is served all the same. The last one ends
        // connections whose answer the kernel holds and the peer never takes.
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_send_buffer_size(SEND_BUFFER);
        #[cfg(target_os = "linux")]
        let _ = socket.set_tcp_user_timeout(Some(patience));
        Self { stream, connection, patience, wait: None, wants_read: false, timed_out: false }
    }

    /// After an attempt to write: how much moved, or that nothing could.
    fn after(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                if let Some(wait) = &mut self.wait {
                    wait.moved += count;
                }
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.stall(cx).map(Err),
        }
    }

    /// Ready when the peer took too little for too long.
    fn stall(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let patience = self.patience;
        let wait = self.wait.get_or_insert_with(|| {
            self.connection.set_stalled(true);
            Wait { until: Box::pin(tokio::time::sleep(patience)), moved: 0 }
        });
        loop {
            ready!(wait.until.as_mut().poll(cx));
            if wait.moved < LEAST {
                self.timed_out = true;
                metrics::counter!("misy_connections_cut_total", "reason" => "stalled").increment(1);
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing"));
            }
            wait.moved = 0;
            wait.until.as_mut().reset(Instant::now() + patience);
        }
    }
}

impl AsyncRead for Paced {
    /// Who does not take the answers gets no more requests in.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.wait.is_some() {
            self.wants_read = true;
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Paced {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.after(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.after(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when everything that waited was written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.wait.take().is_some() {
            self.connection.set_stalled(false);
            if std::mem::take(&mut self.wants_read) {
                cx.waker().wake_by_ref();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Paced {
    /// What was cut is gone at once, with what the kernel still holds for the peer.
    fn drop(&mut self) {
        if self.timed_out || self.connection.is_cut() {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}
