//! Open vSwitch in the hardware lab: the daemons are the VM host's own, kvmfair's bridge is one among theirs. Machines are made
//! of namespaces, as in `tests/guests/hardware_lab.rs`.
//!
//! Needs root, sshd, libvirtd and Open vSwitch with DPDK; fails without. Nothing here asserts a speed.

use crate::support::Sandbox;
use crate::support::machines::{HOST, Machines, TESTER, said};
use crate::support::tables::{number, raw_trials, rows};
use kvmfair::lab::dpdk;
use kvmfair::raw::Check;

/// The daemons as a distribution's service starts them; `$1`: the switch daemon's program; then columns of its settings.
const DAEMONS: &str = r#"set -e
mkdir -p /run/openvswitch && cd /run/openvswitch
ovsdb-tool create conf.db
ovsdb-server "$PWD/conf.db" --remote=punix:/run/openvswitch/db.sock --pidfile --detach -vconsole:off
ovs-vsctl --no-wait init
ln -s "$1" ovs-vswitchd # its sockets bear its name, as with the distribution's alternatives
shift
[ $# = 0 ] || ovs-vsctl --no-wait set Open_vSwitch . "$@"
RUNTIME_DIRECTORY=/run/openvswitch ./ovs-vswitchd unix:/run/openvswitch/db.sock --pidfile --detach -vconsole:off
ovs-vsctl --timeout=50 add-br br0 -- set bridge br0 datapath_type=netdev"#;

/// Ends them and forgets their database.
const NO_DAEMONS: &str = r#"cd /run/openvswitch
for pid in *.pid; do kill $(cat $pid); done
while ls *.pid > /dev/null 2>&1; do sleep 0.1; done
rm -rf /run/openvswitch"#;

fn start_daemons(machines: &Machines, settings: &[String]) {
    let program = dpdk::daemon().expect("openvswitch-switch-dpdk is installed").display().to_string();
    let words =
        [&["sh".into(), "-c".into(), DAEMONS.to_owned(), "daemons".into(), program], settings].concat();
    machines.host.sh(&shell_words::join(words));
}

fn profile(place: &Sandbox, name: &str, backends: &str) -> String {
    let body = format!(
        "[host]\nuri = \"qemu+ssh://root@{HOST}/system\"\n[tester]\nssh = \"root@{TESTER}\"\n\
         [wire]\nhost_dev = \"wire0\"\ntester_dev = \"wire0\"\n[guest]\nvms = 2\nmemory = \"96 MiB\"\n\
         [workload]\nflows = 4\nwarmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\nrepeats = 1\n\
         [sweep]\nbackend = [{backends}]\n"
    );
    place.profile(name, &body)
}

#[test]
fn a_vm_hosts_own_open_vswitch_serves_the_guests_and_keeps_its_other_bridges_after_a_kill_too() {
    let place = Sandbox::with_guests();
    let machines = Machines::new();
    // No NIC computes checksums on a wire of veth; frames come as the tester's kernel sends them.
    machines.tester.sh("ethtool -K wire0 tx off > /dev/null");
    let profile = profile(&place, "switched", "\"ovs\", \"vhost-user\"");
    let refused = |words: &[&str]| machines.assert_refused(&place, &["check", &profile], words);
    refused(&["VM host: Open vSwitch: ", "systemctl enable --now openvswitch-switch"]);

    start_daemons(&machines, &[]);
    refused(&["its daemon has not initialised DPDK", "other_config:dpdk-init=true"]);
    machines.host.sh(NO_DAEMONS);

    start_daemons(&machines, &dpdk::settings());
    machines.host.sh("ovs-vsctl add-port br0 wire0");
    refused(&["wire0 is a port of its bridge br0", "ovs-vsctl del-port br0 wire0"]);
    machines.host.sh("ovs-vsctl del-port br0 wire0");

    let merging = "ethtool -k wire0 | grep -E '^(generic|large)-receive-offload'";
    let before = machines.host.sh(merging);
    let ended = place.start(machines.command(&place, &["bench", &profile])).end().expect(0);
    machines.assert_nothing_left();
    place.assert_nothing_left();
    let trials = rows(&place.only_run(), "trials.csv");
    assert_eq!(trials.len(), 2, "{}", ended.said());
    for trial in &trials {
        assert_eq!(trial["outcome"], "measured", "{trial:?}");
        assert!((0.9..=1.1).contains(&number(trial, "packet_check_ratio")), "{trial:?}");
    }
    for raw in raw_trials(&place.only_run()) {
        let broken: Vec<&Check> = raw.checks.iter().filter(|check| !check.holds()).collect();
        assert!(broken.is_empty(), "{broken:?}");
        assert!(
            raw.checks.iter().any(|check| check.what.contains("Open vSwitch datapath")),
            "{:?}",
            raw.checks
        );
    }
    let environment = std::fs::read_to_string(place.only_run().join("environment.json")).unwrap();
    assert!(environment.contains("the VM host's own daemons"), "{environment}");

    let mut running = place.start(machines.command(&place, &["bench", &profile]));
    running.hear("flows for");
    machines.kill_with_watchdogs(running);
    place.note_runs();
    assert!(machines.host.sh("ovs-vsctl list-br").contains("kf-"), "there was no bridge to be left");
    let clean = machines.kvmfair(&place, &["clean"]);
    assert!(clean.status.success(), "{}", said(&clean));
    machines.assert_nothing_left();
    place.assert_nothing_left();
    assert_eq!(machines.host.sh("ovs-vsctl list-br; ovs-vsctl list-ports br0"), "br0\n");
    assert_eq!(machines.host.sh(merging), before);
}
