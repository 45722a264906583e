//! This machine for code that has no runtime: the command line, the image builder.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::bounded;

/// The longest output, bytes: the image builder reads whole kernels and archives.
const MAX_OUTPUT: usize = 1 << 30;
/// For one command; the longest is a download by apt, which gives up by itself.
const LIMIT: Duration = Duration::from_secs(3600);

/// The result of a finished command, undecoded: the image builder reads binary output.
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

/// Runs a command to its end in a directory, with untranslated messages. May be called inside a runtime, too.
///
/// # Errors
/// The system's error if it cannot be started; a kind of `bounded::finish` if it runs or prints without end.
pub fn run(dir: &Path, argv: &[&str]) -> std::io::Result<Bytes> {
    let (program, arguments) = argv.split_first().ok_or(ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").current_dir(dir).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let finished = move || wait(async { bounded::finish(command.spawn()?, LIMIT, MAX_OUTPUT).await })?;
    // A runtime must not be made inside another one.
    let output = std::thread::scope(|scope| scope.spawn(finished).join());
    let output = output.unwrap_or_else(|_| Err(std::io::Error::other("the thread panicked")))?;
    Ok(Bytes {
        status: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Where programs are searched: the PATH, and then the directories for administrators, which are not on everybody's.
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

    #[tokio::test]
    async fn a_command_may_be_run_inside_a_runtime_and_one_that_is_not_installed_is_known_by_its_error() {
        let error = run(Path::new("/"), &["no-such-program"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn programs_are_found_where_a_shell_would_find_them() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program"), None);
    }
}
