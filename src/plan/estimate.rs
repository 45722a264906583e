//! How long a plan will take. Rough on purpose: what a person needs to decide whether to wait.

use serde::{Deserialize, Serialize};

use super::{HostCapacity, Transition};
use crate::load::command;
use crate::profile::{Configuration, Experiment, Image};
use crate::raw::Accel;

/// Expected time of one trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeEstimate {
    /// Moving the lab to the configuration, s.
    pub transition_s: f64,
    /// From the first netperf to the last result, s.
    pub load_s: f64,
    /// What the move is made of.
    #[serde(default)]
    pub moving: Moving,
}

/// Expected times of the parts of a move, s each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moving {
    /// Guests end.
    pub destroy_s: f64,
    /// Wire and switch are built anew.
    pub wire_s: f64,
    /// Guests are paused.
    pub pause_s: f64,
    /// Guests are resumed, and answer.
    pub resume_s: f64,
    /// Guests boot, until they answer.
    pub boot_s: f64,
    /// Settings of running machines are written.
    pub settings_s: f64,
    /// KSM goes over the guests' memory: at most.
    #[serde(default)]
    pub merge_s: f64,
}

/// Starting and draining netperf and reading the guests' counters, beyond the times that the profile asks for, s.
const AROUND_LOAD_S: f64 = 1.5;
/// Ending a guest, however many at once, s.
const DESTROY_S: f64 = 1.5;
/// Building wire and switch, s.
const WIRE_S: f64 = 0.3;
/// Pausing one guest, s.
const PAUSE_S: f64 = 0.02;
/// Resuming one guest until it answers over SSH, s.
const RESUME_S: f64 = 0.1;
/// Writing settings into all machines, s.
const SETTINGS_S: f64 = 0.1;
/// One boot on an idle machine, s, and the CPU time that it takes, s. A cloud image is somebody else's: under TCG these are
/// the figures of a small Debian, under KVM a guess from them.
const fn boot_costs(accel: Accel, image: &Image) -> (f64, f64) {
    match (image, accel) {
        (Image::Appliance { .. }, Accel::Kvm | Accel::Xen) => (2.5, 1.0),
        (Image::Appliance { .. }, Accel::Tcg) => (5.0, 4.0),
        (Image::Cloud { .. }, Accel::Kvm | Accel::Xen) => (20.0, 12.0),
        (Image::Cloud { .. }, Accel::Tcg) => (50.0, 45.0),
    }
}

impl TimeEstimate {
    /// Estimates one trial on a VM host.
    pub fn compute(
        configuration: &Configuration,
        transition: &Transition,
        experiment: &Experiment,
        accel: Accel,
        host: HostCapacity,
    ) -> TimeEstimate {
        let (timing, moving) =
            (&experiment.timing, Moving::compute(configuration, transition, experiment, accel, host));
        let hold = timing.warmup + timing.window + timing.cooldown;
        let length = command::length(configuration.test, hold, timing.interval, configuration.flows);
        let load = length.unwrap_or(hold);
        let settle = command::settle(configuration.test, configuration.flows);
        TimeEstimate {
            transition_s: moving.total_s(),
            load_s: (load + settle).as_secs_f64() + AROUND_LOAD_S,
            moving,
        }
    }

    /// Move and load together, s.
    pub fn total_s(&self) -> f64 {
        self.transition_s + self.load_s
    }
}

impl Moving {
    fn compute(
        configuration: &Configuration,
        moves: &Transition,
        experiment: &Experiment,
        accel: Accel,
        host: HostCapacity,
    ) -> Moving {
        let (alone, cpu) = boot_costs(accel, &experiment.image);
        let once = |any: bool, s: f64| if any { s } else { 0.0 };
        let boot_s = f64::max(alone, 1.0 + moves.boot.len() as f64 * cpu / f64::from(host.cpus.max(1)));
        Moving {
            destroy_s: once(!moves.destroy.is_empty(), DESTROY_S),
            wire_s: once(moves.reattach, WIRE_S),
            pause_s: moves.suspend.len() as f64 * PAUSE_S,
            resume_s: moves.resume.len() as f64 * RESUME_S,
            boot_s: once(!moves.boot.is_empty(), boot_s),
            settings_s: once(!moves.settings.is_empty(), SETTINGS_S),
            merge_s: host.scan.bound_s(moves.merge, configuration.memory_mib),
        }
    }

    /// All parts, s.
    pub fn total_s(&self) -> f64 {
        let of_guests = self.destroy_s + self.pause_s + self.resume_s + self.boot_s;
        of_guests + self.wire_s + self.settings_s + self.merge_s
    }
}

/// Beside the trials: opening libvirt, the tester, the charts, the teardown, s.
pub fn overhead_s(accel: Accel) -> f64 {
    match accel {
        Accel::Kvm | Accel::Xen => 4.0,
        Accel::Tcg => 6.0,
    }
}
