//! What the backends of a profile need: each need once, for the largest configuration that has it.

use std::collections::BTreeMap;
use std::path::Path;

use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::SFlag;

use super::Finding;
use crate::backend::Need;
use crate::backend::switch::SwitchPath;
use crate::backend::wire::Wire;
use crate::factor::{kernel, tuning};
use crate::host_nic::HostNic;
use crate::lab::{dpdk, ovs};
use crate::machine::Machine;
use crate::machine::blocking::{self, find};
use crate::profile::Experiment;
use crate::profile::cpus::first;

pub(super) const SWITCH_IOMMU_ON: &str =
    "switch VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on (AMD: nothing more)";
pub(super) const FEWER_GUESTS: &str = "use fewer guests, or give each less memory";

/// Looks at everything; what depends on the wire is left out where there is none to look at.
pub(super) fn look(experiment: &Experiment, wire: Option<&Wire>) -> Vec<Finding> {
    collect(experiment).into_iter().filter_map(|(need, guests)| look_at(need, guests, wire)).collect()
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

fn look_at(need: Need, guests: u32, wire: Option<&Wire>) -> Option<Finding> {
    match need {
        Need::Program { name, package } => Some(program(name, package)),
        Need::Device { path, fix } => Some(device(path, fix)),
        Need::Link(kind) => Some(link(kind)),
        Need::SwitchPath => Some(switch_path()),
        Need::Dpdk => Some(with_dpdk()),
        Need::RealWire => (*wire? == Wire::Veth).then(no_real_wire),
        Need::NicPerGuest => match wire? {
            Wire::Veth => None, // a veth pair for each is made
            Wire::Nics(nics) => Some(nic_per_guest(nics.host.len(), guests)),
        },
        Need::VfPerGuest => Some(functions(physical(wire)?, guests)),
        Need::VfDriver => Some(vf_driver(physical(wire)?)),
        Need::Iommu => Some(iommu(physical(wire)?)),
        Need::IommuPerNic => per_nic(wire?, guests),
    }
}

/// The first NIC that no guest may have; else what is said of all of them.
fn per_nic(wire: &Wire, guests: u32) -> Option<Finding> {
    let Wire::Nics(nics) = wire else { return None };
    let looked: Vec<Finding> = nics.host.iter().take(guests as usize).map(iommu).collect();
    let bad = looked.iter().position(|finding| finding.fix.is_some());
    looked.into_iter().nth(bad.unwrap_or(0))
}

fn physical(wire: Option<&Wire>) -> Option<&HostNic> {
    match wire? {
        Wire::Veth => None,
        Wire::Nics(nics) => nics.host.first(),
    }
}

/// A program, with the Debian package that has it.
pub(super) fn program(name: &str, package: &str) -> Finding {
    match find(name) {
        Some(path) => Finding::good(name, path.display().to_string()),
        None => {
            Finding::bad(name, "not installed", format!("apt-get install {package}, or: make install-deps"))
        }
    }
}

/// Not a fault if the kernel's is missing: Open vSwitch brings one of its own.
fn switch_path() -> Finding {
    let found = match blocking::wait(ovs::switch_path(&Machine::local())).unwrap_or_default() {
        SwitchPath::Kernel => "in the kernel (system)",
        SwitchPath::Userspace => {
            "in userspace (netdev): the kernel knows no module openvswitch; for the kernel's: modprobe openvswitch"
        }
    };
    Finding::good("datapath of Open vSwitch", found)
}

fn with_dpdk() -> Finding {
    let what = "Open vSwitch with DPDK";
    match dpdk::daemon() {
        Some(path) if dpdk::missing_package().is_some() => {
            let package = dpdk::missing_package().unwrap_or_default();
            let fix = format!("apt-get install {package}, or: make install-deps");
            Finding::bad(what, format!("{}, but not DPDK's memory pools", path.display()), fix)
        }
        Some(path) => Finding::good(what, format!("{} ({})", path.display(), dpdk::fingerprint())),
        None => {
            let fix = "apt-get install openvswitch-switch-dpdk, or: make install-deps";
            Finding::bad(what, "not installed", fix)
        }
    }
}

fn no_real_wire() -> Finding {
    let fix = "name the NICs: [wire] host_dev = \"eth1\" and tester_dev = \"eth0\"";
    Finding::bad("wire", "a veth pair, which has no PCI functions", fix)
}

pub(super) fn nic_per_guest(nics: usize, guests: u32) -> Finding {
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

pub(super) fn functions(nic: &HostNic, guests: u32) -> Finding {
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

fn vf_driver(nic: &HostNic) -> Finding {
    let driver = nic.vf_driver();
    let what = format!("driver {driver} of the virtual functions");
    let there = Path::new("/sys/bus/pci/drivers").join(driver).is_dir();
    if there {
        Finding::good(&what, "loaded")
    } else {
        Finding::bad(&what, "not loaded", format!("modprobe {driver}"))
    }
}

/// Without one, a guest's NIC could write into anybody's memory; the kernel refuses to hand functions out.
fn iommu(nic: &HostNic) -> Finding {
    let what = "IOMMU";
    let group = nic.pci().map(|function| format!("{}/iommu_group", function.sysfs()));
    if !group.is_some_and(|group| Path::new(&group).exists()) {
        return Finding::bad(what, format!("{} is in no IOMMU group", nic.name), SWITCH_IOMMU_ON);
    }
    if !Path::new("/dev/vfio/vfio").exists() {
        return Finding::bad(what, "there, but not VFIO", "modprobe vfio-pci");
    }
    Finding::good(what, "on, with VFIO")
}

fn device(path: &str, fix: &str) -> Finding {
    let character = |mode| SFlag::from_bits_truncate(mode) & SFlag::S_IFMT == SFlag::S_IFCHR;
    let there = nix::sys::stat::stat(path).is_ok_and(|stat| character(stat.st_mode));
    if there { Finding::good(path, "there") } else { Finding::bad(path, "missing", fix) }
}

pub(super) fn link(kind: &'static str) -> Finding {
    let what = format!("interfaces of kind {kind}");
    let tried = std::thread::spawn(move || -> std::io::Result<String> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let lower = ["ip", "link", "add", "kf-try0", "type", "veth", "peer", "name", "kf-try1"];
        let upper: &[&str] = match kind {
            "ifb" => &["ip", "link", "add", "kf-try2", "type", "ifb"],
            "bridge" => &["ip", "link", "add", "kf-try2", "type", "bridge"],
            "macvtap" => &["ip", "link", "add", "link", "kf-try0", "name", "kf-try2", "type", "macvtap"],
            _ => &["ip", "link", "show", "dev", "kf-try0"],
        };
        let mut said = String::new();
        for argv in [lower.as_slice(), upper] {
            let ran = blocking::run(Path::new("/"), argv)?;
            said.push_str(if ran.status == 0 { "" } else { &ran.stderr });
        }
        Ok(said.trim().replace('\n', " "))
    });
    match tried.join().unwrap_or_else(|_| Err(std::io::Error::other("the attempt panicked"))) {
        Ok(said) if said.is_empty() => Finding::good(&what, "work"),
        Ok(said) => Finding::bad(&what, said, format!("modprobe {kind}")),
        Err(error) => Finding::bad(&what, error.to_string(), "run as root, with iproute2 installed"),
    }
}
