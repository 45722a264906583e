//! A socket on another machine, as a socket in a directory of this one: for libraries that take a path only.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::pump::{Target, Tunnel};

/// The local socket; it is removed with the value, open connections stay.
#[derive(Debug)]
pub struct Forward {
    path: PathBuf,
    closed: Arc<AtomicBool>,
}

impl Forward {
    /// Listens at `path` and forwards each connection to the socket `remote` at the other end of the tunnel.
    ///
    /// # Errors
    /// The system's error if the path cannot be bound.
    pub fn listen(path: &Path, tunnel: Tunnel, remote: String) -> std::io::Result<Forward> {
        std::fs::remove_file(path).ok(); // left by a killed run
        let listener = UnixListener::bind(path)?;
        let closed = Arc::new(AtomicBool::new(false));
        let is_closed = closed.clone();
        let work = move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if is_closed.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(cause) = tunnel.join(Target::Socket(remote.clone()), connection) {
                    tracing::warn!(remote, %cause, "no connection to the socket");
                }
            }
        };
        super::pump::thread("forward", work)?;
        Ok(Forward { path: path.to_owned(), closed })
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        UnixStream::connect(&self.path).ok(); // wakes the thread
        std::fs::remove_file(&self.path).ok();
    }
}
