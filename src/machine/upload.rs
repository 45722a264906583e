//! A large file, copied from this machine to a machine of the lab: streamed, with reports of its progress, and cancelled when
//! the caller drops it. The copy is read again on its machine: the result is its digest.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::command::ExecError;
use super::local_or_remote::Machine;

/// Writes standard input into the file `$1`, which its owner alone can read, and prints its SHA-256.
const RECEIVE: &str = "umask 077; cat > \"$1\" && sha256sum < \"$1\"";
/// What is read at once, bytes.
const PART: usize = 1 << 18;
/// For the slowest link that is worth waiting for, bytes/s.
const SLOWEST: u64 = 1 << 19;
/// Beyond that.
const GRACE: Duration = Duration::from_secs(60);

/// A file on its way.
struct Upload<F> {
    file: File,
    sent: u64,
    progress: F,
    cancelled: Arc<AtomicBool>,
}

impl<F: FnMut(u64)> Read for Upload<F> {
    fn read(&mut self, part: &mut [u8]) -> io::Result<usize> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("the upload was cancelled"));
        }
        let length = self.file.read(part)?;
        self.sent += length as u64;
        (self.progress)(self.sent);
        Ok(length)
    }
}

/// Cancels the upload when its future is dropped: a blocking thread cannot be dropped.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Copies `file` to `target` on a machine; `progress` gets the number of bytes sent so far. Returns the SHA-256 of the
/// copy, hexadecimal.
///
/// # Errors
/// [`ExecError`] if the file cannot be read, or the machine refuses it: typically its disk is full.
pub async fn upload(
    machine: &Machine,
    file: &Path,
    target: &Path,
    progress: impl FnMut(u64) + Send + 'static,
) -> Result<String, ExecError> {
    let refused = |cause: io::Error| ExecError::Start {
        command: format!("read {}", file.display()),
        cause: cause.to_string(),
    };
    let opened = File::open(file).map_err(refused)?;
    let length = opened.metadata().map_err(refused)?.len();
    let limit = GRACE + Duration::from_secs(length / SLOWEST);
    let cancelled = Arc::new(AtomicBool::new(false));
    let _cancel = CancelOnDrop(cancelled.clone());
    let source = BufReader::with_capacity(PART, Upload { file: opened, sent: 0, progress, cancelled });
    let argv = ["sh", "-c", RECEIVE, "receive", &target.to_string_lossy()].map(str::to_owned);
    let output = match machine {
        Machine::Local(local) => local.feed(&argv, source, limit).await?,
        // Over a session of its own: commands on the other one go on meanwhile.
        Machine::Remote(remote) => remote.another().await?.feed(&remote.marked(&argv), source, limit).await?,
    };
    Ok(output.stdout.split_whitespace().next().unwrap_or_default().to_owned())
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
    async fn a_file_arrives_whole_and_private_and_its_progress_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let (file, target) = (file(dir.path()), dir.path().join("its copy"));
        let reports = Arc::new(Mutex::new(Vec::new()));
        let progress = {
            let reports = reports.clone();
            move |sent| reports.lock().unwrap().push(sent)
        };
        let digest = upload(&Machine::local(), &file, &target, progress).await.unwrap();
        let bytes = std::fs::read(&target).unwrap();
        assert_eq!(bytes, std::fs::read(&file).unwrap());
        assert_eq!(
            digest,
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        );
        let mode = std::os::unix::fs::PermissionsExt::mode(&target.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(reports.lock().unwrap().contains(&(PART as u64)), "{reports:?}");
        assert_eq!(reports.lock().unwrap().last(), Some(&(LENGTH as u64)));
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_with_the_system_s_message() {
        let dir = tempfile::tempdir().unwrap();
        let full = upload(&Machine::local(), &file(dir.path()), Path::new("/dev/full"), |_| ()).await;
        assert!(full.unwrap_err().to_string().contains("No space left on device"));
    }

    #[test]
    fn a_cancelled_upload_reads_no_further() {
        let dir = tempfile::tempdir().unwrap();
        let cancelled = Arc::new(AtomicBool::new(false));
        let opened = File::open(file(dir.path())).unwrap();
        let mut source = Upload { file: opened, sent: 0, progress: |_| (), cancelled: cancelled.clone() };
        assert_eq!(source.read(&mut [0; 8]).unwrap(), 8);
        drop(CancelOnDrop(cancelled));
        assert!(source.read(&mut [0; 8]).is_err());
    }
}
