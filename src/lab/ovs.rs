//! Open vSwitch of the run's own: a database server and a switch daemon in the run's network namespace, with database,
//! sockets and logs in its state directory. The machine's own Open vSwitch is neither asked nor touched.
//!
//! Nothing is journalled for them: they are processes of the run, and what they make in the kernel goes with the
//! namespace.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::{LabError, dpdk};
use crate::backend::switch::Switch;
use crate::backend::switch::{OpenVswitch, SwitchPath};
use crate::backend::wire::HostNic;
use crate::backend::{Attachment, Backend};
use crate::machine::blocking::{self, find};
use crate::machine::local::Local;
use crate::profile::Experiment;

/// For a daemon to answer: DPDK clears its memory first, and emulation is slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two questions.
const POLL: Duration = Duration::from_millis(50);
/// What is shown of the log of a daemon that failed, lines.
const LAST_LINES: usize = 3;

/// Open vSwitch as a run with this state directory has it; the kernel is asked only if a configuration needs it.
pub fn detect(state: &Path, experiment: &Experiment) -> OpenVswitch {
    let path = if uses(experiment, Attachment::Ovs) { switch_path() } else { SwitchPath::default() };
    OpenVswitch { state: state.display().to_string(), of_host: false, path }
}

/// The kernel's datapath where the kernel knows it (asked, it loads the module), else the daemon's own.
pub fn switch_path() -> SwitchPath {
    let asked = blocking::run(Path::new("/"), &["genl", "ctrl", "get", "name", "ovs_datapath"]);
    if asked.is_ok_and(|ran| ran.status == 0) { SwitchPath::Kernel } else { SwitchPath::Userspace }
}

