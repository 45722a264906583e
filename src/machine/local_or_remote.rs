//! A machine of the lab: this one, or another over SSH. Commands, files of `/proc` and `/sys`, processes with pipes.

use std::io;
use std::time::Duration;

use super::command::{ExecError, Output, as_typed};
use super::local::{Local, RUN_VARIABLE};
use super::login::Login;
use super::pump::{ProcessEnds, Target, Tunnel};
use super::session;
use super::ssh::SshSession;
use super::ssh_error::SshError;
use super::started::Started;

/// For any step on another machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Where commands run.
#[derive(Clone)]
pub enum Machine {
    /// On this machine.
    Local(Local),
    /// On another.
    Remote(Remote),
}

/// Another machine, logged in to.
#[derive(Clone)]
pub struct Remote {
    login: Login,
    /// `None` for code that only reads or undoes.
    run: Option<String>,
    ssh: SshSession,
}

impl std::fmt::Display for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.login.address.fmt(f)
    }
}

impl Remote {
    /// Logs in. Every process that is started on the machine carries the run in its environment.
    ///
    /// # Errors
    /// [`SshError`] with the step that failed.
    pub async fn open(login: Login, run: &str) -> Result<Remote, SshError> {
        let session = off_thread(&login, session::open).await?;
        let ssh = SshSession::from_session(session, login.address.to_string());
        let run = Some(run.to_owned()).filter(|run| !run.is_empty());
        Ok(Remote { login, run, ssh })
    }

    /// A session of its own for connections that the other machine makes.
    ///
    /// # Errors
    /// [`SshError`] with the step that failed.
    pub async fn tunnel(&self) -> Result<Tunnel, SshError> {
        off_thread(&self.login, |login| Tunnel::through(session::open(login)?, &login.address)).await
    }

    /// Another session, for a command that takes long.
    ///
    /// # Errors
    /// [`ExecError::Session`] with the step that failed.
    pub(super) async fn another(&self) -> Result<SshSession, ExecError> {
        let session = off_thread(&self.login, session::open).await;
        let lost = |error: SshError| ExecError::Session { host: self.to_string(), cause: error.to_string() };
        Ok(SshSession::from_session(session.map_err(lost)?, self.to_string()))
    }

    /// The session of its commands, opened again if the machine did not answer the last one: it may be back.
    async fn ssh(&self) -> Result<&SshSession, ExecError> {
        if self.ssh.is_lost() {
            let lost =
                |error: SshError| ExecError::Session { host: self.to_string(), cause: error.to_string() };
            self.ssh.replace(off_thread(&self.login, session::open).await.map_err(lost)?);
            tracing::info!(host = %self, "logged in again");
        }
        Ok(&self.ssh)
    }

    /// A command that carries the run.
    pub(super) fn marked<S: AsRef<str>>(&self, argv: &[S]) -> Vec<String> {
        let run = self.run.as_ref().map(|run| format!("{RUN_VARIABLE}={run}"));
        let mark = ["env".to_owned(), "LC_ALL=C".to_owned()].into_iter().chain(run);
        mark.into_iter().chain(argv.iter().map(|word| word.as_ref().to_owned())).collect()
    }

    /// The same machine for code that the run does not end.
    pub(super) fn unmarked(&self) -> Remote {
        Remote { run: None, ..self.clone() }
    }

    async fn start<S: AsRef<str>>(&self, argv: &[S]) -> io::Result<Started> {
        Started::remote(self.process(argv).await?)
    }

    /// A process that leads a session of its own, over an SSH session of its own.
    pub(super) async fn process<S: AsRef<str>>(&self, argv: &[S]) -> io::Result<ProcessEnds> {
        let tunnel = self.tunnel().await.map_err(io::Error::other)?;
        // sshd's shell may stand between: the process must lead a group of its own.
        let group = [&["setsid".to_owned(), "--wait".to_owned()][..], &self.marked(argv)].concat();
        let target = Target::Process(as_typed(&group));
        let opened = tokio::task::spawn_blocking(move || tunnel.open(target)).await;
        opened.map_err(io::Error::other)?
    }
}

/// Opens something with a login on a blocking thread.
async fn off_thread<T: Send + 'static>(
    login: &Login,
    open: fn(&Login) -> Result<T, SshError>,
) -> Result<T, SshError> {
    let (address, login) = (login.address.clone(), login.clone());
    let opened = tokio::task::spawn_blocking(move || open(&login)).await;
    opened.unwrap_or_else(|panic| Err(SshError::Protocol { address, cause: panic.to_string() }))
}

