//! How the threads of real guests run, changed from trial to trial without a boot: pinned, and under which policy.

use std::collections::BTreeSet;

use crate::support::Sandbox;
use crate::support::tables::{Row, rows};
use kvmfair::profile::cpus;
use kvmfair::profile::pin::list;

const PLACES: &str = "[guest]\nvms = 2\nvcpus = 2\nmemory = \"96 MiB\"\n[sweep]\npin = [\"none\", \"spread\", \"compact\", \"0\"]\n";

const EMULATOR: &str =
    "[guest]\npin = \"0\"\nmemory = \"96 MiB\"\n[sweep]\npin_emulator = [\"none\", \"0\"]\n";

/// One vCPU: two that share a CPU take no turns under "fifo", and a guest whose one vCPU spins for the other hangs.
const SCHEDULER: &str = "[guest]\nvcpus = 1\nmemory = \"96 MiB\"\npin = \"0\"\npin_emulator = \"1\"\n\
                         [sweep]\nscheduler = [\"other\", \"rr\", \"fifo\"]\n";

/// The CPUs of this machine, whichever of them the tests may use.
fn online() -> BTreeSet<u32> {
    cpus::of_list(&std::fs::read_to_string(cpus::ONLINE).unwrap()).unwrap()
}

/// The CPU lists of a guest's vCPUs in the trial with this level.
fn found<'r>(proofs: &'r [Row], pin: &str, guest: u32) -> Vec<&'r str> {
    let what = format!("guest {guest}: CPUs of vCPU ");
    let of = |row: &&Row| row["pin"] == pin && row["what"].starts_with(&what);
    proofs.iter().filter(of).map(|row| row["found"].as_str()).collect()
}

#[test]
fn vcpus_run_where_each_trial_wants_them() {
    let place = Sandbox::beside_others();
    place.bench(&place.light_profile("pinning", PLACES)).end().expect(0);
    let run = place.only_run();
    assert_eq!(rows(&run, "trials.csv").len(), 4);
    let proofs = rows(&run, "proofs.csv");
    assert!(proofs.iter().all(|row| row["holds"] == "true"));
    assert_eq!(found(&proofs, "0", 1), ["0", "0"]);
    let everywhere: BTreeSet<&str> = found(&proofs, "none", 1).into_iter().collect();
    assert_eq!(everywhere.len(), 1);
    let online = Vec::from_iter(online());
    let spread: BTreeSet<&str> = found(&proofs, "spread", 1).into_iter().collect();
    assert_eq!(spread.len(), online.len().min(2));
    if let [first, second] = online.as_slice() {
        let [first, second] = [first, second].map(u32::to_string);
        let both = [[&first, &first], [&second, &second]];
        assert_eq!([found(&proofs, "compact", 1), found(&proofs, "compact", 2)], both);
    }
    let plan = std::fs::read_to_string(run.join("plan.json")).unwrap();
    assert_eq!(plan.matches("\"boot\": [\n").count(), 1, "guests are booted once");
    place.assert_nothing_left();
}

#[test]
fn the_other_threads_of_qemu_run_where_each_trial_wants_them() {
    let place = Sandbox::beside_others();
    place.bench(&place.light_profile("emulator", EMULATOR)).end().expect(0);
    let run = place.only_run();
    let proofs = rows(&run, "proofs.csv");
    assert!(proofs.iter().all(|row| row["holds"] == "true"));
    let found = |pin: &str| -> Vec<&str> {
        let of = |row: &&Row| row["pin_emulator"] == pin && row["what"].ends_with("QEMU's other threads");
        proofs.iter().filter(of).map(|row| row["found"].as_str()).collect()
    };
    assert_eq!(found("0"), ["0"]);
    assert_eq!(found("none"), [list(&online())]);
    let plan = std::fs::read_to_string(run.join("plan.json")).unwrap();
    assert_eq!(plan.matches("\"boot\": [\n").count(), 1, "the guest is booted once");
    place.assert_nothing_left();
}

#[test]
fn vcpus_have_the_policy_that_each_trial_wants() {
    if online().len() < 2 {
        return; // a real-time vCPU would take the one CPU from everybody else
    }
    let place = Sandbox::with_guests();
    let profile = place.light_profile("policy", SCHEDULER);
    let check = place.kvmfair(&["check", &profile]);
    assert!(String::from_utf8_lossy(&check.stdout).contains("real-time vCPUs"), "{check:?}");
    place.bench(&profile).end().expect(0);
    let run = place.only_run();
    let proofs = rows(&run, "proofs.csv");
    assert!(proofs.iter().all(|row| row["holds"] == "true"));
    let found = |policy: &str| -> Vec<&str> {
        let of = |row: &&Row| row["scheduler"] == policy && row["what"].contains("policy of vCPU");
        proofs.iter().filter(of).map(|row| row["found"].as_str()).collect()
    };
    assert_eq!(found("other"), ["other, priority 0"]);
    assert_eq!(found("rr"), ["rr, priority 1"]);
    assert_eq!(found("fifo"), ["fifo, priority 1"]);
    let plan = std::fs::read_to_string(run.join("plan.json")).unwrap();
    assert_eq!(plan.matches("\"boot\": [\n").count(), 1, "the guest is booted once");
    place.assert_nothing_left();
}

#[test]
fn real_time_vcpus_with_a_quota_are_refused_where_control_groups_have_no_real_time() {
    let grouped = std::fs::exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us").unwrap();
    let place = Sandbox::new();
    crate::support::require_root();
    let body = SCHEDULER.replace("vcpus = 1", "vcpus = 1\nquota = \"50 ms\"");
    let check = place.kvmfair(&["check", &place.light_profile("quota", &body)]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(said.contains("real-time vCPUs"), "{said}");
    assert_eq!(said.contains("leave groups and `quota` out of the profile"), grouped, "{said}");
}
