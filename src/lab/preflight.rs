//! Preflight: everything that a profile needs of this machine, looked at before anything is made. Never stops at the
//! first failure.

use std::collections::BTreeSet;
use std::path::Path;

use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::SFlag;
use serde::Serialize;

use crate::backend::{Attachment, Backend, Datapath};
use crate::exec::blocking::{self, find};
use crate::probe::environment;
use crate::profile::{AccelChoice, Experiment};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What to do, if it is not good enough; `None` if it is.
    pub fix: Option<String>,
}

impl Finding {
    pub(super) fn good(what: &str, found: impl Into<String>) -> Finding {
        Finding { what: what.into(), found: found.into(), fix: None }
    }

    pub(super) fn bad(what: &str, found: impl Into<String>, fix: impl Into<String>) -> Finding {
        Finding { what: what.into(), found: found.into(), fix: Some(fix.into()) }
    }
}

/// Looks at everything that the experiment needs. Changes nothing.
pub fn look(experiment: &Experiment) -> Vec<Finding> {
    let guests = experiment.configurations.iter().any(|configuration| configuration.vms > 0);
    let mut findings = vec![root()];
    findings.extend(programs(guests));
    findings.push(netperf());
    if guests {
        findings.extend([accelerator(experiment), account(), device("/dev/net/tun", "modprobe tun")]);
        findings.extend(super::image_check::look(&experiment.image));
    }
    if experiment.configurations.iter().any(|c| c.backend.datapath() == Some(Datapath::Vhost)) {
        findings.push(device("/dev/vhost-net", "modprobe vhost_net"));
    }
    findings.extend(links(experiment));
    findings
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
    wanted.map(|(program, package)| installed(program, package)).collect()
}

/// Whether a program is there.
pub(super) fn installed(program: &str, package: &str) -> Finding {
    match find(program) {
        Some(path) => Finding::good(program, path.display().to_string()),
        None => Finding::bad(
            program,
            "not installed",
            format!("apt-get install {package}, or: make install-deps"),
        ),
    }
}

/// Interim results by the clock and runs without end came with 2.6; percentiles with it.
fn netperf() -> Finding {
    let what = "netperf's version";
    match environment::netperf_version() {
        Some(version) if at_least(&version, 2, 6) => Finding::good(what, version),
        Some(version) => {
            Finding::bad(what, version, "install netperf 2.7.0: interim results need at least 2.6")
        }
        None => Finding::bad(what, "unknown", "install netperf 2.7.0 (Debian: component non-free)"),
    }
}

fn at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}

/// The device file alone proves nothing: nested machines have it without a CPU behind it.
fn accelerator(experiment: &Experiment) -> Finding {
    let what = "accelerator";
    match (experiment.host.accel, environment::kvm_usable()) {
        (AccelChoice::Auto | AccelChoice::Kvm, true) => Finding::good(what, "KVM"),
        (AccelChoice::Tcg, _) => Finding::good(what, "TCG, as the profile asks: shapes, not speeds"),
        (AccelChoice::Auto, false) => {
            Finding::good(what, "TCG: no vmx or svm behind /dev/kvm; shapes, not speeds")
        }
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

fn device(path: &str, fix: &str) -> Finding {
    let character = |mode| SFlag::from_bits_truncate(mode) & SFlag::S_IFMT == SFlag::S_IFCHR;
    let there = nix::sys::stat::stat(path).is_ok_and(|stat| character(stat.st_mode));
    if there { Finding::good(path, "there") } else { Finding::bad(path, "missing", fix) }
}

/// Kinds of interfaces that the backends need, tried in a network namespace that lives as long as the attempt.
fn links(experiment: &Experiment) -> Vec<Finding> {
    let mut kinds = BTreeSet::from(["veth", "bridge"]);
    for configuration in &experiment.configurations {
        if let Backend::Guest { attachment: Attachment::Macvtap(_), .. } = configuration.backend {
            kinds.insert("macvtap");
        }
    }
    kinds.into_iter().map(link).collect()
}

fn link(kind: &'static str) -> Finding {
    let what = format!("interfaces of kind {kind}");
    let tried = std::thread::spawn(move || -> std::io::Result<String> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let lower = ["ip", "link", "add", "kf-try0", "type", "veth", "peer", "name", "kf-try1"];
        let upper: &[&str] = match kind {
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

/// Whether every finding is good.
pub fn passed(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.fix.is_none())
}
