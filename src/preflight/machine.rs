//! What every profile needs of this machine: rights, programs, an accelerator.

use std::path::Path;

use super::needs::program;
use super::{Finding, image};
use crate::host;
use crate::profile::{AccelChoice, Experiment, Image};

/// Looks at everything.
pub(super) fn look(experiment: &Experiment) -> Vec<Finding> {
    let guests = experiment.configurations.iter().any(|configuration| configuration.vms > 0);
    let mut findings = vec![root()];
    findings.extend(programs(guests));
    findings.push(netperf(host::netperf_version()));
    if guests {
        findings.extend([accelerator(experiment), account()]);
    }
    findings.extend(experiment.changes_machine().then(|| program("flock", "util-linux")));
    findings
}

/// What this machine needs for the guests' image alone, where the guests run elsewhere.
pub(super) fn for_the_image(experiment: &Experiment) -> Vec<Finding> {
    if experiment.configurations.iter().all(|configuration| configuration.vms == 0) {
        return Vec::new();
    }
    if let Image::Cloud { path, .. } = &experiment.image {
        return vec![image::base(path)];
    }
    const PROGRAMS: [(&str, &str); 2] =
        [("netperf", "netperf (component non-free)"), ("netserver", "netperf (component non-free)")];
    let programs = PROGRAMS.iter().map(|(name, package)| program(name, package));
    programs.chain(image::look(experiment)).collect()
}

fn root() -> Finding {
    let what = "rights";
    if nix::unistd::geteuid().is_root() {
        return Finding::good(what, "root");
    }
    Finding::bad(
        what,
        "not root",
        "run kvmfair as root: it makes network namespaces and starts guests with taps",
    )
}

/// Programs that a run starts, each with the Debian package that has it.
fn programs(guests: bool) -> Vec<Finding> {
    const ALWAYS: [(&str, &str); 4] = [
        ("ip", "iproute2"),
        ("netperf", "netperf (component non-free)"),
        ("netserver", "netperf (component non-free)"),
        ("timeout", "coreutils"),
    ];
    const GUESTS: [(&str, &str); 1] = [("qemu-system-x86_64", "qemu-system-x86")];
    let wanted = ALWAYS.iter().chain(if guests { GUESTS.as_slice() } else { &[] });
    wanted.map(|(name, package)| program(name, package)).collect()
}

/// Interim results by the clock and runs without end came with 2.6; percentiles with it.
pub(super) fn netperf(version: Option<String>) -> Finding {
    let what = "netperf's version";
    match version {
        Some(version) if at_least(&version, 2, 6) => Finding::good(what, version),
        Some(version) => {
            Finding::bad(what, version, "install netperf 2.7.0: interim results need at least 2.6")
        }
        None => Finding::bad(what, "unknown", "install netperf 2.7.0 (Debian: component non-free)"),
    }
}

pub(super) fn at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}

/// The device file alone proves nothing: nested machines have it without a CPU behind it.
fn accelerator(experiment: &Experiment) -> Finding {
    let what = "accelerator";
    match (experiment.host.accel, host::kvm_usable()) {
        (AccelChoice::Auto | AccelChoice::Kvm, true) => Finding::good(what, "KVM"),
        (AccelChoice::Tcg, _) => {
            Finding::good(what, "TCG, as the profile asks; compare shapes, do not quote absolute numbers")
        }
        (AccelChoice::Auto, false) => Finding::good(
            what,
            "TCG: no vmx or svm behind /dev/kvm; compare shapes, do not quote absolute numbers",
        ),
        (AccelChoice::Kvm, false) => Finding::bad(
            what,
            "no KVM: the CPU shows neither vmx nor svm, or /dev/kvm does not open",
            "switch virtualisation on in the firmware and `modprobe kvm_intel` (or kvm_amd), or set accel = \"auto\"",
        ),
    }
}

/// libvirt's QEMU driver looks this account up before it reads its configuration.
fn account() -> Finding {
    let what = "account libvirt-qemu";
    match nix::unistd::User::from_name("libvirt-qemu") {
        Ok(Some(user)) => Finding::good(what, format!("uid {}", user.uid)),
        // Only Debian's builds are compiled with this name.
        _ if !Path::new("/etc/debian_version").exists() => Finding::good(what, "not needed here"),
        _ => Finding::bad(what, "missing", "make install-deps, or: useradd --system --gid kvm libvirt-qemu"),
    }
}
