//! Machines of a hardware lab, made of namespaces: a VM host with libvirt's daemon, a tester, and the controller, each of
//! the first two with an SSH server. All of it, processes, interfaces and mounts, goes with the value.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::running::Running;
use super::{Sandbox, handling};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, Signal};

/// Addresses of the control network, which exists in the namespaces only.
pub const HOST: &str = "198.51.100.2";
/// The tester's.
pub const TESTER: &str = "198.51.100.3";
/// A machine that leads to [`INNER_HOST`] and [`INNER_TESTER`].
pub const GATEWAY: &str = "198.51.100.4";
const CONTROLLER: &str = "198.51.100.1";
/// The VM host by an address that the controller has no way to.
pub const INNER_HOST: &str = "203.0.113.2";
/// The tester by such an address.
pub const INNER_TESTER: &str = "203.0.113.3";
const INNER_GATEWAY: &str = "203.0.113.4";

/// Both streams of a program that has ended.
pub fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

/// For a daemon to start, on a machine that freezes for seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// What every machine mounts for itself. Nothing is in place of what root's shell would run first at each SSH command. Where the
/// CPU has no virtualisation, `/dev/kvm` is a file that cannot be written: libvirt probes QEMU anew for each guest, 20 s each
/// time, while it finds a `/dev/kvm` that QEMU cannot use. The first process then collects those whose parents have gone: libvirt
/// waits for them. It ends with the test, however that ends, and with it everything in the machine.
const MACHINE: &str = r#"set -e
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev/shm && mount -t sysfs sysfs /sys
mkdir -p "$1" && mount --bind "$1" /var/tmp
mkdir -p /run/sshd
[ ! -e ~/.bashrc ] || mount --bind /dev/null ~/.bashrc
if [ -e /dev/kvm ] && ! grep -Eqw 'vmx|svm' /proc/cpuinfo; then
    mount --bind /etc/hostname /dev/kvm && mount -o remount,bind,ro /dev/kvm
fi
ip link set lo up
echo ready
while :; do sleep 86400 & wait $!; done"#;

/// The daemon's directories are the machine's own; its account for guests is the distribution's. Where `/dev/kvm`
/// is mounted over, guests share the machine's mounts: libvirt cannot move such a file into mounts of a guest's own.
const DAEMON: &str = r#"set -e
for dir in /var/lib/libvirt /etc/libvirt /var/cache/libvirt /var/log/libvirt; do
    mkdir -p $dir; mount -t tmpfs -o mode=0755 tmpfs $dir
done
printf 'cgroup_controllers = []\nsecurity_driver = "none"\n' > /etc/libvirt/qemu.conf
[ -c /dev/kvm ] || echo 'namespaces = []' >> /etc/libvirt/qemu.conf
printf 'auth_unix_rw = "none"\nunix_sock_group = "root"\n' > /etc/libvirt/libvirtd.conf
virtlogd --daemon --pid-file /run/virtlogd.pid
libvirtd --daemon --pid-file /run/libvirtd.pid"#;

/// What is left of a run on a machine.
const LEFT: &str = r#"for link in /sys/class/net/kf-*; do [ ! -e "$link" ] || echo "interface ${link##*/}"; done
for file in /run/kvmfair* /var/tmp/* /dev/shm/* /run/libvirt/qemu/kf-*; do [ ! -e "$file" ] || echo "file $file"; done
for pid in $(grep -lzE '^KVMFAIR_(RUN|WATCHDOG|SETTINGS)=' /proc/[0-9]*/environ 2>/dev/null); do echo "process $pid: $(tr '\0' ' ' <"${pid%environ}cmdline")"; done
for pid in $(grep -lz 'guest=[k]f-' /proc/[0-9]*/cmdline 2>/dev/null); do echo "QEMU $pid"; done
grep -rl 'PRIVATE KEY' /run /var/tmp 2>/dev/null | sed 's/^/private key in /'
[ ! -e /sys/class/net/wire0 ] || ip -o address show dev wire0 | grep ' inet ' || true
[ ! -e /sys/class/net/wire0/master ] || echo "wire0 has a master""#;

