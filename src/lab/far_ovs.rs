//! Open vSwitch in a hardware lab: the VM host's own daemons, which are asked and never started. The run's bridge is one among
//! theirs.

use std::path::Path;

use crate::backend::switch::{OpenVswitch, SwitchPath};
use crate::machine::ExecError;
use crate::machine::Machine;

/// What the daemons say of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemons {
    /// Their version.
    pub version: String,
    /// Where bridges with taps move their packets.
    pub path: SwitchPath,
    /// The version of DPDK, if that has been initialised.
    pub dpdk: Option<String>,
}

impl Daemons {
    /// Asks the daemons of a machine.
    ///
    /// # Errors
    /// [`ExecError`] with what `ovs-vsctl` says: mostly that it is not installed, or that nobody answers.
    pub async fn ask(host: &Machine) -> Result<Daemons, ExecError> {
        let columns = ["ovs_version", "dpdk_initialized", "dpdk_version"];
        let ask = [&["ovs-vsctl", "--timeout=10", "get", "Open_vSwitch", "."][..], &columns].concat();
        let answer = host.run(&ask).await?.stdout;
        // The daemon lists the kernel's datapath among its kinds whether or not the kernel knows the module.
        let kernel = host.run(&["genl", "ctrl", "get", "name", "ovs_datapath"]).await.is_ok();
        Ok(Daemons::parse(&answer, if kernel { SwitchPath::Kernel } else { SwitchPath::Userspace }))
    }

    /// Of the answer, a line for each column.
    fn parse(answer: &str, path: SwitchPath) -> Daemons {
        let mut lines = answer.lines().map(|line| line.trim().trim_matches('"'));
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let (version, initialised, dpdk) = (next(), next(), next());
        Daemons { version, path, dpdk: (initialised == "true").then_some(dpdk) }
    }

    /// For the fingerprint.
    pub fn fingerprint(&self) -> String {
        let dpdk = self.dpdk.as_ref().map(|version| format!("; {version}")).unwrap_or_default();
        format!("{}, datapath {}{dpdk}, the VM host's own daemons", self.version, self.path.as_str())
    }

    /// What the backends of a run need to know, whose guests' sockets are in this directory of the VM host.
    pub fn for_run(&self, sockets: &Path) -> OpenVswitch {
        OpenVswitch { state: sockets.display().to_string(), of_host: true, path: self.path }
    }
}

/// The bridge that holds a NIC already, if any.
pub async fn bridge_of(host: &Machine, nic: &str) -> Option<String> {
    let answer = host.run(&["ovs-vsctl", "--timeout=10", "port-to-br", nic]).await.ok()?;
    Some(answer.stdout.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dpdk_counts_once_the_daemon_has_initialised_it() {
        let of = |initialised: &str| {
            let answer = format!("\"3.1.0\"\n{initialised}\n\"DPDK 22.11.11\"\n");
            Daemons::parse(&answer, SwitchPath::Kernel)
        };
        assert_eq!(of("false").dpdk, None);
        let both = of("true");
        assert_eq!((both.version.as_str(), both.dpdk.as_deref()), ("3.1.0", Some("DPDK 22.11.11")));
        assert_eq!(both.fingerprint(), "3.1.0, datapath system; DPDK 22.11.11, the VM host's own daemons");
    }
}
