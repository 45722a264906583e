//! What makes a run's figures trustworthy beyond the ordinary: a backend that was changed behind kvmfair's back does not
//! count, a trial that comes to nothing can be tried again, a run that was broken off goes on where it ended.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::fault_matrix_disks::valid_files;
use crate::support::Sandbox;
use crate::support::tables::{raw_trials, rows};
use nix::sys::signal::Signal;

/// One short trial each.
const LOAD: &str = "[workload]\nflows = 2\nwarmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1\n[guest]\nmemory = \"96 MiB\"\n";

/// A directory, first on PATH, with a QEMU that does something before it becomes the real one.
pub fn false_qemu(place: &Sandbox, does: &str) -> String {
    let dir = place.out().with_file_name("false-qemu");
    fs::create_dir_all(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap(); // so QEMU is root, and can do what it does
    let path = std::env::var("PATH").unwrap();
    let name = "qemu-system-x86_64";
    let real = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.exists()).unwrap();
    executable(&dir.join(name), &format!("#!/bin/bash\n{does}\nexec {} \"$@\"\n", real.display()));
    format!("{}:{path}", dir.display())
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

const OTHER_MODE: &str = "for dir in /sys/class/net/kf-*-v1; do
    [ ! -e $dir ] || ip link set dev ${dir##*/} type macvtap mode bridge
done";

#[test]
fn a_macvtap_whose_mode_was_changed_behind_our_back_does_not_count() {
    let place = Sandbox::with_steady_settings();
    let profile = place.profile("vepa", &format!("{LOAD}[network]\nbackend = \"macvtap-vepa\"\n"));
    let mut command = place.command(&["bench", &profile]);
    command.env("PATH", false_qemu(&place, OTHER_MODE));
    let ended = place.start(command).end().expect(5);
    place.assert_nothing_left();
    let closed = "QEMU runs as root: libvirt-qemu may not execute /";
    assert!(ended.said().contains(closed), "{}", ended.said());
    let run = place.only_run();
    let trial = &rows(&run, "trials.csv")[0];
    assert_eq!(trial["outcome"], "invalid", "{}", ended.said());
    assert!(trial["cause"].contains("macvtap: expected vepa on kf-"), "{}", trial["cause"]);
    let broken: Vec<_> =
        rows(&run, "proofs.csv").into_iter().filter(|proof| proof["holds"] == "false").collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert!(broken[0]["found"].starts_with("bridge on kf-"), "{broken:?}");
    assert_eq!(rows(&run, "configurations.csv")[0]["measured"], "0");
    resumed_without_it(&place, &run);
}

/// With the real QEMU the trial is measured; what it was before is kept, counted and told.
fn resumed_without_it(place: &Sandbox, run: &Path) {
    let invalid = fs::read(run.join("raw/trial-0001.zst")).unwrap();
    let resumed = place.start(place.command(&["bench", "--resume", run.to_str().unwrap()])).end().expect(0);
    place.assert_nothing_left();
    assert_eq!(fs::read(run.join("raw/attempts/trial-0001-1.zst")).unwrap(), invalid);
    let trial = &rows(run, "trials.csv")[0];
    assert_eq!((trial["outcome"].as_str(), trial["attempts"].as_str()), ("measured", "2"));
    let warning = "1 of 1 trials needed more than one attempt, trial 1 the most (2)";
    assert!(resumed.stdout.contains(warning), "{}", resumed.stdout);
    assert!(fs::read_to_string(run.join("report.md")).unwrap().contains(warning));
}

/// The first QEMU changes the mode, the second does not.
#[test]
fn a_trial_that_comes_to_nothing_is_tried_again_and_the_attempt_is_kept() {
    let place = Sandbox::beside_others();
    let body = format!("{LOAD}[network]\nbackend = \"macvtap-vepa\"\n[limits]\ntrial_attempts = 2\n");
    let mut command = place.command(&["bench", &place.profile("again", &body)]);
    let once =
        format!("case \"$*\" in *guest=kf-*) [ -e $0.used ] || {{ touch $0.used; {OTHER_MODE}; }};; esac");
    command.env("PATH", false_qemu(&place, &once));
    let ended = place.start(command).end().expect(0);
    place.assert_nothing_left();
    assert!(ended.said().contains("(attempt 1; retrying)"), "{}", ended.said());
    let run = place.only_run();
    let trial = &rows(&run, "trials.csv")[0];
    assert_eq!((trial["outcome"].as_str(), trial["attempts"].as_str()), ("measured", "2"));
    let kept = fs::read(run.join("raw/attempts/trial-0001-1.zst")).unwrap();
    let kept = kvmfair::raw::decode(&kept).unwrap().checks;
    assert!(kept.iter().any(|check| check.found.starts_with("bridge on kf-")), "{kept:?}");
}

#[test]
fn a_run_that_was_broken_off_goes_on_where_it_ended() {
    let place = Sandbox::with_steady_settings();
    let body =
        format!("{LOAD}[plan]\norder = \"sequential\"\n[sweep]\nbackend = [\"virtio\", \"baremetal\"]\n");
    let mut running = place.bench(&place.profile("resumed", &body));
    running.hear("trial 2/2");
    running.signal(Signal::SIGINT);
    running.end().expect(130);
    let run = place.only_run();
    let first = raw_trials(&run).remove(0);
    let resumed = place.start(place.command(&["bench", "--resume", run.to_str().unwrap()])).end().expect(0);
    place.assert_nothing_left();
    assert!(!resumed.said().contains("trial 1/2"), "{}", resumed.said());
    let trials = raw_trials(&run);
    assert_eq!(trials.len(), 2);
    assert_eq!(trials[0], first, "the valid trial stays as it was");
    assert!(rows(&run, "trials.csv").iter().all(|trial| trial["outcome"] == "measured"));
    assert!(run.join("report.md").exists());
    assert_eq!(place.runs().len(), 1);
}

#[test]
fn a_run_that_is_ended_three_times_in_mid_trial_keeps_what_it_has_bit_for_bit_and_becomes_complete() {
    let place = Sandbox::with_steady_settings();
    let body = format!("{LOAD}[network]\nbackend = \"baremetal\"\n[limits]\ntrial_attempts = 3\n");
    let profile = place.profile("thrice", &body.replace("repeats = 1", "repeats = 4"));
    let (mut command, mut kept) = (place.command(&["bench", &profile]), BTreeMap::new());
    let resume = |run: &Path| place.command(&["bench", "--resume", run.to_str().unwrap()]);
    for (trial, signal) in [(2, Signal::SIGKILL), (3, Signal::SIGINT), (4, Signal::SIGTERM)] {
        let mut running = place.start(command);
        running.hear(&format!("trial {trial}/4: "));
        running.hear("flows for");
        if signal == Signal::SIGKILL {
            running.kill();
            place.note_runs();
            place.clean();
        } else {
            running.signal(signal);
            running.end().expect(130);
            place.assert_nothing_left();
        }
        let run = place.only_run();
        assert!(place.kvmfair(&["report", run.to_str().unwrap()]).status.success());
        let files = valid_files(&run);
        assert_eq!(files.len(), trial - 1, "{signal}");
        assert!(kept.iter().all(|(trial, bytes)| files.get(trial) == Some(bytes)), "{signal}");
        (command, kept) = (resume(&run), files);
    }
    place.start(command).end().expect(0);
    place.assert_nothing_left();
    let files = valid_files(&place.only_run());
    assert_eq!(files.len(), 4, "as many as an undisturbed run has");
    assert!(kept.iter().all(|(trial, bytes)| files.get(trial) == Some(bytes)));
}

#[test]
fn a_run_of_another_machine_is_resumed_only_if_the_change_is_accepted_and_names_it_then() {
    let place = Sandbox::with_steady_settings();
    let body = format!("{LOAD}[network]\nbackend = \"baremetal\"\n").replace("repeats = 1", "repeats = 2");
    place.bench(&place.profile("elsewhere", &body)).end().expect(0);
    let run = place.only_run();
    let environment = fs::read_to_string(run.join("environment.json")).unwrap();
    fs::write(run.join("environment.json"), environment.replace("\"netperf\": \"2", "\"netperf\": \"1"))
        .unwrap();
    let ended = place.start(place.command(&["bench", "--resume", run.to_str().unwrap()])).end().expect(1);
    place.assert_nothing_left();
    let change = "netperf was \"1.7.0\" and is \"2.7.0\"";
    assert!(ended.said().contains(change), "{}", ended.said());
    assert!(ended.said().contains("or accept the change with --accept-changes"), "{}", ended.said());
    fs::remove_file(run.join("raw/trial-0002.zst")).unwrap();
    let first = fs::read(run.join("raw/trial-0001.zst")).unwrap();
    let resume = ["bench", "--resume", run.to_str().unwrap(), "--accept-changes"];
    let ended = place.start(place.command(&resume)).end().expect(0);
    place.assert_nothing_left();
    assert_eq!(fs::read(run.join("raw/trial-0001.zst")).unwrap(), first, "a valid trial is kept bit for bit");
    let warning = format!(
        "the run was resumed although something had changed: {change}; after that trial 2 was measured"
    );
    let report = fs::read_to_string(run.join("report.md")).unwrap();
    assert!(ended.stdout.contains(&warning) && report.contains(&warning), "{}", ended.stdout);
    place.start(place.command(&resume[..3])).end().expect(0);
}

#[test]
fn bare_metal_alone_opens_no_libvirt() {
    let place = Sandbox::beside_others();
    place
        .bench(&place.profile("bare", &format!("{LOAD}[network]\nbackend = \"baremetal\"\n")))
        .end()
        .expect(0);
    place.assert_nothing_left();
    let environment = fs::read_to_string(place.only_run().join("environment.json")).unwrap();
    let environment: serde_json::Value = serde_json::from_str(&environment).unwrap();
    assert_eq!(
        (&environment["libvirt"], &environment["qemu"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
}

#[test]
fn a_guest_whose_filtered_qemu_dies_in_its_trial_is_named_before_the_window_is_over() {
    let place = Sandbox::beside_others();
    let body = LOAD.replace("window = \"3 s\"", "window = \"120 s\"");
    let profile = place.profile("dies", &format!("{body}[network]\nbackend = \"virtio\"\n"));
    let mut running = place.bench(&profile);
    running.hear("flows for");
    let pid = crate::truth::qemu_of_guest(1, &place);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    for filter in ["NoNewPrivs:\t1\n", "Seccomp:\t2\n"] {
        assert!(status.contains(filter), "QEMU is behind its seccomp filter: {status}");
    }
    let uid = nix::unistd::User::from_name("libvirt-qemu").unwrap().unwrap().uid;
    for nothing in [format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n"), "CapEff:\t0000000000000000\n".into()] {
        assert!(status.contains(&nothing), "QEMU has no privileges: {status}");
    }
    let directory =
        format!("/run/kvmfair-{}", crate::support::name(&crate::support::entries(&place.state())[0]));
    for file in ["kernel", "initramfs"].map(|name| Path::new(&directory).join(name)) {
        let file = fs::metadata(file).unwrap();
        assert_eq!((file.uid(), file.mode() & 0o777), (0, 0o640), "root's, and nobody else's to read");
    }
    nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
    let ended = running.end().expect(5);
    place.assert_nothing_left();
    assert!(ended.said().contains("FAILED (load): the QEMU of guest kf-"), "{}", ended.said());
    assert!(ended.said().contains("has ended; the guest's console ends with: "), "{}", ended.said());
    let trial = &raw_trials(&place.only_run())[0];
    assert!(trial.ended_s - trial.started_s < 120.0, "it was seen within the window");
    let environment = fs::read_to_string(place.only_run().join("environment.json")).unwrap();
    assert!(environment.contains("\"qemu_user\": \"libvirt-qemu\""), "{environment}");
}

#[test]
fn a_lab_whose_guests_do_not_answer_twice_in_a_row_is_given_up() {
    let place = Sandbox::beside_others();
    let limits = "[limits]\nboot = \"1 s\"\nboot_attempts = 2\ntrial_attempts = 1\n";
    let body = format!("{LOAD}{limits}[sweep]\nbackend = [\"virtio\", \"e1000\", \"e1000e\"]\n");
    let ended = place.bench(&place.profile("mute", &body)).end().expect(5);
    place.assert_nothing_left();
    assert!(ended.said().contains("guest 1 did not answer, boot 2 of 2"), "{}", ended.said());
    let trials = rows(&place.only_run(), "trials.csv");
    let stages: Vec<&str> = trials.iter().map(|trial| trial["stage"].as_str()).collect();
    assert_eq!(stages, ["provision", "provision", "skipped"], "{}", ended.said());
    let cause = &trials[2]["cause"];
    assert!(
        cause.starts_with("the lab failed in two trials in a row, the last time so: guest kf-"),
        "{cause}"
    );
}
