//! Ways to the machines of a hardware lab, and what `check` refuses there. Machines are made of namespaces, as in
//! `tests/guests/hardware_lab.rs`.
//!
//! Needs root, sshd and libvirtd; fails without. Nothing here asserts a speed.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Sandbox;
use crate::support::image::{debian, qemu_img, run};
use crate::support::machines::{GATEWAY, HOST, INNER_HOST, INNER_TESTER, Machines, TESTER, said};
use crate::support::tables::{number, raw_trials, rows};
use kvmfair::raw::Check;

const WIRE: &str = "[wire]\nhost_dev = \"wire0\"\ntester_dev = \"wire0\"\n";
const BARE: &str = "[network]\nbackend = \"baremetal\"\n[workload]\nflows = 2\nwarmup = \"250 ms\"\nwindow = \"2 s\"\n\
                    cooldown = \"250 ms\"\ninterval = \"250 ms\"\nrepeats = 1\n";

/// Where the machines are; `more` stands in both of their sections.
fn at(host: &str, tester: &str, more: &str) -> String {
    format!(
        "[host]\nuri = \"qemu+ssh://root@{host}/system\"\n{more}[tester]\nssh = \"root@{tester}\"\n{more}"
    )
}

/// One trial without guests is measured, and nothing is left.
fn measured(place: &Sandbox, machines: &Machines, bench: Command) {
    let ended = place.start(bench).end().expect(0);
    machines.assert_nothing_left();
    place.assert_nothing_left();
    let run = place.only_run();
    let trial = &rows(&run, "trials.csv")[0];
    assert_eq!((&*trial["outcome"], &*trial["backend"]), ("measured", "baremetal"), "{}", ended.said());
    assert!((0.9..=1.1).contains(&number(trial, "packet_check_ratio")), "{trial:?}");
    assert!(raw_trials(&run)[0].checks.iter().all(Check::holds));
}

#[test]
fn machines_behind_a_jump_host_are_reached_with_the_key_that_the_profile_names() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    fs::remove_file(machines.ssh_directory().join("id_ed25519")).unwrap();
    fs::copy(machines.path("named"), machines.ssh_directory().join("lab")).unwrap();
    let ssh = "[ssh]\nidentity = \"~/.ssh/lab\"\n";
    let direct = at(INNER_HOST, INNER_TESTER, "");
    let direct = place.profile("direct", &format!("{direct}{ssh}{WIRE}{BARE}"));
    machines.assert_refused(
        &place,
        &["check", &direct],
        &["VM host: login: no SSH server answers at root@203.0.113.2"],
    );
    let jump = at(INNER_HOST, INNER_TESTER, &format!("jump = \"root@{GATEWAY}\"\n"));
    let keyless = place.profile("keyless", &format!("{jump}{WIRE}{BARE}"));
    machines.assert_refused(
        &place,
        &["check", &keyless],
        &["VM host: login: root@198.51.100.4 accepts no key: tried none"],
    );
    let absent = place.profile("absent", &format!("{jump}[ssh]\nidentity = \"no/key\"\n{WIRE}{BARE}"));
    machines.assert_refused(
        &place,
        &["check", &absent],
        &["accepts no key: tried ", "no/key (no such file)"],
    );
    let profile = place.profile("jump", &format!("{jump}{ssh}{WIRE}{BARE}"));
    let check = machines.kvmfair(&place, &["check", &profile]);
    assert!(check.status.success() && said(&check).contains("root@203.0.113.3"), "{}", said(&check));
    measured(&place, &machines, machines.command(&place, &["bench", &profile]));
}

/// An SSH agent, ended with the value.
struct Agent(Child);

