//! The watchdog of a run on another machine: a shell there that ends the run's processes and guests and undoes its changes as
//! soon as kvmfair is gone, be it killed, frozen or cut off. Nobody has to run `kvmfair clean` for that.
//!
//! Before each change it receives the call that undoes it, and a beat every few seconds. It does not learn of changes that are
//! undone already: undoing them again changes nothing. At the regular end of a run it undoes all of them too, and the clean-up
//! waits for that. A thread of its own sends the beats, so that a busy runtime does not delay them.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::change::{self, Calls, Change};
use super::local_or_remote::Remote;
use super::pump::{ProcessEnds, thread};

/// After so long without a line from kvmfair, a watchdog undoes the run.
pub const SILENCE: Duration = Duration::from_secs(30);
/// Between two lines.
const BEAT: Duration = Duration::from_secs(5);
/// For an answer. By then the watchdog has done its work, if it lives.
const ANSWER: Duration = Duration::from_secs(60);
/// For what it printed as it could not start.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// The longest answer and the longest error, bytes.
const LONGEST: u64 = 4096;

/// Why there is no watchdog on a machine any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchdogError {
    /// It did not start.
    #[error("failed to start the watchdog on {machine}: {cause}")]
    Start {
        /// The machine.
        machine: String,
        /// What it printed, or the system's error.
        cause: String,
    },
    /// It has undone the run.
    #[error(
        "{machine} has ended the load and the guests of this run and undone its changes by itself: {why} \
         (hint: keep kvmfair's machine awake and connected while it measures)"
    )]
    Over {
        /// The machine.
        machine: String,
        /// Why, in its words.
        why: String,
    },
    /// It does not answer: it was ended, or undoes the run behind a lost connection.
    #[error(
        "lost the watchdog on {machine}: {cause} (hint: that machine undoes the run by itself; `kvmfair clean` makes sure of it \
         once it can be reached)"
    )]
    Lost {
        /// The machine.
        machine: String,
        /// What became of the connection.
        cause: String,
    },
}

/// A watchdog that is at work; clones are the same one. It undoes the run when the last of them is dropped.
#[derive(Clone)]
pub struct Watchdog {
    machine: String,
    lines: Arc<Mutex<Lines>>,
    lost: watch::Receiver<Option<WatchdogError>>,
}

/// What has to be undone, and the way to the thread.
struct Lines {
    calls: Calls,
    sender: Sender<WatchdogLine>,
}

/// A line, and who waits until the watchdog has it.
struct WatchdogLine(String, oneshot::Sender<()>);

impl Watchdog {
    /// Starts the watchdog of a run on a machine.
    ///
    /// # Errors
    /// [`WatchdogError::Start`] if it does not answer.
    pub async fn start(remote: &Remote, run: &str) -> Result<Watchdog, WatchdogError> {
        let machine = remote.to_string();
        let failed =
            |cause: Error| WatchdogError::Start { machine: machine.clone(), cause: cause.to_string() };
        let ends = remote.unmarked().process(&change::watchdog(run, SILENCE)).await.map_err(failed)?;
        let conversation = tokio::task::spawn_blocking(move || Conversation::begin(ends)).await;
        let conversation = conversation.map_err(Error::other).and_then(|begun| begun).map_err(failed)?;
        Watchdog::talk(machine.clone(), conversation).map_err(failed)
    }

    fn talk(machine: String, conversation: Conversation) -> Result<Watchdog, Error> {
        let (sender, lines) = channel();
        let (report, lost) = watch::channel(None);
        let name = machine.clone();
        thread("watchdog", move || {
            if let Err(error) = conversation.hold(&lines) {
                report.send_replace(Some(why(name, &error)));
            }
        })?;
        let lines = Arc::new(Mutex::new(Lines { calls: Calls::default(), sender }));
        Ok(Watchdog { machine, lines, lost })
    }

