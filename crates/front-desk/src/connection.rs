//! The connection that a request came on, as far as whoever answers it can do something about it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio_util::sync::CancellationToken;

/// A handle on a connection. The server puts one into the extensions of each request; cheap to clone.
///
/// A body is asked for its next piece only while its reader takes what it was given. So whoever must end an answer cannot
/// wait to be asked: it cuts the connection.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    cut: CancellationToken,
    stalled: AtomicBool,
    /// Requests whose answer has not begun.
    under_way: AtomicUsize,
}

/// A request on a connection, until its answer begins.
#[derive(Debug)]
pub struct UnderWay(Arc<State>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Connection {
    /// Ends the connection at once, whatever waits to be sent on it.
    pub fn cut(&self) {
        self.state.cut.cancel();
    }

    /// Whether it was cut.
    pub fn is_cut(&self) -> bool {
        self.state.cut.is_cancelled()
    }

    /// Waits until it is cut.
    pub async fn until_cut(&self) {
        self.state.cut.cancelled().await;
    }

    /// For the server: a request begins.
    pub fn begin(&self) -> UnderWay {
        self.state.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(self.state.clone())
    }

    /// Whether no request waits for the beginning of its answer: it stands open, or streams.
    pub fn is_idle(&self) -> bool {
        self.state.under_way.load(Ordering::Acquire) == 0
    }

    /// Whether something waits to be sent that the peer makes no room for.
    pub fn is_stalled(&self) -> bool {
        self.state.stalled.load(Ordering::Acquire)
    }

    /// For the server: whether something waits to be sent.
    pub fn set_stalled(&self, stalled: bool) {
        self.state.stalled.store(stalled, Ordering::Release);
    }
}
