//! A process with pipes, on this machine or on another one.

use std::io;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::pump::ProcessEnds;

/// The standard input of a process.
pub type Input = Box<dyn AsyncWrite + Send + Unpin>;
/// An output of a process.
pub type FromProcess = Box<dyn AsyncRead + Send + Unpin>;

/// Standard error beyond this is not kept, bytes.
const MAX_STDERR: u64 = 64 << 10;

/// A process that leads a process group of its own and should end when its standard input is closed. Dropping the value
/// closes it.
pub struct Started {
    /// Its standard input, until it is closed.
    pub stdin: Option<Input>,
    /// Its standard output, until it is taken.
    pub stdout: Option<FromProcess>,
    stderr: Option<FromProcess>,
    process: Process,
}

enum Process {
    Local(Child),
    Remote(oneshot::Receiver<i32>),
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Started")
    }
}

impl Started {
    pub(super) fn local(mut child: Child) -> Started {
        Started {
            stdin: child.stdin.take().map(|pipe| Box::new(pipe) as Input),
            stdout: child.stdout.take().map(|pipe| Box::new(pipe) as FromProcess),
            stderr: child.stderr.take().map(|pipe| Box::new(pipe) as FromProcess),
            process: Process::Local(child),
        }
    }

    pub(super) fn remote(ends: ProcessEnds) -> io::Result<Started> {
        let (stdout, stdin) = asynchronous(ends.stream)?.into_split();
        let (stderr, _) = asynchronous(ends.stderr)?.into_split();
        Ok(Started {
            stdin: Some(Box::new(stdin)),
            stdout: Some(Box::new(stdout)),
            stderr: Some(Box::new(stderr)),
            process: Process::Remote(ends.status),
        })
    }

    /// Closes its standard input, which should end it, and waits so long; then ends its group by SIGTERM and SIGKILL, as
    /// far as it runs here. Also kills what is left of the group when its leader failed: a shell
    /// that was killed cannot end its children. Whether it ended.
    ///
    /// On another machine the end of the SSH session is all that follows; what outlives that is found by its run's name.
    pub async fn end(&mut self, patience: Duration) -> bool {
        self.stdin = None;
        match &mut self.process {
            Process::Local(child) => end_group(child, patience).await,
            Process::Remote(status) => status.is_terminated() || timeout(patience, status).await.is_ok(),
        }
    }

    /// What it wrote to standard error; call it after [`Started::end`].
    pub async fn last_words(&mut self, patience: Duration) -> String {
        let mut bytes = Vec::new();
        if let Some(stderr) = self.stderr.take() {
            let _ = timeout(patience, stderr.take(MAX_STDERR).read_to_end(&mut bytes)).await;
        }
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

fn asynchronous(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

async fn end_group(child: &mut Child, patience: Duration) -> bool {
    let Some(group) = child.id().map(|pid| Pid::from_raw(pid as i32)) else { return true };
    for signal in [None, Some(Signal::SIGTERM), Some(Signal::SIGKILL)] {
        let _ = signal.map(|signal| killpg(group, signal));
        if let Ok(status) = timeout(patience, child.wait()).await {
            if !status.is_ok_and(|status| status.success()) {
                let _ = killpg(group, Signal::SIGKILL);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_on_another_machine_may_be_ended_twice() {
        let pair = || std::os::unix::net::UnixStream::pair().unwrap();
        let ((stream, _peer), (stderr, _other)) = (pair(), pair());
        let (sender, status) = oneshot::channel();
        sender.send(0).unwrap();
        let mut started = Started::remote(ProcessEnds { stream, stderr, status }).unwrap();
        for _ in 0..2 {
            assert!(started.end(Duration::from_secs(1)).await);
        }
    }
}
