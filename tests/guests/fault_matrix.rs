//! The fault matrix: each fault is injected for real into a trial of its own in a running bench, and what becomes of the trial, of
//! those after it and of the machine is told. Times are printed, never asserted. Run by `make faults`; a restarted libvirtd by
//! `make test` too.
//!
//! | fault | test |
//! | --- | --- |
//! | guest killed, stopped for good, panicking, rebooting, never booting | here |
//! | netserver in a guest, one netperf, the launcher killed | here |
//! | SSH to a guest cut, wire of the embedded lab without carrier, kvmfair stopped: all for seconds | here |
//! | guest stopped or its NIC down for seconds | `truth` |
//! | netserver of bare metal killed | `truth` |
//! | guests that never answer, twice in a row | `trust` |
//! | SSH to host or tester cut, wire without carrier, clock of the tester stepped, its temporary directory full | `fault_matrix_hardware` |
//! | libvirtd restarted | `fault_matrix_hardware` |
//! | run directory and state directory full | `fault_matrix_disks` |
//! | room for a cloud image | `hardware_ways` |
//! | report on a full disk | `tests/cli/untrusted_runs.rs` |
//! | kvmfair killed | `interrupt`, `chaos`, `trust`, `tests/lab/chaos` |
//!
//! The clock of this machine is not set here, because it is everybody's: the emulated lab sets its own (`tests/lab/clock`).

use std::thread::sleep;
use std::time::Duration;

use crate::support::faults::{Door, assert_matrix, fault, inject_all, ip, prepared, processes, undisturbed};
use crate::support::tables::rows;
use crate::support::{Sandbox, entries, name};
use crate::truth::qemu_of_guest;
use nix::sys::signal::{Signal, kill};

const LOAD: &str = "[limits]\ntrial_attempts = 1\n[network]\nbackend = \"virtio\"\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n\
                    [workload]\nflows = 2\nwarmup = \"500 ms\"\nwindow = \"4 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\n";

/// How long what comes back was away.
const AWAY: Duration = Duration::from_secs(2);

#[test]
#[ignore = "minutes, and each fault must hit a window: make faults"]
fn each_fault_in_a_guest_or_its_load_spoils_its_own_trial_and_is_named() {
    let place = Sandbox::with_guests();
    let door = Door::make(&place);
    let profile = place.profile("faults", &format!("{LOAD}repeats = 18\n"));
    let mut command = place.command(&["bench", &profile]);
    command.env("PATH", crate::trust::false_qemu(&place, &door.of_qemu()));
    let mut running = place.start(command);
    let pid = running.pid();
    let run = || name(&entries(&place.state())[0]);
    let signal_guest = |signal| kill(qemu_of_guest(2, &place), signal).unwrap();
    let signal_all = |name: &str, most: usize| {
        let found = processes(&run(), name);
        assert!(!found.is_empty(), "no {name}");
        found.into_iter().take(most).for_each(|pid| kill(pid, Signal::SIGKILL).unwrap());
    };
    let away = |link: String| {
        ip(pid, &format!("link set dev {link} down"));
        sleep(AWAY);
        ip(pid, &format!("link set dev {link} up"));
    };
    let faults = [
        undisturbed(),
        fault("guest killed (SIGKILL)", "failed", &["-g2 has ended"], || {
            door.close_to_the_next();
            signal_guest(Signal::SIGKILL);
        }),
        prepared("guest never boots (no process 1)", "failed", &["-g2"]),
        undisturbed(),
        fault("guest stopped for good (SIGSTOP)", "failed", &["-g2"], || signal_guest(Signal::SIGSTOP)),
        undisturbed(),
        fault("guest panics (sysrq)", "failed", &["-g2 has ended"], || {
            door.sh(pid, 2, "echo c > /proc/sysrq-trigger")
        }),
        undisturbed(),
        fault("guest reboots", "failed", &["-g2 has ended"], || door.sh(pid, 2, "reboot -f")),
        undisturbed(),
        fault("netserver in a guest killed", "invalid", &["netperf ended with an error"], || {
            door.sh(pid, 2, "killall -9 netserver")
        }),
        undisturbed(),
        fault("one netperf killed", "invalid", &["netperf ended with an error"], || {
            signal_all("netperf -", 1)
        }),
        fault("launcher killed", "failed", &["launcher"], || signal_all("launcher ", 1)),
        undisturbed(),
        fault("SSH to a guest cut for 2 s", "measured", &[], || away(format!("kf-{}-m2", run()))),
        fault("wire without carrier for 2 s", "measured", &[], || away(format!("kf-{}-w0", run()))),
        fault("kvmfair stopped for 2 s (SIGSTOP)", "measured", &[], || {
            let pid = nix::unistd::Pid::from_raw(pid as i32);
            kill(pid, Signal::SIGSTOP).unwrap();
            sleep(AWAY);
            kill(pid, Signal::SIGCONT).unwrap();
        }),
    ];
    let times = inject_all(&mut running, &faults);
    let ended = running.end();
    place.assert_nothing_left();
    assert_matrix("embedded lab", &faults, &times, &rows(&place.only_run(), "trials.csv"));
    let ended = ended.expect(5);
    for words in ["stalled for up to ", "the host stood still for up to "] {
        assert!(ended.stdout.contains(words), "no {words:?} in {}", ended.stdout);
    }
}
