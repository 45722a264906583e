//! What a run knows of the lab's machines before anything is made.

use anyhow::Result;

use super::exit::PreflightFailed;
use super::inputs;
use crate::backend::wire::Wire;
use crate::host::Environment;
use crate::host::facts::Facts;
use crate::preflight::Examination;
use crate::profile::Experiment;
use crate::raw::Accel;

/// The machines of a lab that have everything that an experiment needs.
pub(super) struct Survey {
    /// What will run the guests' instructions.
    pub accel: Accel,
    /// CPUs of the VM host.
    pub cpus: u32,
    /// The wire, as it was found.
    pub wire: Wire,
    /// The fingerprint.
    pub environment: Environment,
}

impl Survey {
    /// From an examination that everything passed; `text` is the profile's.
    ///
    /// # Errors
    /// [`PreflightFailed`] if the wire was not found.
    pub(super) fn summarise(experiment: &Experiment, found: &Examination, text: &str) -> Result<Survey> {
        let accel = match inputs::accel(experiment) {
            Accel::Kvm if !found.host.kvm_usable() => Accel::Tcg,
            accel => accel,
        };
        let pings = experiment.configurations.iter().any(|one| one.test.is_ping());
        let fingerprint = |facts: &Facts| {
            let all = Environment::from_facts(facts, &experiment.name, text);
            Environment { ping: all.ping.filter(|_| pings), ..all }
        };
        let host = fingerprint(&found.host);
        let tester = found.tester.as_ref().map(fingerprint);
        let guests = experiment.configurations.iter().map(|c| (c.vms, c.memory_mib));
        let environment = Environment {
            memory: host.memory.clone().with_guests(guests, host.memory_mib),
            netperf: tester.as_ref().map_or_else(|| host.netperf.clone(), |tester| tester.netperf.clone()),
            ping: tester.as_ref().map_or_else(|| host.ping.clone(), |tester| tester.ping.clone()),
            tester: tester.map(Box::new),
            open_vswitch: found.open_vswitch.clone(),
            ..host
        };
        let cpus = found.host.cpus().unwrap_or(1) as u32;
        Ok(Survey { accel, cpus, wire: found.wire.clone().ok_or(PreflightFailed)?, environment })
    }
}
