//! The machines of a hardware lab, looked at over SSH. Nothing is installed there and nothing is changed: where a kind of
//! interface is tried, it is in a throw-away network namespace.

use std::collections::BTreeMap;

use super::{Finding, emulator, exits, far_needs, groups, machine, needs, others, real_time, room, settings};
use crate::backend::wire::Wire;
use crate::backend::{Backend, Side};
use crate::host;
use crate::host::facts::Facts;
use crate::lab::nic_error::NicError;
use crate::lab::{machines, nics, ovs};
use crate::libvirt::daemon::Daemon;
use crate::machine::Machine;
use crate::machine::SshError;
use crate::machine::login::Location;
use crate::profile::{AccelChoice, Experiment, Image, Machines};

/// What was seen of the machines.
#[derive(Debug, Default)]
pub struct Seen {
    /// All findings.
    pub findings: Vec<Finding>,
    /// The wire, unless something is wrong with a NIC of it.
    pub wire: Option<Wire>,
    /// What the VM host says of itself.
    pub host: Facts,
    /// What the tester says of itself.
    pub tester: Facts,
    /// The VM host's Open vSwitch, where a configuration uses it.
    pub open_vswitch: Option<String>,
}

/// The machines by the names they have in findings.
const HOST: &str = "VM host";
const TESTER: &str = "tester";

/// Looks at everything that the experiment needs of the machines.
pub fn look(experiment: &Experiment, places: &Machines) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(look_at_all(experiment, places)),
        Err(error) => {
            let finding = Finding::bad("this machine", error.to_string(), "close other programs");
            Seen { findings: vec![finding], ..Seen::default() }
        }
    }
}

async fn look_at_all(experiment: &Experiment, places: &Machines) -> Seen {
    let mut seen =
        Seen { findings: on(machine::for_the_image(experiment), "this machine"), ..Seen::default() };
    seen.findings.extend(others::stale(experiment));
    let tester = Location::Remote(places.tester.clone());
    let (host, tester) = (machines::open(&places.host, "").await, machines::open(&tester, "").await);
    seen.findings.push(login(HOST, &host));
    if let Ok(host) = &host {
        seen.host = host::gather(host).await.unwrap_or_default();
        seen.findings.extend(on(look_at_host(host, experiment, &seen.host).await, HOST));
    }
    seen.findings.push(login(TESTER, &tester));
    if let Ok(tester) = &tester {
        seen.tester = host::gather(tester).await.unwrap_or_default();
        seen.findings.extend(on(look_at_tester(tester, experiment, &seen.tester).await, TESTER));
    }
    let wire = experiment.wire.as_ref();
    match nics::wire(wire, host.as_ref().ok(), tester.as_ref().ok(), false).await {
        Ok(wire) => {
            seen.findings.extend(good_nics(&wire));
            seen.wire = Some(wire);
        }
        Err(errors) => seen.findings.extend(errors.iter().map(bad_nic)),
    }
    if let Ok(host) = &host {
        seen.open_vswitch = ovs::fingerprint(host, experiment).await;
        let needs = far_needs::look(host, experiment, seen.wire.as_ref()).await;
        let qemus = emulator::look_there(host, experiment).await;
        let kernel = Vec::from_iter(real_time::look_there(host, experiment).await);
        let settings = settings::look_there(host, experiment, seen.wire.as_ref()).await;
        let pages = super::memory::look_there(host, experiment).await;
        let cpus = super::cpus::look_there(host, experiment).await;
        let others = Vec::from_iter(others::look_there(host, experiment).await);
        seen.findings.extend(on([others, needs, qemus, pages, cpus, settings, kernel].concat(), HOST));
    }
    seen
}

/// Findings with the machine's name before them.
fn on(findings: Vec<Finding>, machine: &str) -> Vec<Finding> {
    let named = |finding: Finding| Finding { what: format!("{machine}: {}", finding.what), ..finding };
    findings.into_iter().map(named).collect()
}

fn login(name: &str, opened: &Result<Machine, SshError>) -> Finding {
    let what = format!("{name}: login");
    match opened {
        Ok(Machine::Local(_)) => Finding::good(&what, "this machine"),
        Ok(Machine::Remote(remote)) => Finding::good(&what, remote.to_string()),
        Err(error) => Finding::bad(&what, error.to_string(), error.fix()),
    }
}

fn bad_nic((side, error): &(Side, NicError)) -> Finding {
    let what = format!("{}: NIC of the wire", if *side == Side::Host { HOST } else { TESTER });
    Finding::bad(&what, error.to_string(), error.fix())
}

fn good_nics(wire: &Wire) -> Vec<Finding> {
    let Wire::Nics(nics) = wire else { return Vec::new() };
    let good = |machine: &str, nic: &crate::host_nic::HostNic| {
        let kind = if nic.device.is_empty() {
            "a virtual interface".into()
        } else {
            format!("{}, {}", nic.driver, nic.device)
        };
        Finding::good(
            &format!("{machine}: NIC of the wire"),
            format!("{} ({kind}), nothing uses it", nic.name),
        )
    };
    nics.host.iter().map(|nic| good(HOST, nic)).chain([good(TESTER, &nics.tester)]).collect()
}

