//! Two runs side by side, and a run beside a foreign libvirt guest: whatever ends a run, nothing of the other is touched.
//!
//! `ROUNDS=20` repeats both (default 1). Look-alike processes, bridges, namespaces and groups are in `chaos`; what `clean` leaves
//! alone is in `interrupt`.

use crate::hardware_lab::LAB;
use crate::support::Sandbox;
use crate::support::machines::{Machines, said};
use crate::support::tables::{raw_trials, rows};
use kvmfair::libvirt::Hypervisor;

const LOAD: &str = "[limits]\ntrial_attempts = 2\n[network]\nbackend = \"virtio\"\n[guest]\nmemory = \"96 MiB\"\n\
                    [workload]\nflows = 2\nwarmup = \"500 ms\"\nwindow = \"2 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 2\n";

fn rounds() -> u32 {
    std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

#[test]
fn of_two_runs_side_by_side_the_end_or_the_kill_of_one_touches_nothing_of_the_other() {
    let place = Sandbox::beside_others();
    for round in 0..rounds() {
        let (one, two) = (format!("one-{round}"), format!("two-{round}"));
        let mut first = place.bench(&place.profile(&one, LOAD));
        let mut second = place.bench(&place.profile(&two, &LOAD.replace("repeats = 2", "repeats = 4")));
        first.hear("flows for");
        second.hear("flows for");
        if round % 2 == 0 {
            first.kill();
            let clean = place.kvmfair(&["clean"]);
            assert!(clean.status.success() && said(&clean).contains("left alone"), "{}", said(&clean));
        } else {
            first.end().expect(0);
        }
        second.end().expect(0);
        place.assert_nothing_left();
        let of_second = |run: &std::path::PathBuf| run.to_string_lossy().contains(&two);
        let run = place.runs().into_iter().find(of_second).unwrap();
        assert!(rows(&run, "trials.csv").iter().all(|trial| trial["outcome"] == "measured"));
        let guests: Vec<_> = raw_trials(&run).iter().map(|trial| trial.guests[0].qemu_pid).collect();
        assert!(guests.iter().all(|pid| *pid == guests[0]), "one guest served all trials: {guests:?}");
        println!("round {round}: nothing of the other run was touched");
    }
}

/// A guest of somebody else, without a disk: its firmware waits for ever.
const FOREIGN: &str = "<domain type='qemu'><name>web1</name><memory unit='MiB'>32</memory>\
    <os><type arch='x86_64' machine='q35'>hvm</type></os></domain>";

#[test]
fn a_foreign_guest_of_the_same_libvirt_outlives_runs_their_kills_and_clean() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let uri =
        format!("qemu+unix:///system?socket={}", machines.host.file("/run/libvirt/libvirt-sock").display());
    let foreign = runtime.block_on(Hypervisor::open(uri)).unwrap();
    runtime.block_on(foreign.create("web1", FOREIGN.into())).unwrap();
    let process =
        || machines.host.sh("cat /run/libvirt/qemu/web1.pid && kill -0 $(cat /run/libvirt/qemu/web1.pid)");
    let before = process();
    for round in 0..rounds() {
        let profile = place.profile(&format!("beside-{round}"), &format!("{LAB}{LOAD}"));
        let mut running = place.start(machines.command(&place, &["bench", &profile]));
        running.hear("flows for");
        if round % 2 == 0 {
            running.kill();
            place.note_runs();
            let clean = machines.kvmfair(&place, &["clean"]);
            assert!(clean.status.success(), "{}", said(&clean));
        } else {
            running.end().expect(0);
        }
        machines.assert_nothing_left();
        place.assert_nothing_left();
        assert_eq!(process(), before, "the foreign guest runs on");
        assert_eq!(runtime.block_on(foreign.names("web".into())).unwrap(), ["web1"]);
        println!("round {round}: the foreign guest was not touched");
    }
}
