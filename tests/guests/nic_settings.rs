//! Settings of the NIC under test and of the QEMU behind it: in force in real guests, and proven in every trial.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::Sandbox;
use crate::support::tables::{Row, rows};

/// The QEMU that libvirt finds, too.
const QEMU: &str = "/usr/bin/qemu-system-x86_64";

/// Short trials, each tried again if this machine freezes in the middle of one.
const BRIEF: &str = r#"
[workload]
flows = 4
warmup = "500 ms"
window = "2 s"
cooldown = "500 ms"
repeats = 1
[guest]
vcpus = 2
memory = "96 MiB"
[limits]
trial_attempts = 3
"#;

/// What the trials with this level of a factor found.
fn found<'r>(proofs: &'r [Row], (factor, level): (&str, &str), what: &str) -> Vec<&'r str> {
    let of = |row: &&Row| row[factor] == level && row["what"] == what;
    proofs.iter().filter(of).map(|row| row["found"].as_str()).collect()
}

/// The proofs of a run of so many trials, all of which hold.
fn proven(place: &Sandbox, trials: usize) -> Vec<Row> {
    let run = place.only_run();
    assert_eq!(rows(&run, "trials.csv").len(), trials);
    let proofs = rows(&run, "proofs.csv");
    let broken: Vec<&Row> = proofs.iter().filter(|row| row["holds"] != "true").collect();
    assert!(broken.is_empty(), "{broken:?}");
    proofs
}

#[test]
fn several_queues_of_the_size_asked_for_serve_taps_and_macvtaps() {
    let place = Sandbox::beside_others();
    let levels =
        "[network]\nqueue_size = 512\n[sweep]\nqueues = [1, 2]\nbackend = [\"virtio\", \"macvtap-vepa\"]\n";
    place.bench(&place.profile("queues", &format!("{BRIEF}{levels}"))).end().expect(0);
    let proofs = proven(&place, 4);
    let pairs = "guest 1: queue pairs of the test NIC";
    assert_eq!(found(&proofs, ("queues", "1"), pairs), ["1", "1"]);
    assert_eq!(found(&proofs, ("queues", "2"), pairs), ["2", "2"]);
    let size = "guest 1: descriptors of a receive queue";
    assert_eq!(found(&proofs, ("backend", "virtio"), size), ["512", "512"]);
    place.assert_nothing_left();
}

#[test]
fn offloads_and_another_qemu_are_factors() {
    let place = Sandbox::beside_others();
    let other = script(&place, "other", &start_another());
    let levels = format!(
        "[network]\nbackend = \"virtio\"\n[sweep]\noffloads = [true, false]\nemulator = [{QEMU:?}, {other:?}]\n"
    );
    place.bench(&place.profile("emulators", &format!("{BRIEF}{levels}"))).end().expect(0);
    let proofs = proven(&place, 4);
    let offloads = "guest 1: offloads of the test NIC";
    assert_eq!(found(&proofs, ("offloads", "true"), offloads), ["on", "on"]);
    assert_eq!(found(&proofs, ("offloads", "false"), offloads), ["off", "off"]);
    for path in [Path::new(QEMU), &other] {
        let versions = found(&proofs, ("emulator", path.to_str().unwrap()), "guest 1: version of QEMU");
        assert_eq!(versions, [version(path).as_str(); 2]);
    }
    let programs = found(&proofs, ("emulator", QEMU), "guest 1: program of QEMU");
    assert_eq!(programs, [fs::canonicalize(QEMU).unwrap().to_str().unwrap(); 2]);
    let environment = fs::read_to_string(place.only_run().join("environment.json")).unwrap();
    let environment: serde_json::Value = serde_json::from_str(&environment).unwrap();
    assert_eq!(environment["emulators"][other.to_str().unwrap()], version(&other));
    place.assert_nothing_left();
}

#[test]
fn a_qemu_that_is_not_what_its_file_says_is_found_out() {
    let place = Sandbox::beside_others();
    let lie = "[ \"$1\" != --version ] || { echo 'QEMU emulator version 9.9.9 (another)'; exit; }";
    let liar = script(&place, "liar", &format!("{lie}\nexec {QEMU} \"$@\""));
    let body = BRIEF.replace("trial_attempts = 3", "trial_attempts = 1");
    let levels = format!("[network]\nbackend = \"virtio\"\n[host]\nemulator = {liar:?}\n");
    place.bench(&place.profile("liar", &format!("{body}{levels}"))).end().expect(5);
    let trials = rows(&place.only_run(), "trials.csv");
    assert_eq!(trials[0]["outcome"], "invalid");
    assert!(trials[0]["cause"].contains("version of QEMU"), "{:?}", trials[0]);
    place.assert_nothing_left();
}

#[test]
fn what_is_no_qemu_is_refused_before_anything_is_made() {
    let place = Sandbox::new();
    let paths = ["/bin/true", "/no/such/qemu", QEMU];
    let levels = format!("[network]\nbackend = \"virtio\"\n[sweep]\nemulator = {paths:?}\n");
    let check = place.kvmfair(&["check", &place.profile("no-qemu", &format!("{BRIEF}{levels}"))]);
    assert_eq!(check.status.code(), Some(4));
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(said.contains("missing  QEMU /bin/true: not a QEMU"), "{said}");
    assert!(said.contains("missing  QEMU /no/such/qemu: not a QEMU"), "{said}");
    assert!(said.contains(&format!("ok       QEMU {QEMU}: {}", version(Path::new(QEMU)))), "{said}");
    assert!(!place.state().exists());
}

/// The lines of a script that starts the QEMU of another release, if the cache of `tests/lab` holds one; else the
/// system's.
fn start_another() -> String {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(".cache"));
    let mut cached = crate::support::entries(&cache.join("kvmfair/lab/qemu"));
    cached.sort();
    let Some(root) = cached.last().map(|path| path.display()) else { return format!("exec {QEMU} \"$@\"") };
    let modules = "usr/lib/x86_64-linux-gnu/qemu"; // the system's, of another build, would abort it
    format!(
        "export LD_LIBRARY_PATH={root}/usr/lib/x86_64-linux-gnu\nexec unshare --mount sh -c '\
         mount --bind {root}/{modules} /{modules}\n\
         exec {root}/usr/bin/qemu-system-x86_64 -L {root}/usr/share/seabios -L {root}/usr/share/qemu \"$@\"' qemu \"$@\""
    )
}

/// A program that root alone may execute, so that QEMU is root and can do what it does.
fn script(place: &Sandbox, name: &str, lines: &str) -> PathBuf {
    let path = Path::new(&place.profile("unused", "")).with_file_name(name);
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
    path
}

/// Version and build, as the program says.
fn version(path: &Path) -> String {
    let said = std::process::Command::new(path).arg("--version").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    said.lines().next().unwrap().strip_prefix("QEMU emulator version ").unwrap().to_owned()
}
