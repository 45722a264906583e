//! A run that goes on while the test listens to what it says.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// No run of the tests takes so long: one that does hangs.
const HANGS: Duration = Duration::from_secs(600);

/// A run, ended with the value if it still lives.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
    stdout: Option<JoinHandle<String>>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    /// What it said.
    pub stdout: String,
    /// Its lines on standard error.
    pub stderr: Vec<String>,
}

impl Running {
    /// Starts a command; adds the id of its run to `ids` as soon as it tells it.
    pub fn start(mut command: Command, ids: Arc<Mutex<BTreeSet<String>>>) -> Running {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if let Some((_, id)) = line.split_once("making the lab of run ") {
                    ids.lock().unwrap().insert(id.to_owned());
                }
                sender.send(line).ok();
            }
        });
        let mut stdout = child.stdout.take().unwrap();
        let stdout = spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).ok();
            text
        });
        Running { child, lines, heard: Vec::new(), stdout: Some(stdout) }
    }

    /// Waits until the run says something new that contains `words`.
    pub fn hear(&mut self, words: &str) {
        self.line_with(words);
    }

    /// The same; the line with the words.
    pub fn line_with(&mut self, words: &str) -> String {
        loop {
            match self.lines.recv_timeout(HANGS) {
                Ok(line) => {
                    self.heard.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("the run hangs after {:#?}", self.heard),
                Err(RecvTimeoutError::Disconnected) => panic!("no {words:?} in {:#?}", self.heard),
            }
        }
    }

    /// The run's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the run's process, and to it alone.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Kills the run at once and waits until it is gone; what it had started lives on.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.stdout = None;
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < HANGS, "the run does not end: {:#?}", self.heard);
            sleep(Duration::from_millis(20));
        };
        let stdout = self.stdout.take().unwrap().join().unwrap();
        let mut stderr = std::mem::take(&mut self.heard);
        stderr.extend(self.lines.iter());
        Ended { code: status.code(), stdout, stderr }
    }
}

impl Ended {
    /// Fails with everything that the run said.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stderr.join("\n"), self.stdout);
        self
    }

    /// Standard error as one text.
    pub fn said(&self) -> String {
        self.stderr.join("\n")
    }
}

impl Drop for Running {
    /// Only a failing test comes here with a run that lives: it may still undo what it did.
    fn drop(&mut self) {
        let start = Instant::now();
        while self.child.try_wait().is_ok_and(|status| status.is_none()) {
            if start.elapsed() > Duration::from_secs(60) {
                self.child.kill().ok();
            } else {
                kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM).ok();
            }
            sleep(Duration::from_millis(200));
        }
    }
}
