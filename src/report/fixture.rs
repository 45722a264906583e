//! A small run for tests of the renderers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Provenance;
use crate::figures::{SummaryRow, TrialFigures, fixture};
use crate::profile::groups::{CpuSettings, Group, GroupSize, members};
use crate::profile::{
    Background, Configuration, Experiment, Factor, Host, Idle, Image, Limits, Order, Reprovision, Role,
    Timing,
};
use crate::raw::Accel;
use crate::report::Model;

/// An experiment over the given configurations.
pub fn experiment(configurations: Vec<Configuration>, factors: &[Factor]) -> Experiment {
    Experiment {
        name: "backends".into(),
        description: "How many guests share one NIC, by backend.".into(),
        source: Some("Asada 2012".into()),
        host: Host::default(),
        machines: None,
        wire: None,
        image: Image::Appliance { kernel: None },
        timing: Timing { repeats: 3, ..fixture::timing() },
        order: Order::Random,
        seed: 1,
        idle: Idle::Pause,
        reprovision: Reprovision::Never,
        limits: Limits { boot: Duration::from_secs(120), boot_attempts: 2, trial_attempts: 1, total: None },
        groups: Vec::new(),
        configurations,
        factors: factors.to_vec(),
        gate: Default::default(),
    }
}

/// Versions of nobody in particular.
pub fn provenance(accel: Accel) -> Provenance {
    Provenance {
        run: "backends-20261121T221500Z".into(),
        tool_version: "0.1.0".into(),
        profile: "backends".into(),
        digest: "3f8a12c09b7e44d1a0ffb1c2d3e4f506".into(),
        accel,
        host_cpu: "AMD EPYC 7543 32-Core Processor".into(),
        host_cpus: 4,
        virtual_machine: false,
        kernel: "6.12.48+deb13-amd64".into(),
        qemu: "10.0.2".into(),
        xen: String::new(),
        libvirt: "11.3.0".into(),
        netperf: "2.7.0".into(),
        ping: String::new(),
        date: "2026-11-21 22:15 UTC".into(),
        changes: BTreeMap::new(),
    }
}

/// Two backends with two guests, and bare metal, three repeats; one trial invalid, one failed.
pub fn run() -> (Experiment, Provenance, Vec<TrialFigures>) {
    let plan = [("virtio", 2), ("e1000", 2), ("baremetal", 0)].map(|(b, vms)| fixture::configuration(b, vms));
    let mut trials = Vec::new();
    for repeat in 1..=3 {
        for configuration in &plan {
            let spread = 10.0 * f64::from(repeat);
            let rates = if configuration.vms == 0 {
                vec![8000.0]
            } else {
                vec![900.0 - spread, 1100.0 + 3.0 * spread]
            };
            let raw = match (configuration.level(Factor::Backend).as_str(), repeat) {
                ("e1000", 2) => fixture::wrong_driver(configuration.clone()),
                ("e1000", 3) => fixture::failed(configuration.clone()),
                _ => fixture::trial(configuration.clone(), &rates),
            };
            let raw = fixture::numbered(raw, trials.len() as u32 + 1, repeat);
            trials.push(TrialFigures::compute(&raw, &fixture::timing()));
        }
    }
    (experiment(plan.to_vec(), &[Factor::Backend, Factor::Vms]), provenance(Accel::Tcg), trials)
}

/// Two groups of one guest each, weights 2:1, on a host without idle time; the second level of background halves the rates.
pub fn grouped_run() -> (Experiment, Provenance, Vec<TrialFigures>) {
    let group = |name: &str, shares| Group {
        name: name.into(),
        size: GroupSize::Guests(1),
        role: Role::Measured,
        cpu: CpuSettings { shares: Some(shares), ..CpuSettings::default() },
        bandwidth_bps: None,
        rate_bps: None,
        cgroup: false,
    };
    let groups = vec![group("gold", 1024), group("silver", 512)];
    let of = |background| Configuration { background, ..fixture::configuration("virtio", 2) };
    let plan = [Background::None, Background::CpuBurner].map(of);
    let mut trials = Vec::new();
    for repeat in 1..=3 {
        for (configuration, slower) in plan.iter().zip([1.0, 2.0]) {
            let rates = [2000.0 + 10.0 * f64::from(repeat), 1000.0].map(|rate| rate / slower);
            let mut raw = fixture::trial(configuration.clone(), &rates);
            raw.groups = members(&groups, configuration);
            raw.host.iter_mut().for_each(|sample| (sample.cpu.idle, sample.cpu.iowait) = (0.0, 0.0));
            let raw = fixture::numbered(raw, trials.len() as u32 + 1, repeat);
            trials.push(TrialFigures::compute(&raw, &fixture::timing()));
        }
    }
    let experiment = Experiment { groups, ..experiment(plan.to_vec(), &[Factor::Background]) };
    (experiment, provenance(Accel::Tcg), trials)
}

/// A model over made-up rows.
pub fn model<'a>(experiment: &'a Experiment, provenance: &'a Provenance, rows: Vec<SummaryRow>) -> Model<'a> {
    Model {
        experiment,
        provenance,
        trials: &[],
        rows,
        outliers: Default::default(),
        damage: &[],
        answers: Default::default(),
        findings: Default::default(),
    }
}
