//! The lock on the settings of a whole machine: one run holds it at a time, from before its first change until all is put
//! back. A second one would note the first one's value as the machine's own, and leave it there for good.
//!
//! It is a lock on one file, the same whatever the state directory of a run: the machine is the same. A shell on the machine
//! holds it until its standard input ends, with the process of the run or the SSH session.

use std::fmt;
use std::time::Duration;

use tokio::io::BufReader;
use tokio::runtime::Runtime;

use super::{LabError, RunId, machines};
use crate::machine::Machine;
use crate::machine::line::read_line;
use crate::machine::login::Location;
use crate::machine::started::Started;

/// The file. It names the holder of the lock, and goes with it.
const FILE: &str = "/run/kvmfair.lock";
/// What to do where another run has it.
pub const NEXT_STEP: &str = "wait for its end; or leave out what changes the machine: `hugepages` in [guest], and of \
    [tuning.host] all but what is the NIC's";
/// For the shell that holds it to start, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes the lock on $1 for the holder $2, prints "taken" or "held HOLDER", and holds it until the end of its input. It tries
/// for two seconds: `kvmfair check` takes it for a moment. A lock on a file that was removed meanwhile does not count.
const HOLD: &str = r#"n=0
until exec 9>>"$1" && flock -n 9 && [ "$1" -ef /proc/self/fd/9 ]; do
n=$((n + 1)); [ $n -lt 10 ] || { echo "held $(cat "$1")"; exit 0; }; sleep 0.2
done
printf '%s' "$2" >"$1"; echo taken; cat >/dev/null; rm -f "$1""#;

/// Prints who holds the lock on $1, if anybody does.
const HOLDER: &str = r#"[ ! -e "$1" ] || { exec 9<"$1"; flock -n -s 9 || cat "$1"; }"#;

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
    fn this_process(run: &RunId) -> Holder {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Holder { run: run.to_string(), pid: std::process::id().to_string(), on: name.trim().into() }
    }

    /// Reads what [`Holder::line`] wrote; words that are not written yet are unknown.
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

/// The lock; it is released with the value, which must not be dropped inside a runtime.
#[derive(Debug)]
pub struct SettingsLock {
    shell: Started,
    /// What the shell's pipes belong to.
    runtime: Runtime,
}

/// Takes the lock of a machine. To be called outside of a runtime; it leaves no thread behind on this machine.
///
/// # Errors
/// [`LabError::Settings`] if another run holds it; other [`LabError`]s if the machine does not answer or refuses the file.
pub fn take(location: &Location, run: &RunId) -> Result<SettingsLock, LabError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(LabError::system("start a runtime"))?;
    let shell = runtime.block_on(async {
        // Not marked as the run's own: undoing ends such processes before it writes values back.
        let machine = machines::open(location, "").await?;
        hold(&machine, FILE, &Holder::this_process(run)).await
    })?;
    Ok(SettingsLock { shell, runtime })
}

async fn hold(machine: &Machine, file: &str, holder: &Holder) -> Result<Started, LabError> {
    let failed = || LabError::system(format!("lock {file} on the VM host"));
    let mark = format!("KVMFAIR_SETTINGS={}", holder.run); // by which a watchdog finds it
    let argv = ["env", &mark, "sh", "-c", HOLD, "hold", file, &holder.line()];
    let mut shell = machine.start(&argv).await.map_err(failed())?;
    let mut answer = String::new();
    if let Some(stdout) = shell.stdout.take() {
        let answered = tokio::time::timeout(PATIENCE, read_line(&mut BufReader::new(stdout))).await;
        answer = answered
            .map_err(|_| failed()(std::io::Error::from(std::io::ErrorKind::TimedOut)))?
            .map_err(failed())?;
    }
    match answer.trim().strip_prefix("held ") {
        None if answer.trim() == "taken" => Ok(shell),
        None => {
            let error = format!("{answer:?} {}", shell.last_words(PATIENCE).await);
            Err(failed()(std::io::Error::other(format!("the shell printed {error}"))))
        }
        Some(other) => Err(LabError::Settings(Holder::parse(other))),
    }
}

impl Drop for SettingsLock {
    fn drop(&mut self) {
        self.runtime.block_on(self.shell.end(PATIENCE));
    }
}

/// The run that changes settings of a machine at the moment; `None` as well if the machine does not answer.
pub async fn holder(machine: &Machine) -> Option<Holder> {
    holder_of(machine, FILE).await
}

async fn holder_of(machine: &Machine, file: &str) -> Option<Holder> {
    let holder = machine.run(&["sh", "-c", HOLDER, "holder", file]).await.ok()?.stdout;
    (!holder.trim().is_empty()).then(|| Holder::parse(&holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str) -> Holder {
        Holder { run: id.into(), pid: "7".into(), on: "lab".into() }
    }

    #[tokio::test]
    async fn a_second_run_gets_the_name_of_the_holder_until_the_lock_is_released() {
        let dir = tempfile::tempdir().unwrap();
        let (path, machine) = (dir.path().join("lock"), Machine::local());
        let file = path.to_str().unwrap();
        assert_eq!(holder_of(&machine, file).await, None);
        let mut first = hold(&machine, file, &run("abc234")).await.unwrap();
        assert_eq!(holder_of(&machine, file).await, Some(run("abc234")));
        let error = hold(&machine, file, &run("abc235")).await.unwrap_err().to_string();
        assert!(error.contains("run abc234 (process 7 on lab)"), "{error}");
        first.end(PATIENCE).await;
        assert!(!path.exists());
        hold(&machine, file, &run("abc235")).await.unwrap().end(PATIENCE).await;
    }

    #[tokio::test]
    async fn a_lock_on_a_removed_file_is_not_a_lock() {
        let dir = tempfile::tempdir().unwrap();
        let (path, machine) = (dir.path().join("lock"), Machine::local());
        let file = path.to_str().unwrap();
        let mut first = hold(&machine, file, &run("abc234")).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut second = hold(&machine, file, &run("abc235")).await.unwrap();
        assert_eq!(holder_of(&machine, file).await, Some(run("abc235")));
        second.end(PATIENCE).await;
        first.end(PATIENCE).await;
    }

    #[test]
    fn the_lock_is_released_with_the_value_and_refused_where_the_file_cannot_be_written() {
        let machine = Machine::local();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let refused = runtime.block_on(hold(&machine, "/no/such/directory/lock", &run("abc234")));
        assert!(refused.unwrap_err().to_string().contains("/no/such/directory/lock"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let shell = runtime.block_on(hold(&machine, path.to_str().unwrap(), &run("abc234"))).unwrap();
        drop(SettingsLock { shell, runtime });
        assert!(!path.exists());
    }
}
