//! What the backends of a profile need of a VM host that is looked at over SSH.

use super::{Finding, needs};
use crate::backend::Need;
use crate::backend::wire::Wire;
use crate::host_nic::HostNic;
use crate::lab::ovs::{self, HostDaemons};
use crate::machine::Machine;
use crate::profile::Experiment;

/// Tries a kind of interface in a network namespace that ends with the command.
const TRY: &str = r#"exec unshare --net sh -c '
ip link add kf-try0 type veth peer name kf-try1 || exit
case $1 in
veth) ;;
macvtap) ip link add link kf-try0 name kf-try2 type macvtap ;;
*) ip link add kf-try2 type "$1" ;;
esac' try "$1""#;

/// Looks at everything; what depends on the wire is left out where there is none to look at.
pub(super) async fn look(host: &Machine, experiment: &Experiment, wire: Option<&Wire>) -> Vec<Finding> {
    let nics = match wire {
        Some(Wire::Nics(nics)) => Some(nics),
        _ => None,
    };
    let mut findings = Vec::new();
    for (need, guests) in needs::collect(experiment) {
        let physical = nics.and_then(|nics| nics.host.first());
        findings.extend(match need {
            Need::Program { name, package } => Some(program(host, name, package).await),
            Need::Device { path, fix } => Some(file(host, "-c", path, path, fix).await),
            Need::Link("veth") | Need::RealWire => None, // the wire is of NICs
            Need::Link(kind) => Some(link(host, kind).await),
            Need::SwitchPath => Some(switch(host, physical).await),
            Need::Dpdk => Some(dpdk(host).await),
            Need::NicPerGuest => nics.map(|nics| needs::nic_per_guest(nics.host.len(), guests)),
            Need::VfPerGuest => physical.map(|nic| needs::functions(nic, guests)),
            Need::VfDriver => match physical {
                Some(nic) => Some(vf_driver(host, nic).await),
                None => None,
            },
            Need::Iommu => match physical {
                Some(nic) => Some(iommu(host, nic).await),
                None => None,
            },
            Need::IommuPerNic => match nics {
                Some(nics) => per_nic(host, nics.host.iter().take(guests as usize)).await,
                None => None,
            },
        });
    }
    findings
}

/// Its daemons are the VM host's own, and are not started.
async fn switch(host: &Machine, nic: Option<&HostNic>) -> Finding {
    let what = "Open vSwitch";
    let daemons = match HostDaemons::query(host).await {
        Ok(daemons) => daemons,
        Err(error) => return Finding::bad(what, error.to_string(), START),
    };
    match nic {
        Some(nic) => match ovs::bridge_with_port(host, &nic.name).await {
            Some(bridge) => {
                let fix = format!("name another NIC, or there: ovs-vsctl del-port {bridge} {}", nic.name);
                Finding::bad(what, format!("{} is a port of its bridge {bridge}", nic.name), fix)
            }
            None => Finding::good(what, daemons.fingerprint()),
        },
        None => Finding::good(what, daemons.fingerprint()),
    }
}

async fn dpdk(host: &Machine) -> Finding {
    let what = "Open vSwitch with DPDK";
    match HostDaemons::query(host).await {
        Err(error) => Finding::bad(what, error.to_string(), START),
        Ok(HostDaemons { dpdk: Some(version), .. }) => Finding::good(what, version),
        Ok(_) => {
            let fix = "there: apt-get install openvswitch-switch-dpdk, ovs-vsctl set Open_vSwitch . \
                       other_config:dpdk-init=true, systemctl restart openvswitch-switch";
            Finding::bad(what, "its daemon has not initialised DPDK", fix)
        }
    }
}

/// How its daemons are brought to life.
const START: &str =
    "there: apt-get install openvswitch-switch, then systemctl enable --now openvswitch-switch";

async fn program(host: &Machine, name: &str, package: &str) -> Finding {
    match host.run(&["sh", "-c", "command -v \"$1\"", "look", name]).await {
        Ok(output) => Finding::good(name, output.stdout.trim()),
        Err(_) => Finding::bad(name, "not installed", format!("there: apt-get install {package}")),
    }
}

async fn file(host: &Machine, kind: &str, path: &str, what: &str, fix: &str) -> Finding {
    match host.run(&["test", kind, path]).await {
        Ok(_) => Finding::good(what, "there"),
        Err(_) => Finding::bad(what, "missing", format!("there: {fix}")),
    }
}

async fn link(host: &Machine, kind: &str) -> Finding {
    let what = format!("interfaces of kind {kind}");
    match host.run(&["sh", "-c", TRY, "try", kind]).await {
        Ok(_) => Finding::good(&what, "work"),
        Err(error) => Finding::bad(&what, error.to_string(), format!("there: modprobe {kind}")),
    }
}

async fn vf_driver(host: &Machine, nic: &HostNic) -> Finding {
    let driver = nic.vf_driver();
    let what = format!("driver {driver} of the virtual functions");
    file(host, "-d", &format!("/sys/bus/pci/drivers/{driver}"), &what, &format!("modprobe {driver}")).await
}

async fn per_nic(host: &Machine, nics: impl Iterator<Item = &HostNic>) -> Option<Finding> {
    let mut last = None;
    for nic in nics {
        let finding = iommu(host, nic).await;
        if finding.fix.is_some() {
            return Some(finding);
        }
        last = Some(finding);
    }
    last
}

async fn iommu(host: &Machine, nic: &HostNic) -> Finding {
    let group = nic.pci().map(|function| format!("{}/iommu_group", function.sysfs())).unwrap_or_default();
    let grouped = file(host, "-e", &group, "IOMMU", needs::SWITCH_IOMMU_ON).await;
    if grouped.fix.is_some() {
        return grouped;
    }
    file(host, "-c", "/dev/vfio/vfio", "IOMMU with VFIO", "modprobe vfio-pci").await
}
