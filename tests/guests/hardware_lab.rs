//! The hardware lab, on machines made of namespaces: a VM host with a libvirt daemon of its own, a tester, a controller
//! that reaches both by SSH only. Real guests, measured by the real program.
//!
//! Needs root, sshd and libvirtd; fails without. Nothing here asserts a speed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::Sandbox;
use crate::support::image::{debian, qemu_img, trace};
use crate::support::machines::{Machines, said};
use crate::support::tables::{number, raw_trials, rows};
use kvmfair::raw::Check;
use nix::sys::signal::Signal;

const LOAD: &str = "[guest]\nmemory = \"96 MiB\"\n
[workload]\nflows = 4\nwarmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1\n";

/// The machines by their addresses, and the wire.
pub const LAB: &str = r#"[host]
uri = "qemu+ssh://root@198.51.100.2/system"
[tester]
ssh = "root@198.51.100.3"
[wire]
host_dev = "wire0"
tester_dev = "wire0"
"#;

fn profile(place: &Sandbox, name: &str, rest: &str) -> String {
    place.profile(name, &format!("{LAB}{LOAD}{rest}"))
}

/// A profile of guests that boot an image.
fn of_image(place: &Sandbox, name: &str, lab: &str, vms: u32, image: &Path) -> String {
    let guest =
        format!("[guest]\nvms = {vms}\nimage = {image:?}\n[network]\nbackend = \"virtio\"\nmtu = 1400\n");
    let load = LOAD.split_once("[workload]").unwrap().1;
    let limits = "[limits]\nboot = \"550 s\"\nboot_attempts = 1\n";
    place.profile(name, &format!("{lab}{guest}[workload]{load}{limits}"))
}

const SWEEP: &str = "[sweep]\nbackend = [\"virtio\", \"macvtap-bridge\"]\nvms = [2]\n";

#[test]
fn guests_of_another_machines_libvirt_are_measured_from_a_third_and_nothing_is_left() {
    let place = Sandbox::beside_others();
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
        assert!((0.9..=1.1).contains(&number(trial, "packet_check_ratio")), "{trial:?}");
        for of_tester in ["tester_busiest_cpu_percent", "busiest_netperf_percent"] {
            assert!(number(trial, of_tester) > 0.0, "{trial:?}");
        }
    }
    for raw in raw_trials(&run) {
        let broken: Vec<&Check> = raw.checks.iter().filter(|check| !check.holds()).collect();
        assert!(broken.is_empty() && !raw.checks.is_empty(), "{broken:?}");
        let last = raw.host.last().unwrap();
        assert_eq!(last.cpus.len(), raw.host_cpus as usize, "{last:?}");
        assert!(last.context_switches > raw.host[0].context_switches, "{last:?}");
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
    let broken = proofs.iter().filter(|proof| proof["holds"] == "false");
    let others: Vec<_> = broken.filter(|proof| !proof["what"].contains("quota")).collect();
    assert!(others.is_empty(), "{others:?}");
    let seen = proofs.iter().find(|proof| proof["what"].contains("paced")).unwrap();
    assert_eq!((seen["found"].as_str(), seen["holds"].as_str()), ("2000000 bit/s", "true"));
    assert!(!ended.said().contains("background of guest"), "{}", ended.said());
    let hum = rows(&run, "groups.csv").into_iter().find(|row| row["group"] == "hum").unwrap();
    println!("{} Mbit/s of payload at a rate of 2", hum["background_mbps"]);
    assert!((1.6..=2.0).contains(&number(&hum, "background_mbps")), "{hum:?}");
    let queueing = machines.tester.sh("tc qdisc show dev wire0");
    assert!(!queueing.contains("htb"), "{queueing}");
}

