//! A machine of the lab: this one, or another over SSH. Commands, files of `/proc` and `/sys`, processes with pipes.

use std::io;
use std::time::Duration;

use super::command::{ExecError, Output, as_typed};
use super::local::{Local, RUN_VARIABLE};
use super::login::Login;
use super::pump::{Target, Tunnel};
use super::session;
use super::ssh::Ssh;
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
    /// `None` for whoever only looks or takes back.
    run: Option<String>,
    ssh: Ssh,
}

impl std::fmt::Display for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.login.address.fmt(f)
    }
}

impl Remote {
    /// Logs in. Every process that is started there carries the run in its environment.
    ///
    /// # Errors
    /// [`SshError`] with the step that failed.
    pub async fn open(login: Login, run: &str) -> Result<Remote, SshError> {
        let session = off_thread(&login, session::open).await?;
        let ssh = Ssh::from_session(session, login.address.to_string());
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
    /// [`SshError`] with the step that failed.
    pub(super) async fn another(&self) -> Result<Ssh, SshError> {
        let session = off_thread(&self.login, session::open).await?;
        Ok(Ssh::from_session(session, self.to_string()))
    }

    /// A command that carries the run.
    pub(super) fn marked<S: AsRef<str>>(&self, argv: &[S]) -> Vec<String> {
        let run = self.run.as_ref().map(|run| format!("{RUN_VARIABLE}={run}"));
        let mark = ["env".to_owned(), "LC_ALL=C".to_owned()].into_iter().chain(run);
        mark.into_iter().chain(argv.iter().map(|word| word.as_ref().to_owned())).collect()
    }

    async fn start<S: AsRef<str>>(&self, argv: &[S]) -> io::Result<Started> {
        let tunnel = self.tunnel().await.map_err(io::Error::other)?;
        // sshd's shell may stand between: the process must lead a group of its own.
        let group = [&["setsid".to_owned(), "--wait".to_owned()][..], &self.marked(argv)].concat();
        let target = Target::Process(as_typed(&group));
        let opened = tokio::task::spawn_blocking(move || tunnel.open(target)).await;
        Started::remote(opened.map_err(io::Error::other)??)
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
            Machine::Remote(remote) => remote.ssh.run(&remote.marked(argv), limit).await,
        }
    }

    /// Reads a file, lossily decoded.
    ///
    /// # Errors
    /// [`ExecError`] if it is not there.
    pub async fn read(&self, path: &str) -> Result<String, ExecError> {
        match self {
            Machine::Local(_) => {
                let bytes = std::fs::read(path).map_err(|cause| refused(format!("read {path}"), &cause))?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Machine::Remote(_) => Ok(self.run(&["cat", path]).await?.stdout),
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
                remote.ssh.feed(&remote.marked(&argv), io::Cursor::new(bytes), limit).await.map(drop)
            }
        }
    }

    /// Whether a process is there.
    pub async fn lives(&self, pid: i32) -> bool {
        match self {
            Machine::Local(_) => nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok(),
            Machine::Remote(_) => self.run(&["test", "-d", &format!("/proc/{pid}")]).await.is_ok(),
        }
    }

    /// Starts a command that is talked to through pipes and leads a process group of its own.
    ///
    /// # Errors
    /// The system's word if it cannot be started.
    pub async fn start<S: AsRef<str>>(&self, argv: &[S]) -> io::Result<Started> {
        match self {
            Machine::Local(local) => local.start(argv).map(Started::local),
            Machine::Remote(remote) => remote.start(argv).await,
        }
    }
}

fn refused(command: String, cause: &io::Error) -> ExecError {
    ExecError::Start { command, cause: cause.to_string() }
}
