//! Runs that are ended from outside, politely or not: what was measured is kept, and nothing else is left.
//!
//! Needs root and the packages of a measuring machine; fails without.

use std::thread::sleep;
use std::time::Duration;

use crate::support::json::{json_lines, of_type};
use crate::support::tables::rows;
use crate::support::{Sandbox, handling};
use nix::sys::signal::{SigHandler, Signal};

/// One guest, two trials, as short as a profile may be.
const TINY: &str = "[network]\nbackend = \"virtio\"\n[guest]\nmemory = \"96 MiB\"\n
[workload]\nflows = 2\nwarmup = \"250 ms\"\nwindow = \"2 s\"\ncooldown = \"250 ms\"\ninterval = \"250 ms\"\nrepeats = 2\n";

/// Interrupts a run some time after it said something; it must end with 130 and have kept so many trials.
fn interrupted(signal: Signal, words: &[&str], kept: usize) {
    let place = Sandbox::beside_others();
    let mut running = place.bench(&place.profile("tiny", TINY));
    words.iter().for_each(|words| running.hear(words));
    sleep(Duration::from_millis(300));
    running.signal(signal);
    let ended = running.end().expect(130);
    place.assert_nothing_left();
    let run = place.only_run();
    for (table, per_trial) in [("trials.csv", 1), ("flows.csv", 2), ("guests.csv", 1)] {
        assert_eq!(rows(&run, table).len(), per_trial * kept, "{table}: {ended:?}");
    }
    assert_eq!(rows(&run, "configurations.csv").len(), 1);
    let again = place.kvmfair(&["report", run.to_str().unwrap()]);
    assert!(again.status.success(), "{again:?}");
}

#[test]
fn a_run_that_is_interrupted_while_its_guest_boots_ends_with_130_and_leaves_nothing() {
    interrupted(Signal::SIGINT, &["to boot"], 0);
}

#[test]
fn a_run_that_is_terminated_while_its_flows_run_keeps_the_trials_that_were_over() {
    interrupted(Signal::SIGTERM, &["repeat 1: ", "flows for"], 1);
}

#[test]
fn a_run_that_is_interrupted_while_the_lab_is_made_ends_with_130_and_leaves_nothing() {
    let place = Sandbox::beside_others();
    for signal in [Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1] {
        let mut running = place.bench(&place.profile("tiny", TINY));
        running.hear("making the lab");
        running.signal(signal);
        running.end().expect(130);
        place.assert_nothing_left();
    }
}

/// Until the first words come a run has said nothing: a signal then finds it wherever it is.
#[test]
fn a_signal_at_any_moment_of_the_start_leaves_nothing() {
    let place = Sandbox::beside_others();
    let profile = place.profile("tiny", TINY);
    for after_ms in [10, 40, 80, 120, 160, 240] {
        let running = place.bench(&profile);
        sleep(Duration::from_millis(after_ms));
        running.signal(Signal::SIGINT);
        let ended = running.end();
        assert!(ended.code.is_none_or(|code| code == 130), "after {after_ms} ms: {ended:?}");
        place.assert_nothing_left();
    }
}

/// Where a run is killed: the last words it says before, and how long after them, ms.
const MOMENTS: [(&str, u64); 10] = [
    ("", 30),
    ("", 250),
    ("making the lab", 0),
    ("making the lab", 120),
    ("to boot", 0),
    ("to boot", 1_500),
    ("guests ready", 0),
    ("guests ready", 900),
    ("flows for", 500),
    ("taking the lab down", 10),
];

#[test]
fn after_a_kill_at_any_of_ten_moments_clean_leaves_nothing() {
    let place = Sandbox::beside_others();
    let profile = place.profile("tiny", TINY);
    for (words, after_ms) in MOMENTS {
        let mut running = place.bench(&profile);
        if !words.is_empty() {
            running.hear(words);
        }
        sleep(Duration::from_millis(after_ms));
        running.kill();
        place.note_runs();
        let clean = place.kvmfair(&["clean"]);
        let said = String::from_utf8_lossy(&clean.stdout).into_owned();
        eprintln!("killed {after_ms} ms after {words:?}: {said}");
        assert!(clean.status.success(), "killed {after_ms} ms after {words:?}: {clean:?}");
        place.assert_nothing_left();
    }
    assert_eq!(place.kvmfair(&["clean"]).stdout, b"nothing to clean\n");
}

/// The first line names the run's directory before anything is made: a kill loses nothing.
#[test]
fn after_a_kill_with_json_every_line_is_whole_and_the_first_one_names_the_run_that_can_be_resumed() {
    let place = Sandbox::with_steady_settings();
    let out = std::fs::File::create(place.out().with_extension("jsonl")).unwrap();
    let mut command = place.command(&["bench", "--json", &place.profile("tiny", TINY)]);
    let mut child = command.stdout(out).spawn().unwrap();
    let printed = || std::fs::read(place.out().with_extension("jsonl")).unwrap();
    let has_trial = || String::from_utf8(printed()).unwrap().contains("{\"type\":\"trial\"");
    while child.try_wait().unwrap().is_none() && !has_trial() {
        sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    place.note_runs();
    place.clean();
    let lines = json_lines(&printed());
    assert_eq!((&lines[0]["type"], &lines[0]["trials"]), (&"start".into(), &2.into()), "{lines:?}");
    assert!(!["end", "error"].contains(&lines.last().unwrap()["type"].as_str().unwrap()), "{lines:?}");
    let run = place.only_run();
    assert_eq!(lines[0]["directory"], run.canonicalize().unwrap().to_str().unwrap());
    let trial = of_type(&lines, "trial").remove(0);
    let resumed = place.kvmfair(&["bench", "--json", "--resume", run.to_str().unwrap()]);
    assert_eq!(resumed.status.code(), Some(0), "{resumed:?}");
    let lines = json_lines(&resumed.stdout);
    assert_eq!(of_type(&lines, "trial").len(), 1, "the other trial was kept");
    assert_eq!(lines.last().unwrap()["exit_code"], 0);
    let table = std::fs::read_to_string(run.join("trials.csv")).unwrap();
    let columns: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    assert!(columns.iter().all(|column| trial.get(column).is_some()), "{columns:?}: {trial}");
    place.assert_nothing_left();
}

/// Neither `clean` nor the end of the terminal that it was told to outlive (`nohup kvmfair bench … &`).
#[test]
fn a_run_that_lives_is_disturbed_neither_by_clean_nor_by_a_hangup_it_was_told_to_ignore() {
    let place = Sandbox::beside_others();
    let command = place.command(&["bench", &place.profile("tiny", TINY)]);
    let mut running = place.start(handling(command, SigHandler::SigIgn));
    for words in ["to boot", "guests ready", "flows for"] {
        running.hear(words);
        let clean = place.kvmfair(&["clean"]);
        let said = String::from_utf8_lossy(&clean.stdout).into_owned();
        assert!(clean.status.success() && said.contains("left alone"), "{said}");
        running.signal(Signal::SIGHUP);
    }
    running.end().expect(0);
    place.assert_nothing_left();
}
