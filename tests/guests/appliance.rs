//! The appliance, built and booted for real by QEMU's emulation (TCG), each guest in a network namespace of its own.
//! Needs root and the packages of `.ci/install`, fails without; the kernel is downloaded once into the default cache. Asserts no times.

use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kvmfair::guest::appliance::{self, Appliance, NicOption, RunFiles, kernel_options};
use kvmfair::guest::keys::RunKeys;
use kvmfair::machine::dialogue::Dialogue;
use kvmfair::machine::ssh::{Identity, Route, SshSession};
use kvmfair::probe::guest_counters;
use kvmfair::probe::interrupts::interrupts;

/// Generous: the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(120);

/// Devices of a guest: QEMU's model, MAC address.
const NICS: [(&str, &str); 2] = [("virtio-net-pci", "52:54:00:4b:46:01"), ("e1000", "52:54:00:4b:46:02")];

/// A running guest, killed when the test ends in whatever way.
struct Guest {
    qemu: Child,
    dir: tempfile::TempDir,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Guest {
    /// Boots with `options` on taps `kf0` and `kf1`, which must exist in this thread's namespace.
    fn boot(appliance: &Appliance, keys: &RunKeys, options: &str) -> Guest {
        let dir = tempfile::tempdir().unwrap();
        let initrd = dir.path().join("initrd");
        let files = RunFiles {
            host_key_dropbear: keys.host_key_dropbear(),
            authorized_key: keys.authorized_key().unwrap(),
            ..RunFiles::default()
        };
        appliance::run_initramfs(&appliance.initramfs, &files, &initrd).unwrap();
        let qemu = qemu(&appliance.kernel, &initrd, &console(&dir), options);
        Guest { qemu, dir }
    }

    /// The console's text once it contains `word`.
    fn console_with(&mut self, word: &str) -> String {
        let start = Instant::now();
        loop {
            let text = std::fs::read(console(&self.dir)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            if text.contains(word) {
                return text;
            }
            let ended = self.qemu.try_wait().unwrap();
            assert!(ended.is_none(), "QEMU ended with {ended:?} before {word:?}; console: {text}");
            assert!(start.elapsed() < DEADLINE, "no {word:?} on the console: {text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_for_end(&mut self) {
        let start = Instant::now();
        while self.qemu.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < DEADLINE, "QEMU still runs");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn console(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("console")
}

fn qemu(kernel: &Path, initrd: &Path, console: &Path, options: &str) -> Child {
    let mut command = Command::new("qemu-system-x86_64");
    command.args([
        "-machine",
        "pc,usb=off,hpet=off",
        "-accel",
        "tcg,tb-size=16",
        "-cpu",
        "qemu64,+rdrand",
        "-m",
        "96",
    ]);
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
    command.arg("-serial").arg(format!("file:{}", console.display()));
    command.arg("-kernel").arg(kernel).arg("-initrd").arg(initrd).args(["-append", options]);
    for (number, (model, mac)) in NICS.iter().enumerate() {
        command.arg("-netdev").arg(format!("tap,id=n{number},ifname=kf{number},script=no,downscript=no"));
        command.arg("-device").arg(format!("{model},netdev=n{number},mac={mac},romfile="));
    }
    command.stdin(Stdio::null()).spawn().unwrap()
}

/// Puts this thread, and all it starts, into a network namespace with the host's end of both wires.
fn own_network() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("root");
    run("ip", &["link", "set", "lo", "up"]);
    for number in 0..2 {
        let (tap, address) = (format!("kf{number}"), format!("198.18.{number}.1/24"));
        run("ip", &["tuntap", "add", &tap, "mode", "tap"]);
        run("ip", &["addr", "add", &address, "dev", &tap]);
        run("ip", &["link", "set", &tap, "up"]);
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let out = Command::new(program).args(arguments).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{program} {arguments:?}: {text}");
    text
}

fn built() -> Appliance {
    crate::support::require_root();
    appliance::ensure(&appliance::default_cache(), None, false, &mut |line| eprintln!("{line}")).unwrap()
}

fn options() -> String {
    let nics = [0, 1].map(|number: usize| NicOption {
        mac: NICS[number].1.into(),
        address: format!("198.18.{number}.2/24"),
        mtu: 1400,
    });
    kernel_options("guest1", &nics)
}

fn ssh(keys: &RunKeys) -> ssh2::Session {
    let stream = TcpStream::connect(("198.18.0.2", 22)).unwrap();
    let mut session = ssh2::Session::new().unwrap();
    session.set_tcp_stream(stream);
    session.set_timeout(60_000);
    session.handshake().unwrap();
    assert_eq!(session.host_key().unwrap().0, keys.host_key_blob().unwrap(), "not the run's host key");
    session.userauth_pubkey_memory("root", None, &keys.client_pem().unwrap(), None).unwrap();
    session
}

fn remote(session: &ssh2::Session, command: &str) -> String {
    let mut channel = session.channel_session().unwrap();
    channel.exec(command).unwrap();
    let mut text = String::new();
    channel.read_to_string(&mut text).unwrap();
    channel.wait_close().unwrap();
    assert_eq!(channel.exit_status().unwrap(), 0, "{command}: {text}");
    text
}

#[test]
fn a_guest_says_ready_and_serves_ssh_and_netperf_and_switches_off() {
    let _turn = crate::support::shared_turn();
    let (appliance, keys) = (built(), RunKeys::generate("test").unwrap());
    own_network();
    let mut guest = Guest::boot(&appliance, &keys, &options());
    guest.console_with(appliance::READY);
    let session = ssh(&keys);
    assert_eq!(remote(&session, "uname -n -r"), format!("guest1 {}\n", appliance.kernel_version));
    let links = remote(&session, "ip -o link; cat /sys/class/net/eth*/device/uevent");
    assert!(
        links.contains("mtu 1400") && links.contains("DRIVER=e1000") && links.contains("DRIVER=virtio_net")
    );
    assert_eq!(
        remote(&session, "stat -c %a /etc/dropbear/host_key /root/.ssh/authorized_keys"),
        "600\n600\n"
    );
    for address in ["198.18.0.2", "198.18.1.2"] {
        let result = run("netperf", &["-H", address, "-t", "TCP_RR", "-l", "1", "-P", "0"]);
        assert!(result.split_whitespace().count() >= 6, "{result}");
    }
    let mut channel = session.channel_session().unwrap();
    channel.exec("poweroff").unwrap();
    guest.wait_for_end();
}

#[test]
fn a_guest_looks_at_itself_whenever_it_is_asked_and_is_missed_when_it_is_gone() {
    let _turn = crate::support::shared_turn();
    let (appliance, keys) = (built(), RunKeys::generate("test").unwrap());
    own_network();
    let mut guest = Guest::boot(&appliance, &keys, &options());
    guest.console_with(appliance::READY);
    let identity = Identity {
        user: "root".into(),
        private_key: keys.client_pem().unwrap().to_string(),
        host_key: keys.host_key_blob().unwrap(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = "198.18.0.2:22".parse().unwrap();
        let ssh = SshSession::connect(address, identity, Route::Direct, DEADLINE).await.unwrap();
        let mut dialogues = Vec::new();
        for (_, mac) in NICS {
            dialogues
                .push(Dialogue::open(&ssh, &guest_counters::command(Some(mac)), DEADLINE).await.unwrap());
        }
        for (dialogue, (model, mac)) in dialogues.iter().zip(NICS) {
            let before = dialogue.ask(DEADLINE).await.unwrap();
            ssh.run(&["sleep", "0.1"], DEADLINE).await.unwrap();
            let after = dialogue.ask(DEADLINE).await.unwrap();
            let all = |said: &str| {
                guest_counters::cpu_times(said).map(|cpu| cpu.idle + cpu.user + cpu.system).unwrap()
            };
            assert!(all(&after) > all(&before), "{before}\n{after}");
            let names: Vec<_> = interrupts(&after).into_iter().map(|irq| irq.name).collect();
            assert!(names.iter().any(|name| model != "e1000" || name == "eth1"), "{model} {after}");
            assert!(guest_counters::nic_packets(&after, mac).is_some(), "{after}");
        }
        guest.qemu.kill().unwrap();
        guest.qemu.wait().unwrap();
        dialogues[0].ask(Duration::from_secs(1)).await.expect_err("nobody is there");
    });
}

#[test]
fn a_guest_that_does_not_understand_its_options_says_so_and_switches_itself_off() {
    let _turn = crate::support::shared_turn();
    let (appliance, keys) = (built(), RunKeys::generate("test").unwrap());
    own_network();
    let absent = "52:54:00:4b:46:99,198.18.0.2/24,1500";
    for (option, reason) in
        [("garbage", "kf.nic=garbage is not"), (absent, "no network interface has the MAC")]
    {
        let line = format!("{} kf.nic={option}", appliance::BOOT_OPTIONS);
        let mut guest = Guest::boot(&appliance, &keys, &line);
        let text = guest.console_with(appliance::FAILED);
        guest.wait_for_end();
        assert!(text.contains(reason) && !text.contains(appliance::READY), "{text}");
    }
}

#[test]
fn two_builders_of_one_cache_get_the_same_image() {
    let cache = tempfile::tempdir().unwrap();
    let kernel = built().kernel.with_file_name("manifest.json");
    assert!(kernel.exists());
    let source = appliance::default_cache().join("kernel");
    run("cp", &["-a", source.to_str().unwrap(), cache.path().to_str().unwrap()]);
    let ensure = || appliance::ensure(cache.path(), None, false, &mut |_| ()).unwrap();
    let (one, two) = std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(ensure), scope.spawn(ensure));
        (one.join().unwrap(), two.join().unwrap())
    });
    assert_eq!(one, two);
    std::fs::write(&one.initramfs, "cut short").unwrap();
    assert_eq!(ensure(), one);
    assert!(one.initramfs.metadata().unwrap().len() > 1 << 20, "the damaged image was not rebuilt");
    let listed = appliance::list(cache.path()).unwrap();
    assert!(listed.len() == 1 && listed[0].sound);
}