impl Agent {
    fn start(socket: &Path) -> Agent {
        let mut command = Command::new("ssh-agent");
        let child =
            command.arg("-D").arg("-a").arg(socket).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let agent = Agent(child.unwrap());
        let start = Instant::now();
        while !socket.exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "ssh-agent does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn the_agents_keys_are_tried_one_after_another() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    fs::remove_file(machines.ssh_directory().join("id_ed25519")).unwrap();
    let socket = machines.path("agent");
    let _agent = Agent::start(&socket);
    let add = |key: &str| {
        run(Command::new("ssh-add").arg("-q").arg(machines.path(key)).env("SSH_AUTH_SOCK", &socket));
    };
    let profile = place.profile("agent", &format!("{}{WIRE}{BARE}", at(HOST, TESTER, "")));
    let command = |word: &str| {
        let mut command = machines.command(&place, &[word, &profile]);
        command.env("SSH_AUTH_SOCK", &socket);
        command
    };
    add("stranger");
    let refused = command("check").output().unwrap();
    assert_eq!(refused.status.code(), Some(4));
    let tried = "root@198.51.100.2 accepts no key: tried the agent's keys (1)";
    assert!(said(&refused).contains(tried), "{}", said(&refused));
    add("named");
    measured(&place, &machines, command("bench"));
}

#[test]
fn what_stands_in_the_way_of_a_login_is_said() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let profile = place.profile("ways", &format!("{}{WIRE}{BARE}", at(HOST, TESTER, "")));
    let refused = |words: &[&str]| machines.assert_refused(&place, &["check", &profile], words);
    let ssh = machines.ssh_directory();

    // One odd byte makes no other line unknown; a revoked key is no known one.
    let known = fs::read(ssh.join("known_hosts")).unwrap();
    let odd = [b"caf\xe9 ssh-ed25519 AAAA\n".as_slice(), &known].concat();
    fs::write(ssh.join("known_hosts"), &odd).unwrap();
    assert!(machines.kvmfair(&place, &["check", &profile]).status.success());
    let key = fs::read_to_string(machines.path("host.key.pub")).unwrap();
    fs::write(ssh.join("known_hosts"), [&odd, format!("@revoked * {key}").as_bytes()].concat()).unwrap();
    refused(&["VM host: login: the host key of root@198.51.100.2 is marked @revoked"]);
    fs::write(ssh.join("known_hosts"), &known).unwrap();

    // Keys that need a passphrase, or are none.
    let named = |file: &str| {
        let identity = format!("[ssh]\nidentity = {:?}\n", machines.path(file));
        place.profile("named", &format!("{}{identity}{WIRE}{BARE}", at(HOST, TESTER, "")))
    };
    let public = named("named.pub");
    machines.assert_refused(
        &place,
        &["check", &public],
        &["named.pub (a public key: name the file of the private"],
    );
    run(Command::new("ssh-keygen").args(["-q", "-p", "-N", "secret", "-f"]).arg(machines.path("stranger")));
    let locked = named("stranger");
    machines.assert_refused(
        &place,
        &["check", &locked],
        &["stranger (protected by a passphrase: ssh-add it"],
    );

    // A shell that greets, and one that is none of POSIX.
    let root_with = |shell: &str, greeting: &str| {
        machines.host.sh(&format!(
            "umount /etc/passwd 2> /dev/null; mkdir -p /var/tmp/home; echo '{greeting}' > /var/tmp/home/.bashrc
            sed 's#^\\(root:[^:]*:0:0:[^:]*\\):.*#\\1:/var/tmp/home:{shell}#' /etc/passwd > /var/tmp/passwd
            mount --bind /var/tmp/passwd /etc/passwd"
        ));
    };
    root_with("/bin/bash", "echo Welcome");
    refused(&["VM host: login shell: prints \"Welcome\" before each command", "not in ~/.bashrc"]);
    root_with("/bin/csh", "");
    refused(&["VM host: login shell: is no POSIX shell", "chsh -s /bin/bash root"]);
}