#[test]
fn after_a_kill_clean_takes_everything_back_from_the_other_machines() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let profile = profile(&place, "killed", SWEEP);
    for words in ["to boot", "flows for"] {
        let mut running = place.start(machines.command(&place, &["bench", &profile]));
        running.hear(words);
        std::thread::sleep(Duration::from_millis(1500));
        machines.kill_with_watchdogs(running);
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
fn settings_of_another_machine_are_one_run_s_at_a_time_and_after_a_kill_nobody_s_before_clean() {
    const SWAPPINESS: &str = "/proc/sys/vm/swappiness";
    let place = Sandbox::changing_settings();
    let machines = Machines::new();
    let before = std::fs::read_to_string(SWAPPINESS).unwrap();
    let [first, second] = [61, 62].map(|swappiness| {
        let name = format!("swappiness-{swappiness}");
        profile(&place, &name, &format!("{SWEEP}[tuning.host]\nswappiness = {swappiness}\n"))
    });
    let refused = |words: &[&str]| {
        let check = machines.kvmfair(&place, &["check", &second]);
        assert_eq!(check.status.code(), Some(4), "{}", said(&check));
        words.iter().for_each(|word| assert!(said(&check).contains(word), "no {word:?} in {}", said(&check)));
    };
    let mut running = place.start(machines.command(&place, &["bench", &first]));
    running.hear("to boot");
    refused(&["VM host: another run: run ", "changes settings of the VM host", "wait for its end"]);
    running.hear("flows for");
    assert_eq!(std::fs::read_to_string(SWAPPINESS).unwrap(), "61\n");
    machines.kill_with_watchdogs(running);
    place.note_runs();
    refused(&["was killed", &format!("{SWAPPINESS} was {}", before.trim()), "run `kvmfair clean` first"]);
    let clean = said(&machines.kvmfair(&place, &["clean"]));
    assert!(clean.contains(&format!("wrote {} back into {SWAPPINESS}", before.trim())), "{clean}");
    assert_eq!(std::fs::read_to_string(SWAPPINESS).unwrap(), before);
    machines.assert_nothing_left();
    place.assert_nothing_left();
}

#[test]
fn guests_of_a_cloud_image_are_measured_on_another_machine_and_no_overlay_seed_key_or_image_is_left() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let image = debian();
    let before = trace(&image);
    let profile = of_image(&place, "cloud", LAB, 2, &image);
    let check = machines.kvmfair(&place, &["check", &profile]);
    assert!(check.status.success(), "{}", said(&check));
    let mut running = place.start(machines.command(&place, &["bench", &profile]));
    running.hear("copying the cloud image to the VM host: 0 % of ");
    running.hear("copying the cloud image to the VM host: 100 % of ");
    running.hear("1 of 2 guests ready");
    let there = machines.host.left().join("\n");
    for file in ["g1.qcow2", "g1.seed", "g2.qcow2", "g2.seed", "base.qcow2"] {
        assert!(machines.host.sh("find /run/kvmfair-* /var/tmp").contains(file), "no {file}: {there}");
    }
    assert!(there.contains("private key in /run/kvmfair-"), "the seeds hold a key: {there}");
    assert_eq!(
        machines.host.sh("ls /var/tmp/kvmfair-*"),
        "base.qcow2\n",
        "what may hold a key stays in memory"
    );
    let ended = running.end().expect(0);
    machines.assert_nothing_left();
    place.assert_nothing_left();
    assert_eq!(before, trace(&image), "the image was written or given away");
    let run = place.only_run();
    let trial = &rows(&run, "trials.csv")[0];
    assert_eq!(trial["outcome"], "measured", "{}", ended.said());
    assert!((0.9..=1.1).contains(&number(trial, "packet_check_ratio")), "{trial:?}");
    let raw = &raw_trials(&run)[0];
    assert!(raw.checks.iter().all(Check::holds), "{:?}", raw.checks);
    assert_eq!(raw.checks.iter().filter(|check| check.found == "1400").count(), 2, "{:?}", raw.checks);
    assert!(raw.guests.len() == 2 && raw.flows.len() == 4);
    let environment = fs::read_to_string(run.join("environment.json")).unwrap();
    assert!(environment.contains(&before.0), "{environment}");
}

#[test]
fn a_guest_of_a_cloud_image_is_measured_on_the_machine_that_kvmfair_runs_on_by_its_own_libvirt() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let image = debian();
    let before = trace(&image);
    let here = LAB.replace("qemu+ssh://root@198.51.100.2/system", "qemu:///system");
    let profile = of_image(&place, "here", &here, 1, &image);
    let ended = place.start(machines.on_the_host(&place, &["bench", &profile])).end().expect(0);
    machines.assert_nothing_left();
    place.assert_nothing_left();
    assert_eq!(before, trace(&image), "the image was written or given away");
    let trial = &rows(&place.only_run(), "trials.csv")[0];
    assert_eq!(trial["outcome"], "measured", "{}", ended.said());
}

#[test]
fn an_interrupt_and_a_kill_while_the_cloud_image_is_brought_leave_nothing_of_it() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let image = place.out().with_file_name("large.qcow2");
    qemu_img(&["create", "-q", "-f", "qcow2", "-o", "preallocation=full"], &[&image, Path::new("1G")]);
    let profile = of_image(&place, "large", LAB, 2, &image);
    for kill in [false, true] {
        let mut running = place.start(machines.command(&place, &["bench", &profile]));
        running.hear("copying the cloud image to the VM host: 10 %");
        if kill {
            machines.kill_with_watchdogs(running);
            place.note_runs();
            assert!(machines.host.sh("ls /var/tmp/kvmfair-*").contains("base.qcow2"));
            let clean = machines.kvmfair(&place, &["clean"]);
            assert!(
                clean.status.success() && said(&clean).contains("removed /var/tmp/kvmfair-"),
                "{}",
                said(&clean)
            );
        } else {
            running.signal(Signal::SIGINT);
            let ended = running.end().expect(130);
            assert!(!ended.said().contains("100 %"), "{}", ended.said());
        }
        machines.assert_nothing_left();
        place.assert_nothing_left();
    }
}

#[test]
fn machines_that_cannot_serve_are_refused_before_anything_changes() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let profile = profile(&place, "refused", SWEEP);
    let refused = |words: &[&str]| {
        for command in ["check", "bench"] {
            machines.assert_refused(&place, &[command, &profile], words);
        }
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
