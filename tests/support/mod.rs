//! What the tests of the real program share: a place of their own, a run that can be listened to, and the proof that
//! nothing is left of it.
//!
//! Real guests need root and the packages of a measuring machine. Where these are missing the tests fail and say so: a
//! test that cannot run has shown nothing.

#![allow(dead_code)] // each test binary uses a part of it

pub mod ci;
pub mod faults;
pub mod finished;
pub mod image;
pub mod json;
pub mod machines;
pub mod pictures;
pub mod running;
pub mod tables;
pub mod traces;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, signal};
use running::Running;
use traces::Before;

/// Every backend on one small guest: what `check` has to find for the tests of real guests.
const NEEDS: &str = "[workload]\nflows = 1\n[guest]\nmemory = \"96 MiB\"\n[sweep]\nbackend = [\"virtio\", \"macvtap-vepa\"]\n";

/// What small profiles of a setting have in common.
const LIGHT: &str = r#"
[network]
backend = "virtio"
[workload]
flows = 2
warmup = "500 ms"
window = "2 s"
cooldown = "500 ms"
repeats = 1
[limits]
trial_attempts = 3
"#;

/// Directories of a test's own; what runs put into them, and elsewhere, is looked at in the end.
pub struct Sandbox {
    dir: tempfile::TempDir,
    ids: Arc<Mutex<BTreeSet<String>>>,
    before: Before,
    turn: Vec<File>,
}

impl Sandbox {
    /// For a test that starts no guests.
    pub fn new() -> Sandbox {
        Sandbox::make(Vec::new())
    }

    fn make(turn: Vec<File>) -> Sandbox {
        let dir = tempfile::Builder::new().prefix("kvmfair-test-").tempdir().unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        Sandbox { dir, ids: Arc::default(), before: Before::look(), turn }
    }

    /// For a test that starts guests and needs the machine to itself, because it relies on their figures: waits for its turn, and
    /// fails where guests cannot be measured.
    pub fn with_guests() -> Sandbox {
        Sandbox::taking(my_turn())
    }

    /// For a test that starts guests and relies neither on their figures nor on the machine's settings: several of these run side
    /// by side.
    pub fn beside_others() -> Sandbox {
        Sandbox::taking(vec![shared_turn()])
    }

    /// The same where the machine's settings must not change meanwhile: a run goes on only where they are what they were.
    pub fn with_steady_settings() -> Sandbox {
        Sandbox::taking(vec![steady_settings(), shared_turn()])
    }

    /// For a test that starts guests and changes the machine's settings: one of these runs beside the others.
    pub fn changing_settings() -> Sandbox {
        let _queue = queue();
        let settings = lock_file("settings");
        settings.lock().unwrap();
        Sandbox::taking(vec![settings])
    }

    fn taking(turn: Vec<File>) -> Sandbox {
        require_root();
        let place = Sandbox::make(turn);
        static MISSING: OnceLock<Option<String>> = OnceLock::new();
        let missing = MISSING.get_or_init(|| {
            let checked = place.kvmfair(&["check", &place.profile("needs", NEEDS)]);
            (!checked.status.success()).then(|| String::from_utf8_lossy(&checked.stdout).into_owned())
        });
        assert!(missing.is_none(), "this test measures real guests, and this machine lacks:\n{missing:?}");
        place
    }

    /// Where runs put their results.
    pub fn out(&self) -> PathBuf {
        self.dir.path().join("runs")
    }

    /// Where runs keep what they have to undo.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Writes a profile; `body` is all but its first lines.
    pub fn profile(&self, name: &str, body: &str) -> String {
        let path = self.dir.path().join(format!("{name}.toml"));
        fs::write(&path, format!("schema = 1\nname = \"{name}\"\n{body}")).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The same of a small load on virtio; `about` is what the test is about.
    pub fn light_profile(&self, name: &str, about: &str) -> String {
        self.profile(name, &format!("{about}{LIGHT}"))
    }

    /// The program, told to keep to this place.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kvmfair"));
        command.args(arguments).current_dir(self.dir.path());
        command.env("KVMFAIR_STATE_DIR", self.state()).env("TMPDIR", self.dir.path().join("tmp"));
        handling(command, SigHandler::SigDfl)
    }

