//! Commands on this machine. A command may run in another network namespace, named by an open descriptor.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use tokio::process::{Child, Command};

use super::command::{ExecError, Output, as_told};

/// Every process that kvmfair starts carries its run in this variable, so that `kvmfair clean` can find it.
pub const RUN_VARIABLE: &str = "KVMFAIR_RUN";

/// Long enough for any host step on a machine that freezes for seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// A network namespace kept alive by an open descriptor.
pub type NetNs = Arc<OwnedFd>;

/// Runs commands on this machine; by default in the namespaces of this process.
#[derive(Clone, Debug, Default)]
pub struct Local {
    netns: Option<NetNs>,
    mounts: Option<NetNs>,
    run: Option<String>,
    unmarked: bool,
}

impl Local {
    /// Commands in another network namespace.
    pub fn in_netns(netns: NetNs) -> Local {
        Local { netns: Some(netns), ..Local::default() }
    }

    /// The same in another mount namespace.
    pub fn with_mounts(self, mounts: NetNs) -> Local {
        Local { mounts: Some(mounts), ..self }
    }

    /// The same, and no process carries the run that this process has in its environment.
    pub fn unmarked(self) -> Local {
        Local { unmarked: true, ..self }
    }

    /// The same, and every process carries a run in its environment; one that this process has not got itself.
    pub fn of_run(self, run: &str) -> Local {
        Local { run: Some(run.to_owned()).filter(|run| !run.is_empty()), ..self }
    }

    /// The run whose name the processes carry.
    pub(super) fn run_name(&self) -> Option<&str> {
        self.run.as_deref()
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
    /// As of [`Local::run`].
    pub async fn run_within<S: AsRef<str>>(&self, argv: &[S], limit: Duration) -> Result<Output, ExecError> {
        let mut command = self.command(argv);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.map_err(|e| ExecError::Start { command: as_told(argv), cause: e.to_string() })?;
        let output = tokio::time::timeout(limit, child.wait_with_output())
            .await
            .map_err(|_| ExecError::Timeout { command: as_told(argv), limit })?
            .map_err(|e| ExecError::Start { command: as_told(argv), cause: e.to_string() })?;
        tracing::debug!(command = as_told(argv), status = %output.status, "ran");
        decode(output).success(argv)
    }

    /// Starts a command that is talked to through pipes and leads a process group of its own: a Ctrl-C at the terminal
    /// does not reach it. Dropping the handle does not end it; closing its standard input should.
    ///
    /// # Errors
    /// The system's word if it cannot be started.
    pub fn start<S: AsRef<str>>(&self, argv: &[S]) -> std::io::Result<Child> {
        let mut command = self.command(argv);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(false).process_group(0).spawn()
    }

    /// Starts a daemon: nothing to read, a file for what it says, a process group of its own, so that a Ctrl-C at the
    /// terminal does not reach it. Dropping the handle does not end it.
    ///
    /// # Errors
    /// The system's word if it cannot be started.
    pub fn daemon<S: AsRef<str>>(
        &self,
        argv: &[S],
        environment: &[(&str, &Path)],
        said: File,
    ) -> std::io::Result<Child> {
        let mut command = self.command(argv);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        command.envs(environment.iter().copied()).kill_on_drop(false).process_group(0).spawn()
    }

    /// A command that is not started yet; it dies with the handle.
    fn command<S: AsRef<str>>(&self, argv: &[S]) -> Command {
        let mut command = Command::new(argv[0].as_ref());
        command.args(argv[1..].iter().map(AsRef::as_ref)).kill_on_drop(true);
        if self.unmarked {
            command.env_remove(RUN_VARIABLE).env_remove("TMPDIR");
        }
        if let Some(run) = &self.run {
            command.env(RUN_VARIABLE, run);
        }
        if let Some(netns) = &self.netns {
            enter_before_exec(&mut command, netns.clone(), CloneFlags::CLONE_NEWNET);
        }
        if let Some(mounts) = &self.mounts {
            enter_before_exec(&mut command, mounts.clone(), CloneFlags::CLONE_NEWNS);
        }
        command
    }
}

/// Makes the child enter a namespace between fork and exec.
fn enter_before_exec(command: &mut Command, namespace: NetNs, kind: CloneFlags) {
    let enter = move || setns(namespace.as_ref(), kind).map_err(std::io::Error::from);
    // SAFETY: the closure only makes one system call on a descriptor that it owns; it allocates nothing.
    unsafe { command.pre_exec(enter) };
}

pub(super) fn decode(output: std::process::Output) -> Output {
    Output {
        status: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_fails_is_reported_as_told_with_its_own_words() {
        let error = Local::default().run(&["ls", "/no such file"]).await.unwrap_err().to_string();
        assert!(error.contains("`ls '/no such file'` failed with status 2"), "{error}");
        assert!(error.contains("No such file"), "{error}");
    }

    #[tokio::test]
    async fn a_command_that_is_not_installed_is_named() {
        let error = Local::default().run(&["no-such-program"]).await.unwrap_err();
        assert!(matches!(error, ExecError::Start { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_command_ended_by_a_signal_is_no_success() {
        let error = Local::default().run(&["sh", "-c", "kill -9 $$"]).await.unwrap_err();
        assert!(matches!(error, ExecError::Status { status: 137, .. }), "{error}");
    }
}
