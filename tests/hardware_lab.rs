//! The hardware lab, on machines made of namespaces: a VM host with a libvirt daemon of its own, a tester, a controller
//! that reaches both by SSH only. Real guests, measured by the real program.
//!
//! Needs root, sshd and libvirtd; fails without. Nothing here asserts a speed.

mod support;

use std::fs;
use std::process::Output;
use std::time::Duration;

use kvmfair::sample::Check;
use support::Sandbox;
use support::machines::{HOST, Machines, TESTER};
use support::tables::{number, raw_trials, rows};

const LOAD: &str = "[guest]\nmemory = \"96 MiB\"\n
[workload]\nflows = 4\nwarmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1\n";

fn profile(place: &Sandbox, name: &str, rest: &str) -> String {
    let machines = format!(
        "[host]\nuri = \"qemu+ssh://root@{HOST}/system\"\n[tester]\nssh = \"root@{TESTER}\"\n
         [wire]\nhost_dev = \"wire0\"\ntester_dev = \"wire0\"\n"
    );
    place.profile(name, &format!("{machines}{LOAD}{rest}"))
}

const SWEEP: &str = "[sweep]\nbackend = [\"virtio\", \"macvtap-bridge\"]\nvms = [2]\n";

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn guests_of_another_machines_libvirt_are_measured_from_a_third_and_nothing_is_left() {
    let place = Sandbox::with_guests();
    let machines = Machines::new();
    let profile = profile(&place, "far", SWEEP);
    let check = machines.kvmfair(&place, &["check", &profile]);
    assert!(check.status.success(), "{}", said(&check));
    let ended = place.start(machines.command(&place, &["bench", &profile])).end().expect(0);
    machines.assert_nothing_left();
    place.assert_nothing_left();
    let run = place.only_run();
    let trials = rows(&run, "trials.csv");
    assert_eq!(trials.len(), 2, "{}", ended.said());
    for trial in &trials {
        assert_eq!(trial["outcome"], "measured", "{trial:?}");
        assert!((0.9..=1.1).contains(&number(trial, "witness_ratio")), "{trial:?}");
    }
    for raw in raw_trials(&run) {
        let broken: Vec<&Check> = raw.checks.iter().filter(|check| !check.holds()).collect();
        assert!(broken.is_empty() && !raw.checks.is_empty(), "{broken:?}");
        let last = raw.host.last().unwrap();
        assert!(last.targets.iter().all(|target| target.vcpu_s > 0.0), "{last:?}");
    }
}

#[test]
fn a_stream_is_paced_by_the_other_tester_whose_nic_is_left_without_a_class() {
    let place = Sandbox::with_guests();
    let machines = Machines::new();
    let group = "[network]\nbackend = \"virtio\"\n[sweep]\nvms = [2]\n\
                 [[group]]\nname = \"hum\"\nguests = 1\nrole = \"paced\"\nrate = \"2 Mbit\"\n";
    let profile = profile(&place, "paced", group);
    // This libvirt daemon has no control groups: it cannot prove that there are no quotas, and the trial does not count.
    let ended = place.start(machines.command(&place, &["bench", &profile])).end().expect(5);
    machines.assert_nothing_left();
    place.assert_nothing_left();
    let run = place.only_run();
    let proofs = rows(&run, "proofs.csv");
    let broken = proofs.iter().filter(|proof| proof["holds"] == "no");
    let others: Vec<_> = broken.filter(|proof| !proof["what"].contains("quota")).collect();
    assert!(others.is_empty(), "{others:?}");
    let seen = proofs.iter().find(|proof| proof["what"].contains("paced")).unwrap();
    assert_eq!((seen["found"].as_str(), seen["holds"].as_str()), ("2000000 bit/s", "yes"));
    assert!(!ended.said().contains("background of guest"), "{}", ended.said());
    let hum = rows(&run, "groups.csv").into_iter().find(|row| row["group"] == "hum").unwrap();
    println!("{} Mbit/s of payload at a rate of 2", hum["background_mbps"]);
    assert!((1.6..=2.0).contains(&number(&hum, "background_mbps")), "{hum:?}");
    let queueing = machines.tester.sh("tc qdisc show dev wire0");
    assert!(!queueing.contains("htb"), "{queueing}");
}

#[test]
fn after_a_kill_clean_takes_everything_back_from_the_other_machines() {
    let place = Sandbox::with_guests();
    let machines = Machines::new();
    let profile = profile(&place, "killed", SWEEP);
    for words in ["to boot", "flows for"] {
        let mut running = place.start(machines.command(&place, &["bench", &profile]));
        running.hear(words);
        std::thread::sleep(Duration::from_millis(1500));
        running.kill();
        place.note_runs();
        assert!(!machines.host.left().is_empty(), "a killed run leaves its guests");
        let doctor = said(&machines.kvmfair(&place, &["doctor", &profile]));
        assert!(words == "to boot" || doctor.contains("2 guests run; the profile adds 2"), "{doctor}");
        let clean = machines.kvmfair(&place, &["clean"]);
        eprintln!("killed after {words:?}: {}", said(&clean));
        assert!(clean.status.success(), "{}", said(&clean));
        machines.assert_nothing_left();
        place.assert_nothing_left();
    }
}

#[test]
fn machines_that_cannot_serve_are_refused_before_anything_changes() {
    let place = Sandbox::with_guests();
    let machines = Machines::new();
    let profile = profile(&place, "refused", SWEEP);
    let refused = |words: &[&str]| {
        for command in ["check", "bench"] {
            let output = machines.kvmfair(&place, &[command, &profile]);
            assert_eq!(output.status.code(), Some(4), "{}", said(&output));
            for words in words {
                assert!(said(&output).contains(words), "no {words:?} in {}", said(&output));
            }
        }
        machines.assert_nothing_left();
        place.assert_nothing_left();
    };
    machines.tester.sh("ip route add default dev wire0 2>/dev/null || { ip link set wire0 up; ip route add default dev wire0; }");
    refused(&["tester: NIC of the wire: wire0 is in use: the default route leads over it"]);
    machines.tester.sh("ip route del default; ip link set wire0 down");

    machines.host.sh("kill $(cat /run/libvirtd.pid); while [ -e /run/libvirt/libvirt-sock ] && kill -0 $(cat /run/libvirtd.pid) 2>/dev/null; do sleep 0.1; done; rm -f /run/libvirt/libvirt-sock");
    refused(&["VM host: libvirt: ", "systemctl enable --now libvirtd"]);

    let key = machines.ssh_directory().join("id_ed25519");
    let right = fs::read(&key).unwrap();
    fs::copy(machines.path("stranger"), &key).unwrap();
    refused(&["VM host: login: ", "accepts no key", "ssh-copy-id"]);
    fs::write(&key, right).unwrap();

    fs::remove_file(machines.ssh_directory().join("known_hosts")).unwrap();
    refused(&[
        "VM host: login: the host key of root@198.51.100.2 is not in ~/.ssh/known_hosts; it is SHA256:",
        "ssh-keyscan -p 22 198.51.100.3 >> ~/.ssh/known_hosts",
    ]);
}
