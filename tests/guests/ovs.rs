//! Open vSwitch and DPDK with real guests: daemons of the run's own that go with it, whatever ends it.
//!
//! Needs root and the packages of a measuring machine; fails without. Nothing here asserts a speed.

use std::fs;

use crate::support::Sandbox;
use crate::support::tables::{raw_trials, rows};
use kvmfair::raw::{Check, RawTrial};

/// Two small guests on each of these backends, one short trial each.
fn two_guests(backends: &[&str]) -> String {
    format!(
        "[plan]\norder = \"sequential\"\n[limits]\ntrial_attempts = 3\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n\
         [workload]\nflows = 4\nwarmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\n\
         repeats = 1\n[sweep]\nbackend = {backends:?}\n"
    )
}

fn found<'t>(raw: &'t RawTrial, what: &str) -> Vec<&'t str> {
    raw.checks.iter().filter(|check| check.what.ends_with(what)).map(|check| check.found.as_str()).collect()
}

#[test]
fn guests_on_open_vswitch_are_measured_and_every_trial_proves_the_datapath() {
    let place = Sandbox::with_guests();
    let backends = ["ovs-e1000", "ovs", "vhost-user"];
    place.bench(&place.profile("ovs", &two_guests(&backends))).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    let trials = rows(&run, "trials.csv");
    assert_eq!(trials.iter().map(|trial| trial["backend"].as_str()).collect::<Vec<_>>(), backends);
    assert!(trials.iter().all(|trial| trial["outcome"] == "measured"), "{trials:?}");
    let raw = raw_trials(&run);
    assert!(raw.iter().flat_map(|raw| &raw.checks).all(Check::holds), "{raw:?}");
    for (raw, driver) in raw.iter().zip(["e1000", "virtio_net"]) {
        assert_eq!(found(raw, "datapath"), ["userspace", found(raw, "Open vSwitch datapath")[0]].repeat(2));
        assert_eq!(found(raw, "driver of the test NIC"), [driver; 2]);
    }
    assert_eq!(found(&raw[2], "Open vSwitch datapath"), ["netdev"; 2]);
    assert_eq!(found(&raw[2], "vhost-user port"), ["dpdkvhostuserclient connected"; 2]);
    let environment = fs::read_to_string(run.join("environment.json")).unwrap();
    assert!(environment.contains("DPDK") && environment.contains("datapath"), "{environment}");
}

#[test]
fn what_a_killed_run_leaves_of_open_vswitch_is_cleaned() {
    let place = Sandbox::beside_others();
    let mut running = place.bench(&place.profile("killed", &two_guests(&["vhost-user"])));
    running.hear("2 of 2 guests ready");
    place.note_runs();
    running.kill();
    let left = place.left();
    for daemon in ["(ovsdb-server)", "(ovs-vswitchd"] {
        assert!(left.iter().any(|trace| trace.contains(daemon)), "{daemon} is not among {left:?}");
    }
    place.clean();
}
