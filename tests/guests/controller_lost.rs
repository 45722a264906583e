//! The controller of a hardware lab disappears in the middle of a trial: the machines take the run back by themselves, and nobody
//! runs `kvmfair clean` for that.
//!
//! Needs root, sshd and libvirtd; fails without. Nothing here asserts a time, beyond the two minutes after which a wait ends.

use std::fs;

use crate::hardware_lab::LAB;
use crate::support::Sandbox;
use crate::support::machines::{HOST, Machines, TESTER, said};
use crate::support::running::Running;
use crate::support::tables::rows;
use nix::sys::signal::Signal;

/// A setting that every machine of the tests shares.
const SWAPPINESS: &str = "/proc/sys/vm/swappiness";

const REST: &str = "[guest]\nmemory = \"96 MiB\"\nvms = 2\n[tuning.host]\nswappiness = 61\n
[workload]\nflows = 4\nwarmup = \"500 ms\"\nwindow = \"WINDOW\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 2\n
[network]\nbackend = \"virtio\"\n";

/// A lab, a run in it, and the setting before that.
struct Lab {
    place: Sandbox,
    machines: Machines,
    profile: String,
    before: String,
}

impl Lab {
    /// With a window of that length, s.
    fn new(window: u32) -> Lab {
        let (place, machines) = (Sandbox::changing_settings(), Machines::new());
        machines.dropbear_at_the_tester(); // it is the pickier server, and a watchdog is the longest command
        let profile =
            place.profile("lost", &format!("{LAB}{REST}").replace("WINDOW", &format!("{window} s")));
        Lab { place, machines, profile, before: fs::read_to_string(SWAPPINESS).unwrap() }
    }

    /// A run whose flows run.
    fn in_mid_trial(&self) -> Running {
        let mut running = self.place.start(self.machines.command(&self.place, &["bench", &self.profile]));
        running.hear("flows for");
        assert_eq!(fs::read_to_string(SWAPPINESS).unwrap(), "61\n");
        running
    }

    /// Waits until the machines are as they were, which nobody tells them.
    fn taken_back(&self, how: &str) {
        println!("{how}: nothing is left after {} s", self.machines.wait_until_clean().as_secs());
        assert_eq!(fs::read_to_string(SWAPPINESS).unwrap(), self.before);
    }
}

#[test]
fn after_a_kill_the_machines_take_the_run_back_and_clean_finds_nothing_to_undo() {
    let lab = Lab::new(30);
    lab.in_mid_trial().kill();
    lab.place.note_runs();
    lab.taken_back("killed");
    let clean = lab.machines.kvmfair(&lab.place, &["clean"]);
    assert!(clean.status.success(), "{}", said(&clean));
    assert!(said(&clean).ends_with("\n  there was nothing left to undo\n"), "{}", said(&clean));
    lab.place.assert_nothing_left();
}

#[test]
fn machines_that_are_cut_off_take_the_run_back_and_the_run_ends_with_their_name() {
    let lab = Lab::new(30);
    let running = lab.in_mid_trial();
    lab.machines.cut(true);
    lab.taken_back("cut off");
    lab.machines.cut(false);
    let ended = running.end().expect(1);
    println!("{}", ended.said());
    assert!([HOST, TESTER].iter().any(|name| ended.said().contains(name)), "{}", ended.said());
    let clean = lab.machines.kvmfair(&lab.place, &["clean"]);
    println!("{}", said(&clean));
    assert!(clean.status.success(), "{}", said(&clean));
    lab.machines.assert_nothing_left();
    lab.place.assert_nothing_left();
}

#[test]
fn a_run_that_was_frozen_for_too_long_ends_with_the_machine_s_name_and_can_be_resumed() {
    let lab = Lab::new(6);
    let mut running = lab.in_mid_trial();
    running.hear("flows for"); // of the second trial
    running.signal(Signal::SIGSTOP);
    lab.taken_back("frozen");
    running.signal(Signal::SIGCONT);
    let ended = running.end().expect(1);
    println!("{}", ended.said());
    for words in
        ["has ended the load and the guests of this run", "kvmfair was silent for 30 s", "1 trial is kept"]
    {
        assert!(ended.said().contains(words), "no {words:?} in {}", ended.said());
    }
    lab.machines.assert_nothing_left();
    lab.place.assert_nothing_left();
    let run = lab.place.only_run();
    let resume = ["bench", "--resume", run.to_str().unwrap()];
    lab.place.start(lab.machines.command(&lab.place, &resume)).end().expect(0);
    assert_eq!(rows(&run, "trials.csv").len(), 2);
    lab.machines.assert_nothing_left();
}
