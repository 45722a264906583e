//! The right to change settings of a whole machine: one run has it at a time, from before its first change until all is put
//! back. A second one would note the first one's value as the machine's own, and leave it there for good.
//!
//! It is a lock on one file, the same whatever the state directory of a run: the machine is the same. The lock ends with
//! its process. On another machine a shell holds it, as long as the SSH session to it lasts.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::runtime::Runtime;

use super::{LabError, RunId, machines};
use crate::machine::Machine;
use crate::machine::started::Started;
use crate::profile::HostPlace;

/// The file. It says who holds the lock, and goes with it.
const FILE: &str = "/run/kvmfair.lock";
/// What to do where another run has it.
pub const NEXT_STEP: &str = "wait for its end; or leave out what changes the machine: `hugepages` in [guest], and of \
    [tuning.host] all but what is the NIC's";
/// Attempts to get it, each followed by a pause: `kvmfair check` holds it for a moment while it looks.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);
/// For the shell that holds it to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the lock on $1 for the holder $2, says "taken" or "held HOLDER", and holds it until the end of its input. Who
/// locked a file that was removed meanwhile has locked nothing.
const HOLD: &str = r#"n=0
until exec 9>>"$1" && flock -n 9 && [ "$1" -ef /proc/self/fd/9 ]; do
n=$((n + 1)); [ $n -lt 10 ] || { echo "held $(cat "$1")"; exit 0; }; sleep 0.2
done
printf '%s' "$2" >"$1"; echo taken; cat >/dev/null; rm -f "$1""#;

/// Prints who holds the lock on $1, if anybody does.
const LOOK: &str = r#"[ ! -e "$1" ] || { exec 9<"$1"; flock -n -s 9 || cat "$1"; }"#;

/// Who changes settings of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The run's id.
    pub run: String,
    /// Its process.
    pub pid: String,
    /// The machine on which that runs.
    pub on: String,
}

impl Holder {
    fn myself(run: &RunId) -> Holder {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Holder { run: run.to_string(), pid: std::process::id().to_string(), on: name.trim().into() }
    }

    /// What [`Holder::line`] wrote; words that are not there yet are unknown.
    fn parse(line: &str) -> Holder {
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut word = || words.next().unwrap_or_else(|| "?".into());
        Holder { run: word(), pid: word(), on: word() }
    }

    fn line(&self) -> String {
        format!("{} {} {}", self.run, self.pid, self.on)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} (process {} on {})", self.run, self.pid, self.on)
    }
}

/// The right, given back with the value.
#[derive(Debug)]
pub struct SettingsLock {
    held: HeldLock,
}

#[derive(Debug)]
enum HeldLock {
    Here { _locked: File },
    There(Box<Shell>),
}

/// What holds it on another machine, and the runtime that its pipes belong to.
#[derive(Debug)]
struct Shell {
    started: Started,
    runtime: Runtime,
}

/// Takes the right to change settings of a machine. To be called where no runtime is at work.
///
/// # Errors
/// [`LabError::Settings`] if another run has it; other [`LabError`]s if the machine does not answer or refuses the file.
pub fn take(place: &HostPlace, run: &RunId) -> Result<SettingsLock, LabError> {
    let held = match place {
        HostPlace::Here => HeldLock::Here { _locked: take_here(Path::new(FILE), &Holder::myself(run))? },
        HostPlace::There(_) => take_there(place, &Holder::myself(run))?,
    };
    Ok(SettingsLock { held })
}

fn take_here(path: &Path, holder: &Holder) -> Result<File, LabError> {
    let refused = || LabError::system(format!("lock {}", path.display()));
    for _ in 0..ATTEMPTS {
        if let Some(mut file) = locked(path).map_err(refused())? {
            file.set_len(0).and_then(|()| file.write_all(holder.line().as_bytes())).map_err(refused())?;
            return Ok(file);
        }
        std::thread::sleep(PAUSE);
    }
    Err(LabError::Settings(Holder::parse(&std::fs::read_to_string(path).unwrap_or_default())))
}

/// The locked file; `None` if somebody else has it, or removed it meanwhile.
fn locked(path: &Path) -> std::io::Result<Option<File>> {
    let file = File::options().write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(cause)) => return Err(cause),
    }
    let (mine, there) = (file.metadata()?, std::fs::metadata(path));
    Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (mine.dev(), mine.ino())).then_some(file))
}

