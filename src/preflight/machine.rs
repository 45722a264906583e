//! What every profile needs of this machine: rights, programs, an accelerator.

use std::path::Path;

use super::programs::{program, programs};
use super::{Finding, image};
use crate::host::facts::Facts;
use crate::machine::Machine;
use crate::profile::{AccelChoice, Experiment, Image};

const NETPERF: [(&str, &str); 2] =
    [("netperf", "netperf (component non-free)"), ("netserver", "netperf (component non-free)")];

/// Checks the machine of the embedded lab.
pub(super) async fn look(host: &Machine, experiment: &Experiment, facts: &Facts) -> Vec<Finding> {
    let guests = experiment.configurations.iter().any(|configuration| configuration.vms > 0);
    let mut findings = vec![root(host, "it makes network namespaces and starts guests with taps").await];
    findings.extend(
        programs(host, &[&[("ip", "iproute2"), ("timeout", "coreutils")][..], &NETPERF].concat()).await,
    );
    findings.push(netperf(facts));
    if guests {
        findings.push(program(host, "qemu-system-x86_64", "qemu-system-x86").await);
        findings.extend([accelerator(experiment, facts), account()]);
    }
    if experiment.changes_machine() {
        findings.push(program(host, "flock", "util-linux").await);
    }
    findings
}

/// What this machine needs for the guests' image alone, where the guests run on another one.
pub(super) async fn for_the_image(experiment: &Experiment) -> Vec<Finding> {
    if experiment.configurations.iter().all(|configuration| configuration.vms == 0) {
        return Vec::new();
    }
    if let Image::Cloud { path, .. } = &experiment.image {
        return vec![image::base(path)];
    }
    let this = Machine::local();
    [programs(&this, &NETPERF).await, image::look(&this, experiment).await].concat()
}

pub(super) async fn root(machine: &Machine, why: &str) -> Finding {
    let what = "rights";
    match machine.run(&["id", "-u"]).await {
        Ok(output) if output.stdout.trim() == "0" => Finding::good(what, "root"),
        Ok(output) => {
            let fix = match machine {
                Machine::Local(_) => format!("run kvmfair as root: {why}"),
                Machine::Remote(_) => format!("log in as root ({why}); sudo is not used"),
            };
            Finding::bad(what, format!("user number {}, not root", output.stdout.trim()), fix)
        }
        Err(error) => Finding::bad(what, error.to_string(), "give the account a POSIX shell and coreutils"),
    }
}

/// Interim results by the clock and runs without end came with 2.6; percentiles with it.
pub(super) fn netperf(facts: &Facts) -> Finding {
    let what = "netperf's version";
    match facts.version("netperf") {
        Some(version) if at_least(version, 2, 6) => Finding::good(what, version),
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
pub(super) fn accelerator(experiment: &Experiment, host: &Facts) -> Finding {
    let what = "accelerator";
    match (experiment.host.accel, host.kvm_usable()) {
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

/// libvirt's QEMU driver requires this account before it reads its configuration.
fn account() -> Finding {
    let what = "account libvirt-qemu";
    match nix::unistd::User::from_name("libvirt-qemu") {
        Ok(Some(user)) => Finding::good(what, format!("uid {}", user.uid)),
        // Only Debian's builds are compiled with this name.
        _ if !Path::new("/etc/debian_version").exists() => Finding::good(what, "not needed here"),
        _ => Finding::bad(what, "missing", "make install-deps, or: useradd --system --gid kvm libvirt-qemu"),
    }
}
