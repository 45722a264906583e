//! Groups of real guests: shares, quotas, caps and background load, and that nothing is left of them.
//!
//! Other work on the machine takes its part, so bands are wide; what a quota or a cap allows is never exceeded.

use std::fs;
use std::path::Path;

use crate::support::Sandbox;
use crate::support::tables::{Row, number, rows};

const LOAD: &str = "[limits]\ntrial_attempts = 2\n[workload]\nwarmup = \"1 s\"\nwindow = \"6 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1\n";

fn group_of(run: &Path, name: &str) -> Row {
    let groups = rows(run, "groups.csv");
    groups.into_iter().find(|row| row["group"] == name).unwrap_or_else(|| panic!("no group {name}"))
}

#[track_caller]
fn assert_proven(run: &Path, what: &str, found: &str) {
    let proofs = rows(run, "proofs.csv");
    assert!(proofs.iter().all(|proof| proof["holds"] == "true"), "{proofs:?}");
    let seen = proofs.iter().any(|proof| proof["what"].contains(what) && proof["found"].contains(found));
    assert!(seen, "{what}: {found} is not in {proofs:?}");
}

#[test]
fn guests_that_all_burn_share_the_cpu_by_their_weights() {
    let place = Sandbox::with_guests();
    let body = format!(
        "{LOAD}flows = 1\n[guest]\nvms = 5\nmemory = \"96 MiB\"\npin = \"0\"\npin_emulator = \"0\"\n[network]\nbackend = \"virtio\"\n\
         [[group]]\nname = \"gold\"\nguests = 2\nshares = 1024\nrole = \"cpu-burner\"\n\
         [[group]]\nname = \"silver\"\nguests = 2\nshares = 512\nrole = \"cpu-burner\"\n\
         [[group]]\nname = \"probe\"\nguests = 1\nshares = 1024\nquota = \"30 ms\"\n"
    )
    .replace("window = \"6 s\"", "window = \"30 s\"");
    let ended = place.bench(&place.profile("shares", &body)).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    assert_proven(&run, "guest 1: shares, in its control group", "1024");
    assert_proven(&run, "guest 3: shares, by libvirt", "512");
    let (gold, silver) = (group_of(&run, "gold"), group_of(&run, "silver"));
    // All threads of all guests on one CPU, because a control group's weight is split between the CPUs that its threads
    // want. And a vCPU that waits for QEMU's lock waits for a thread of the same guest, so every guest wants this CPU all
    // the time, which is what weights are about: its CPU time is that of all its threads.
    let ratio = number(&gold, "cpu_s") / number(&silver, "cpu_s");
    println!("gold got {ratio:.3} times what silver got");
    assert!((1.9..=2.1).contains(&ratio), "gold got {ratio:.3} times what silver got\n{}", ended.said());
    assert_eq!((gold["role"].as_str(), gold["rate_share_percent"].as_str()), ("cpu-burner", ""));
    let trial = &rows(&run, "trials.csv")[0];
    assert_eq!(trial["contended"], "true");
    assert_eq!(trial["jain_weighted_cpu"], "", "the quota of the probe is no weight");
    let own = number(trial, "orchestrator_cpu_percent");
    assert!(own < 10.0, "kvmfair itself took {own} % of a CPU while it measured, and has nothing to do then");
    let guests = rows(&run, "guests.csv");
    assert_eq!(guests.iter().filter(|guest| guest["role"] == "measured").count(), 1);
    assert!(run.join("charts/cpu_share_percent.png").exists());
    assert!(fs::read_to_string(run.join("report.md")).unwrap().contains("## Groups"));
}

