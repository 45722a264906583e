//! Which trials share their guests: by default all that can, with `reprovision = "block"` those of one repeat.

use std::path::Path;

use crate::support::Sandbox;
use crate::support::tables::{raw_trials, rows};
use nix::sys::signal::Signal;

/// Two configurations that one guest can serve, twice.
const TWICE: &str = "[guest]\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n[limits]\ntrial_attempts = 2\n[sweep]\nburst = [0, 1]\n[workload]\nflows = 1\nwarmup = \"500 ms\"\nwindow = \"2 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 2\n";

/// The process of guest 1 in each trial.
fn processes(run: &Path) -> Vec<i32> {
    let trials = raw_trials(run);
    trials.iter().map(|trial| trial.guests[0].qemu_pid.unwrap()).collect()
}

#[test]
fn the_same_guest_serves_all_repeats_if_the_profile_does_not_say_otherwise() {
    let place = Sandbox::beside_others();
    place.bench(&place.profile("kept", TWICE)).end().expect(0);
    place.assert_nothing_left();
    let processes = processes(&place.only_run());
    assert_eq!(processes.len(), 4);
    assert!(processes.iter().all(|pid| *pid == processes[0]), "{processes:?}");
}

#[test]
fn each_repeat_has_a_guest_of_its_own_also_in_a_run_that_goes_on() {
    let place = Sandbox::with_steady_settings();
    let body = format!("{TWICE}[plan]\norder = \"sequential\"\nreprovision = \"block\"\n");
    let mut running = place.bench(&place.profile("anew", &body));
    running.hear("trial 2/4");
    running.signal(Signal::SIGINT);
    running.end().expect(130);
    let run = place.only_run();
    let resumed = place.start(place.command(&["bench", "--resume", run.to_str().unwrap()])).end().expect(0);
    place.assert_nothing_left();
    assert!(
        rows(&run, "trials.csv").iter().all(|trial| trial["outcome"] == "measured"),
        "{}",
        resumed.said()
    );
    let processes = processes(&run);
    assert_eq!(processes.len(), 4);
    // Trial 2 was the last of the first block, and the first of the second process.
    assert_ne!(processes[1], processes[2], "the second block has its own guest");
    assert_eq!(processes[2], processes[3], "within a block the guest stays");
}
