//! What is known of one group of guests.

use serde::{Deserialize, Serialize};

use crate::profile::{Role, Unit};
use crate::stats::Fairness;

/// One group of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupFigures {
    /// Its name.
    pub name: String,
    /// What its guests did.
    pub role: Role,
    /// How many there are.
    pub guests: u32,
    /// Weight as written: of each guest, or of the group where one control group holds it.
    pub shares: Option<u32>,
    /// CPU time that its quota lets each vCPU, or the group as a whole, have, % of one CPU; `None` without a quota.
    pub quota_percent: Option<f64>,
    /// Cap on each guest's NIC, bits/s.
    pub bandwidth_bps: Option<u64>,
    /// How long quotas kept it from CPUs between the snapshots, s summed over its threads' control groups and CPUs; `None` where
    /// it has no quota or it could not be read.
    pub throttled_s: Option<f64>,
    /// Sum of its guests' measured rates, transactions/s or 10^6 bits/s.
    pub rate: f64,
    /// What the rate counts.
    pub unit: Unit,
    /// Its part of all measured rate, %; `None` if it is not measured.
    pub rate_share_percent: Option<f64>,
    /// CPU time that it took from the host in the window.
    pub cpu: Option<GroupCpu>,
    /// Its part of all guests' CPU time, %.
    pub cpu_share_percent: Option<f64>,
    /// The part that its weight would give it if everybody wanted all, %; idle groups want nothing.
    pub expected_share_percent: Option<f64>,
    /// Its part of the CPU time ÷ the expected one − 1; `None` where nobody contended, and where something else than a
    /// weight limits a group that takes part.
    pub cpu_share_error: Option<f64>,
    /// Its part of the measured rate ÷ its part of the measured groups' weights − 1; `None` as above.
    pub rate_share_error: Option<f64>,
    /// What its background streams moved, 10^6 bits/s; `None` if it has none.
    pub background_mbps: Option<f64>,
    /// Fairness of the rates of its own guests; undefined for one, and if they are not measured.
    pub rate_fairness: Option<Fairness>,
    /// Fairness of the CPU times of its own guests.
    pub cpu_fairness: Option<Fairness>,
}

impl GroupFigures {
    /// Mean of its guests' rates, transactions/s or 10^6 bits/s; `None` if it is not measured.
    pub fn rate_per_guest(&self) -> Option<f64> {
        (self.role == Role::Measured).then(|| self.rate / f64::from(self.guests))
    }
}

/// CPU time of one group, s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupCpu {
    /// vCPU threads.
    pub vcpu_s: f64,
    /// QEMU's other threads.
    pub emulator_s: f64,
    /// vhost workers.
    pub vhost_s: f64,
}

impl GroupCpu {
    /// All three.
    pub fn total_s(&self) -> f64 {
        self.vcpu_s + self.emulator_s + self.vhost_s
    }
}
