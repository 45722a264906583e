//! Runs that are killed at random moments, and `clean` that is killed while it works: afterwards the machine is as it was, whatever
//! only looks like a part of a run is still there, and the run that goes on measures what an undisturbed one does.
//!
//! `CHAOS=100 CHAOS_SEED=7` for a hundred kills (`make chaos`); a few of them by default.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use crate::support::machines::{Machines, said};
use crate::support::tables::rows;
use crate::support::{Sandbox, entries};

/// Kills without `CHAOS`.
const FEW: u64 = 4;
/// A run of these profiles takes about so long here: later kills find it ended.
const LENGTH_MS: u64 = 16_000;
/// `clean` takes about so long.
const CLEAN_MS: u64 = 1_500;

const LOAD: &str = "[workload]\nflows = 2\nwarmup = \"250 ms\"\nwindow = \"2 s\"\ncooldown = \"250 ms\"\ninterval = \"250 ms\"\nrepeats = 2\n";

/// What the runs change: nothing but the lab; the host's settings; shares, quotas and caps; a switch's daemons.
const PROFILES: [(&str, &str); 4] = [
    ("plain", "[network]\nbackend = \"virtio\"\n[guest]\nmemory = \"96 MiB\"\n"),
    (
        "settings",
        "[network]\nbackend = \"virtio\"\n[guest]\nmemory = \"96 MiB\"\n[tuning.host]\nksm = true\nswappiness = 7\n\
         rps_sock_flow_entries = 4096\n",
    ),
    (
        "groups",
        "[network]\nbackend = \"virtio\"\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n\
         [[group]]\nname = \"gold\"\nguests = 1\nshares = 2048\ncgroup = true\nquota = \"50 ms\"\nbandwidth = \"8 Mbit\"\n",
    ),
    ("switch", "[network]\nbackend = \"ovs\"\n[guest]\nmemory = \"96 MiB\"\n"),
];

/// What kvmfair may change of the machine itself.
const SETTINGS: [&str; 4] = [
    "/sys/kernel/mm/ksm/run",
    "/proc/sys/net/core/rps_sock_flow_entries",
    "/proc/sys/vm/swappiness",
    "/proc/sys/net/ipv4/ip_forward",
];

/// Numbers that look random: the same for the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Kills to be done, and the numbers that say when.
fn chaos() -> (u64, Random) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = number("CHAOS_SEED").unwrap_or(now.as_secs());
    eprintln!("CHAOS_SEED={seed}");
    (number("CHAOS").unwrap_or(FEW), Random(seed))
}

fn settings() -> BTreeMap<&'static str, String> {
    SETTINGS.into_iter().map(|path| (path, fs::read_to_string(path).unwrap_or_default())).collect()
}

fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).output().unwrap().status.success()
}

/// Things of somebody else that look as if they were a run's.
struct Decoys {
    processes: Vec<Child>,
    group: PathBuf,
}

/// No id of a run has a digit in its first place.
const BRIDGE: &str = "kf-0decoy-br";
const NAMESPACE: &str = "kf-0decoy";

impl Decoys {
    fn make() -> Decoys {
        let group = Path::new("/sys/fs/cgroup");
        let group = if group.join("cgroup.procs").exists() { group.to_owned() } else { group.join("memory") };
        let group = group.join("machine-qemu-kf-0decoy-g1.scope");
        fs::create_dir(&group).unwrap();
        assert!(ip(&format!("netns add {NAMESPACE}")) && ip(&format!("link add {BRIDGE} type bridge")));
        let mut guest = Command::new("sleep");
        guest.arg0("qemu-system-x86_64 -name guest=kf-0decoy-g1").arg("36000");
        Decoys { processes: vec![guest.spawn().unwrap()], group }
    }

    /// Somebody reads what a killed run left.
    fn read(&mut self, place: &Sandbox) {
        for run in entries(&place.state()) {
            let mut reader = Command::new("tail");
            reader.arg("-f").arg(run.join("journal.jsonl")).stdout(Stdio::null()).stderr(Stdio::null());
            self.processes.push(reader.spawn().unwrap());
        }
    }

    /// Decoys that are gone.
    fn missing(&mut self) -> Vec<String> {
        let mut missing = Vec::new();
        for process in &mut self.processes {
            if process.try_wait().unwrap().is_some() {
                missing.push(format!("process {}", process.id()));
            }
        }
        let link = Path::new("/sys/class/net").join(BRIDGE);
        let namespace = Path::new("/run/netns").join(NAMESPACE);
        let places = [&self.group, &link, &namespace].into_iter();
        missing.extend(places.filter(|path| !path.exists()).map(|path| path.display().to_string()));
        missing
    }