    /// Makes sure that the watchdog can undo a change. Only then may the change be made.
    ///
    /// # Errors
    /// [`WatchdogError`] if it is gone; the change must not be made then.
    pub async fn before(&self, change: &Change) -> Result<(), WatchdogError> {
        let kept = {
            let mut lines = self.lines();
            let Some(call) = lines.calls.next(change) else { return Ok(()) };
            let (sender, kept) = oneshot::channel();
            // The thread may have ended; then nobody answers.
            let _ = lines.sender.send(WatchdogLine(call, sender));
            kept
        };
        match kept.await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.clone().lost().await),
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Returns when the watchdog is gone: nothing can be measured on its machine any more.
    pub async fn lost(mut self) -> WatchdogError {
        let lost = self.lost.wait_for(Option::is_some).await.ok().and_then(|lost| lost.clone());
        lost.unwrap_or_else(|| why(self.machine.clone(), &ErrorKind::UnexpectedEof.into()))
    }
}

/// A line of the watchdog that is not the expected one.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unexpected(String);

fn why(machine: String, error: &Error) -> WatchdogError {
    let printed = error.get_ref().and_then(|error| error.downcast_ref::<Unexpected>());
    match printed.and_then(|Unexpected(line)| line.strip_prefix("over ")) {
        Some(why) => WatchdogError::Over { machine, why: why.to_owned() },
        None => WatchdogError::Lost { machine, cause: error.to_string() },
    }
}

/// The two directions of the conversation with a watchdog: a line, an answer.
struct Conversation {
    input: UnixStream,
    output: BufReader<UnixStream>,
}

impl Conversation {
    /// Waits until the watchdog is at work.
    fn begin(ends: ProcessEnds) -> Result<Conversation, Error> {
        let mut begun = Conversation::over(ends.stream)?;
        begun.ok().map_err(|error| {
            let mut printed = String::new();
            let _ = ends.stderr.set_read_timeout(Some(LAST_WORDS));
            let _ = ends.stderr.take(LONGEST).read_to_string(&mut printed);
            if printed.trim().is_empty() { error } else { Error::other(printed.trim().to_owned()) }
        })?;
        Ok(begun)
    }

    fn over(input: UnixStream) -> Result<Conversation, Error> {
        input.set_read_timeout(Some(ANSWER))?;
        input.set_write_timeout(Some(ANSWER))?;
        Ok(Conversation { output: BufReader::new(input.try_clone()?), input })
    }

