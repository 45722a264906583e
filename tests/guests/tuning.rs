//! Settings of the host and inside the guests: written, proven in every trial, put back at the end and after a kill -9.

use std::fs;

use crate::support::Sandbox;
use crate::support::machines::said;
use crate::support::tables::{Row, rows};
use nix::sys::signal::Signal;

const KSM: &str = "/sys/kernel/mm/ksm/run";
const FLOWS: &str = "/proc/sys/net/core/rps_sock_flow_entries";
const SWAPPINESS: &str = "/proc/sys/vm/swappiness";

const PROFILE: &str = r#"
[guest]
vcpus = 2
memory = "96 MiB"
[tuning.host]
ksm = true
swappiness = 1
rps_flow_cnt = 4096
rps_sock_flow_entries = 8192
tso = false
[tuning.guest]
rps_flow_cnt = 512
rps_sock_flow_entries = 1024
gro = false
gso = true
[sweep]
host_rps = ["none", "1"]
guest_rps = ["none", "all"]
"#;

fn machine() -> [String; 3] {
    [KSM, FLOWS, SWAPPINESS].map(|path| fs::read_to_string(path).unwrap())
}

/// What a trial of these levels found of a setting.
fn found<'r>(proofs: &'r [Row], (host, guest): (&str, &str), what: &str) -> &'r str {
    let of = |row: &&Row| row["host_rps"] == host && row["guest_rps"] == guest && row["what"] == what;
    &proofs.iter().find(of).unwrap_or_else(|| panic!("no proof of {what} for {host}, {guest}"))["found"]
}

#[test]
fn every_setting_is_proven_in_its_trial_and_put_back_at_the_end() {
    let place = Sandbox::changing_settings();
    let before = machine();
    place.bench(&place.light_profile("tuning", PROFILE)).end().expect(0);
    assert_eq!(machine(), before);
    let run = place.only_run();
    assert_eq!(rows(&run, "trials.csv").len(), 4);
    let proofs = rows(&run, "proofs.csv");
    assert!(proofs.iter().all(|row| row["holds"] == "true"));
    for (levels, values) in
        [(("none", "none"), ["0", "0", "0", "0"]), (("1", "all"), ["1", "4096", "3", "512"])]
    {
        let whats = [
            "host: RPS (rps_cpus)",
            "host: RFS (rps_flow_cnt)",
            "guest 1: RPS (rps_cpus)",
            "guest 1: RFS (rps_flow_cnt)",
        ];
        assert_eq!(whats.map(|what| found(&proofs, levels, what)), values, "{levels:?}");
        assert_eq!(found(&proofs, levels, "host: KSM"), "1");
        assert_eq!(found(&proofs, levels, "host: swappiness"), "1");
        assert_eq!(found(&proofs, levels, "host: rps_sock_flow_entries"), "8192");
        assert_eq!(found(&proofs, levels, "guest 1: rps_sock_flow_entries"), "1024");
        assert_eq!(found(&proofs, levels, "host: TCP segmentation offload (tso)"), "off");
        assert_eq!(found(&proofs, levels, "guest 1: generic receive offload (gro)"), "off");
        assert_eq!(found(&proofs, levels, "guest 1: generic segmentation offload (gso)"), "on");
    }
    place.assert_nothing_left();
}

#[test]
fn ksm_is_a_live_factor_and_a_trial_with_it_shows_what_was_merged() {
    let place = Sandbox::changing_settings();
    let before = machine();
    let body = "[guest]\nmemory = \"96 MiB\"\nvms = 2\n[sweep]\nksm = [false, true]\n[plan]\norder = \"sequential\"\n";
    place.bench(&place.light_profile("merging", body)).end().expect(0);
    assert_eq!(machine(), before);
    let trials = rows(&place.only_run(), "trials.csv");
    let cell = |trial: usize, column: &str| trials[trial][column].as_str();
    for place in ["before", "after"] {
        let sharing =
            [0, 1].map(|trial| cell(trial, &format!("ksm_pages_sharing_{place}")).parse::<u64>().unwrap());
        assert!(sharing[0] == 0 && sharing[1] > 0, "{sharing:?} {place} the window");
    }
    assert_eq!(cell(0, "ksm_waited_s"), "");
    assert_ne!(cell(1, "ksm_waited_s"), "");
    let plan = fs::read_to_string(place.only_run().join("plan.json")).unwrap();
    assert_eq!(plan.matches("\"boot\": [\n").count(), 1, "the guests are booted once");
    place.assert_nothing_left();
}

