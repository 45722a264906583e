//! Run directories, baselines and histories in which somebody else put something: links are not followed, nothing but regular files is
//! opened, and `report` leaves a run to the process that writes it.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::finished::{QUIET, SMALL};
use crate::support::{Sandbox, entries};

/// Longer than anything here takes, s: what is not done then waits for somebody.
const BOUND_S: u32 = 60;

/// A place with a finished run.
struct Untrusted {
    place: Sandbox,
    run: PathBuf,
}

impl Untrusted {
    fn new() -> Untrusted {
        let place = Sandbox::new();
        let profile = place.profile("small", SMALL);
        let run = QUIET.write(Path::new(&profile), &place.out());
        Untrusted { place, run }
    }

    /// A file that does not belong to the run, and its directory.
    fn elsewhere(&self) -> (PathBuf, PathBuf) {
        let dir = self.place.out().with_file_name("elsewhere");
        fs::create_dir_all(&dir).unwrap();
        let victim = dir.join("victim");
        fs::write(&victim, "precious").unwrap();
        (dir, victim)
    }

    /// How the program ends, within a bound.
    fn bounded(&self, arguments: &str) -> (i32, String) {
        let output =
            self.place.shell(&format!("exec timeout {BOUND_S} kvmfair {arguments}")).output().unwrap();
        (output.status.code().unwrap(), text(&output))
    }

