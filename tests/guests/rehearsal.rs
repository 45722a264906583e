//! One second of netperf before the first trial: what stops a run there, each provoked for real.
//!
//! Needs root and the packages of a measuring machine and of the tests; fails without.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::Sandbox;
use crate::support::machines::{HOST, Machines, TESTER};

/// An hour of trials, of which none may begin.
const LOAD: &str = "[workload]\nflows = 2\nwindow = \"30 s\"\nrepeats = 100\n";
const BARE: &str = "[network]\nbackend = \"baremetal\"\n";

/// The PATH with another netperf first, which runs a script before or around the real one, `$NETPERF`.
fn with_netperf(place: &Sandbox, script: &str) -> String {
    let path = std::env::var("PATH").unwrap();
    let real =
        std::env::split_paths(&path).map(|dir| dir.join("netperf")).find(|file| file.is_file()).unwrap();
    let dir = place.out().with_file_name("other-netperf");
    fs::create_dir_all(&dir).unwrap();
    let file = dir.join("netperf");
    fs::write(&file, format!("#!/bin/sh\nNETPERF={}\n{script}\n", real.display())).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{path}", dir.display())
}

/// The command ends before its first trial, with these words, and leaves nothing.
#[track_caller]
fn stopped(place: &Sandbox, command: Command, words: &[&str]) {
    let ended = place.start(command).end().expect(4);
    let output = format!("{}\n{}", ended.said(), ended.stdout);
    println!("{output}");
    for words in words {
        assert!(output.contains(words), "no {words:?} in {output}");
    }
    assert!(!output.contains("flows for"), "a trial has begun: {output}");
    place.assert_nothing_left();
}

#[test]
fn a_netperf_without_demo_mode_stops_the_run_although_its_version_is_right() {
    let place = Sandbox::with_steady_settings();
    let path = with_netperf(&place, "\"$NETPERF\" \"$@\" | grep -v ^NETPERF_");
    let profile = place.profile("demo", &format!("{LOAD}{BARE}"));
    for words in [&["bench", &*profile][..], &["check", "--probe", &profile]] {
        let mut command = place.command(words);
        command.env("PATH", &path);
        stopped(&place, command, &["prints no interim results", "configured with --enable-demo"]);
    }
    let run = place.only_run();
    let trials = fs::read_dir(run.join("raw")).map_or(0, Iterator::count);
    assert_eq!(trials, 0, "nothing was measured");
    // With the real one the same run goes on.
    let mut resumed = place.start(place.command(&["bench", "--resume", run.to_str().unwrap()]));
    resumed.hear("flows for");
    resumed.signal(nix::sys::signal::Signal::SIGINT);
    resumed.end().expect(130);
    place.assert_nothing_left();
}

/// As on a machine that freezes: netserver's timer resets the connection of a netperf that starts late.
#[test]
fn a_connection_that_is_reset_once_does_not_end_a_run() {
    let place = Sandbox::beside_others();
    let reset = "case $* in *-t*) ;; *) exec \"$NETPERF\" \"$@\" ;; esac\n\
                 if mkdir \"${0%/*}/once\"; then echo 'recv_data failed: Connection reset by peer' >&2; exit 1; fi\n\
                 exec \"$NETPERF\" \"$@\"";
    let path = with_netperf(&place, reset);
    let mut command = place.command(&["check", "--probe", &place.profile("reset", &format!("{LOAD}{BARE}"))]);
    command.env("PATH", &path);
    place.start(command).end().expect(0);
    assert!(place.out().with_file_name("other-netperf").join("once").is_dir(), "nothing was reset");
    place.assert_nothing_left();
}

#[test]
fn a_firewall_that_drops_the_guests_packets_is_named_with_its_rule() {
    let place = Sandbox::beside_others();
    let drop = "nft add table inet planted
nft add chain inet planted in '{ type filter hook input priority 0; }'
nft add rule inet planted in ip saddr 198.19.0.0/16 drop
exec \"$NETPERF\" \"$@\"";
    let path = with_netperf(&place, drop);
    let guest = "[network]\nbackend = \"virtio\"\n[guest]\nmemory = \"96 MiB\"\n";
    let mut command = place.command(&["bench", &place.profile("firewall", &format!("{LOAD}{guest}"))]);
    command.env("PATH", path);
    let rule =
        "tester: a firewall drops packets: nft table inet planted, chain in: ip saddr 198.19.0.0/16 drop";
    stopped(&place, command, &["transferred nothing within", rule]);
}

#[test]
fn a_netserver_that_holds_the_port_of_the_vm_host_is_named() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    machines.host.sh("netserver -p 12865 >/dev/null");
    let machine =
        format!("[host]\nuri = \"qemu+ssh://root@{HOST}/system\"\n[tester]\nssh = \"root@{TESTER}\"\n");
    let wire = "[wire]\nhost_dev = \"wire0\"\ntester_dev = \"wire0\"\n";
    let profile = place.profile("port", &format!("{machine}{wire}{LOAD}{BARE}"));
    let words =
        ["netserver does not listen on", "VM host: netserver listens on ", "systemctl disable --now netperf"];
    stopped(&place, machines.command(&place, &["bench", &profile]), &words);
    machines.assert_nothing_left();
}

#[test]
fn a_probe_passes_without_a_run_and_leaves_nothing() {
    let place = Sandbox::beside_others();
    let guests = "[network]\nbackend = \"virtio\"\n[guest]\nvms = 4\nmemory = \"96 MiB\"\n";
    let profile = place.profile("probe", &format!("{LOAD}{guests}").replace("flows = 2", "flows = 4"));
    let ended = place.start(place.command(&["check", "--probe", &profile])).end().expect(0);
    assert!(ended.stdout.contains("ok       rehearsal: "), "{}", ended.stdout);
    assert!(place.runs().is_empty());
    place.assert_nothing_left();
}
