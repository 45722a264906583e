//! Finished runs with one thing damaged, all kinds of it: each command ends within a bound, with an exit code that is documented and a
//! message that names the file and the next step. Of a run with one damaged trial the rest is reported.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::finished::{Finished, QUIET, SMALL};
use crate::support::{Sandbox, entries};

/// A QEMU that is not there: a resumed run is refused by the checks before the lab, if not before.
const NO_QEMU: &str = "[host]\nemulator = \"/no/such/qemu\"\n[network]\n";
/// Longer than any command takes, s.
const BOUND_S: u32 = 60;
/// Lines that any command prints at most.
const MOST_LINES: usize = 200;

/// What reads the run needs: without them there is no report.
const NEEDED: [&str; 2] = ["experiment.json", "environment.json"];
const TRIAL: &str = "raw/trial-0003.zst";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Missing,
    Empty,
    /// Cut after so many thousandths.
    Cut(usize),
    /// A bit flipped at so many thousandths.
    Flipped(usize),
    /// Another content.
    Content(&'static str),
    /// The content of another trial, or of another format.
    Other,
    Link,
    Zero,
    Fifo,
    Directory,
    Socket,
    Huge,
    /// Of a mode that forbids to read it.
    Unreadable,
}

use Damage::*;

/// Whatever is not a regular file of a fitting size.
const KINDS: [Damage; 6] = [Link, Zero, Fifo, Directory, Socket, Huge];
const CUTS: [Damage; 4] = [Cut(1), Cut(300), Cut(700), Cut(999)];
const FLIPS: [Damage; 5] = [Flipped(0), Flipped(20), Flipped(400), Flipped(800), Flipped(999)];
const TYPES: [Damage; 7] = [
    Content("[]"),
    Content("{}"),
    Content("7"),
    Content("null"),
    Content("\"text\""),
    Content("{\"schema\":99}"),
    Content("\u{1b}[2J<script>=1+1"),
];

impl Damage {
    fn does(self, path: &Path) {
        let bytes = fs::read(path).unwrap_or_default();
        let place = |thousandths: usize| thousandths * bytes.len().saturating_sub(1) / 1000;
        fs::remove_file(path).ok();
        match self {
            Missing => return,
            Empty => fs::write(path, ""),
            Cut(at) => fs::write(path, &bytes[..place(at)]),
            Flipped(at) => {
                let mut flipped = bytes.clone();
                flipped[place(at)] ^= 4;
                fs::write(path, flipped)
            }
            Content(text) => fs::write(path, text),
            Other => fs::copy(path.with_file_name("trial-0001.zst"), path).map(drop),
            Link => {
                let real = path.with_extension("elsewhere");
                fs::write(&real, &bytes).and_then(|()| symlink(real, path))
            }
            Zero => symlink("/dev/zero", path),
            Fifo => nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).map_err(Into::into),
            Directory => fs::create_dir(path),
            Socket => UnixListener::bind(path).map(drop),
            Huge => File::create(path).and_then(|file| file.set_len(1 << 40)),
            Unreadable => {
                let mode = fs::Permissions::from_mode(0o000);
                fs::write(path, &bytes).and_then(|()| fs::set_permissions(path, mode))
            }
        }
        .unwrap();
    }
}

/// All damages of what a run is made of, and the kinds of what a report writes.
fn cases() -> Vec<(&'static str, Damage)> {
    let text = || [Missing, Empty, Unreadable].into_iter().chain(CUTS).chain(FLIPS).chain(KINDS);
    let json = || text().chain(TYPES);
    let of = |file: &'static str, all: Vec<Damage>| all.into_iter().map(move |damage| (file, damage));
    let inputs = ["experiment.json", "environment.json", "plan.json"]
        .into_iter()
        .flat_map(|file| of(file, json().collect()));
    let trial = of(TRIAL, text().chain([Other, Content("{}")]).collect());
    let last = of("raw/trial-0006.zst", text().collect());
    let outputs = ["trials.csv", "report.md", "charts", "figures", "figures/trial-0003.zst"];
    let other_kinds = || KINDS.into_iter().filter(|kind| *kind != Huge);
    let outputs = outputs.into_iter().flat_map(|file| of(file, other_kinds().collect()));
    // An empty directory is that of a run that was interrupted before its first trial.
    let raw = of("raw", other_kinds().filter(|kind| *kind != Directory).chain([Missing]).collect());
    let outputs = outputs.chain(raw);
    inputs.chain(of("profile.toml", text().collect())).chain(trial).chain(last).chain(outputs).collect()
}

struct Damaged {
    place: Sandbox,
    whole: PathBuf,
    other: PathBuf,
}

impl Damaged {
    fn new() -> Damaged {
        let place = Sandbox::new();
        let profile = place.profile("small", &SMALL.replace("[network]\n", NO_QEMU));
        let write = |finished: Finished| finished.write(Path::new(&profile), &place.out());
        let whole = write(QUIET);
        fs::create_dir(whole.join("figures")).unwrap();
        let other = write(Finished { name: "other", ..QUIET });
        Damaged { place, whole, other }
    }

