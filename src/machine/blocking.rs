//! Commands on this machine for code that has no runtime yet: preflight, the image builder, the fingerprint. There is no
//! deadline: all of them are local and finite, except apt's download, which has deadlines of its own.

use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns};

/// What a finished command left, undecoded: the image builder reads binary output.
#[derive(Clone, Debug)]
pub struct Bytes {
    /// Exit status; 128 + n if signal n ended it.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, lossily decoded.
    pub stderr: String,
}

/// Waits for a future in a runtime of its own, which ends with it and leaves no thread behind.
///
/// # Errors
/// The system's error if it has no resources for a runtime.
pub fn wait<F: Future>(future: F) -> std::io::Result<F::Output> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// Runs a command to its end in a directory, with untranslated messages.
///
/// # Errors
/// The system's word if it cannot be started.
pub fn run(dir: &Path, argv: &[&str]) -> std::io::Result<Bytes> {
    let mut command = command(argv)?;
    command.current_dir(dir);
    finish(command)
}

/// Runs a command to its end in another network namespace, if there is one to enter.
///
/// # Errors
/// The system's word if it cannot be started, or the namespace cannot be entered.
pub fn run_in(netns: Option<&'static OwnedFd>, argv: &[&str]) -> std::io::Result<Bytes> {
    let mut command = command(argv)?;
    if let Some(netns) = netns {
        let enter = move || setns(netns, CloneFlags::CLONE_NEWNET).map_err(std::io::Error::from);
        // SAFETY: the closure only makes one system call on a descriptor that is never closed; it allocates nothing.
        unsafe { command.pre_exec(enter) };
    }
    finish(command)
}

fn command(argv: &[&str]) -> std::io::Result<Command> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(std::io::Error::other("an empty command"));
    };
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
    Ok(command)
}

fn finish(mut command: Command) -> std::io::Result<Bytes> {
    let output = command.output()?;
    Ok(Bytes {
        status: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Where programs are looked for: the PATH, and then the directories for administrators, which are not on everybody's.
pub fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more =
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).collect::<Vec<PathBuf>>().into_iter().chain(more)
}

/// Where a program is.
pub fn find(program: &str) -> Option<PathBuf> {
    search_path().map(|dir| dir.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_status_and_directory_are_the_commands_own() {
        let ran = run(Path::new("/"), &["sh", "-c", "pwd; echo no >&2; exit 3"]).unwrap();
        assert_eq!((ran.status, ran.stdout.as_slice(), ran.stderr.as_str()), (3, b"/\n".as_slice(), "no\n"));
    }

    #[test]
    fn programs_are_found_where_a_shell_would_look() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program"), None);
    }
}
