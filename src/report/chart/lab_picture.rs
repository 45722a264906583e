//! The lab as it was: guests with the CPUs that they were pinned to, what their NICs were attached to, the wire and the tester. From the
//! profile, and from the proofs of the trial with the most guests.

use crate::backend::{Attachment, Backend};
use crate::figures::TrialFigures;
use crate::profile::{Configuration, Experiment, Factor};
use crate::report::{Model, provenance};

/// Guests that are shown one by one; of more, the first and the last are.
const MOST_GUESTS: usize = 5;

/// What is shown of a lab.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LabPicture {
    pub host: String,
    /// From left to right.
    pub guests: Vec<GuestBox>,
    /// What the guests of that trial were attached to, then those of the others.
    pub lanes: Vec<Lane>,
    pub wire: String,
    pub tester: String,
    /// Whether the tester ran ping, too.
    pub has_pings: bool,
    /// Whether the tester is on the VM host.
    pub one_machine: bool,
    /// What else was pinned.
    pub note: String,
}

/// A guest, or the gap that stands for several.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GuestBox {
    pub title: String,
    pub lines: [String; 2],
}

/// What NICs of guests are attached to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lane {
    pub title: &'static str,
    pub backends: Vec<String>,
}

impl LabPicture {
    /// Of a configuration, as in a trial of it if there is one.
    pub fn new(report: &Model, configuration: &Configuration, shown: Option<&TrialFigures>) -> LabPicture {
        LabPicture {
            host: host(report),
            guests: guests(configuration, shown),
            lanes: lanes(report.experiment, configuration),
            wire: provenance::wire(report.experiment),
            tester: provenance::tester(report.experiment),
            has_pings: report.experiment.configurations.iter().any(|one| one.test.is_ping()),
            one_machine: report.experiment.machines.is_none(),
            note: pinned_threads(shown),
        }
    }
}

fn host(report: &Model) -> String {
    let provenance = report.provenance;
    let cpus = if provenance.host_cpus == 1 { "CPU" } else { "CPUs" };
    let kind = if provenance.virtual_machine { " of a virtual machine" } else { "" };
    let cpu =
        if provenance.host_cpu.is_empty() { String::new() } else { format!("{}, ", provenance.host_cpu) };
    format!("VM host: {cpu}{} {cpus}{kind}", provenance.host_cpus)
}

fn guests(configuration: &Configuration, trial: Option<&TrialFigures>) -> Vec<GuestBox> {
    let all = configuration.vms as usize;
    let one = |guest: usize| {
        let vcpus = if configuration.vcpus == 1 { "vCPU" } else { "vCPUs" };
        let pinned = trial.map(|trial| pinned(trial, guest)).unwrap_or_default();
        GuestBox { title: title(trial, guest), lines: [format!("{} {vcpus}", configuration.vcpus), pinned] }
    };
    if all <= MOST_GUESTS {
        return (1..=all).map(one).collect();
    }
    let gap = GuestBox { title: "…".into(), lines: [format!("{all} guests"), String::new()] };
    let first = (1..MOST_GUESTS - 1).map(one);
    first.chain([gap, one(all)]).collect()
}

/// `guest 1 (gold)`
fn title(trial: Option<&TrialFigures>, guest: usize) -> String {
    let figures = trial.and_then(|trial| trial.valid()).map(|numbers| numbers.guests.as_slice());
    let own = figures.unwrap_or_default().iter().find(|figures| figures.guest as usize == guest);
    match own.and_then(|figures| figures.group.as_ref()) {
        Some(group) => format!("guest {guest} ({group})"),
        None => format!("guest {guest}"),
    }
}

/// The CPUs of a guest's vCPUs, as they were read back.
fn pinned(trial: &TrialFigures, guest: usize) -> String {
    if trial.checks.is_empty() {
        return String::new(); // without proofs nothing is known
    }
    let cpus = found(trial, &format!("guest {guest}: CPUs of vCPU "));
    if cpus.is_empty() { "not pinned".into() } else { format!("on CPU {}", cpus.join(", ")) }
}

fn pinned_threads(trial: Option<&TrialFigures>) -> String {
    let cpus = |what: &str| trial.map(|trial| found(trial, what).join(", ")).unwrap_or_default();
    let named = |name: &str, cpus: String| (!cpus.is_empty()).then(|| format!("{name} on CPU {cpus}"));
    let qemu = named("QEMU's other threads", cpus("guest 1: CPUs of QEMU's other threads"));
    let vhost = named("vhost workers", cpus("guest 1: CPUs of the vhost workers"));
    [qemu, vhost].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What the proofs of this name found, each once.
fn found(trial: &TrialFigures, what: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for check in trial.checks.iter().filter(|check| check.what.starts_with(what)) {
        if !found.contains(&check.found) {
            found.push(check.found.clone());
        }
    }
    found
}

fn lanes(experiment: &Experiment, shown: &Configuration) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    for configuration in std::iter::once(shown).chain(&experiment.configurations) {
        let (title, backend) = (attachment(configuration.backend), configuration.level(Factor::Backend));
        match lanes.iter_mut().find(|lane| lane.title == title) {
            Some(lane) if lane.backends.contains(&backend) => {}
            Some(lane) => lane.backends.push(backend),
            None => lanes.push(Lane { title, backends: vec![backend] }),
        }
    }
    lanes
}

fn attachment(backend: Backend) -> &'static str {
    let Backend::Guest { attachment, .. } = backend else { return "netserver on the VM host" };
    match attachment {
        Attachment::Bridge => "Linux bridge",
        Attachment::Macvtap(_) => "macvtap on the wire",
        Attachment::Ovs => "Open vSwitch",
        Attachment::OvsDpdk => "Open vSwitch with DPDK",
        Attachment::VirtualFunction => "virtual functions of the NIC",
        Attachment::VfMacvtap => "macvtap on virtual functions",
        Attachment::Function => "NICs passed through whole",
        Attachment::Vdpa => "vDPA devices of NICs",
    }
}