fn take_there(place: &HostPlace, holder: &Holder) -> Result<HeldLock, LabError> {
    let refused = || LabError::system(format!("lock {FILE} on the VM host"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(refused())?;
    let (shell, said) = runtime.block_on(async {
        // Not marked as the run's own: undoing ends the processes that are before it writes values back.
        let host = machines::open(place, "").await?;
        let argv = ["sh", "-c", HOLD, "hold", FILE, &holder.line()];
        let mut shell = host.start(&argv).await.map_err(refused())?;
        let mut said = String::new();
        if let Some(stdout) = shell.stdout.take() {
            BufReader::new(stdout).read_line(&mut said).await.map_err(refused())?;
        }
        Ok::<_, LabError>((shell, said))
    })?;
    match said.trim().strip_prefix("held ") {
        None if said.trim() == "taken" => Ok(HeldLock::There(Box::new(Shell { started: shell, runtime }))),
        None => Err(refused()(std::io::Error::other(format!("its shell said {said:?}")))),
        Some(other) => Err(LabError::Settings(Holder::parse(other))),
    }
}

impl Drop for SettingsLock {
    fn drop(&mut self) {
        match &mut self.held {
            HeldLock::Here { .. } => drop(std::fs::remove_file(FILE)), // while it is locked
            HeldLock::There(shell) => {
                shell.runtime.block_on(shell.started.end(PATIENCE));
            }
        }
    }
}

/// Who changes settings of this machine at the moment.
pub fn holder_here() -> Option<Holder> {
    holder(Path::new(FILE))
}

fn holder(path: &Path) -> Option<Holder> {
    let file = File::open(path).ok()?;
    let held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    held.then(|| Holder::parse(&std::fs::read_to_string(path).unwrap_or_default()))
}

/// Who changes settings of another machine at the moment; `None` as well if it does not answer.
pub async fn holder_there(host: &Machine) -> Option<Holder> {
    let said = host.run(&["sh", "-c", LOOK, "look", FILE]).await.ok()?.stdout;
    (!said.trim().is_empty()).then(|| Holder::parse(&said))
}

/// Removes the file that a killed run left; one that is held stays.
pub fn remove_unheld() {
    if Path::new(FILE).exists()
        && let Ok(Some(_locked)) = locked(Path::new(FILE))
    {
        drop(std::fs::remove_file(FILE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder_of(run: &str) -> Holder {
        Holder { run: run.into(), pid: "7".into(), on: "lab".into() }
    }

    #[test]
    fn a_second_run_is_told_who_has_the_right_until_that_gives_it_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert_eq!(holder(&path), None);
        let first = take_here(&path, &holder_of("abc234")).unwrap();
        assert_eq!(holder(&path), Some(holder_of("abc234")));
        let error = take_here(&path, &holder_of("abc235")).unwrap_err().to_string();
        assert!(error.contains("run abc234 (process 7 on lab)"), "{error}");
        drop(first);
        take_here(&path, &holder_of("abc235")).unwrap();
    }

    #[test]
    fn a_file_that_its_holder_removed_gives_nobody_the_right() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = take_here(&path, &holder_of("abc234")).unwrap();
        std::fs::remove_file(&path).unwrap();
        let second = take_here(&path, &holder_of("abc235")).unwrap();
        drop(first);
        assert_eq!(holder(&path), Some(holder_of("abc235")));
        drop(second);
    }

    #[test]
    fn a_shell_holds_the_same_lock_until_its_input_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let mut shell = std::process::Command::new("sh")
            .args(["-c", HOLD, "hold", path.to_str().unwrap(), "abc234 7 lab"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 6];
        std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut said).unwrap();
        assert_eq!((&said, holder(&path)), (b"taken\n", Some(holder_of("abc234"))));
        assert!(take_here(&path, &holder_of("abc235")).is_err());
        let look = || {
            let argv = ["-c", LOOK, "look", path.to_str().unwrap()];
            String::from_utf8(std::process::Command::new("sh").args(argv).output().unwrap().stdout).unwrap()
        };
        assert_eq!(look(), "abc234 7 lab");
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert_eq!((look().as_str(), path.exists()), ("", false));
    }
}