    /// Whether what is left is one of them.
    fn own(&self, left: &str) -> bool {
        self.processes.iter().any(|process| left.starts_with(&format!("process {} ", process.id())))
    }
}

impl Drop for Decoys {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.kill().ok();
            process.wait().ok();
        }
        ip(&format!("netns del {NAMESPACE}"));
        ip(&format!("link del {BRIDGE}"));
        fs::remove_dir(&self.group).ok();
    }
}

/// Starts a command and kills it some time later.
fn kill_after(mut command: Command, ms: u64) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sleep(Duration::from_millis(ms));
    child.kill().unwrap();
    child.wait().unwrap();
}

fn assert_only_decoys_left(place: &Sandbox, decoys: &mut Decoys, about: &str) {
    let mut left = Vec::new();
    for _ in 0..100 {
        left = place.left().into_iter().filter(|left| !decoys.own(left)).collect();
        if left.is_empty() {
            break;
        }
        sleep(Duration::from_millis(100));
    }
    assert!(left.is_empty(), "{about}: left behind: {left:?}");
    assert_eq!(decoys.missing(), Vec::<String>::new(), "{about}: not the run's");
}

/// The run that was killed goes on and measures the two trials of its profile.
fn assert_goes_on(place: &Sandbox, run: &Path, about: &str) {
    let resumed = place.kvmfair(&["bench", "--resume", run.to_str().unwrap()]);
    assert!(resumed.status.success(), "{about}: {}", said(&resumed));
    let trials = rows(run, "trials.csv");
    let valid: Vec<&str> =
        trials.iter().filter(|trial| trial["outcome"] == "measured").map(|trial| &*trial["trial"]).collect();
    assert_eq!(valid, ["1", "2"], "{about}");
}

#[test]
fn after_kills_at_random_moments_also_of_clean_the_machine_is_as_it_was_and_decoys_are_untouched() {
    let place = Sandbox::changing_settings();
    let (kills, mut random) = chaos();
    let before = settings();
    let mut decoys = Decoys::make();
    let (mut cleans, mut resumed) = (0, 0);
    for kill in 0..kills {
        let (profile, body) = PROFILES[random.below(PROFILES.len() as u64) as usize];
        let profile_file = place.profile(profile, &format!("{body}{LOAD}"));
        let after_ms = random.below(LENGTH_MS);
        let mut about = format!("kill {kill}: {profile} after {after_ms} ms");
        kill_after(place.command(&["bench", &profile_file]), after_ms);
        place.note_runs();
        decoys.read(&place);
        while random.below(2) == 0 {
            let after_ms = random.below(CLEAN_MS);
            about += &format!(", clean after {after_ms} ms");
            kill_after(place.command(&["clean"]), after_ms);
            cleans += 1;
        }
        let clean = place.kvmfair(&["clean"]);
        assert!(clean.status.success(), "{about}: {}", said(&clean));
        eprintln!("{about}");
        assert_only_decoys_left(&place, &mut decoys, &about);
        assert_eq!(settings(), before, "{about}");
        let started = place.runs().pop().filter(|run| run.join("plan.json").exists());
        if let Some(run) = started.filter(|_| kill % 4 == 3) {
            assert_goes_on(&place, &run, &about);
            assert_only_decoys_left(&place, &mut decoys, &about);
            resumed += 1;
        }
    }
    eprintln!("{kills} kills of bench, {cleans} of clean, {resumed} runs went on");
}

#[test]
fn after_kills_at_random_moments_the_machines_of_a_hardware_lab_are_as_they_were() {
    let place = Sandbox::changing_settings();
    let machines = Machines::new();
    let (kills, mut random) = chaos();
    let body =
        "[guest]\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n[tuning.host]\nswappiness = 9\n";
    let lab = crate::hardware_lab::LAB;
    let profile = place.profile("elsewhere", &format!("{lab}{body}{LOAD}"));
    let before = settings();
    for kill in 0..kills / 2 {
        let after_ms = random.below(LENGTH_MS);
        let mut about = format!("kill {kill} after {after_ms} ms");
        kill_after(machines.command(&place, &["bench", &profile]), after_ms);
        place.note_runs();
        if random.below(2) == 0 {
            let after_ms = random.below(CLEAN_MS);
            about += &format!(", clean after {after_ms} ms");
            kill_after(machines.command(&place, &["clean"]), after_ms);
        }
        let clean = machines.kvmfair(&place, &["clean"]);
        assert!(clean.status.success(), "{about}: {}", said(&clean));
        eprintln!("{about}");
        machines.assert_nothing_left();
        place.assert_nothing_left();
        assert_eq!(settings(), before, "{about}");
    }
}
