//! Small experiments for tests of plans.

use std::time::Duration;

use crate::backend::Backend;
use crate::profile::{
    Configuration, Experiment, Factor, Host, Idle, Image, Limits, Order, Reprovision, Timing,
};

/// A configuration with eight flows.
pub fn configuration(backend: &str, vms: u32) -> Configuration {
    Configuration { backend: backend.parse::<Backend>().unwrap(), vms, flows: 8, ..Configuration::default() }
}

/// An experiment with short trials.
pub fn experiment(configurations: Vec<Configuration>, order: Order, idle: Idle, repeats: u32) -> Experiment {
    let second = Duration::from_secs(1);
    Experiment {
        name: "test".into(),
        description: String::new(),
        source: None,
        host: Host::default(),
        machines: None,
        wire: None,
        image: Image::Appliance { kernel: None },
        timing: Timing {
            warmup: second,
            window: second * 4,
            cooldown: second,
            interval: second,
            repeats,
            precision: None,
        },
        order,
        seed: 7,
        idle,
        reprovision: Reprovision::Never,
        limits: Limits { boot: second * 60, boot_attempts: 2, trial_attempts: 1, total: None },
        groups: Vec::new(),
        configurations,
        factors: vec![Factor::Backend, Factor::Vms],
        gate: Default::default(),
    }
}