/// Versions and datapath for the fingerprint; `None` if no configuration uses Open vSwitch.
pub fn fingerprint(experiment: &Experiment) -> Option<String> {
    let taps = uses(experiment, Attachment::Ovs)
        .then(|| format!("{}, datapath {}", version("ovs-vswitchd"), switch_path().as_str()));
    let shared = uses(experiment, Attachment::OvsDpdk).then(dpdk::fingerprint);
    let parts: Vec<String> = [taps, shared].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether a configuration of the experiment attaches its guests so.
fn uses(experiment: &Experiment, wanted: Attachment) -> bool {
    let of = |backend| matches!(backend, Backend::Guest { attachment, .. } if attachment == wanted);
    experiment.configurations.iter().any(|configuration| of(configuration.backend))
}

/// Whether a configuration of the experiment needs one of its switches.
pub fn is_used(experiment: &Experiment) -> bool {
    uses(experiment, Attachment::Ovs) || uses(experiment, Attachment::OvsDpdk)
}

fn version(daemon: &str) -> String {
    let said =
        blocking::run(Path::new("/"), &[daemon, "--version"]).map(|ran| ran.stdout).unwrap_or_default();
    let first = String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned();
    first.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// Starts a switch unless it answers already.
///
/// # Errors
/// [`LabError::Daemon`] with the end of a daemon's log, [`LabError::Exec`] if a command refuses.
pub async fn ensure(host: &Local, switch: Switch, ovs: &OpenVswitch) -> Result<(), LabError> {
    let place = SwitchPlace { host, dir: PathBuf::from(switch.dir(ovs)) };
    if place.answers().await {
        return Ok(());
    }
    place.start(switch).await
}

/// Where one switch lives.
struct SwitchPlace<'a> {
    host: &'a Local,
    dir: PathBuf,
}

impl SwitchPlace<'_> {
    async fn start(&self, switch: Switch) -> Result<(), LabError> {
        let dir = self.dir.display();
        std::fs::remove_dir_all(&self.dir).ok(); // of one that has died
        std::fs::create_dir_all(&self.dir).map_err(LabError::system(format!("create {dir}")))?;
        let database = format!("{dir}/conf.db");
        self.host.run(&["ovsdb-tool", "create", &database]).await?;
        let listen = format!("--remote=punix:{dir}/db.sock");
        let mut server = self.daemon("ovsdb-server", "ovsdb-server", &[&database, &listen])?;
        self.wait(&mut server, "ovsdb-server", self.dir.join("db.sock")).await?;
        self.set(&["--no-wait", "init"]).await?;
        let program = match switch {
            Switch::Plain => "ovs-vswitchd".to_owned(),
            Switch::Dpdk => {
                self.set(
                    &[&["--no-wait", "set", "Open_vSwitch", "."], words(&dpdk::settings()).as_slice()]
                        .concat(),
                )
                .await?;
                dpdk::daemon().map_or_else(|| "ovs-vswitchd".into(), |path| path.display().to_string())
            }
        };
        let mut daemon = self.daemon("vswitchd", &program, &[&format!("unix:{dir}/db.sock")])?;
        self.wait(&mut daemon, "ovs-vswitchd", self.dir.join("vswitchd.ctl")).await?;
        self.until_answering(&mut daemon).await
    }

    /// A daemon in the foreground, so that it stays this process's child; its environment keeps DPDK's files here too.
    fn daemon(&self, name: &'static str, program: &str, arguments: &[&str]) -> Result<Child, LabError> {
        let dir = self.dir.display();
        let program = find(program).map_or_else(|| program.to_owned(), |path| path.display().to_string());
        let mut argv = vec![program];
        argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        argv.extend([
            format!("--pidfile={dir}/{name}.pid"),
            format!("--unixctl={dir}/{name}.ctl"),
            format!("--log-file={dir}/{name}.log"),
            "--no-chdir".into(),
            "-vconsole:off".into(),
        ]);
        let started = File::create(self.dir.join(format!("{name}.out"))).and_then(|said| {
            let place = [("OVS_RUNDIR", &*self.dir), ("RUNTIME_DIRECTORY", &*self.dir)];
            self.host.daemon(&argv, &place, said)
        });
        started.map_err(LabError::system(format!("start {name}")))
    }

    async fn set(&self, arguments: &[&str]) -> Result<(), LabError> {
        let database = format!("--db=unix:{}/db.sock", self.dir.display());
        let argv = [["ovs-vsctl", "--timeout=50", &database].as_slice(), arguments].concat();
        self.host.run(&argv).await?;
        Ok(())
    }

    async fn answers(&self) -> bool {
        let control = self.dir.join("vswitchd.ctl");
        if !control.exists() {
            return false;
        }
        let target = control.display().to_string();
        self.host.run(&["ovs-appctl", "--timeout=5", "--target", &target, "version"]).await.is_ok()
    }

    async fn until_answering(&self, daemon: &mut Child) -> Result<(), LabError> {
        let deadline = Instant::now() + PATIENCE;
        while !self.answers().await {
            self.alive(daemon, "ovs-vswitchd", deadline)?;
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn wait(&self, daemon: &mut Child, name: &'static str, socket: PathBuf) -> Result<(), LabError> {
        let deadline = Instant::now() + PATIENCE;
        while !socket.exists() {
            self.alive(daemon, name, deadline)?;
            sleep(POLL).await;
        }
        Ok(())
    }

    fn alive(&self, daemon: &mut Child, name: &'static str, deadline: Instant) -> Result<(), LabError> {
        let ended = daemon.try_wait().map_err(LabError::system(format!("look after {name}")))?;
        if ended.is_none() && Instant::now() < deadline {
            return Ok(());
        }
        let log = if name == "ovs-vswitchd" { "vswitchd.log" } else { "ovsdb-server.log" };
        let log = std::fs::read_to_string(self.dir.join(log)).unwrap_or_default();
        Err(LabError::Daemon { name, said: last_complaints(&log) })
    }
}

fn words(settings: &[String]) -> Vec<&str> {
    settings.iter().map(String::as_str).collect()
}

/// The last complaints of a log whose lines are `<time>|<number>|<module>|<level>|<message>`.
fn last_complaints(log: &str) -> String {
    let complaint = |line: &&str| ["|WARN|", "|ERR|", "|EMER|"].iter().any(|level| line.contains(level));
    let all: Vec<&str> =
        log.lines().filter(complaint).filter_map(|line| line.splitn(5, '|').nth(4)).collect();
    if all.is_empty() {
        "it said nothing".into()
    } else {
        all[all.len().saturating_sub(LAST_LINES)..].join("; ")
    }
}

/// The command by which a real NIC hands on every frame as it came: a switch that reads packets drops what is longer
/// than the MTU.
pub fn whole_frames(nic: &HostNic) -> [&str; 7] {
    ["ethtool", "-K", &nic.name, "gro", "off", "lro", "off"]
}

/// The command that undoes [`whole_frames`] on a NIC with these features, as `ethtool -k` shows them. It also ends the promiscuous
/// mode that a killed switch leaves on, and succeeds where all is so already: ethtool then ends with 80.
pub(super) fn merge_again(nic: &HostNic, features: &str) -> Vec<String> {
    const AGAIN: &str =
        "[ $# = 1 ] || ethtool -K \"$@\" || [ $? = 80 ] || exit 1; ip link set dev \"$1\" promisc off";
    let on = merging(features).into_iter().flat_map(|name| [name, "on".to_owned()]);
    ["sh", "-c", AGAIN, "merge", &nic.name].map(str::to_owned).into_iter().chain(on).collect()
}

/// Which of `gro` and `lro` are on, and can be switched, in what `ethtool -k` says.
fn merging(features: &str) -> Vec<String> {
    let known = [("generic-receive-offload: on", "gro"), ("large-receive-offload: on", "lro")];
    let on = |line: &str| {
        known.iter().find(|(words, _)| line.trim() == *words).map(|(_, name)| (*name).to_owned())
    };
    features.lines().filter_map(on).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_off_or_fixed_is_not_switched_on_in_the_end() {
        let said = "Features for eth1:\ngeneric-receive-offload: on\nlarge-receive-offload: off [fixed]\n";
        assert_eq!(merging(said), ["gro"]);
        assert_eq!(merging("large-receive-offload: on\ngeneric-receive-offload: on [fixed]\n"), ["lro"]);
    }

    #[test]
    fn a_daemon_that_failed_is_quoted_with_its_last_complaints() {
        let log = "t|1|dpdk|INFO|hello\nt|2|dpdk|ERR|EAL: no | memory\nt|3|dpdk|EMER|Unable\n";
        assert_eq!(last_complaints(log), "EAL: no | memory; Unable");
        assert_eq!(last_complaints(""), "it said nothing");
    }
}
