//! A socket of another machine's, as a socket in a directory of this one: for libraries that take a path only.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::pump::{Target, Tunnel};

/// The socket; it goes with the value, connections that were made stay.
#[derive(Debug)]
pub struct Forward {
    path: PathBuf,
    over: Arc<AtomicBool>,
}

impl Forward {
    /// Listens at `path`; whoever connects is connected to the socket `remote` at the other end of the tunnel.
    ///
    /// # Errors
    /// The system's word if the path cannot be bound.
    pub fn listen(path: &Path, tunnel: Tunnel, remote: String) -> std::io::Result<Forward> {
        std::fs::remove_file(path).ok(); // of a run that was killed
        let listener = UnixListener::bind(path)?;
        let over = Arc::new(AtomicBool::new(false));
        let seen = over.clone();
        let work = move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if seen.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(cause) = tunnel.join(Target::Socket(remote.clone()), connection) {
                    tracing::warn!(remote, %cause, "no connection to the socket");
                }
            }
        };
        super::pump::thread("forward", work)?;
        Ok(Forward { path: path.to_owned(), over })
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        UnixStream::connect(&self.path).ok(); // wakes the thread
        std::fs::remove_file(&self.path).ok();
    }
}
