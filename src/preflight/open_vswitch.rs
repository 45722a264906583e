//! Open vSwitch: the VM host's own daemons in a hardware lab and in a Xen dom0, which are not started; programs that a run starts in
//! the embedded lab.

use super::CheckResult;
use crate::backend::switch::SwitchPath;
use crate::host_nic::HostNic;
use crate::lab::dpdk;
use crate::lab::ovs::{HostDaemons, bridge_with_port, switch_path};
use crate::machine::Machine;
use crate::profile::Experiment;

const SWITCH: &str = "Open vSwitch";
const WITH_DPDK: &str = "Open vSwitch with DPDK";
/// How the host's daemons are started.
const START: &str = "apt-get install openvswitch-switch, then systemctl enable --now openvswitch-switch";

/// The switch that taps are ports of; `nic` is the host's NIC of the wire.
pub(super) async fn switch(host: &Machine, experiment: &Experiment, nic: Option<&HostNic>) -> CheckResult {
    if experiment.is_embedded() {
        return datapath(switch_path(host).await);
    }
    let daemons = match HostDaemons::query(host).await {
        Ok(daemons) => daemons,
        Err(error) => return CheckResult::bad(SWITCH, error.to_string(), START),
    };
    if experiment.host.xen.is_some() && daemons.path == SwitchPath::Userspace {
        let found = "the kernel has no module openvswitch, and without it the checksums that guests leave to vifs stay wrong";
        return CheckResult::bad(SWITCH, found, "modprobe openvswitch");
    }
    let Some(nic) = nic else { return CheckResult::good(SWITCH, daemons.fingerprint()) };
    match bridge_with_port(host, &nic.name).await {
        Some(bridge) => {
            let fix = format!("name another NIC, or: ovs-vsctl del-port {bridge} {}", nic.name);
            CheckResult::bad(SWITCH, format!("{} is a port of its bridge {bridge}", nic.name), fix)
        }
        None => CheckResult::good(SWITCH, daemons.fingerprint()),
    }
}

/// The kernel's datapath may be missing: Open vSwitch brings one of its own.
fn datapath(path: SwitchPath) -> CheckResult {
    let found = match path {
        SwitchPath::Kernel => "in the kernel (system)",
        SwitchPath::Userspace => {
            "in userspace (netdev): the kernel has no module openvswitch; for the kernel's: modprobe openvswitch"
        }
    };
    CheckResult::good("datapath of Open vSwitch", found)
}

/// The switch that vhost-user NICs are ports of.
pub(super) async fn dpdk(host: &Machine, experiment: &Experiment) -> CheckResult {
    if experiment.machines.is_none() {
        return own_dpdk();
    }
    match HostDaemons::query(host).await {
        Err(error) => CheckResult::bad(WITH_DPDK, error.to_string(), START),
        Ok(HostDaemons { dpdk: Some(version), .. }) => CheckResult::good(WITH_DPDK, version),
        Ok(_) => {
            let fix = "apt-get install openvswitch-switch-dpdk, ovs-vsctl set Open_vSwitch . \
                       other_config:dpdk-init=true, systemctl restart openvswitch-switch";
            CheckResult::bad(WITH_DPDK, "its daemon has not initialised DPDK", fix)
        }
    }
}

fn own_dpdk() -> CheckResult {
    let Some(path) = dpdk::daemon() else {
        return CheckResult::bad(WITH_DPDK, "not installed", "apt-get install openvswitch-switch-dpdk");
    };
    match dpdk::missing_package() {
        Some(package) => {
            let found = format!("{}, but not DPDK's memory pools", path.display());
            CheckResult::bad(WITH_DPDK, found, format!("apt-get install {package}"))
        }
        None => CheckResult::good(WITH_DPDK, format!("{} ({})", path.display(), dpdk::fingerprint())),
    }
}