async fn look_at_host(host: &Machine, experiment: &Experiment, texts: &Facts) -> Vec<Finding> {
    let bare =
        experiment.configurations.iter().any(|configuration| configuration.backend == Backend::Baremetal);
    let guests = experiment.configurations.iter().any(|configuration| configuration.vms > 0);
    let mut findings = vec![root(host, "it makes bridges and changes NICs").await];
    findings.extend(programs(host, &[TOOLS, if bare { &[NETSERVER] } else { &[] }].concat()).await);
    if experiment.changes_machine() {
        findings.extend(programs(host, &[("flock", "util-linux")]).await);
    }
    findings.push(clock(host).await);
    let v2 = host.read("/sys/fs/cgroup/cgroup.controllers").await.is_ok();
    findings.extend(groups::shares(&experiment.groups, v2));
    if experiment.groups.iter().any(|group| group.bandwidth_bps.is_some()) {
        findings.extend(programs(host, &[("tc", "iproute2")]).await);
    }
    if guests {
        findings.extend([libvirt(host).await, accelerator(experiment, texts), memory(experiment, texts)]);
        findings.extend(exits::look_there(host, experiment, texts.kvm_usable()).await);
        if let Image::Cloud { path, .. } = &experiment.image {
            findings.extend(programs(host, DISKS).await);
            findings.extend(room::look(host, path).await);
        }
    }
    findings
}

async fn look_at_tester(tester: &Machine, experiment: &Experiment, texts: &Facts) -> Vec<Finding> {
    let mut findings = vec![root(tester, "its NIC gets the run's address and MTU").await];
    findings.extend(programs(tester, TOOLS).await);
    if experiment.groups.iter().any(|group| group.rate_bps.is_some()) {
        findings.extend(programs(tester, &[("tc", "iproute2")]).await);
    }
    findings.push(machine::netperf(texts.version("netperf").map(str::to_owned)));
    findings.push(clock(tester).await);
    findings
}

const TOOLS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("timeout", "coreutils"),
    ("setsid", "util-linux"),
    ("grep", "grep"),
    ("readlink", "coreutils"),
];
/// For the disks of a cloud image.
const DISKS: &[(&str, &str)] = &[("qemu-img", "qemu-utils"), ("sha256sum", "coreutils")];
const NETSERVER: (&str, &str) = ("netserver", "netperf (component non-free)");

async fn root(machine: &Machine, why: &str) -> Finding {
    let what = "rights";
    match machine.run(&["id", "-u"]).await {
        Ok(output) if output.stdout.trim() == "0" => Finding::good(what, "root"),
        Ok(output) => {
            let fix = format!("log in as root ({why}); sudo is not used");
            Finding::bad(what, format!("user number {}, not root", output.stdout.trim()), fix)
        }
        Err(error) => Finding::bad(what, error.to_string(), "give the account a POSIX shell and coreutils"),
    }
}

/// Programs on that machine, each with the Debian package that has it.
async fn programs(machine: &Machine, wanted: &[(&str, &str)]) -> Vec<Finding> {
    let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    let look = format!("for p in {}; do command -v $p; done; true", names.join(" "));
    let said = machine.run(&["sh", "-c", &look]).await.map(|output| output.stdout).unwrap_or_default();
    let found: BTreeMap<&str, &str> =
        said.lines().filter_map(|path| Some((path.rsplit('/').next()?, path))).collect();
    let finding = |(name, package): &(&str, &str)| match found.get(name) {
        Some(path) => Finding::good(name, *path),
        None => Finding::bad(name, "not installed", format!("there: apt-get install {package}")),
    };
    wanted.iter().map(finding).collect()
}

/// Samples and flows are brought to one clock: it must have fractions of a second.
async fn clock(machine: &Machine) -> Finding {
    let what = "clock";
    let time = machine.run(&["date", "+%s.%N"]).await.map(|output| output.stdout).unwrap_or_default();
    if time.contains('.') && time.trim().parse::<f64>().is_ok() {
        return Finding::good(what, "date shows nanoseconds");
    }
    Finding::bad(what, "date shows no nanoseconds", "there: apt-get install coreutils")
}

async fn libvirt(host: &Machine) -> Finding {
    let what = "libvirt";
    let opened = match tempfile::tempdir() {
        Ok(directory) => match Daemon::open(host, directory.path()).await {
            Ok(daemon) => daemon.hypervisor.versions().await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        },
        Err(error) => Err(error.to_string()),
    };
    match opened {
        Ok((libvirt, qemu)) => Finding::good(what, format!("{libvirt}, with QEMU {qemu}")),
        Err(error) => Finding::bad(
            what,
            error,
            "there: apt-get install libvirt-daemon-system qemu-system-x86, and systemctl enable --now libvirtd",
        ),
    }
}

fn accelerator(experiment: &Experiment, host: &Facts) -> Finding {
    let what = "accelerator";
    match (experiment.host.accel, host.kvm_usable()) {
        (AccelChoice::Auto | AccelChoice::Kvm, true) => Finding::good(what, "KVM"),
        (AccelChoice::Tcg, _) => {
            Finding::good(what, "TCG, as the profile asks; compare shapes, do not quote absolute numbers")
        }
        (AccelChoice::Auto, false) => {
            Finding::good(what, "TCG: no KVM there; compare shapes, do not quote absolute numbers")
        }
        (AccelChoice::Kvm, false) => Finding::bad(
            what,
            "no KVM: the CPU shows neither vmx nor svm, or /dev/kvm does not open",
            "switch virtualisation on in the firmware and `modprobe kvm_intel` (or kvm_amd), or set accel = \"auto\"",
        ),
    }
}

/// The profile was read without knowing the host's size.
fn memory(experiment: &Experiment, host: &Facts) -> Finding {
    let what = "memory";
    let most = experiment.configurations.iter().map(|c| u64::from(c.vms) * u64::from(c.memory_mib)).max();
    let (most, there) = (most.unwrap_or(0), host.memory_mib().unwrap_or(0));
    let found = format!("{there} MiB, for guests of {most} MiB together");
    if most <= there { Finding::good(what, found) } else { Finding::bad(what, found, needs::FEWER_GUESTS) }
}