    fn report(&self) -> (i32, String) {
        self.bounded(&format!("report {}", self.run.display()))
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn fifo(path: &Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
}

#[test]
fn links_in_a_run_directory_are_not_followed_whatever_their_names() {
    let untrusted = Untrusted::new();
    let (_, victim) = untrusted.elsewhere();
    for name in ["report.md.partial", "trials.csv.partial", "report.html.partial"] {
        symlink(&victim, untrusted.run.join(name)).unwrap();
    }
    let (code, said) = untrusted.report();
    assert_eq!((code, fs::read_to_string(&victim).unwrap().as_str()), (0, "precious"), "{said}");
    for name in ["report.md", "trials.csv", "lock"] {
        fs::remove_file(untrusted.run.join(name)).unwrap();
        symlink(&victim, untrusted.run.join(name)).unwrap();
        let (code, said) = untrusted.report();
        assert!(
            code == 1 && said.contains(&format!("{name} must be a regular file, got a symbolic link")),
            "{said}"
        );
        assert!(said.contains("hint: ") && fs::read_to_string(&victim).unwrap() == "precious", "{said}");
        fs::remove_file(untrusted.run.join(name)).unwrap();
    }
    assert_eq!(untrusted.report().0, 0);
}

#[test]
fn a_directory_of_a_run_that_leads_elsewhere_is_refused_by_name() {
    for name in ["charts", "raw"] {
        let untrusted = Untrusted::new();
        let (dir, _) = untrusted.elsewhere();
        let own = untrusted.run.join(name);
        fs::remove_dir_all(&own).ok();
        symlink(&dir, &own).unwrap();
        let (code, said) = untrusted.report();
        assert!(
            code == 1 && said.contains(&format!("{name} must be a directory, got a symbolic link")),
            "{said}"
        );
        assert_eq!(entries(&dir).len(), 1, "{said}");
    }
}

#[test]
fn pipes_and_devices_in_a_run_directory_are_refused_by_name_and_never_waited_for() {
    for name in ["experiment.json", "environment.json", "lock", "report.md", "columns.csv"] {
        let untrusted = Untrusted::new();
        fs::remove_file(untrusted.run.join(name)).ok();
        fifo(&untrusted.run.join(name));
        let (code, said) = untrusted.report();
        assert!(
            code == 1 && said.contains(&format!("{name} must be a regular file, got a FIFO")),
            "{name}: {said}"
        );
    }
    let untrusted = Untrusted::new();
    fs::remove_file(untrusted.run.join("plan.json")).unwrap();
    symlink("/dev/zero", untrusted.run.join("plan.json")).unwrap();
    let (code, said) = untrusted.report();
    assert!(code == 0 && said.contains("plan.json cannot be read: it is a symbolic link"), "{said}");
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let untrusted = Untrusted::new();
    File::create(untrusted.run.join("environment.json")).unwrap().set_len(1 << 40).unwrap();
    let (code, said) = untrusted.report();
    assert!(
        code == 1 && said.contains("environment.json must have at most") && said.contains("hint: "),
        "{said}"
    );
}

#[test]
fn a_report_beside_the_process_that_writes_the_run_changes_no_file_and_says_so() {
    let untrusted = Untrusted::new();
    let lock = File::create(untrusted.run.join("lock")).unwrap();
    lock.lock().unwrap();
    let (code, said) = untrusted.report();
    assert!(code == 0 && said.contains("another kvmfair is writing this run"), "{said}");
    assert!(!untrusted.run.join("trials.csv").exists() && !untrusted.run.join("report.md").exists());
    drop(lock);
    assert_eq!(untrusted.report().0, 0);
    assert!(untrusted.run.join("trials.csv").exists());
}

#[test]
fn reports_side_by_side_do_not_disturb_each_other() {
    let untrusted = Untrusted::new();
    let run = untrusted.run.to_str().unwrap();
    let started: Vec<_> = (0..4)
        .map(|_| {
            let mut command = untrusted.place.command(&["report", run]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in started {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    let left =
        entries(&untrusted.run).into_iter().filter(|path| path.display().to_string().contains(".partial"));
    assert_eq!(left.count(), 0);
}

#[test]
fn what_a_killed_writer_left_unfinished_is_removed_by_the_next() {
    let untrusted = Untrusted::new();
    let left = [".kvmfair-1-2.partial", "raw/.kvmfair-1-3.partial"].map(|name| untrusted.run.join(name));
    left.iter().for_each(|path| fs::write(path, "half a").unwrap());
    let other = untrusted.run.join("notes.partial");
    fs::write(&other, "of the user").unwrap();
    assert_eq!(untrusted.report().0, 0);
    assert!(left.iter().all(|path| !path.exists()) && other.exists());
}

#[test]
fn baselines_and_histories_are_regular_files_whether_they_are_read_or_written() {
    let untrusted = Untrusted::new();
    let (_, victim) = untrusted.elsewhere();
    let pipe = victim.with_file_name("pipe");
    fifo(&pipe);
    let (pipe, run) = (pipe.display().to_string(), untrusted.run.display().to_string());
    for arguments in [
        format!("baseline show {pipe}"),
        format!("baseline make {run} --out {pipe}"),
        format!("history add {pipe} {run}"),
        format!("history show {pipe}"),
        "history check /dev/zero".into(),
    ] {
        let (code, said) = untrusted.bounded(&arguments);
        assert!(code == 1 && said.contains("must be a regular file, got a "), "{arguments}: {code} {said}");
    }
    // A link that the user made and named is the user's: its file is replaced, and it stays.
    let link = victim.with_file_name("link");
    symlink(&victim, &link).unwrap();
    let (code, said) = untrusted.bounded(&format!("baseline make {run} --out {}", link.display()));
    assert!(code == 0 && fs::symlink_metadata(&link).unwrap().is_symlink(), "{said}");
    assert!(fs::read_to_string(&victim).unwrap().contains("\"type\":\"baseline\""));
}

/// The size of the file system is real, in a mount namespace of its own.
#[test]
fn on_a_full_disk_a_report_names_the_file_and_the_next_step_and_is_written_once_there_is_room() {
    crate::support::require_root();
    let untrusted = Untrusted::new();
    let small = untrusted.place.out().with_file_name("small-disk");
    fs::create_dir(&small).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=256k none {small} && cp -r {run} {small}/run && cd / || exit 99
        kvmfair report {small}/run; echo first $?; ls -A {small}/run | grep -c partial
        mount -o remount,size=32m {small}; kvmfair report {small}/run >/dev/null; echo second $?",
        small = small.display(),
        run = untrusted.run.display()
    );
    let quoted = shell_words::quote(&script);
    let said = text(&untrusted.place.shell(&format!("unshare -m sh -c {quoted}")).output().unwrap());
    let words = ["first 1", "No space left on device", "hint: make room", "second 0", "\n0\n"];
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}