/// Ends a machine's watchdogs, with all that they started.
const WITHOUT_WATCHDOGS: &str = r#"for path in $(grep -lz '^KVMFAIR_WATCHDOG=' /proc/[0-9]*/environ 2>/dev/null); do
    pid=${path#/proc/} && kill -KILL "${pid%/environ}" || true
done"#;

/// Puts dropbear in the place of a machine's SSH server: host key in OpenSSH's format, keys that it accepts.
const DROPBEAR: &str = r#"set -e
kill "$(cat /run/sshd.pid)"
mount -t tmpfs -o mode=700 tmpfs /root && mkdir -m 700 /root/.ssh && cp "$2" /root/.ssh/authorized_keys
dropbearconvert openssh dropbear "$1" /run/dropbear.key 2>/dev/null
while grep -q ':0016 .* 0A ' /proc/net/tcp; do sleep 0.1; done
dropbear -s -p 22 -P /run/dropbear.pid -r /run/dropbear.key"#;

/// One machine.
pub struct Machine {
    child: Child,
    pid: u32,
}

impl Machine {
    /// Starts one whose `/var/tmp` is a directory of its own.
    fn start(temporary: &Path) -> Machine {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        command
            .args(["sh", "-c", MACHINE, "machine"])
            .arg(temporary)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        // SAFETY: one system call between fork and exec.
        unsafe { command.pre_exec(|| Ok(set_pdeathsig(Signal::SIGKILL)?)) };
        let mut child = command.spawn().unwrap();
        let mut word = [0; 6];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut word).unwrap();
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
        let pid = children.split_whitespace().next().unwrap().parse().unwrap();
        Machine { child, pid }
    }

    fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid.to_string(), "--net", "--mount", "--pid", program]);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a shell command there.
    pub fn sh(&self, script: &str) -> String {
        let output = self.enter("sh").args(["-c", script]).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Where a file of it is for the test.
    pub fn file(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.pid))
    }

    /// What is left of a run there.
    pub fn left(&self) -> Vec<String> {
        self.sh(LEFT).lines().map(str::to_owned).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.child.kill().ok(); // --kill-child: the first process of the namespace goes, and so does every other
        self.child.wait().ok();
    }
}

/// The three machines.
pub struct Machines {
    /// The VM host.
    pub host: Machine,
    /// The tester.
    pub tester: Machine,
    /// What leads to the addresses of them that the controller does not reach.
    pub gateway: Machine,
    controller: Machine,
    dir: tempfile::TempDir,
}

impl Machines {
    /// Makes them: a control network, a wire between host and tester, SSH servers, and on the host libvirt's daemon.
    pub fn new() -> Machines {
        let dir = tempfile::Builder::new().prefix("kvmfair-machines-").tempdir().unwrap();
        let start = |name: &str| Machine::start(&dir.path().join(name));
        let (host, tester) = (start("host.tmp"), start("tester.tmp"));
        let (gateway, controller) = (start("gateway.tmp"), start("controller.tmp"));
        let machines = Machines { host, tester, gateway, controller, dir };
        machines.network();
        machines.keys();
        let Machines { host, tester, gateway, .. } = &machines;
        for (machine, name) in [(host, "host"), (tester, "tester"), (gateway, "gateway")] {
            machines.ssh_server(machine, name);
        }
        machines.host.sh(DAEMON);
        machines.wait_for_libvirtd();
        machines
    }

    fn wait_for_libvirtd(&self) {
        self.wait("libvirtd", || self.host.sh("[ ! -S /run/libvirt/libvirt-sock ] || echo up") == "up\n");
    }

