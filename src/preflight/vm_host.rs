//! What the VM host needs.

use std::path::Path;

use super::machine::{self, NETSERVER, Program, TC};
use super::{
    CheckResult, cpus, emulator, exits, groups, memory, needs, others, real_time, room, settings, xen,
};
use crate::backend::wire::Wire;
use crate::backend::{Backend, Datapath};
use crate::host::facts::Facts;
use crate::libvirt::daemon::{Daemon, LibvirtDriver};
use crate::libvirt::library;
use crate::machine::Machine;
use crate::profile::{AccelChoice, Experiment, Image};

/// Checks everything; what depends on the wire is left out where that was not found.
pub(super) async fn examine(
    host: &Machine,
    facts: &Facts,
    experiment: &Experiment,
    wire: Option<&Wire>,
) -> Vec<CheckResult> {
    let mut findings = Vec::from_iter(others::changing(host, experiment).await);
    findings.extend(machine::examine(host, &programs(experiment)).await);
    findings.extend(xen::examine(host, experiment, facts).await);
    if experiment.has_guests() && experiment.host.xen.is_none() {
        findings.push(libvirt(host, experiment).await);
        if experiment.machines.is_none() {
            findings.extend(emulator::system(host).await);
            findings.push(groups::can_be_made(host).await);
        }
        findings.push(accelerator(experiment.host.accel, facts.kvm_usable()));
        findings.extend(exits::examine(experiment, facts));
        findings.extend(room::examine(host, experiment).await);
    }
    findings.extend(needs::examine(host, experiment, wire).await);
    findings.extend(emulator::examine(host, experiment).await);
    findings.extend(memory::examine(experiment, facts));
    findings.extend(cpus::examine(experiment, facts));
    findings.extend(settings::examine(host, experiment, wire).await);
    findings.extend(groups::examine(host, experiment).await);
    findings.extend(real_time::examine(host, experiment).await);
    findings
}

/// Programs that a run starts there.
fn programs(experiment: &Experiment) -> Vec<Program> {
    const DISKS: [Program; 2] = [("qemu-img", "qemu-utils"), ("sha256sum", "coreutils")];
    let bare = experiment.configurations.iter().any(|c| c.backend == Backend::Baremetal);
    let own_libvirt = experiment.is_embedded();
    let mut programs = Vec::new();
    programs.extend(bare.then_some(NETSERVER));
    programs.extend(experiment.changes_machine().then_some(("flock", "util-linux")));
    programs.extend(experiment.groups.iter().any(|group| group.bandwidth_bps.is_some()).then_some(TC));
    if experiment.has_guests() {
        programs.extend(own_libvirt.then_some(("qemu-system-x86_64", "qemu-system-x86")));
        programs.extend(DISKS.into_iter().filter(|_| matches!(experiment.image, Image::Cloud { .. })));
    }
    programs
}

/// The daemon of a hardware lab, or the embedded lab's own libvirt and the account that it looks up before it reads its configuration.
async fn libvirt(host: &Machine, experiment: &Experiment) -> CheckResult {
    let what = "libvirt";
    if experiment.machines.is_none() {
        return match library::load() {
            Ok(()) => account(),
            Err(error) => CheckResult::bad(what, error, "apt-get install libvirt-daemon-driver-qemu"),
        };
    }
    match Daemon::versions(host, LibvirtDriver::Qemu).await {
        Ok((libvirt, _)) if uses_vdpa(experiment) && !machine::at_least(&libvirt, 6, 9) => {
            CheckResult::bad(what, format!("{libvirt}, without vDPA"), "install libvirt 6.9 or newer")
        }
        Ok((libvirt, qemu)) => CheckResult::good(what, format!("{libvirt}, with QEMU {qemu}")),
        Err(error) => CheckResult::bad(
            what,
            error,
            "apt-get install libvirt-daemon-system qemu-system-x86, and systemctl enable --now libvirtd",
        ),
    }
}

fn uses_vdpa(experiment: &Experiment) -> bool {
    experiment.configurations.iter().any(|c| c.backend.datapath() == Some(Datapath::VhostVdpa))
}

fn account() -> CheckResult {
    let what = "account libvirt-qemu";
    match nix::unistd::User::from_name("libvirt-qemu") {
        Ok(Some(user)) => CheckResult::good(what, format!("uid {}", user.uid)),
        // Only Debian's builds are compiled with this name.
        _ if !Path::new("/etc/debian_version").exists() => CheckResult::good(what, "not needed here"),
        _ => CheckResult::bad(what, "missing", "useradd --system --gid kvm libvirt-qemu"),
    }
}

/// The device file alone proves nothing: nested machines have it without a CPU that supports it.
fn accelerator(choice: AccelChoice, kvm: bool) -> CheckResult {
    let what = "accelerator";
    match (choice, kvm) {
        (AccelChoice::Auto | AccelChoice::Kvm, true) => CheckResult::good(what, "KVM"),
        (AccelChoice::Tcg, _) => {
            CheckResult::good(what, "TCG, as the profile asks; compare shapes, do not quote absolute numbers")
        }
        (AccelChoice::Auto, false) => CheckResult::good(
            what,
            "TCG: no vmx or svm, or /dev/kvm does not open; compare shapes, do not quote absolute numbers",
        ),
        (AccelChoice::Kvm, false) => CheckResult::bad(
            what,
            "no KVM: the CPU shows neither vmx nor svm, or /dev/kvm does not open",
            "switch virtualisation on in the firmware and `modprobe kvm_intel` (or kvm_amd), or set accel = \"auto\"",
        ),
    }
}
