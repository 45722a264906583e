//! The fault matrix, continued: the machines of a hardware lab, made of namespaces as in `tests/guests/hardware_lab.rs`.

use crate::hardware_lab::LAB;
use crate::support::Sandbox;
use crate::support::faults::{assert_matrix, fault, inject_all, undisturbed};
use crate::support::machines::Machines;
use crate::support::tables::rows;

const LOAD: &str = "[limits]\ntrial_attempts = 1\n[guest]\nmemory = \"96 MiB\"\n\
                    [workload]\nflows = 2\nwarmup = \"500 ms\"\nwindow = \"4 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\n";

/// Takes an interface down for some seconds.
const AWAY: &str = "ip link set control0 down; sleep 2; ip link set control0 up";

/// A clock that is ten seconds ahead.
const STEP: &str = "real=$(readlink -f $(command -v date)); cp $real /run/real-date
    printf '#!/bin/sh\\nexec /run/real-date -d \"+10 seconds\" \"$@\"\\n' > /run/date; chmod +x /run/date
    mount --bind /run/date $real";

#[test]
#[ignore = "minutes, and each fault must hit a window: make faults"]
fn a_machine_of_the_lab_that_is_out_of_reach_for_seconds_spoils_one_trial_at_most() {
    let place = Sandbox::with_guests();
    let machines = Machines::new();
    let profile =
        place.profile("machines", &format!("{LAB}{LOAD}repeats = 9\n[network]\nbackend = \"baremetal\"\n"));
    let mut running = place.start(machines.command(&place, &["bench", &profile]));
    let (host, tester) = (&machines.host, &machines.tester);
    let sh = |machine: &crate::support::machines::Machine, script: &str| drop(machine.sh(script));
    let mut faults = [
        undisturbed(),
        fault("SSH to the host cut for 2 s", "measured", &[], || sh(host, AWAY)),
        fault("SSH to the tester cut for 2 s", "measured", &[], || sh(tester, AWAY)),
        fault("wire without carrier for 2 s", "measured", &[], || {
            sh(tester, &AWAY.replace("control0", "wire0"))
        }),
        undisturbed(),
        fault("clock of the tester stepped by 10 s", "failed", &["clock of the tester was stepped"], || {
            sh(tester, STEP)
        }),
        undisturbed(),
        fault("tester's temporary directory full", "failed", &["is its disk full?"], || {
            sh(tester, "mount -o remount,size=256k /dev/shm; cat /dev/zero > /dev/shm/filler || :")
        }),
        undisturbed(),
    ];
    faults[5].after = Some(Box::new(|| sh(tester, "umount $(readlink -f $(command -v date))")));
    faults[7].after = Some(Box::new(|| sh(tester, "rm /dev/shm/filler")));
    let times = inject_all(&mut running, &faults);
    let ended = running.end();
    println!("{}", ended.said());
    machines.assert_nothing_left();
    place.assert_nothing_left();
    assert_matrix("hardware lab", &faults, &times, &rows(&place.only_run(), "trials.csv"));
    ended.expect(5);
}

#[test]
fn a_libvirtd_that_is_restarted_in_a_trial_takes_no_guest_with_it_and_later_trials_are_measured() {
    let place = Sandbox::with_guests();
    let machines = Machines::new();
    let profile =
        place.profile("libvirtd", &format!("{LAB}{LOAD}repeats = 3\n[network]\nbackend = \"virtio\"\n"));
    let mut running = place.start(machines.command(&place, &["bench", &profile]));
    let faults = [
        undisturbed(),
        fault("libvirtd restarted", "measured", &[], || machines.restart_libvirtd()),
        undisturbed(),
    ];
    let times = inject_all(&mut running, &faults);
    let ended = running.end();
    println!("{}", ended.said());
    assert_matrix("hardware lab, guests", &faults, &times, &rows(&place.only_run(), "trials.csv"));
    machines.assert_nothing_left();
    place.assert_nothing_left();
    ended.expect(0);
}
