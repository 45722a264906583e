//! What the backends of a profile need of the VM host: each need once, for the largest configuration that has it.

use std::collections::BTreeMap;

use super::machine::{SWITCH_IOMMU_ON, file, programs};
use super::{CheckResult, open_vswitch, vdpa};
use crate::backend::Prerequisite;
use crate::backend::wire::Wire;
use crate::factor::{kernel, tuning};
use crate::host_nic::HostNic;
use crate::machine::Machine;
use crate::profile::Experiment;
use crate::profile::cpus::first;

/// Tries a kind of interface in a network namespace that ends with the command.
const TRY: &str = r#"exec unshare --net sh -c '
ip link add kf-try0 type veth peer name kf-try1 || exit
case $1 in
veth) ;;
macvtap) ip link add link kf-try0 name kf-try2 type macvtap ;;
*) ip link add kf-try2 type "$1" ;;
esac' try "$1""#;

/// Checks everything; what depends on the wire is left out where that was not found.
pub(super) async fn examine(
    host: &Machine,
    experiment: &Experiment,
    wire: Option<&Wire>,
) -> Vec<CheckResult> {
    let mut findings = Vec::new();
    for (need, guests) in collect(experiment) {
        findings.extend(finding(host, experiment, wire, need, guests).await);
    }
    findings
}

/// What the backends need, with the most guests that need it.
fn collect(experiment: &Experiment) -> BTreeMap<Prerequisite, u32> {
    let mut needs: BTreeMap<Prerequisite, u32> =
        BTreeMap::from([(Prerequisite::Link("veth"), 0), (Prerequisite::Link("bridge"), 0)]);
    for configuration in &experiment.configurations {
        let tun = (configuration.vms > 0 && !configuration.backend.is_of_xen())
            .then_some(Prerequisite::Device { path: "/dev/net/tun", fix: "modprobe tun" });
        let pins = [&configuration.pin, &configuration.pin_emulator, &configuration.pin_vhost];
        let pinned = pins.into_iter().any(Option::is_some) && !configuration.backend.is_of_xen();
        let taskset = pinned.then_some(Prerequisite::Program { name: "taskset", package: "util-linux" });
        let chrt =
            configuration.scheduler.map(|_| Prerequisite::Program { name: "chrt", package: "util-linux" });
        let by_ethtool = kernel::host(configuration, &first(1)).iter().any(tuning::is_of_ethtool);
        let ethtool = by_ethtool.then_some(Prerequisite::Program { name: "ethtool", package: "ethtool" });
        let programs = tun.into_iter().chain(taskset).chain(chrt).chain(ethtool);
        for need in configuration.backend.needs().into_iter().chain(programs) {
            let guests = needs.entry(need).or_default();
            *guests = configuration.vms.max(*guests);
        }
    }
    needs
}

async fn finding(
    host: &Machine,
    experiment: &Experiment,
    wire: Option<&Wire>,
    need: Prerequisite,
    guests: u32,
) -> Option<CheckResult> {
    let (nics, for_vdpa) = match wire {
        Some(Wire::Nics(nics)) => (nics.host.as_slice(), nics.for_vdpa()),
        _ => (&[][..], &[][..]),
    };
    let nic = nics.first();
    Some(match need {
        Prerequisite::Program { name, package } => return programs(host, &[(name, package)]).await.pop(),
        Prerequisite::Device { path, fix } => file(host, "-c", path, path, fix).await,
        Prerequisite::Link("veth") if experiment.machines.is_some() => return None, // the wire consists of NICs
        Prerequisite::Link(kind) => link(host, kind).await,
        Prerequisite::BusDriver { bus, name } => driver(host, bus, name).await,
        Prerequisite::VdpaPerGuest if for_vdpa.is_empty() => return None, // no real wire
        Prerequisite::VdpaPerGuest => vdpa::per_guest(host, for_vdpa, guests).await,
        Prerequisite::SwitchPath => open_vswitch::switch(host, experiment, nic).await,
        Prerequisite::Dpdk => open_vswitch::dpdk(host, experiment).await,
        Prerequisite::RealWire => return (wire == Some(&Wire::Veth)).then(no_real_wire),
        Prerequisite::NicPerGuest if nics.is_empty() => return None, // a veth pair for each is made
        Prerequisite::NicPerGuest => nic_per_guest(nics.len(), guests),
        Prerequisite::VfPerGuest => functions(nic?, guests),
        Prerequisite::VfDriver => vf_driver(host, nic?).await,
        Prerequisite::Iommu => iommu(host, nic?).await,
        Prerequisite::IommuPerNic => return iommu_of_each(host, nics.iter().take(guests as usize)).await,
    })
}

