//! Faults that are injected into a run that goes on, and the table of what became of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Sandbox;
use super::running::Running;
use super::tables::Row;

/// Into a trial whose flows run: past the warm-up, well before the end of the window.
const INTO: Duration = Duration::from_millis(1_200);

/// What is expected of the trial with a fault.
#[derive(Clone, Copy)]
pub struct Expected {
    /// `measured`, `invalid` or `failed`.
    pub outcome: &'static str,
    /// Words in its cause; of a measured trial, in what it says of starved guests.
    pub words: &'static [&'static str],
}

/// A row of the matrix: the fault of one trial.
pub struct Fault<'a> {
    /// What happens.
    pub name: &'static str,
    /// Makes it happen, and whatever ends it in time. Without one nothing is done: an earlier one has prepared it.
    pub inject: Option<Box<dyn Fn() + 'a>>,
    /// Ends it, once the run has said what became of the trial.
    pub after: Option<Box<dyn Fn() + 'a>>,
    /// What the trial must come to.
    pub expected: Expected,
}

/// A fault of a trial that must come to this, with these words in its cause.
pub fn fault<'a>(
    name: &'static str,
    outcome: &'static str,
    words: &'static [&'static str],
    inject: impl Fn() + 'a,
) -> Fault<'a> {
    Fault { inject: Some(Box::new(inject)), ..prepared(name, outcome, words) }
}

/// A fault that the one before it has prepared.
pub fn prepared<'a>(name: &'static str, outcome: &'static str, words: &'static [&'static str]) -> Fault<'a> {
    Fault { name, inject: None, after: None, expected: Expected { outcome, words } }
}

/// A trial that nothing happens to.
pub fn undisturbed<'a>() -> Fault<'a> {
    prepared("none", "measured", &[])
}

/// Injects each fault into its own trial, in the order of the trials; the times until the run said what became of it.
pub fn inject_all(running: &mut Running, faults: &[Fault]) -> Vec<Option<Duration>> {
    let one = |(trial, fault): (usize, &Fault)| {
        let injected = fault.inject.as_ref().map(|inject| {
            running.hear(&format!("trial {trial}/"));
            running.hear("flows for");
            sleep(INTO);
            let at = Instant::now();
            inject();
            at
        });
        running.hear(&format!("repeat {trial}: "));
        let told = injected.map(|at: Instant| at.elapsed());
        fault.after.iter().for_each(|after| after());
        told
    };
    (1..).zip(faults).map(one).collect()
}

/// Prints the matrix, and fails with the rows that are not as expected.
#[track_caller]
pub fn assert_matrix(title: &str, faults: &[Fault], times: &[Option<Duration>], trials: &[Row]) {
    println!("{title}\n{:<44} {:<9} {:<10} {:>9}  cause", "fault", "outcome", "stage", "told after");
    let mut wrong = Vec::new();
    for ((fault, time), trial) in faults.iter().zip(times).zip(trials) {
        let stall = format!("longest stall {} s {}", trial["longest_stall_s"], trial["starved"]);
        let text = if trial["outcome"] == "measured" { &stall } else { &trial["cause"] };
        let time = time.map_or(String::new(), |time| format!("{:.1} s", time.as_secs_f64()));
        println!("{:<44} {:<9} {:<10} {time:>9}  {text}", fault.name, trial["outcome"], trial["stage"]);
        let Expected { outcome, words } = fault.expected;
        let missing: Vec<_> = words.iter().filter(|words| !text.contains(**words)).collect();
        if trial["outcome"] != outcome || !missing.is_empty() {
            wrong.push(format!("{}: expected {outcome} with {missing:?}", fault.name));
        }
    }
    assert_eq!(trials.len(), faults.len(), "every trial is told of");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Small disks on directories of a place, seen by the runs on them alone: they go with the value.
pub struct SmallDisks {
    holder: Child,
}

impl SmallDisks {
    /// Mounts one on each directory, with its size.
    pub fn mount(place: &Sandbox, disks: &[(&str, &str)]) -> SmallDisks {
        let one = |(dir, size): &(&str, &str)| {
            format!("mkdir -p {dir} && mount -t tmpfs -o size={size} none {dir}")
        };
        let script = disks.iter().map(one).chain(["echo ready; exec sleep 86400".into()]).collect::<Vec<_>>();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-e", "-c", &script.join("\n")]).env_remove("PWD");
        command.current_dir(place.out().parent().unwrap()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut holder = command.spawn().unwrap();
        let mut word = [0; 6];
        std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut word).unwrap();
        SmallDisks { holder }
    }

    /// A command of a place on them.
    pub fn command(&self, inner: &Command) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.holder.id().to_string(), "--mount"]);
        command.arg(format!("--wd={}", inner.get_current_dir().unwrap().display()));
        command.arg(inner.get_program()).args(inner.get_args());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        super::handling(command, nix::sys::signal::SigHandler::SigDfl)
    }

    /// Where a path of theirs is for the test.
    pub fn path(&self, path: &Path) -> PathBuf {
        Path::new("/proc")
            .join(self.holder.id().to_string())
            .join("root")
            .join(path.strip_prefix("/").unwrap())
    }

    /// Takes all room of a directory.
    pub fn fill(&self, dir: &Path) {
        let mut file = fs::File::create(self.path(dir).join("filler")).unwrap();
        for size in [1 << 16, 1] {
            while std::io::Write::write_all(&mut file, &vec![0; size]).is_ok() {}
        }
    }

    /// Gives it back.
    pub fn free(&self, dir: &Path) {
        fs::remove_file(self.path(dir).join("filler")).unwrap();
    }
}