#[test]
fn an_agent_with_more_keys_than_a_server_tries_leads_to_a_login_all_the_same() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let socket = machines.path("agent");
    let _agent = Agent::start(&socket);
    for number in 0..8 {
        let key = machines.path(&format!("other-{number}"));
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
        run(Command::new("ssh-add").arg("-q").arg(&key).env("SSH_AUTH_SOCK", &socket));
    }
    let profile = place.profile("agent", &format!("{}{WIRE}{BARE}", at(HOST, TESTER, "")));
    let mut command = machines.command(&place, &["check", &profile]);
    let ended = command.env("SSH_AUTH_SOCK", &socket).output().unwrap();
    assert!(ended.status.success(), "{}", said(&ended));
}

/// A small profile on that wire.
fn on_wire(place: &Sandbox, name: &str, host_dev: &str, backend: &str) -> String {
    let wire = format!("[wire]\nhost_dev = \"{host_dev}\"\ntester_dev = \"wire0\"\n");
    let load = "[workload]\nflows = 2\n[guest]\nmemory = \"96 MiB\"\n";
    let network = format!("[network]\nbackend = \"{backend}\"\n");
    place.profile(name, &format!("{}{wire}{network}{load}", at(HOST, TESTER, "")))
}

#[test]
fn a_nic_that_is_missing_or_carries_the_default_route_is_refused_with_the_fix() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let refused = |nic: &str, words: &[&str]| {
        let profile = on_wire(&place, "nic", nic, "virtio");
        machines.assert_refused(&place, &["check", &profile], words);
    };
    refused(
        "nope0",
        &[
            "VM host: NIC of the wire: there is no interface nope0; there are: ",
            "wire0",
            "name another one in [wire]",
        ],
    );
    machines.host.sh("ip link set wire0 up && ip route add default dev wire0");
    let fix = "name a NIC that nothing uses";
    refused("wire0", &["VM host: NIC of the wire: wire0 is in use: the default route leads over it", fix]);
    machines
        .host
        .sh("ip route del default && ip link add uplink type bridge && ip link set wire0 master uplink && \
         ip link set uplink up && ip route add default dev uplink");
    refused("uplink", &["uplink is in use: the default route leads over it", fix]);
    refused(
        "wire0",
        &["wire0 is in use: it is a port of uplink, and the default route leads over that", fix],
    );
    machines.host.sh("ip link del uplink && ip link set wire0 down");
}

#[test]
fn a_cloud_image_that_the_vm_host_cannot_boot_is_refused_with_the_fix() {
    let place = Sandbox::beside_others();
    let machines = Machines::new();
    let file = |name: &str| place.out().with_file_name(name);
    let refused = |image: &Path, words: &[&str]| {
        let guest =
            format!("[guest]\nimage = {image:?}\n[network]\nbackend = \"virtio\"\n[workload]\nflows = 2\n");
        let profile = place.profile("image", &format!("{}{WIRE}{guest}", at(HOST, TESTER, "")));
        machines.assert_refused(&place, &["check", &profile], words);
    };
    refused(
        &file("no.qcow2"),
        &[
            "this machine: cloud image: failed to read the image",
            "No such file",
            "correct `image` in [guest]",
        ],
    );
    fs::write(file("raw.img"), vec![0; 1 << 16]).unwrap();
    refused(&file("raw.img"), &["raw.img: is not a qcow2 image", "qemu-img convert -O qcow2"]);
    let large = file("large.qcow2");
    qemu_img(&["create", "-q", "-f", "qcow2", "-o", "preallocation=falloc"], &[&large, Path::new("64M")]);
    machines.host.sh("mount -t tmpfs -o size=64m tmpfs /var/tmp");
    let full =
        ["VM host: room for the cloud image: 64.0 MiB of /var/tmp are free for 64", "free in /var/tmp"];
    refused(&large, &full);
    machines.host.sh("umount /var/tmp && mount --bind /dev/null $(command -v qemu-img)");
    refused(&debian(), &["VM host: qemu-img: not installed", "apt-get install qemu-utils"]);
}