/// Whether a machine can make interfaces of a kind.
pub(super) async fn link(host: &Machine, kind: &str) -> CheckResult {
    let what = format!("interfaces of kind {kind}");
    match host.run(&["sh", "-c", TRY, "try", kind]).await {
        Ok(_) => CheckResult::good(&what, "supported"),
        Err(error) => CheckResult::bad(&what, error.to_string(), format!("modprobe {kind}")),
    }
}

fn no_real_wire() -> CheckResult {
    let fix = "name the NICs: [wire] host_dev = \"eth1\" and tester_dev = \"eth0\"";
    CheckResult::bad("wire", "a veth pair, which has no PCI functions", fix)
}

fn nic_per_guest(nics: usize, guests: u32) -> CheckResult {
    let (what, found) = ("NICs of the host", format!("{nics} for {guests} guests that take one each"));
    if nics >= guests as usize {
        return CheckResult::good(what, found);
    }
    let more = guests as usize - nics;
    CheckResult::bad(what, found, format!("name {more} more in [wire] spare_devs, or use fewer guests"))
}

fn functions(nic: &HostNic, guests: u32) -> CheckResult {
    let what = format!("virtual functions of {}", nic.name);
    match nic.sriov {
        None => CheckResult::bad(
            &what,
            "none",
            "switch SR-IOV on in the firmware and in the NIC's own setup, or name a NIC that supports it",
        ),
        Some(sriov) if sriov.total < guests => CheckResult::bad(
            &what,
            format!("at most {}, for {guests} guests", sriov.total),
            format!("use at most {} guests with it", sriov.total),
        ),
        Some(sriov) => CheckResult::good(&what, format!("up to {}", sriov.total)),
    }
}

async fn vf_driver(host: &Machine, nic: &HostNic) -> CheckResult {
    let name = nic.vf_driver();
    CheckResult { what: format!("driver {name} of the virtual functions"), ..driver(host, "pci", name).await }
}

/// A driver whose module has its name.
async fn driver(host: &Machine, bus: &str, name: &str) -> CheckResult {
    let path = format!("/sys/bus/{bus}/drivers/{name}");
    file(host, "-d", &path, &format!("driver {name}"), &format!("modprobe {name}")).await
}

/// The first NIC that no guest may have; else the last one's.
async fn iommu_of_each(host: &Machine, nics: impl Iterator<Item = &HostNic>) -> Option<CheckResult> {
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

/// Without one, a guest's NIC could write into any memory; the kernel refuses to hand functions out.
async fn iommu(host: &Machine, nic: &HostNic) -> CheckResult {
    let group = nic.pci().map(|function| format!("{}/iommu_group", function.sysfs())).unwrap_or_default();
    if file(host, "-e", &group, "IOMMU", SWITCH_IOMMU_ON).await.fix.is_some() {
        return CheckResult::bad("IOMMU", format!("{} is in no IOMMU group", nic.name), SWITCH_IOMMU_ON);
    }
    file(host, "-c", "/dev/vfio/vfio", "IOMMU with VFIO", "modprobe vfio-pci").await
}