#[test]
fn a_guest_s_nic_gathers_packets_as_long_as_each_trial_tells_it_to() {
    let place = Sandbox::changing_settings();
    let body = "[guest]\nmemory = \"96 MiB\"\n[network]\nbackend = \"e1000e\"\n[sweep]\nguest_coalesce_rx = [\"100 us\", \"0 us\"]\nswappiness = [1, 100]\n[plan]\norder = \"sequential\"\n\
                [workload]\nflows = 1\nwarmup = \"500 ms\"\nwindow = \"2 s\"\ncooldown = \"500 ms\"\nrepeats = 1\n\
                [limits]\ntrial_attempts = 3\n";
    place.bench(&place.profile("gathering", body)).end().expect(0);
    place.assert_nothing_left();
    let proofs = rows(&place.only_run(), "proofs.csv");
    assert!(proofs.iter().all(|row| row["holds"] == "true"));
    let found = |what: &str| -> Vec<&str> {
        proofs.iter().filter(|row| row["what"].contains(what)).map(|row| row["found"].as_str()).collect()
    };
    assert_eq!(found("rx-usecs"), ["100", "100", "0", "0"]);
    assert_eq!(found("host: swappiness"), ["1", "100", "1", "100"]);
    assert_eq!(found("after the load: swappiness"), ["1", "100", "1", "100"]);
    let plan = fs::read_to_string(place.only_run().join("plan.json")).unwrap();
    assert_eq!(plan.matches("\"boot\": [\n").count(), 1, "the guest is booted once");
}

#[test]
fn a_virtio_nic_that_is_to_gather_packets_is_refused() {
    let place = Sandbox::new();
    let body = PROFILE.replace("rps_flow_cnt = 512", "coalesce_rx = \"100 us\"");
    let check = place.kvmfair(&["plan", &place.light_profile("virtio", &body)]);
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert_eq!(check.status.code(), Some(3), "{said}");
    let refused = "not supported by backend `virtio`: QEMU's virtio-net gathers no packets";
    assert!(said.contains(refused) && said.contains("use `e1000e`"), "{said}");
}

#[test]
fn a_setting_that_somebody_changes_under_load_makes_the_trial_invalid() {
    let place = Sandbox::changing_settings();
    let before = machine();
    let body = "[guest]\nmemory = \"96 MiB\"\n[tuning.host]\nswappiness = 1\n";
    let profile = place.light_profile("meddled", body);
    let once = fs::read_to_string(&profile).unwrap().replace("trial_attempts = 3", "trial_attempts = 1");
    fs::write(&profile, once).unwrap();
    let mut running = place.bench(&profile);
    running.hear("2 flows for");
    fs::write(SWAPPINESS, "60").unwrap();
    running.end().expect(5);
    assert_eq!(machine(), before);
    let trial = &rows(&place.only_run(), "trials.csv")[0];
    assert_eq!(trial["outcome"], "invalid");
    let cause = &trial["cause"];
    assert!(cause.contains("host, after the load: swappiness: expected 1, found 60"), "{cause}");
    place.assert_nothing_left();
}