    /// A shell with these lines, in which `kvmfair` is the program, told to keep to this place.
    pub fn shell(&self, script: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_kvmfair"));
        let path = std::env::join_paths(
            std::iter::once(program.parent().unwrap().to_owned())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(self.dir.path()).env("PATH", path.unwrap());
        command.env("KVMFAIR_STATE_DIR", self.state()).env("TMPDIR", self.dir.path().join("tmp"));
        handling(command, SigHandler::SigDfl)
    }

    /// Runs the program to its end.
    pub fn kvmfair(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts a run.
    pub fn bench(&self, profile: &str) -> Running {
        self.start(self.command(&["bench", profile]))
    }

    /// Starts a run by a command made with [`Sandbox::command`].
    pub fn start(&self, command: Command) -> Running {
        Running::start(command, self.ids.clone())
    }

    /// The directories of all runs so far, oldest first.
    pub fn runs(&self) -> Vec<PathBuf> {
        let mut runs = entries(&self.out());
        runs.sort();
        runs
    }

    /// The directory of the only run.
    pub fn only_run(&self) -> PathBuf {
        let runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    /// Remembers the runs whose state is there now: after a kill they have told nobody their names.
    pub fn note_runs(&self) {
        let names = entries(&self.state()).into_iter().map(|path| name(&path));
        self.ids.lock().unwrap().extend(names);
    }

    /// `kvmfair clean`, after which nothing may be left; what it said.
    #[track_caller]
    pub fn clean(&self) -> String {
        let output = self.kvmfair(&["clean"]);
        assert!(output.status.success(), "{output:?}");
        self.assert_nothing_left();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What is left of the runs of this place, results apart.
    pub fn left(&self) -> Vec<String> {
        let ids = self.ids.lock().unwrap().clone();
        let mut left = traces::lasting(self.dir.path(), &ids, &self.before);
        let files = [self.state(), self.dir.path().join("tmp")].into_iter().flat_map(|dir| entries(&dir));
        left.extend(files.map(|path| format!("file {}", path.display())));
        left
    }

    /// Fails if anything but results is left of the runs of this place. A command that was running when its run was killed
    /// (`ip` needs a few milliseconds) may come to its own end first.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let mut left = self.left();
        for _ in 0..100 {
            if left.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
            left = self.left();
        }
        panic!("left behind: {}", left.join("; "));
    }
}

impl Drop for Sandbox {
    /// A test that fails in the middle of a run must not leave guests behind.
    fn drop(&mut self) {
        if !self.turn.is_empty() {
            self.command(&["clean"]).output().ok();
        }
    }
}

/// A command that starts with the signals that end a run handled so: the tests' own shell may have had them ignored.
pub fn handling(mut command: Command, handler: SigHandler) -> Command {
    let set = move || {
        for kind in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            // SAFETY: no handler function is involved; signal(2) may be called between fork and exec.
            unsafe { signal(kind, handler) }?;
        }
        Ok(())
    };
    // SAFETY: the closure makes system calls only.
    unsafe { command.pre_exec(set) };
    command
}

/// Fails without root: silence would look like success.
pub fn require_root() {
    assert!(nix::unistd::geteuid().is_root(), "this test makes network namespaces: run the tests as root");
}

/// How many tests may have guests at once, besides one that changes settings. CI has two CPUs, and a test waits for something
/// else half of its time.
const PLACES: usize = 2;
/// How often a test that waits for its turn asks for it.
const ASK: Duration = Duration::from_millis(200);

/// Waits until no other test has guests: they would take the CPU from each other. Nothing is held meanwhile, so that the others
/// come first. Ends with the value.
pub fn my_turn() -> Vec<File> {
    loop {
        let mut all: Vec<File> = (0..PLACES).map(place).collect();
        all.push(lock_file("settings"));
        if all.iter().all(|own| own.try_lock().is_ok()) {
            return all;
        }
        drop(all);
        std::thread::sleep(ASK);
    }
}

/// Waits for one of the places. Ends with the value.
pub fn shared_turn() -> File {
    let mut places: Vec<File> = (0..PLACES).map(place).collect();
    loop {
        if let Some(free) = places.iter().position(|place| place.try_lock().is_ok()) {
            return places.swap_remove(free);
        }
        std::thread::sleep(ASK);
    }
}

/// Waits until no other test changes the machine's settings; none does before the value ends. To be had before a place.
pub fn steady_settings() -> File {
    let _queue = queue();
    let settings = lock_file("settings");
    settings.lock_shared().unwrap();
    settings
}

/// Who waits for the settings stands here: else those that need them steady would never let one pass that changes them.
fn queue() -> File {
    let queue = lock_file("settings-queue");
    queue.lock().unwrap();
    queue
}

fn place(number: usize) -> File {
    lock_file(&format!("guests-{number}"))
}

fn lock_file(of: &str) -> File {
    let path = std::env::temp_dir().join(format!("kvmfair-test-{of}.lock"));
    File::options().create(true).append(true).open(path).unwrap()
}

/// What a directory holds; nothing if it is not there.
pub fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The last part of a path.
pub fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