    /// A copy of the run with one thing damaged.
    fn copy(&self, number: usize, file: &str, damage: Damage) -> PathBuf {
        let run = self.place.out().join(format!("damaged-{number}"));
        fs::create_dir(&run).unwrap();
        for part in ["", "raw", "figures"] {
            fs::create_dir_all(run.join(part)).unwrap();
            for path in entries(&self.whole.join(part)).iter().filter(|path| path.is_file()) {
                fs::copy(path, run.join(part).join(path.file_name().unwrap())).unwrap();
            }
        }
        let path = run.join(file);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        }
        damage.does(&path);
        run
    }

    /// Root reads everything, unless it gave that up.
    fn ends(&self, command: &str, run: &Path, more: &str) -> (i32, String) {
        let without = "setpriv --bounding-set -dac_override,-dac_read_search";
        let line = format!("exec {without} timeout {BOUND_S} kvmfair {command} {} {more}", run.display());
        let output = self.place.shell(&line).output().unwrap();
        (output.status.code().unwrap_or(-1), text(&output))
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What is wrong with how a command ended; nothing if it ended well.
fn complaint(command: &str, (code, said): &(i32, String), file: &str, codes: &[i32]) -> Option<String> {
    let named = *code == 0 || *code == 4 || (said.contains(file) && said.contains("hint: "));
    let is_well = codes.contains(code)
        && named
        && !said.contains("panicked")
        && !said.contains('\u{1b}')
        && said.lines().count() <= MOST_LINES;
    (!is_well).then(|| {
        format!("{command}: exit code {code}\n{}", said.lines().take(20).collect::<Vec<_>>().join("\n"))
    })
}

/// A change that keeps a file readable may go unnoticed: JSON has no checksum.
fn may_pass(damage: Damage) -> bool {
    matches!(damage, Flipped(_))
}

/// How each command has to end.
fn complaints(damaged: &Damaged, number: usize, file: &'static str, damage: Damage) -> Vec<String> {
    let run = damaged.copy(number, file, damage);
    let is_output = !file.ends_with(".json") && !file.ends_with(".toml") && !file.starts_with("raw");
    let needed = NEEDED.contains(&file) || file == "raw";
    let reads: &[i32] = match needed {
        true if may_pass(damage) => &[0, 1],
        true => &[1],
        false => &[0],
    };
    let resumes: &[i32] = match file {
        TRIAL | "raw/trial-0006.zst" => &[4],
        "raw" => &[1],
        _ if is_output => &[1, 4],
        _ if may_pass(damage) => &[1, 4],
        _ => &[1],
    };
    let other = damaged.other.display().to_string();
    let mut found = Vec::new();
    found.extend(complaint("compare", &damaged.ends("compare", &run, &other), file, reads));
    found.extend(complaint("bench --resume", &damaged.ends("bench --resume", &run, ""), file, resumes));
    // Charts take a second: a report is drawn of a few damages that do not end it early.
    let drawn = if is_output {
        matches!(damage, Link | Fifo) && !file.starts_with("fig")
    } else {
        matches!(damage, Fifo | Empty)
    };
    if needed || drawn {
        let reports: &[i32] = if is_output { &[0, 1] } else { reads };
        let report = damaged.ends("report", &run, "");
        found.extend(complaint("report", &report, file, reports));
        let is_excluded = file == TRIAL && damage != Missing;
        if is_excluded
            && !(report.1.contains("5 of 6 repeats") && report.1.contains("its file cannot be read"))
        {
            found.push(format!("report: trial 3 is not excluded:\n{}", report.1));
        }
    }
    fs::remove_dir_all(&run).unwrap();
    found.into_iter().map(|complaint| format!("{file} {damage:?}: {complaint}")).collect()
}

#[test]
fn a_run_of_another_version_build_or_profile_is_not_resumed() {
    let damaged = Damaged::new();
    let version = format!("\"tool_version\": {:?}", env!("CARGO_PKG_VERSION"));
    let build = format!("{version}, \"tool_sha256\": \"0123456789abcdef\"");
    for (number, file, from, to, words, accepted) in [
        (
            1,
            "environment.json",
            version.as_str(),
            "\"tool_version\": \"9.8.7\"",
            "kvmfair 9.8.7 began it",
            true,
        ),
        (2, "environment.json", &version, &build, "another build of kvmfair", true),
        (3, "profile.toml", "repeats = 6", "repeats = 7", "profile.toml was edited", false),
    ] {
        let run = damaged.copy(number, "no such file", Missing);
        let text = fs::read_to_string(run.join(file)).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(run.join(file), text.replace(from, to)).unwrap();
        let (code, said) = damaged.ends("bench --resume", &run, "");
        assert!(code == 1 && said.contains(words) && said.contains("hint: begin a new run"), "{code} {said}");
        assert_eq!(said.contains("accept the change with --accept-changes"), accepted, "{said}");
        let (_, said) = damaged.ends("bench --resume", &run, "--accept-changes");
        assert_eq!(said.contains(words), !accepted, "{said}");
    }
}

#[test]
fn every_damage_of_a_run_ends_with_a_documented_code_and_names_the_file_and_the_next_step() {
    let damaged = Damaged::new();
    let cases = cases();
    assert!(cases.len() >= 150, "{}", cases.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((file, damage)) = cases.get(number) else { return found };
            found.extend(complaints(&damaged, number, file, *damage));
        }
    };
    let found: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(found.is_empty(), "{} of {} cases:\n{}", found.len(), cases.len(), found.join("\n\n"));
}
