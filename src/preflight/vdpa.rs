//! The NICs whose vDPA devices guests get.

use super::CheckResult;
use super::machine::{SWITCH_IOMMU_ON, file};
use crate::backend::vdpa::VIRTIO_DRIVER;
use crate::host_nic::HostNic;
use crate::machine::Machine;

/// Whether there is a NIC for each guest, and each can have a vDPA device; else the first that cannot.
pub(super) async fn per_guest(host: &Machine, nics: &[HostNic], guests: u32) -> CheckResult {
    let (what, count) = ("NICs for vDPA", nics.len());
    let found = format!("{count} for {guests} guests that take one each");
    let Some(more) = guests.checked_sub(count as u32).filter(|more| *more > 0) else {
        let managed = managed(host).await;
        for nic in nics.iter().take(guests as usize) {
            if let Some(refused) = refused(host, nic, &managed).await {
                return refused;
            }
        }
        return CheckResult::good(what, found);
    };
    CheckResult::bad(what, found, format!("name {more} more in [wire] vdpa_devs, or use fewer guests"))
}

/// What `vdpa mgmtdev show` prints as JSON; empty where it fails.
async fn managed(host: &Machine) -> String {
    host.run(&["vdpa", "-j", "mgmtdev", "show"]).await.map(|output| output.stdout).unwrap_or_default()
}

async fn refused(host: &Machine, nic: &HostNic, managed: &str) -> Option<CheckResult> {
    let what = format!("vDPA of {}", nic.name);
    let Some(function) = nic.pci() else {
        return Some(CheckResult::bad(
            &what,
            "it is not on the PCI bus",
            "name another NIC in [wire] vdpa_devs",
        ));
    };
    if !nic.is_virtio() {
        return (!is_management_device(managed, &function.to_string())).then(|| {
            let found = format!("{} ({}, {function}) is no management device of vDPA", nic.name, nic.driver);
            let fix = "load its vDPA driver (for example mlx5_vdpa) until `vdpa mgmtdev show` lists it, or name a virtio NIC";
            CheckResult::bad(&what, found, fix)
        });
    }
    let group = format!("{}/iommu_group", function.sysfs());
    let grouped = file(host, "-e", &group, &format!("IOMMU group of {}", nic.name), SWITCH_IOMMU_ON).await;
    let driver = format!("/sys/bus/pci/drivers/{VIRTIO_DRIVER}");
    let what = format!("driver {VIRTIO_DRIVER} for {}", nic.name);
    let fix = "modprobe vp_vdpa; a kernel without it was built without CONFIG_VP_VDPA";
    let driver = file(host, "-d", &driver, &what, fix).await;
    [grouped, driver].into_iter().find(|finding| finding.fix.is_some())
}

/// Whether the JSON of `vdpa -j mgmtdev show` has a device: `{"mgmtdev":{"pci/0000:03:00.0":{…}}}`.
fn is_management_device(managed: &str, function: &str) -> bool {
    let all: serde_json::Value = serde_json::from_str(managed).unwrap_or_default();
    all["mgmtdev"].get(format!("pci/{function}")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nic_is_a_management_device_only_if_the_kernel_lists_it() {
        let managed =
            r#"{"mgmtdev":{"pci/0000:03:00.0":{"supported_classes":["net"],"max_supported_vqs":3}}}"#;
        assert!(is_management_device(managed, "0000:03:00.0"));
        assert!(!is_management_device(managed, "0000:04:00.0") && !is_management_device("", "0000:03:00.0"));
    }

    #[tokio::test]
    async fn too_few_nics_and_one_that_cannot_are_refused_with_the_next_step() {
        let here = Machine::local();
        let nic = HostNic {
            name: "eth5".into(),
            device: "0000:ff:1f.7".into(),
            driver: "igb".into(),
            ..HostNic::default()
        };
        let few = per_guest(&here, std::slice::from_ref(&nic), 3).await;
        assert_eq!(few.fix.unwrap(), "name 2 more in [wire] vdpa_devs, or use fewer guests");
        let other = per_guest(&here, &[nic], 1).await;
        assert!(other.found.contains("is no management device"), "{}", other.found);
    }
}
