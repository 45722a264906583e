//! A command that stays on an SSH session and answers each request.
//!
//! A command takes a process or two and a dozen packets to start: a second on an emulated machine under load. A request to
//! one that runs already takes two packets.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};
use ssh2::{Channel, Session};

use super::bounded::MAX_OUTPUT;
use super::command::{ExecError, as_typed, for_message};
use super::exec::execute_on;
use super::ssh::{SshSession, set_timeout};

/// The line that ends each answer.
pub const END: &str = "== end";

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
    /// The machine may be gone, and libssh2 would wait for its answer to the disconnect message.
    fn drop(&mut self) {
        let session = self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let _ = shutdown(session.as_raw_fd(), Shutdown::Both);
    }
}

impl Dialogue {
    /// Starts the command and sends one request, to prove that it answers.
    ///
    /// # Errors
    /// [`ExecError`] if the session broke, or the command does not answer in time.
    pub async fn open<S: AsRef<str>>(
        ssh: &SshSession,
        argv: &[S],
        limit: Duration,
    ) -> Result<Dialogue, ExecError> {
        let (session, host, command) = (ssh.session.clone(), ssh.host.clone(), for_message(argv));
        let typed = as_typed(argv);
        let open = move || {
            let channel = {
                let session = session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                set_timeout(&session, limit);
                let mut channel = session.channel_session()?;
                execute_on(&mut channel, &typed)?;
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

    /// Sends a request and returns the answer, without its last line.
    ///
    /// # Errors
    /// [`ExecError`] if it does not answer in time or has ended. A late answer would be taken for that to the next request: send
    /// none then.
    pub async fn ask(&self, limit: Duration) -> Result<String, ExecError> {
        let held = self.held.clone();
        let answer = blocking(move || held.request_now(limit)).await;
        answer.map_err(|cause| match cause.kind() {
            ErrorKind::TimedOut | ErrorKind::FileTooLarge => {
                ExecError::from_reading(self.command.clone(), limit, &cause)
            }
            _ => ExecError::Session { host: self.host.clone(), cause: cause.to_string() },
        })
    }
}

impl Held {
    fn request_now(&self, limit: Duration) -> std::io::Result<String> {
        let session = self.session.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut channel = self.channel.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let deadline = Instant::now() + limit;
        set_timeout(&session, limit);
        channel.write_all(b"\n")?;
        let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some(answer) = text.trim_end().strip_suffix(END).filter(|_| text.ends_with('\n')) {
                return Ok(answer.to_owned());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            if bytes.len() > MAX_OUTPUT {
                return Err(ErrorKind::FileTooLarge.into());
            }
            set_timeout(&session, left);
            match channel.read(&mut part)? {
                0 => return Err(std::io::Error::other("the command that answers has ended")),
                length => bytes.extend_from_slice(&part[..length]),
            }
        }
    }
}

/// On a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
