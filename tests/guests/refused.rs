//! What `kvmfair check` refuses on this machine before anything changes, each provoked for real in namespaces that end
//! with the command.
//!
//! Needs root and the packages of a measuring machine; fails without.

use std::process::{Command, Output};

use crate::support::Sandbox;
use crate::support::machines::said;

/// `kvmfair check` of a profile, after a script changed the namespaces that only it sees.
fn check_after(place: &Sandbox, script: &str, profile: &str) -> Output {
    let inner = place.command(&["check", profile]);
    let script = format!(
        "set -e\nmount --rbind /sys/fs/cgroup /mnt\nmount -t sysfs sysfs /sys\nmount --move /mnt /sys/fs/cgroup\n\
         {script}\nexec \"$@\""
    );
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "sh", "-c", &script, "check"]).arg(inner.get_program());
    command.args(inner.get_args()).current_dir(inner.get_current_dir().unwrap());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.output().unwrap()
}

/// Fails unless `check` refuses in these words and leaves nothing.
#[track_caller]
fn refused(place: &Sandbox, script: &str, profile: &str, words: &[&str]) {
    let output = check_after(place, script, profile);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    for words in words {
        assert!(said(&output).contains(words), "no {words:?} in {}", said(&output));
    }
    place.assert_nothing_left();
}

fn profile(place: &Sandbox, backend: &str, rest: &str) -> String {
    place.profile("refused", &format!("{rest}[network]\nbackend = \"{backend}\"\n[workload]\nflows = 2\n"))
}

fn on_nic(place: &Sandbox, host_dev: &str) -> String {
    profile(place, "virtio", &format!("[wire]\nhost_dev = \"{host_dev}\"\ntester_dev = \"lo\"\n"))
}

#[test]
fn without_open_vswitchs_daemons_its_backends_are_refused_with_the_package() {
    let place = Sandbox::beside_others();
    let profile = profile(&place, "ovs", "");
    let found = check_after(&place, ":", &profile);
    assert!(found.status.success(), "{}", said(&found));
    for daemon in ["ovs-vswitchd", "ovsdb-server"] {
        // A program that is no file any more, for this check alone.
        let hide = format!("PATH=$PATH:/usr/sbin:/sbin\nmount --bind /dev/null $(command -v {daemon})");
        let words = [&*format!("missing  {daemon}: not installed"), "apt-get install openvswitch-switch"];
        refused(&place, &hide, &profile, &words);
    }
}

#[test]
fn a_nic_that_is_missing_and_a_bridge_that_carries_the_default_route_are_refused_with_the_fix() {
    let place = Sandbox::beside_others();
    let words = ["NIC of the wire: there is no interface nope0; there are: ", "name another one in [wire]"];
    refused(&place, "ip link set lo up", &on_nic(&place, "nope0"), &words);
    let bridge = "ip link add uplink type bridge\nip link set uplink up\nip route add default dev uplink";
    let words = [
        "NIC of the wire: uplink is in use: the default route leads over it",
        "name a NIC that nothing uses, or take uplink out of service first",
    ];
    refused(&place, bridge, &on_nic(&place, "uplink"), &words);
    let idle = "ip link add uplink type bridge";
    let words = [
        "uplink is a virtual interface; the embedded lab's wire needs a physical NIC",
        "name the physical NIC in [wire]",
    ];
    refused(&place, idle, &on_nic(&place, "uplink"), &words);
}

#[test]
fn programs_are_found_where_administrators_keep_them_and_not_on_the_path_alone() {
    let place = Sandbox::beside_others();
    let profile = profile(&place, "virtio", "");
    let output = place.command(&["check", &profile]).env("PATH", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn what_a_container_keeps_from_root_is_refused_before_anything_is_tried() {
    let place = Sandbox::beside_others();
    let profile = profile(&place, "virtio", "");
    let lacks = ["missing  rights: root without CAP_NET_ADMIN", "--privileged"];
    refused(&place, "exec setpriv --bounding-set -net_admin -- \"$@\"", &profile, &lacks);
    let users = ["missing  rights: root of a user namespace only"];
    refused(&place, "exec unshare --user --map-root-user -- \"$@\"", &profile, &users);
    let fixed = "for tree in $(awk '$2 ~ \"^/sys/fs/cgroup\" { print $2 }' /proc/mounts); do\n\
                 mount -o remount,bind,ro $tree\ndone";
    refused(&place, fixed, &profile, &["missing  control groups: ", "Read-only file system"]);
    let no_qemu = "mount --bind /bin/false $(command -v qemu-system-x86_64)";
    refused(
        &place,
        no_qemu,
        &profile,
        &["missing  QEMU: `qemu-system-x86_64 --version` failed with status 1"],
    );
    refused(&place, "mount --bind /bin/true $(command -v qemu-system-x86_64)", &profile, &["is not a QEMU"]);
}