#[test]
fn after_a_kill_clean_puts_the_settings_of_the_machine_back() {
    let place = Sandbox::changing_settings();
    let before = machine();
    let mut running = place.bench(&place.light_profile("tuning", PROFILE));
    running.hear("flows for");
    assert_ne!(machine(), before);
    running.kill();
    place.note_runs();
    // Nobody measures with what the killed run left, or takes it for the machine's own.
    let plain = place.light_profile("plain", "[guest]\nmemory = \"96 MiB\"\n");
    for command in ["check", "bench"] {
        let refused = place.kvmfair(&[command, &plain]);
        assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
        let words = [
            "was killed, and what it changed still stands: ",
            &format!("{SWAPPINESS} was {}", before[2].trim()),
            "run `kvmfair clean` first",
        ];
        words
            .iter()
            .for_each(|word| assert!(said(&refused).contains(word), "no {word:?} in {}", said(&refused)));
    }
    assert_eq!(place.runs().len(), 1, "a run that is refused makes nothing");
    let told = place.clean();
    let back = format!("  wrote {} back into {SWAPPINESS}\n", before[2].trim());
    assert_eq!(told.matches(&back).count(), 1, "{told}");
    assert_eq!(machine(), before);
    assert!(place.kvmfair(&["check", &plain]).status.success());
}

#[test]
fn of_two_runs_that_change_the_machine_the_second_is_refused_while_the_first_goes_on() {
    let place = Sandbox::changing_settings();
    let before = machine();
    let profile = |name: &str, about: &str| {
        let path = place.light_profile(name, &format!("[guest]\nmemory = \"96 MiB\"\n{about}"));
        let long = fs::read_to_string(&path).unwrap().replace("window = \"2 s\"", "window = \"60 s\"");
        fs::write(&path, long).unwrap();
        path
    };
    let first = profile("first", "[tuning.host]\nswappiness = 61\n");
    let second = profile("second", "[tuning.host]\nswappiness = 62\n");
    let mut running = place.bench(&first);
    running.hear("flows for");
    for command in ["check", "bench"] {
        let refused = place.kvmfair(&[command, &second]);
        assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
        let pid = format!("(process {} on ", running.pid());
        for word in ["another run: run ", &pid, "changes settings of the VM host", "wait for its end"] {
            assert!(said(&refused).contains(word), "no {word:?} in {}", said(&refused));
        }
    }
    let beside = place.kvmfair(&["check", &profile("plain", "")]);
    assert!(beside.status.success() && said(&beside).contains("may show it"), "{}", said(&beside));
    assert_eq!(fs::read_to_string(SWAPPINESS).unwrap(), "61\n");
    running.signal(Signal::SIGINT);
    running.end().expect(130);
    assert_eq!(machine(), before);
    let free = place.kvmfair(&["check", &second]);
    assert!(free.status.success(), "{}", said(&free));
    place.assert_nothing_left();
}

#[test]
fn a_setting_that_this_kernel_does_not_have_is_refused_before_anything_is_made() {
    let place = Sandbox::new();
    crate::support::require_root();
    let _steady = crate::support::steady_settings(); // a run of another test may have the right to change them
    let governed = fs::exists("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").unwrap();
    let body = PROFILE.replace("ksm = true", "governor = \"performance\"");
    let check = place.kvmfair(&["check", &place.light_profile("governor", &body)]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.success(), governed, "{said}");
    assert!(said.contains("CPU frequency governor"), "{said}");
    assert!(governed || said.contains("in a virtual machine the hypervisor decides"), "{said}");
    assert!(!place.state().exists());
}

#[test]
fn coalescing_of_a_wire_without_interrupts_is_refused_before_anything_is_made() {
    crate::support::require_root();
    let place = Sandbox::new();
    let body = PROFILE.replace("ksm = true", "coalesce_rx = \"50 us\"");
    let check = place.kvmfair(&["check", &place.light_profile("coalescing", &body)]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(!check.status.success(), "{said}");
    assert!(said.contains("interrupt coalescing") && said.contains("name real NICs in [wire]"), "{said}");
    assert!(!place.state().exists());
}
