//! What the backends of a profile need of the VM host: each need once, for the largest configuration that has it.

use std::collections::BTreeMap;

use super::Finding;
use super::programs::{program, there};
use crate::backend::Need;
use crate::backend::switch::SwitchPath;
use crate::backend::wire::Wire;
use crate::factor::{kernel, tuning};
use crate::host_nic::HostNic;
use crate::lab::dpdk;
use crate::lab::ovs::{self, HostDaemons};
use crate::machine::Machine;
use crate::profile::Experiment;
use crate::profile::cpus::first;

const SWITCH_IOMMU_ON: &str =
    "switch VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on (AMD: nothing more)";
pub(super) const FEWER_GUESTS: &str = "use fewer guests, or give each less memory";
/// How a VM host's own Open vSwitch is started.
const START: &str =
    "there: apt-get install openvswitch-switch, then systemctl enable --now openvswitch-switch";

/// Tries a kind of interface in a network namespace that ends with the command.
const TRY: &str = r#"exec unshare --net sh -c '
ip link add kf-try0 type veth peer name kf-try1 || exit
case $1 in
veth) ;;
macvtap) ip link add link kf-try0 name kf-try2 type macvtap ;;
*) ip link add kf-try2 type "$1" ;;
esac' try "$1""#;

/// Checks everything; what depends on the wire is left out where there is none.
pub(super) async fn look(host: &Machine, experiment: &Experiment, wire: Option<&Wire>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (need, guests) in collect(experiment) {
        findings.extend(check(host, experiment, need, guests, wire).await);
    }
    findings
}

/// What the backends need, with the most guests that need it.
pub(super) fn collect(experiment: &Experiment) -> BTreeMap<Need, u32> {
    let mut needs: BTreeMap<Need, u32> = BTreeMap::from([(Need::Link("veth"), 0), (Need::Link("bridge"), 0)]);
    for configuration in &experiment.configurations {
        let tun =
            (configuration.vms > 0).then_some(Need::Device { path: "/dev/net/tun", fix: "modprobe tun" });
        let pinned = configuration.pin.is_some() || configuration.pin_emulator.is_some();
        let taskset = pinned.then_some(Need::Program { name: "taskset", package: "util-linux" });
        let chrt = configuration.scheduler.map(|_| Need::Program { name: "chrt", package: "util-linux" });
        let by_ethtool = kernel::host(configuration, &first(1)).iter().any(tuning::is_of_ethtool);
        let ethtool = by_ethtool.then_some(Need::Program { name: "ethtool", package: "ethtool" });
        let programs = tun.into_iter().chain(taskset).chain(chrt).chain(ethtool);
        for need in configuration.backend.needs().into_iter().chain(programs) {
            let guests = needs.entry(need).or_default();
            *guests = configuration.vms.max(*guests);
        }
    }
    needs
}

/// `Need::Link("veth")` and the switch depend on the lab: a hardware lab has a real wire and the VM host's own daemons.
async fn check(
    host: &Machine,
    experiment: &Experiment,
    need: Need,
    guests: u32,
    wire: Option<&Wire>,
) -> Option<Finding> {
    let nics = match wire {
        Some(Wire::Nics(nics)) => nics.host.as_slice(),
        _ => &[],
    };
    let (nic, has_daemons) = (nics.first(), experiment.machines.is_some());
    Some(match need {
        Need::Program { name, package } => program(host, name, package).await,
        Need::Device { path, fix } => file(host, "-c", path, path, fix).await,
        Need::Link("veth") if has_daemons => return None,
        Need::Link(kind) => link(host, kind).await,
        Need::SwitchPath if has_daemons => host_switch(host, nic).await,
        Need::SwitchPath => switch_path(host).await,
        Need::Dpdk if has_daemons => host_dpdk(host).await,
        Need::Dpdk => own_dpdk(),
        Need::RealWire => return (*wire? == Wire::Veth).then(no_real_wire),
        Need::NicPerGuest => return (*wire? != Wire::Veth).then(|| nic_per_guest(nics.len(), guests)),
        Need::VfPerGuest => functions(nic?, guests),
        Need::VfDriver => vf_driver(host, nic?).await,
        Need::Iommu => iommu(host, nic?).await,
        Need::IommuPerNic => return iommu_of_each(host, nics.iter().take(guests as usize)).await,
    })
}