impl Drop for SmallDisks {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

/// A way into the guests of a run, past kvmfair: a key of the test's own, which they accept.
pub struct Door {
    dir: PathBuf,
}

impl Door {
    /// Makes the key.
    pub fn make(place: &Sandbox) -> Door {
        let dir = place.out().with_file_name("door");
        fs::create_dir_all(&dir).unwrap();
        let key = dir.join("key");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        Door { dir }
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// What the false QEMU does: guests accept the key beside the run's; while the file `never` is there, the next guest 2 has no
    /// process 1.
    pub fn of_qemu(&self) -> String {
        let public = fs::read_to_string(self.dir.join("key.pub")).unwrap();
        let mut archive = Vec::new();
        let script =
            format!("#!/bin/sh\necho '{}' >> /root/.ssh/authorized_keys\nexec /init\n", public.trim());
        let entry = cpio::newc::Builder::new("door.init").mode(0o100_755);
        let mut entry = entry.write(&mut archive, script.len() as u32);
        std::io::Write::write_all(&mut entry, script.as_bytes()).unwrap();
        entry.finish().unwrap();
        cpio::newc::trailer(&mut archive).unwrap();
        fs::write(self.dir.join("door.cpio"), archive).unwrap();
        let (door, never) = (self.file("door.cpio"), self.file("never"));
        format!(
            r#"case "$*" in *guest=kf-*)
    words=()
    while [ $# -gt 0 ]; do
        case $1 in
        -initrd) cat "$2" {door} > {door}.$$; words+=("$1" {door}.$$); shift 2 ;;
        -append)
            init=rdinit=/door.init
            case "${{words[*]}}" in *-g2,*) [ ! -e {never} ] || {{ rm {never}; init=rdinit=/nowhere; }} ;; esac
            words+=("$1" "$2 $init"); shift 2 ;;
        *) words+=("$1"); shift ;;
        esac
    done
    set -- "${{words[@]}}"
esac"#
        )
    }

    /// The next guest 2 does not boot.
    pub fn close_to_the_next(&self) {
        fs::write(self.dir.join("never"), "").unwrap();
    }

    /// Runs a shell command in a guest of the run of a process; whether it answers does not matter.
    pub fn sh(&self, pid: u32, guest: u32, script: &str) {
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid.to_string(), "-n", "ssh", "-i", &self.file("key")]);
        command.args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
        command.args(["-o", "LogLevel=ERROR", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"]);
        command.arg(format!("root@198.18.1.{guest}")).arg(script).stdin(Stdio::null());
        command.status().unwrap();
    }
}

/// Runs a command in the network namespace of a process.
pub fn ip(pid: u32, words: &str) {
    let mut command = Command::new("nsenter");
    command.args(["-t", &pid.to_string(), "-n", "ip"]).args(words.split(' '));
    assert!(command.status().unwrap().success(), "ip {words}");
}

/// Processes of a run with this name.
pub fn processes(run: &str, name: &str) -> Vec<nix::unistd::Pid> {
    let is_one = |pid: &i32| {
        let read =
            |file: &str| fs::read(Path::new("/proc").join(pid.to_string()).join(file)).unwrap_or_default();
        let environment = read("environ");
        let of_run =
            environment.split(|byte| *byte == 0).any(|word| word == format!("KVMFAIR_RUN={run}").as_bytes());
        of_run && String::from_utf8_lossy(&read("cmdline")).replace('\0', " ").contains(name)
    };
    let processes = super::entries("/proc".as_ref()).into_iter();
    let pids = processes.filter_map(|path| super::name(&path).parse::<i32>().ok());
    pids.filter(is_one).map(nix::unistd::Pid::from_raw).collect()
}
