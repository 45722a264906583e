//! A large file of this machine's, copied to a machine of the lab: streamed, told as it goes, and given up with whoever
//! awaits it. What arrived is read again there: the answer is its digest.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::command::{ExecError, Output, as_told};
use super::local::{Local, RUN_VARIABLE};
use super::local_or_remote::{Machine, Remote};

/// Writes standard input into the file `$1`, which its owner alone can read, and says its SHA-256.
const RECEIVE: &str = "umask 077; cat > \"$1\" && sha256sum < \"$1\"";
/// What is read at once, bytes.
const PART: usize = 1 << 18;
/// For the slowest link that is worth waiting for, bytes/s.
const SLOWEST: u64 = 1 << 19;
/// Beyond that.
const GRACE: Duration = Duration::from_secs(60);

/// A file on its way.
struct Source<F> {
    file: File,
    sent: u64,
    told: F,
    given_up: Arc<AtomicBool>,
}

impl<F: FnMut(u64)> Read for Source<F> {
    fn read(&mut self, part: &mut [u8]) -> io::Result<usize> {
        if self.given_up.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody waits for it any more"));
        }
        let length = self.file.read(part)?;
        self.sent += length as u64;
        (self.told)(self.sent);
        Ok(length)
    }
}

/// Gives the upload up when whoever awaits it goes: a blocking thread cannot be dropped.
struct Awaited(Arc<AtomicBool>);

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Copies `file` to `target` on a machine; `told` hears how many bytes have been sent. Returns the SHA-256 of what lies
/// there then, hexadecimal.
///
/// # Errors
/// [`ExecError`] if the file cannot be read, or the machine refuses it: typically its disk is full.
pub async fn upload(
    machine: &Machine,
    file: &Path,
    target: &Path,
    told: impl FnMut(u64) + Send + 'static,
) -> Result<String, ExecError> {
    let refused = |cause: io::Error| ExecError::Start {
        command: format!("read {}", file.display()),
        cause: cause.to_string(),
    };
    let opened = File::open(file).map_err(refused)?;
    let length = opened.metadata().map_err(refused)?.len();
    let limit = GRACE + Duration::from_secs(length / SLOWEST);
    let given_up = Arc::new(AtomicBool::new(false));
    let _awaited = Awaited(given_up.clone());
    let source = BufReader::with_capacity(PART, Source { file: opened, sent: 0, told, given_up });
    let argv = ["sh", "-c", RECEIVE, "receive", &target.to_string_lossy()].map(str::to_owned);
    let output = match machine {
        Machine::Local(local) => receive_local(local.clone(), argv, source).await,
        Machine::Remote(remote) => receive_remote(remote, argv, source, limit).await,
    }?;
    Ok(output.stdout.split_whitespace().next().unwrap_or_default().to_owned())
}

async fn receive_local(
    local: Local,
    argv: [String; 5],
    mut source: impl Read + Send + 'static,
) -> Result<Output, ExecError> {
    let refused = {
        let command = as_told(&argv);
        move |cause: String| ExecError::Start { command: command.clone(), cause }
    };
    let work = move || {
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(local.run_name().map(|run| (RUN_VARIABLE, run)));
        let mut child = command.spawn()?;
        // One that ends before it has read everything says why in its status.
        let _ = child.stdin.take().map(|mut stdin| io::copy(&mut source, &mut stdin));
        let ended = child.wait_with_output()?;
        Ok(super::local::decode(ended).success(&argv))
    };
    let ended: Result<io::Result<_>, _> = tokio::task::spawn_blocking(work).await;
    ended.map_err(|panic| refused(panic.to_string()))?.map_err(|cause| refused(cause.to_string()))?
}

/// Over a session of its own: others go on meanwhile.
async fn receive_remote(
    remote: &Remote,
    argv: [String; 5],
    source: impl Read + Send + 'static,
    limit: Duration,
) -> Result<Output, ExecError> {
    let session = remote.another().await;
    let session =
        session.map_err(|error| ExecError::Session { host: remote.to_string(), cause: error.to_string() })?;
    session.feed(&remote.marked(&argv), source, limit).await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use sha2::{Digest, Sha256};

    use super::*;

    const LENGTH: usize = 3 * PART + 17;

    fn file(dir: &Path) -> std::path::PathBuf {
        let file = dir.join("a file");
        std::fs::write(&file, (0..LENGTH).map(|n| n as u8).collect::<Vec<u8>>()).unwrap();
        file
    }

    #[tokio::test]
    async fn a_file_arrives_whole_and_private_and_its_way_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (file, target) = (file(dir.path()), dir.path().join("its copy"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = {
            let heard = heard.clone();
            move |sent| heard.lock().unwrap().push(sent)
        };
        let digest = upload(&Machine::local(), &file, &target, told).await.unwrap();
        let bytes = std::fs::read(&target).unwrap();
        assert_eq!(bytes, std::fs::read(&file).unwrap());
        assert_eq!(
            digest,
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        );
        let mode = std::os::unix::fs::PermissionsExt::mode(&target.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(heard.lock().unwrap().contains(&(PART as u64)), "{heard:?}");
        assert_eq!(heard.lock().unwrap().last(), Some(&(LENGTH as u64)));
    }

    #[tokio::test]
    async fn a_machine_without_room_is_an_error_in_its_own_words() {
        let dir = tempfile::tempdir().unwrap();
        let full = upload(&Machine::local(), &file(dir.path()), Path::new("/dev/full"), |_| ()).await;
        assert!(full.unwrap_err().to_string().contains("No space left on device"));
    }

    #[test]
    fn what_nobody_awaits_is_not_read_on() {
        let dir = tempfile::tempdir().unwrap();
        let given_up = Arc::new(AtomicBool::new(false));
        let opened = File::open(file(dir.path())).unwrap();
        let mut source = Source { file: opened, sent: 0, told: |_| (), given_up: given_up.clone() };
        assert_eq!(source.read(&mut [0; 8]).unwrap(), 8);
        drop(Awaited(given_up));
        assert!(source.read(&mut [0; 8]).is_err());
    }
}