/// The first NIC that no guest may have; else the finding of the last one.
async fn iommu_of_each(host: &Machine, nics: impl Iterator<Item = &HostNic>) -> Option<Finding> {
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

/// A missing kernel datapath is no fault: Open vSwitch has one of its own.
async fn switch_path(host: &Machine) -> Finding {
    let found = match ovs::switch_path(host).await {
        SwitchPath::Kernel => "in the kernel (system)",
        SwitchPath::Userspace => {
            "in userspace (netdev): the kernel has no module openvswitch; for the kernel's: modprobe openvswitch"
        }
    };
    Finding::good("datapath of Open vSwitch", found)
}

/// The VM host's own daemons, which are not started.
async fn host_switch(host: &Machine, nic: Option<&HostNic>) -> Finding {
    let what = "Open vSwitch";
    let daemons = match HostDaemons::query(host).await {
        Ok(daemons) => daemons,
        Err(error) => return Finding::bad(what, error.to_string(), START),
    };
    if let Some(nic) = nic
        && let Some(bridge) = ovs::bridge_with_port(host, &nic.name).await
    {
        let fix = format!("name another NIC, or there: ovs-vsctl del-port {bridge} {}", nic.name);
        return Finding::bad(what, format!("{} is a port of its bridge {bridge}", nic.name), fix);
    }
    Finding::good(what, daemons.fingerprint())
}

const OVS_WITH_DPDK: &str = "Open vSwitch with DPDK";

async fn host_dpdk(host: &Machine) -> Finding {
    match HostDaemons::query(host).await {
        Err(error) => Finding::bad(OVS_WITH_DPDK, error.to_string(), START),
        Ok(HostDaemons { dpdk: Some(version), .. }) => Finding::good(OVS_WITH_DPDK, version),
        Ok(_) => {
            let fix = "there: apt-get install openvswitch-switch-dpdk, ovs-vsctl set Open_vSwitch . \
                       other_config:dpdk-init=true, systemctl restart openvswitch-switch";
            Finding::bad(OVS_WITH_DPDK, "its daemon has not initialised DPDK", fix)
        }
    }
}

fn own_dpdk() -> Finding {
    match (dpdk::daemon(), dpdk::missing_package()) {
        (Some(path), Some(package)) => {
            let fix = format!("apt-get install {package}, or: make install-deps");
            Finding::bad(OVS_WITH_DPDK, format!("{}, but not DPDK's memory pools", path.display()), fix)
        }
        (Some(path), None) => {
            Finding::good(OVS_WITH_DPDK, format!("{} ({})", path.display(), dpdk::fingerprint()))
        }
        (None, _) => {
            let fix = "apt-get install openvswitch-switch-dpdk, or: make install-deps";
            Finding::bad(OVS_WITH_DPDK, "not installed", fix)
        }
    }
}

fn no_real_wire() -> Finding {
    let fix = "name the NICs: [wire] host_dev = \"eth1\" and tester_dev = \"eth0\"";
    Finding::bad("wire", "a veth pair, which has no PCI functions", fix)
}

fn nic_per_guest(nics: usize, guests: u32) -> Finding {
    let (what, found) = ("NICs of the host", format!("{nics} for {guests} guests that take one each"));
    if nics >= guests as usize {
        return Finding::good(what, found);
    }
    Finding::bad(
        what,
        found,
        format!("name {} more in [wire] spare_devs, or use fewer guests", guests as usize - nics),
    )
}

fn functions(nic: &HostNic, guests: u32) -> Finding {
    let what = format!("virtual functions of {}", nic.name);
    match nic.sriov {
        None => Finding::bad(
            &what,
            "it has none",
            "switch SR-IOV on in the firmware and in the NIC's own setup, or name a NIC that can do it",
        ),
        Some(sriov) if sriov.total < guests => Finding::bad(
            &what,
            format!("at most {}, for {guests} guests", sriov.total),
            format!("use at most {} guests with it", sriov.total),
        ),
        Some(sriov) => Finding::good(&what, format!("up to {}", sriov.total)),
    }
}

async fn vf_driver(host: &Machine, nic: &HostNic) -> Finding {
    let driver = nic.vf_driver();
    let what = format!("driver {driver} of the virtual functions");
    file(host, "-d", &format!("/sys/bus/pci/drivers/{driver}"), &what, &format!("modprobe {driver}")).await
}

/// Without one, a guest's NIC could write into anybody's memory; the kernel refuses to pass functions through.
async fn iommu(host: &Machine, nic: &HostNic) -> Finding {
    let what = "IOMMU";
    let group = nic.pci().map(|function| format!("{}/iommu_group", function.sysfs())).unwrap_or_default();
    if host.run(&["test", "-e", &group]).await.is_err() {
        return Finding::bad(
            what,
            format!("{} is in no IOMMU group", nic.name),
            there(host, SWITCH_IOMMU_ON),
        );
    }
    if host.run(&["test", "-c", "/dev/vfio/vfio"]).await.is_err() {
        return Finding::bad(what, "on, but without VFIO", there(host, "modprobe vfio-pci"));
    }
    Finding::good(what, "on, with VFIO")
}

/// A file of a kind, as `test` names it.
async fn file(host: &Machine, kind: &str, path: &str, what: &str, fix: &str) -> Finding {
    match host.run(&["test", kind, path]).await {
        Ok(_) => Finding::good(what, "there"),
        Err(_) => Finding::bad(what, "missing", there(host, fix)),
    }
}

pub(super) async fn link(host: &Machine, kind: &str) -> Finding {
    let what = format!("interfaces of kind {kind}");
    match host.run(&["sh", "-c", TRY, "try", kind]).await {
        Ok(_) => Finding::good(&what, "work"),
        Err(error) => Finding::bad(&what, error.to_string(), there(host, &format!("modprobe {kind}"))),
    }
}
