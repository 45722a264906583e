//! How long a plan will take. Rough on purpose: what a person needs to decide whether to wait.

use serde::{Deserialize, Serialize};

use super::Transition;
use crate::load::command::{self, SETTLE};
use crate::profile::{Configuration, Experiment, Image};
use crate::sample::Accel;

/// Expected time of one trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Moving the lab to the configuration, s.
    pub transition_s: f64,
    /// From the first netperf to the last result, s.
    pub load_s: f64,
}

/// Starting and draining netperf and reading the guests' counters, beyond the times that the profile asks for, s.
const AROUND_LOAD_S: f64 = 1.5;
/// Ending a guest, however many at once, s.
const DESTROY_S: f64 = 1.5;
/// One boot on an idle machine, s, and the CPU time that it takes, s. A cloud image is somebody else's: under TCG these are
/// the figures of a small Debian, under KVM a guess from them.
const fn boot_costs(accel: Accel, image: &Image) -> (f64, f64) {
    match (image, accel) {
        (Image::Appliance { .. }, Accel::Kvm) => (2.5, 1.0),
        (Image::Appliance { .. }, Accel::Tcg) => (5.0, 4.0),
        (Image::Cloud { .. }, Accel::Kvm) => (20.0, 12.0),
        (Image::Cloud { .. }, Accel::Tcg) => (50.0, 45.0),
    }
}

impl Estimate {
    /// Estimates one trial on a machine with `cpus` CPUs.
    pub fn of(
        configuration: &Configuration,
        transition: &Transition,
        experiment: &Experiment,
        accel: Accel,
        cpus: u32,
    ) -> Estimate {
        let (timing, (alone, cpu)) = (&experiment.timing, boot_costs(accel, &experiment.image));
        let boots = transition.boot.len() as f64;
        let boot_s =
            if boots == 0.0 { 0.0 } else { f64::max(alone, 1.0 + boots * cpu / f64::from(cpus.max(1))) };
        let destroy_s = if transition.destroy.is_empty() { 0.0 } else { DESTROY_S };
        let hold = timing.warmup + timing.window + timing.cooldown;
        let load = match command::runs_out(configuration.test) {
            true => command::length(hold, timing.interval, configuration.flows),
            false => hold,
        };
        Estimate {
            transition_s: boot_s + destroy_s,
            load_s: load.as_secs_f64() + SETTLE.as_secs_f64() + AROUND_LOAD_S,
        }
    }

    /// Move and load together, s.
    pub fn total_s(&self) -> f64 {
        self.transition_s + self.load_s
    }
}

/// Beside the trials: opening libvirt, the tester, the charts, the teardown, s.
pub fn overhead_s(accel: Accel) -> f64 {
    match accel {
        Accel::Kvm => 4.0,
        Accel::Tcg => 6.0,
    }
}
