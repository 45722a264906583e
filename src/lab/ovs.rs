//! Open vSwitch on a VM host: its datapath, its daemons, and frames that a switch must get as they came.
//!
//! In the embedded lab the daemons are the run's own (`ovs_daemons`). In a hardware lab and in a Xen dom0 they are the VM host's own,
//! and the run's bridge is one among theirs.

use std::path::Path;

use super::dpdk;
use crate::backend::switch::{OpenVswitch, SwitchPath};
use crate::backend::{Attachment, Backend};
use crate::host::facts;
use crate::host_nic::HostNic;
use crate::machine::{ExecError, Machine};
use crate::profile::Experiment;

/// Open vSwitch as a run has it, with directories of the VM host for daemons of its own and for guests' sockets.
pub async fn for_run(
    host: &Machine,
    daemons: Option<&Path>,
    sockets: &Path,
    experiment: &Experiment,
) -> OpenVswitch {
    let with_taps = uses(experiment, Attachment::Ovs);
    let path = if with_taps { switch_path(host).await } else { SwitchPath::default() };
    let daemons = daemons.map(|daemons| daemons.display().to_string());
    OpenVswitch { daemons, sockets: sockets.display().to_string(), path }
}

/// The kernel's datapath where the kernel has it (the query loads the module), else the daemon's own. The daemon lists the
/// kernel's among its types whether or not the kernel has the module.
pub async fn switch_path(host: &Machine) -> SwitchPath {
    let found = host.run(&["genl", "ctrl", "get", "name", "ovs_datapath"]).await;
    if found.is_ok() { SwitchPath::Kernel } else { SwitchPath::Userspace }
}

/// Versions and datapath for the fingerprint; `None` if no configuration uses Open vSwitch, or it does not answer.
pub async fn fingerprint(host: &Machine, experiment: &Experiment) -> Option<String> {
    if !experiment.is_embedded() {
        let daemons = if is_used(experiment) { HostDaemons::query(host).await.ok() } else { None };
        return daemons.map(|daemons| daemons.fingerprint());
    }
    let mut parts = Vec::new();
    if uses(experiment, Attachment::Ovs) {
        let version =
            host.run(&["ovs-vswitchd", "--version"]).await.map(|output| output.stdout).unwrap_or_default();
        let version = version.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default();
        parts.push(format!("{version}, datapath {}", switch_path(host).await.as_str()));
    }
    parts.extend(uses(experiment, Attachment::OvsDpdk).then(dpdk::fingerprint));
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether a configuration of the experiment uses Open vSwitch.
pub fn is_used(experiment: &Experiment) -> bool {
    uses(experiment, Attachment::Ovs) || uses(experiment, Attachment::OvsDpdk)
}

fn uses(experiment: &Experiment, wanted: Attachment) -> bool {
    let uses = |backend| matches!(backend, Backend::Guest { attachment, .. } if attachment == wanted);
    experiment.configurations.iter().any(|configuration| uses(configuration.backend))
}

/// Open vSwitch of a VM host outside of the embedded lab: the host's own daemons, which a run queries and never starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostDaemons {
    /// Their version.
    pub version: String,
    /// Where bridges with taps move their packets.
    pub path: SwitchPath,
    /// The version of DPDK, if that has been initialised.
    pub dpdk: Option<String>,
}

impl HostDaemons {
    /// Queries the daemons of a machine.
    ///
    /// # Errors
    /// [`ExecError`] of `ovs-vsctl` or `ovs-appctl`: typically it is not installed, or the daemons do not run.
    pub async fn query(host: &Machine) -> Result<HostDaemons, ExecError> {
        // The database answers without the switch, too; and the version in it is only there if the daemons were started by ovs-ctl.
        let printed = host.run(&["ovs-appctl", "--timeout=10", "version"]).await?.stdout;
        let columns = ["dpdk_initialized", "dpdk_version"];
        let query = [&["ovs-vsctl", "--timeout=10", "get", "Open_vSwitch", "."][..], &columns].concat();
        let answer = host.run(&query).await?.stdout;
        Ok(HostDaemons::parse(&printed, &answer, switch_path(host).await))
    }

    /// From what the switch prints of its version, and the database's answer, a line for each column.
    fn parse(printed: &str, answer: &str, path: SwitchPath) -> HostDaemons {
        let mut lines = answer.lines().map(|line| line.trim().trim_matches('"'));
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let (initialised, dpdk) = (next(), next());
        let version = facts::version(printed).unwrap_or("of unknown version").to_owned();
        HostDaemons { version, path, dpdk: (initialised == "true").then_some(dpdk) }
    }

    /// For the fingerprint.
    pub fn fingerprint(&self) -> String {
        let dpdk = self.dpdk.as_ref().map(|version| format!("; {version}")).unwrap_or_default();
        format!("{}, datapath {}{dpdk}, the VM host's own daemons", self.version, self.path.as_str())
    }
}

/// The bridge of a machine's Open vSwitch that has this NIC as a port, if any.
pub async fn bridge_with_port(host: &Machine, nic: &str) -> Option<String> {
    let answer = host.run(&["ovs-vsctl", "--timeout=10", "port-to-br", nic]).await.ok()?;
    Some(answer.stdout.trim().to_owned())
}

/// The command by which a real NIC passes on every frame as it came: a switch that reads packets drops what is longer
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

/// Which of `gro` and `lro` are on, and can be switched, in the output of `ethtool -k`.
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
        let features =
            "Features for eth1:\ngeneric-receive-offload: on\nlarge-receive-offload: off [fixed]\n";
        assert_eq!(merging(features), ["gro"]);
        assert_eq!(merging("large-receive-offload: on\ngeneric-receive-offload: on [fixed]\n"), ["lro"]);
    }

    #[test]
    fn dpdk_counts_once_the_daemon_has_initialised_it() {
        let of = |initialised: &str| {
            let answer = format!("{initialised}\n\"DPDK 22.11.11\"\n");
            HostDaemons::parse(
                "ovs-vswitchd (Open vSwitch) 3.1.0\nDPDK 22.11.11\n",
                &answer,
                SwitchPath::Kernel,
            )
        };
        assert_eq!(of("false").dpdk, None);
        let both = of("true");
        assert_eq!((both.version.as_str(), both.dpdk.as_deref()), ("3.1.0", Some("DPDK 22.11.11")));
        assert_eq!(both.fingerprint(), "3.1.0, datapath system; DPDK 22.11.11, the VM host's own daemons");
    }
}