    /// Ends libvirt's daemon on the VM host and starts it again; its guests live on.
    pub fn restart_libvirtd(&self) {
        self.host
            .sh("pid=$(cat /run/libvirtd.pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.1; done
             rm -f /run/libvirt/libvirt-sock; libvirtd --daemon --pid-file /run/libvirtd.pid");
        self.wait_for_libvirtd();
    }

    fn network(&self) {
        let Machines { host, tester, gateway, controller, .. } = self;
        controller.sh(&format!(
            "ip link add control type bridge && ip address add {CONTROLLER}/24 dev control && ip link set control up"
        ));
        for (machine, name, addresses) in [
            (host, "host", [HOST, INNER_HOST]),
            (tester, "tester", [TESTER, INNER_TESTER]),
            (gateway, "gateway", [GATEWAY, INNER_GATEWAY]),
        ] {
            let peer = machine.pid;
            let outside = Command::new("nsenter")
                .args(["-t", &controller.pid.to_string(), "--net", "ip", "link", "add", name, "type", "veth"])
                .args(["peer", "name", "control0", "netns", &peer.to_string()])
                .status();
            assert!(outside.unwrap().success());
            controller.sh(&format!("ip link set {name} master control && ip link set {name} up"));
            for address in addresses {
                machine.sh(&format!("ip address add {address}/24 dev control0 && ip link set control0 up"));
            }
        }
        let wire = Command::new("nsenter")
            .args(["-t", &host.pid.to_string(), "--net", "ip", "link", "add", "wire0", "type", "veth"])
            .args(["peer", "name", "wire0", "netns", &tester.pid.to_string()])
            .status();
        assert!(wire.unwrap().success());
    }

    /// Where a file of the machines is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The controller's home, with a key that the servers accept and their host keys.
    pub fn ssh_directory(&self) -> PathBuf {
        self.path("home/.ssh")
    }

    fn keys(&self) {
        fs::create_dir_all(self.ssh_directory()).unwrap();
        for file in ["home/.ssh/id_ed25519", "named", "stranger", "host.key", "tester.key", "gateway.key"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(self.path(file))
                .status();
            assert!(made.unwrap().success());
        }
        let read = |file: &str| fs::read_to_string(self.path(file)).unwrap();
        let accepted = [read("home/.ssh/id_ed25519.pub"), read("named.pub")].concat();
        fs::write(self.path("authorized"), accepted).unwrap();
        let mut known = fs::File::create(self.ssh_directory().join("known_hosts")).unwrap();
        for (addresses, key) in [
            ([HOST, INNER_HOST], "host.key.pub"),
            ([TESTER, INNER_TESTER], "tester.key.pub"),
            ([GATEWAY, INNER_GATEWAY], "gateway.key.pub"),
        ] {
            write!(known, "{} {}", addresses.join(","), read(key)).unwrap();
        }
        let hashed = Command::new("ssh-keygen")
            .args(["-q", "-H", "-f"])
            .arg(self.ssh_directory().join("known_hosts"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(hashed.unwrap().success(), "ssh-keygen could not hash the names of known_hosts");
    }

    fn ssh_server(&self, machine: &Machine, name: &str) {
        let config = format!(
            "Port 22\nHostKey {key}\nAuthorizedKeysFile {authorized}\nPidFile /run/sshd.pid\nUsePAM no\nStrictModes no\n\
             PermitRootLogin prohibit-password\nPasswordAuthentication no\n",
            key = self.path(&format!("{name}.key")).display(),
            authorized = self.path("authorized").display(),
        );
        let path = self.path(&format!("{name}.sshd"));
        fs::write(&path, config).unwrap();
        machine.sh(&format!("$(command -v sshd) -f {}", path.display()));
        self.wait("sshd", || machine.sh("grep -q ':0016 .* 0A ' /proc/net/tcp && echo up || true") == "up\n");
    }

    /// Lets dropbear answer at the tester from now on. It takes no long command.
    pub fn dropbear_at_the_tester(&self) {
        let mut started = self.tester.enter("sh");
        started.args(["-c", DROPBEAR, "dropbear"]);
        let started = started.args([self.path("tester.key"), self.path("authorized")]).output().unwrap();
        assert!(started.status.success(), "{started:?}");
    }

    fn wait(&self, what: &str, ready: impl Fn() -> bool) {
        let start = Instant::now();
        while !ready() {
            assert!(start.elapsed() < PATIENCE, "{what} does not start");
            sleep(Duration::from_millis(50));
        }
    }

    /// The program on the controller, told to keep to a place.
    pub fn command(&self, place: &Sandbox, arguments: &[&str]) -> Command {
        // The controller shares the process numbers of this machine, so that its run can be signalled.
        self.inside(&self.controller, &["--net"], place, arguments)
    }

    /// The same on the VM host.
    pub fn on_the_host(&self, place: &Sandbox, arguments: &[&str]) -> Command {
        self.inside(&self.host, &["--net", "--mount", "--pid"], place, arguments)
    }

    fn inside(&self, machine: &Machine, namespaces: &[&str], place: &Sandbox, arguments: &[&str]) -> Command {
        let inner = place.command(arguments);
        let mut command = Command::new("nsenter");
        command.args(["-t", &machine.pid.to_string()]).args(namespaces);
        command.arg(format!("--wd={}", inner.get_current_dir().unwrap().display()));
        command.arg(inner.get_program()).args(inner.get_args());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .unwrap_or_else(|| Path::new(&std::env::var_os("HOME").expect("HOME is set")).join(".cache"));
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", cache).env_remove("SSH_AUTH_SOCK");
        handling(command, SigHandler::SigDfl)
    }

    /// Kills a run whose watchdogs are killed before it notices: its machines are left as they are.
    pub fn kill_with_watchdogs(&self, running: Running) {
        running.signal(Signal::SIGSTOP);
        [&self.host, &self.tester].iter().for_each(|machine| drop(machine.sh(WITHOUT_WATCHDOGS)));
        running.kill();
    }

    /// Cuts the controller off from the other machines, without a word to either side, or joins them again.
    pub fn cut(&self, off: bool) {
        let state = if off { "down" } else { "up" };
        self.controller.sh(&format!("ip link set host {state} && ip link set tester {state}"));
    }

    /// Waits until nothing of a run is left on the machines, two minutes at the most; how long that took.
    #[track_caller]
    pub fn wait_until_clean(&self) -> Duration {
        let start = Instant::now();
        while !self.left().is_empty() && start.elapsed() < Duration::from_secs(120) {
            sleep(Duration::from_millis(500));
        }
        assert!(self.left().is_empty(), "left behind: {:#?}", self.left());
        start.elapsed()
    }

    /// Runs the program on the controller to its end.
    pub fn kvmfair(&self, place: &Sandbox, arguments: &[&str]) -> Output {
        self.command(place, arguments).output().unwrap()
    }

    /// Fails unless a command refuses a profile in these words, without a change to anything.
    #[track_caller]
    pub fn assert_refused(&self, place: &Sandbox, command: &[&str], words: &[&str]) {
        let before = self.left();
        let output = self.kvmfair(place, command);
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        for words in words {
            assert!(said(&output).contains(words), "no {words:?} in {}", said(&output));
        }
        assert_eq!(self.left(), before);
        place.assert_nothing_left();
        assert!(place.runs().is_empty(), "a refused profile made {:?}", place.runs());
    }

    /// What is left of a run on the machines.
    pub fn left(&self) -> Vec<String> {
        let machines = [(&self.host, "host"), (&self.tester, "tester"), (&self.gateway, "gateway")];
        let left = |(machine, name): (&Machine, &str)| {
            machine.left().into_iter().map(move |what| format!("{name}: {what}")).collect::<Vec<_>>()
        };
        machines.into_iter().flat_map(left).collect()
    }

    /// Fails if anything of a run is left on the machines; patient with what goes by itself.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let start = Instant::now();
        while !self.left().is_empty() && start.elapsed() < Duration::from_secs(10) {
            sleep(Duration::from_millis(200));
        }
        assert!(self.left().is_empty(), "left behind: {:#?}", self.left());
    }
}