impl Machine {
    /// This machine, in the namespaces of this process.
    pub fn local() -> Machine {
        Machine::Local(Local::default())
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// [`ExecError`] if it cannot start, fails, or does not end within a minute.
    pub async fn run<S: AsRef<str>>(&self, argv: &[S]) -> Result<Output, ExecError> {
        self.run_within(argv, LIMIT).await
    }

    /// The same with a limit of its own.
    ///
    /// # Errors
    /// As of [`Machine::run`].
    pub async fn run_within<S: AsRef<str>>(&self, argv: &[S], limit: Duration) -> Result<Output, ExecError> {
        match self {
            Machine::Local(local) => local.run_within(argv, limit).await,
            Machine::Remote(remote) => remote.ssh().await?.run(&remote.marked(argv), limit).await,
        }
    }

    /// Reads a file, lossily decoded.
    ///
    /// # Errors
    /// [`ExecError`] if it does not exist.
    pub async fn read(&self, path: &str) -> Result<String, ExecError> {
        match self {
            Machine::Local(_) => {
                let bytes = std::fs::read(path).map_err(|cause| refused(format!("read {path}"), &cause))?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Machine::Remote(_) => Ok(self.run(&["cat", path]).await?.stdout),
        }
    }

    /// Reads a part of a file that grows: at most `max` bytes from `offset` on. Bytes beyond ASCII come as `?` from another
    /// machine, one for one.
    ///
    /// # Errors
    /// [`ExecError`] if it is not there.
    pub async fn read_part(&self, path: &str, offset: u64, max: u64) -> Result<Vec<u8>, ExecError> {
        match self {
            Machine::Local(_) => {
                let part = read_part(path, offset, max);
                part.map_err(|cause| refused(format!("read {path}"), &cause))
            }
            Machine::Remote(_) => {
                let (start, max) = ((offset + 1).to_string(), max.to_string());
                let script =
                    "[ -e \"$1\" ] && tail -c \"+$2\" \"$1\" | head -c \"$3\" | tr '\\200-\\377' '?'";
                let output = self.run(&["sh", "-c", script, "read", path, &start, &max]).await?;
                Ok(output.stdout.into_bytes())
            }
        }
    }

    /// Writes a file; one that is new can be read by its owner only.
    ///
    /// # Errors
    /// [`ExecError`] if it is refused.
    pub async fn write(&self, path: &str, bytes: Vec<u8>) -> Result<(), ExecError> {
        match self {
            Machine::Local(_) => {
                let mut options = std::fs::OpenOptions::new();
                std::os::unix::fs::OpenOptionsExt::mode(
                    options.write(true).create(true).truncate(true),
                    0o600,
                );
                let written = options.open(path).and_then(|mut file| io::Write::write_all(&mut file, &bytes));
                written.map_err(|cause| refused(format!("write {path}"), &cause))
            }
            Machine::Remote(remote) => {
                let argv = ["sh", "-c", "umask 077; cat > \"$1\"", "write", path];
                let limit = LIMIT + Duration::from_secs(bytes.len() as u64 >> 19); // 512 KiB/s at the least
                remote.ssh().await?.feed(&remote.marked(&argv), io::Cursor::new(bytes), limit).await.map(drop)
            }
        }
    }

    /// Whether a process exists.
    pub async fn has_process(&self, pid: i32) -> bool {
        match self {
            Machine::Local(_) => procfs::process::Process::new(pid)
                .and_then(|process| process.stat())
                .is_ok_and(|stat| stat.state != 'Z'), // one that nobody has waited for yet has ended
            Machine::Remote(_) => self.run(&["test", "-d", &format!("/proc/{pid}")]).await.is_ok(),
        }
    }

    /// Starts a command with pipes that leads a process group of its own.
    ///
    /// # Errors
    /// The system's error if it cannot be started.
    pub async fn start<S: AsRef<str>>(&self, argv: &[S]) -> io::Result<Started> {
        match self {
            Machine::Local(local) => local.start(argv).map(Started::local),
            Machine::Remote(remote) => remote.start(argv).await,
        }
    }
}

fn read_part(path: &str, offset: u64, max: u64) -> io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, max), &mut bytes)?;
    Ok(bytes)
}

fn refused(command: String, cause: &io::Error) -> ExecError {
    ExecError::Start { command, cause: cause.to_string() }
}
