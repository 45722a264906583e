//! A command of a session that stays, and answers each time it is asked.
//!
//! To start a command takes a machine a process or two and a dozen packets: a second where it is emulated and under load.
//! To ask one that is there takes two packets.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};
use ssh2::{Channel, Session};

use super::command::{ExecError, as_told, as_typed};
use super::line::read_within;
use super::ssh::Ssh;

/// The line that ends each answer.
pub const END: &str = "== end";

/// Longest answer, bytes: the interrupts of a NIC with 256 queues on 256 CPUs have 1 MiB.
const MAX_ANSWER: usize = 4 << 20;

/// A command that prints an answer, and [`END`], for each line that it reads. Commands run on its session all the same, one
/// at a time. The session ends with the last clone of it.
#[derive(Clone)]
pub struct Dialogue {
    held: Arc<Held>,
    host: String,
    command: String,
}

struct Held {
    session: Arc<Mutex<Session>>,
    channel: Mutex<Channel>,
}

impl Drop for Held {
    /// The machine may be gone, and libssh2 would wait for its farewell.
    fn drop(&mut self) {
        let session = self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let _ = shutdown(session.as_raw_fd(), Shutdown::Both);
    }
}

impl Dialogue {
    /// Starts the command and asks it once, so that it is known to answer.
    ///
    /// # Errors
    /// [`ExecError`] if the session broke, or the command does not answer in time.
    pub async fn open<S: AsRef<str>>(ssh: &Ssh, argv: &[S], limit: Duration) -> Result<Dialogue, ExecError> {
        let (session, host, command) = (ssh.session.clone(), ssh.host.clone(), as_told(argv));
        let typed = as_typed(argv);
        let open = move || {
            let channel = {
                let session = session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                session.set_timeout(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
                let mut channel = session.channel_session()?;
                channel.exec(&typed)?;
                channel
            };
            Ok(Held { session, channel: Mutex::new(channel) })
        };
        let opened = blocking(open).await;
        let held =
            opened.map_err(|cause| ExecError::Session { host: host.clone(), cause: cause.to_string() })?;
        let dialogue = Dialogue { held: Arc::new(held), host, command };
        dialogue.ask(limit).await?;
        Ok(dialogue)
    }

    /// Asks and returns the answer, without its last line.
    ///
    /// # Errors
    /// [`ExecError`] if it does not answer in time or is no more. What it says later would be taken for the answer to the
    /// next question: ask no more then.
    pub async fn ask(&self, limit: Duration) -> Result<String, ExecError> {
        let held = self.held.clone();
        let answer = blocking(move || held.ask_now(limit)).await;
        answer.map_err(|cause| match cause.kind() {
            std::io::ErrorKind::TimedOut => ExecError::Timeout { command: self.command.clone(), limit },
            _ => ExecError::Session { host: self.host.clone(), cause: cause.to_string() },
        })
    }
}

impl Held {
    fn ask_now(&self, limit: Duration) -> std::io::Result<String> {
        let session = self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut channel = self.channel.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        session.set_timeout(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
        channel.write_all(b"\n")?;
        let mut bytes = Vec::new();
        let deadline = Instant::now() + limit;
        let complete =
            |bytes: &[u8]| bytes.trim_ascii_end().ends_with(END.as_bytes()) && bytes.ends_with(b"\n");
        if !read_within(&mut *channel, &mut bytes, MAX_ANSWER, deadline, complete)? {
            return Err(std::io::Error::other("the command that answers has ended"));
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.trim_end().strip_suffix(END).unwrap_or_default().to_owned())
    }
}

/// On a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
