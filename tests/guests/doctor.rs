//! `kvmfair doctor` on the machine that the tests run on: what it says is what the machine says.

use std::fs;
use std::process::Output;

use crate::support::Sandbox;
use crate::support::json::{json_lines, of_type};
use crate::support::machines::{HOST, Machines, TESTER};
use serde_json::Value;

const TWO_GUESTS: &str = "[guest]\nvcpus = 1\nmemory = \"96 MiB\"\n[workload]\nflows = 2\n[network]\nbackend = \"virtio\"\n[sweep]\nvms = [1, 2]\n";

fn subjects(place: &Sandbox, arguments: &[&str]) -> Vec<Value> {
    let output = place.kvmfair(&[&["doctor", "--json"], arguments].concat());
    subjects_of(&output, "this machine")
}

#[track_caller]
fn subjects_of(output: &Output, machine: &str) -> Vec<Value> {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let subjects = of_type(&json_lines(&output.stdout), "subject");
    assert!(subjects.iter().all(|subject| subject["machine"] == machine), "{subjects:?}");
    subjects
}

#[track_caller]
fn found(subjects: &[Value], name: &str) -> String {
    let subject = subjects.iter().find(|subject| subject["subject"] == name);
    subject.unwrap_or_else(|| panic!("{name} is not in {subjects:?}"))["found"].as_str().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

#[test]
fn what_is_found_is_what_the_kernel_says() {
    let place = Sandbox::new();
    let subjects = subjects(&place, &[]);
    assert!(found(&subjects, "versions").contains(&read("/proc/sys/kernel/osrelease")));
    let clock = read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    assert!(found(&subjects, "clock source").contains(&clock));
    let cpus = read("/proc/stat")
        .lines()
        .filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "))
        .count();
    assert!(found(&subjects, "CPUs for guests").contains(&format!("{cpus} CPU")));
    let flags = read("/proc/cpuinfo");
    let has = |flag: &str| flags.split_whitespace().any(|word| word == flag);
    let virtualisation = found(&subjects, "virtualisation");
    assert_eq!(
        virtualisation.contains("neither vmx nor svm"),
        !has("vmx") && !has("svm"),
        "{virtualisation}"
    );
}

#[test]
fn every_subject_has_a_verdict_and_a_sentence_and_what_is_bad_can_be_changed() {
    let place = Sandbox::new();
    let subjects = subjects(&place, &[]);
    assert!(subjects.len() > 25, "only {} subjects", subjects.len());
    for subject in &subjects {
        let verdict = subject["verdict"].as_str().unwrap();
        assert!(["good", "unknown", "note", "bad"].contains(&verdict), "{subject}");
        assert!(subject["effect"].as_str().unwrap().ends_with('.'), "{subject}");
        assert!(verdict != "bad" || subject["change"].is_string(), "{subject}");
        assert!(verdict != "good" || subject["change"].is_null(), "{subject}");
    }
}

#[test]
fn the_page_has_a_line_for_each_subject_and_no_colours_without_a_terminal() {
    let place = Sandbox::new();
    let page = String::from_utf8(place.kvmfair(&["doctor"]).stdout).unwrap();
    for subject in subjects(&place, &[]) {
        let name = subject["subject"].as_str().unwrap();
        let line = |line: &&str| {
            line.split_once("  ").is_some_and(|(_, rest)| rest.contains(&format!("  {name}  ")))
        };
        assert_eq!(page.lines().filter(line).count(), 1, "{name} in {page}");
    }
    assert!(!page.contains('\u{1b}'), "{page}");
    assert!(page.lines().last().unwrap().ends_with(" good"), "{page}");
}

#[test]
fn strict_ends_with_4_if_anything_is_bad() {
    let place = Sandbox::new();
    let output = place.kvmfair(&["doctor", "--strict", "--json"]);
    let lines = json_lines(&output.stdout);
    let bad = of_type(&lines, "subject").iter().any(|subject| subject["verdict"] == "bad");
    assert_eq!(output.status.code(), Some(if bad { 4 } else { 0 }));
}

#[test]
fn the_guests_of_a_profile_are_counted() {
    let place = Sandbox::new();
    let subjects = subjects(&place, &[&place.profile("two", TWO_GUESTS)]);
    assert!(found(&subjects, "memory for guests").contains("; the profile adds 2"));
}

#[test]
fn a_profile_that_is_wrong_and_a_host_that_does_not_answer_are_errors() {
    let place = Sandbox::new();
    let wrong = place.kvmfair(&["doctor", &place.profile("wrong", "[workload]\nflows = 0\n")]);
    assert_eq!(wrong.status.code(), Some(3));
    let far = "[host]\nuri = \"qemu+ssh://root@127.0.0.1:1/system\"\n[tester]\nssh = \"root@127.0.0.1:1\"\n\
               [wire]\nhost_dev = \"a\"\ntester_dev = \"b\"\n[workload]\nflows = 2\n[network]\nbackend = \"virtio\"\n";
    let silent = place.kvmfair(&["doctor", &place.profile("far", far)]);
    let said = String::from_utf8_lossy(&silent.stderr).into_owned();
    assert_eq!(silent.status.code(), Some(1), "{said}");
    assert!(said.contains("failed to log in to the VM host") && said.contains("hint:"), "{said}");
}

/// Needs root, sshd and libvirtd, as the hardware lab.
#[test]
fn the_vm_host_of_a_profile_is_asked_over_ssh_and_its_libvirt_for_guests() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    machines.host.sh(
        "ip link add br9 type bridge && ip link add v0 type veth peer name v1 && ip link set v0 master br9",
    );
    let profile = place.profile(
        "far",
        &format!(
            "[host]\nuri = \"qemu+ssh://root@{HOST}/system\"\n[tester]\nssh = \"root@{TESTER}\"\n\
             [wire]\nhost_dev = \"wire0\"\ntester_dev = \"wire0\"\n{TWO_GUESTS}"
        ),
    );
    let output = machines.kvmfair(&place, &["doctor", "--json", &profile]);
    let subjects = subjects_of(&output, &format!("root@{HOST}"));
    assert!(found(&subjects, "memory for guests").ends_with(": 0 guests run; the profile adds 2"));
    assert!(found(&subjects, "bridges").contains("br9 (1 port: 0 guests, no NIC)"), "{subjects:?}");
    machines.assert_nothing_left();
}