#[test]
fn a_quota_and_a_cap_are_never_exceeded_and_the_background_is_in_no_measured_figure() {
    let place = Sandbox::beside_others();
    let body = format!(
        "{LOAD}flows = 1\n[guest]\nvms = 3\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n\
         [[group]]\nname = \"held\"\nguests = 1\nquota = \"25 ms\"\nrole = \"cpu-burner\"\n\
         [[group]]\nname = \"capped\"\nguests = 1\nbandwidth = \"4 Mbit\"\nrole = \"net-load\"\n"
    );
    place.bench(&place.profile("caps", &body)).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    assert_proven(&run, "guest 1: vCPU quota, in its control group", "25000/100000");
    assert_proven(&run, "guest 2: cap on what it sends", "4000000 bit/s");
    assert_proven(&run, "guest 2: cap on what it receives", "4000000 bit/s");
    let guests = rows(&run, "guests.csv");
    assert!(number(&guests[0], "vcpu_cpu_percent") < 30.0, "{:?}", guests[0]);
    let moved = number(&group_of(&run, "capped"), "background_mbps");
    assert!(moved > 0.0 && moved < 4.4, "{moved} Mbit/s through a cap of 4");
    assert_eq!(rows(&run, "flows.csv").len(), 1, "the stream is no measured flow");
    // A burner that wants a whole CPU and may have a quarter is kept from it, and nobody else is.
    assert!(number(&group_of(&run, "held"), "throttled_s") > 0.0);
    assert_eq!(group_of(&run, "capped")["throttled_s"], "");
    let unused = number(&rows(&run, "trials.csv")[0], "unused_cpu_percent");
    assert!((0.0..=100.0).contains(&unused), "{unused}");
    let (trial, others) = (&rows(&run, "trials.csv")[0], group_of(&run, "others"));
    assert_eq!(number(trial, "total_rate_tps"), number(&others, "rate_tps"));
}

#[test]
fn nothing_of_a_killed_run_with_control_groups_and_caps_outlives_clean() {
    let place = Sandbox::beside_others();
    let body = format!(
        "{LOAD}flows = 1\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n\
         [[group]]\nname = \"gold\"\nguests = 1\nshares = 2048\ncgroup = true\nrole = \"cpu-burner\"\n\
         [[group]]\nname = \"silver\"\nguests = 1\nshares = 512\nbandwidth = \"4 Mbit\"\n"
    );
    let profile = place.profile("killed", &body);
    let mut running = place.bench(&profile);
    running.hear("1 flow for");
    place.note_runs();
    running.kill();
    assert!(place.left().iter().any(|left| left.contains("gold.partition")), "{:?}", place.left());
    let said = place.clean();
    assert!(said.contains("gold.partition"), "{said}");
    place.bench(&profile).end().expect(0);
    place.assert_nothing_left();
    let run = place.runs().pop().unwrap();
    assert_proven(&run, "guest 1: control group above it", "gold.partition");
    assert_proven(&run, "group gold: shares of its control group", "2048");
}

#[test]
fn a_paced_stream_comes_at_its_rate_and_no_faster_and_is_not_there_in_the_baseline() {
    let place = Sandbox::with_guests();
    let body = format!(
        "{LOAD}flows = 1\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n[network]\nbackend = \"virtio\"\n\
         [[group]]\nname = \"hum\"\nguests = 1\nrole = \"paced\"\nrate = \"2 Mbit\"\n\
         [sweep]\nbackground = [\"none\", \"paced\"]\n"
    );
    place.bench(&place.profile("paced", &body)).end().expect(0);
    place.assert_nothing_left();
    let run = place.only_run();
    assert_proven(&run, "guest 1: rate of its paced stream", "2000000 bit/s");
    let groups = rows(&run, "groups.csv");
    let hum = |background: &str| {
        let own = |row: &&Row| row["group"] == "hum" && row["background"] == background;
        groups.iter().find(own).unwrap_or_else(|| panic!("no row of {background} in {groups:?}"))
    };
    assert_eq!((hum("none")["role"].as_str(), hum("none")["background_mbps"].as_str()), ("idle", ""));
    let moved = number(hum("paced"), "background_mbps");
    println!("{moved} Mbit/s of payload at a rate of 2");
    assert!((1.6..=2.0).contains(&moved), "{moved} Mbit/s of payload at a rate of 2");
    assert_eq!(rows(&run, "flows.csv").len(), 2, "one measured flow in each trial");
}