    /// Passes lines on until nobody sends any more, with beats between them.
    fn hold(mut self, lines: &Receiver<WatchdogLine>) -> Result<(), Error> {
        loop {
            match lines.recv_timeout(BEAT) {
                Ok(WatchdogLine(call, kept)) => {
                    self.send(&call)?;
                    let _ = kept.send(()); // who waited may be gone
                }
                Err(RecvTimeoutError::Timeout) => self.send("beat\n")?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn send(&mut self, line: &str) -> Result<(), Error> {
        // A watchdog that is gone may have printed why.
        let written = self.input.write_all(line.as_bytes());
        self.ok().map_err(|error| match (written, error.kind()) {
            (Err(written), ErrorKind::UnexpectedEof) => written,
            _ => error,
        })
    }

    fn ok(&mut self) -> Result<(), Error> {
        let mut line = String::new();
        match (&mut self.output).take(LONGEST).read_line(&mut line) {
            Ok(0) => Err(Error::new(ErrorKind::UnexpectedEof, "it has ended")),
            Ok(_) if line == "ok\n" => Ok(()),
            Ok(_) => Err(Error::other(Unexpected(line.trim_end().to_owned()))),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(Error::new(ErrorKind::TimedOut, format!("no answer for {} s", ANSWER.as_secs())))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A watchdog whose other end is in the test's hands.
    fn watched() -> (Watchdog, UnixStream, BufReader<UnixStream>) {
        let (near, far) = UnixStream::pair().unwrap();
        let watchdog = Watchdog::talk("root@lab".into(), Conversation::over(near).unwrap()).unwrap();
        let lines = BufReader::new(far.try_clone().unwrap());
        (watchdog, far, lines)
    }

    fn tree(path: &str) -> Change {
        Change::Tree { path: path.into() }
    }

    fn lab(lost: WatchdogError) -> String {
        let text = lost.to_string();
        assert!(text.contains("root@lab"), "{text}");
        text
    }

    #[tokio::test]
    async fn a_change_waits_until_the_watchdog_has_its_undo_and_a_second_one_of_the_kind_does_not() {
        let (watchdog, mut far, mut lines) = watched();
        let change = tree("/run/a b");
        let noted = tokio::spawn({
            let (watchdog, change) = (watchdog.clone(), change.clone());
            async move { watchdog.before(&change).await }
        });
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            line
        });
        assert_eq!(line.await.unwrap(), "tree '/run/a b'\n");
        assert!(!noted.is_finished());
        far.write_all(b"ok\n").unwrap();
        noted.await.unwrap().unwrap();
        watchdog.before(&change).await.unwrap(); // nobody answers, and nobody has to
    }

    #[tokio::test]
    async fn a_watchdog_that_has_undone_the_run_is_named_with_its_reason_and_forbids_changes() {
        let (watchdog, mut far, _lines) = watched();
        far.write_all(b"over kvmfair was silent for 30 s\n").unwrap();
        let refused = watchdog.before(&tree("/run/a")).await.unwrap_err();
        let text = lab(refused.clone());
        assert!(text.contains("by itself: kvmfair was silent for 30 s"), "{text}");
        assert_eq!(watchdog.lost().await, refused);
    }

    #[tokio::test]
    async fn a_watchdog_that_was_ended_or_breaks_off_is_lost_and_blocks_nobody() {
        for last in [&b""[..], b"o", b"Last login: yesterday\n"] {
            let (watchdog, mut far, lines) = watched();
            far.write_all(last).unwrap();
            drop((far, lines));
            let refused = watchdog.before(&tree("/run/a")).await.unwrap_err();
            assert!(matches!(refused, WatchdogError::Lost { .. }), "{refused:?}");
            assert!(lab(watchdog.lost().await).contains("lost the watchdog"));
        }
    }

    /// The real one, on this machine; run as root, who may write to /run.
    fn real(run: &str, limit: Duration) -> (Child, Conversation) {
        let (near, far) = UnixStream::pair().unwrap();
        let far = || Stdio::from(OwnedFd::from(far.try_clone().unwrap()));
        let mut command = Command::new("setsid");
        command.arg("--wait").args(change::watchdog(run, limit)).stdin(far()).stdout(far());
        let child = command.spawn().unwrap();
        let mut conversation = Conversation::over(near).unwrap();
        conversation.ok().unwrap();
        (child, conversation)
    }

    fn note(conversation: &mut Conversation, changes: &[Change]) {
        let mut calls = Calls::default();
        changes.iter().for_each(|change| conversation.send(&calls.next(change).unwrap()).unwrap());
    }

    fn values(dir: &Path) -> [Change; 2] {
        let (first, second) = (dir.join("value"), dir.join("value"));
        std::fs::write(&first, "changed twice").unwrap();
        let value = |path, value: &str| Change::Value { path, value: value.into() };
        [value(first, "at first\n"), value(second, "changed\n")]
    }

    #[test]
    fn at_the_end_of_kvmfair_its_processes_end_and_changes_are_undone_the_last_first() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let (mut watchdog, mut conversation) = real("wdgend", SILENCE);
        let mut load = Command::new("sleep").arg("600").env("KVMFAIR_RUN", "wdgend").spawn().unwrap();
        note(&mut conversation, &values(dir.path()));
        conversation.send("beat\n").unwrap();
        drop(conversation);
        assert!(!load.wait().unwrap().success());
        assert!(watchdog.wait().unwrap().success());
        assert_eq!(std::fs::read_to_string(dir.path().join("value")).unwrap(), "at first\n");
    }

    #[test]
    fn a_silent_kvmfair_is_taken_for_gone_and_learns_of_it_when_it_comes_back() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let (mut watchdog, mut conversation) = real("wdgmut", Duration::from_secs(1));
        note(&mut conversation, &values(dir.path()));
        assert!(watchdog.wait().unwrap().success());
        assert_eq!(std::fs::read_to_string(dir.path().join("value")).unwrap(), "at first\n");
        let lost = why("root@lab".into(), &conversation.send("beat\n").unwrap_err());
        assert!(lab(lost).ends_with(
            "by itself: kvmfair was silent for 1 s (hint: keep kvmfair's machine awake and connected while it measures)"
        ));
    }
}
