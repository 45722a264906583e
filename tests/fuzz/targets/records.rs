//! The other files that may come from elsewhere: a run's experiment and environment, baselines, histories.

#![no_main]

use kvmfair::answers::{Baseline, courses, metrics_of_history, read_history};
use kvmfair::host::Environment;
use kvmfair::plan::Plan;
use kvmfair::profile::Experiment;
use kvmfair::raw::Accel;
use kvmfair::report::{Document, Model, Provenance, markdown};
use libfuzzer_sys::fuzz_target;

fn provenance() -> Provenance {
    Provenance {
        run: "run".into(),
        tool_version: String::new(),
        profile: String::new(),
        digest: String::new(),
        accel: Accel::Tcg,
        host_cpu: String::new(),
        host_cpus: 2,
        virtual_machine: false,
        kernel: String::new(),
        qemu: String::new(),
        xen: String::new(),
        libvirt: String::new(),
        netperf: String::new(),
        ping: String::new(),
        date: String::new(),
        changes: Default::default(),
    }
}

fuzz_target!(|text: &str| {
    if let Ok(experiment) = serde_json::from_str::<Experiment>(text) {
        markdown::report(&Document::new(&Model::new(&experiment, &provenance(), &[])), &[]);
    }
    _ = serde_json::from_str::<Plan>(text);
    if let Ok(environment) = serde_json::from_str::<Environment>(text) {
        environment.differences(&Environment::default());
    }
    _ = Baseline::parse(text);
    if let Ok(history) = read_history(text) {
        courses(&history, &metrics_of_history(&history));
    }
});
