//! As written: the load and how it is varied. `[workload]`, `[[group]]`, `[plan]`, `[limits]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::{Order, Reprovision, Role};
use crate::units::{Rate, Time};

/// `[workload]`: what netperf does, for how long, how often.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadSection {
    /// from the start of the last flow to the window, for example "5 s" (the default)
    pub warmup: Option<Time>,
    /// length of the window in which every flow is measured, for example "30 s" (the default)
    pub window: Option<Time>,
    /// from the end of the window to the end of the flows, for example "2 s" (the default)
    pub cooldown: Option<Time>,
    /// between two interim results of a flow, for example "500 ms" (the default)
    pub interval: Option<Time>,
    /// trials of each configuration (default 5)
    #[schemars(range(min = 1, max = 1000))]
    pub repeats: Option<u32>,
    /// repeat a configuration until the 95 % interval of its total rate is this narrow: half-width in per cent of the mean
    #[schemars(range(max = 100))]
    pub half_width_percent: Option<f64>,
    /// trials of one configuration after which it is given up (default 15); for `half_width_percent`
    #[schemars(range(min = 2, max = 1000))]
    pub max_repeats: Option<u32>,
}

/// `[[group]]`: guests that differ from the others.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupSection {
    /// name in tables and charts: lower-case letters, digits and hyphens; required
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9-]*$"), length(max = 32))]
    pub name: Option<String>,
    /// number of guests, or a part of all such as "50 %"; required
    pub guests: Option<Share>,
    /// CPU weight of each guest, as `virsh schedinfo` has it: 2 to 262144, on a host with cgroup v2 1 to 10000
    #[schemars(range(min = 1, max = 262144))]
    pub shares: Option<u32>,
    /// CPU time of each vCPU in each period, for example "50 ms"
    pub quota: Option<Time>,
    /// period of the quotas, for example "100 ms" (the default)
    pub period: Option<Time>,
    /// CPU time of QEMU's other threads in each period, for example "50 ms"
    pub emulator_quota: Option<Time>,
    /// what the guests do: "measured" (the default), "cpu-burner", "net-load", "paced" or "idle"
    pub role: Option<Role>,
    /// cap on each guest's NIC, in each direction, for example "24 Mbit"
    pub bandwidth: Option<Rate>,
    /// what each guest receives while it is "paced", for example "20 Mbit": frames and all, held by the tester
    pub rate: Option<Rate>,
    /// whether one control group holds the guests, so that shares and quota are of the group as a whole (default false)
    pub cgroup: bool,
}

/// A number of guests, or a part of all.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Share {
    /// So many guests.
    Guests(u32),
    /// A part of all, such as "50 %".
    Part(String),
}

/// `[plan]`: order of the trials.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlanSection {
    /// "random" (the default): shuffled by the seed; "sequential": as written
    pub order: Order,
    /// seed of the order (default 1); the same seed gives the same plan
    pub seed: Option<u64>,
    /// when guests are made anew although those that are there would do: "never" (the default); "block", before each repeat, so
    /// that the interval knows how guests differ from boot to boot; "trial", before every trial
    pub reprovision: Reprovision,
}

/// `[limits]`: bounds on waiting.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// from the creation of a guest until it answers, for example "120 s" (the default)
    pub boot: Option<Time>,
    /// boots of one guest before its configuration fails (default 3)
    #[schemars(range(min = 1, max = 100))]
    pub boot_attempts: Option<u32>,
    /// attempts at one trial until it is measured; the failed and invalid ones are kept in raw/attempts (default 1)
    #[schemars(range(min = 1, max = 100))]
    pub trial_attempts: Option<u32>,
    /// the whole run, for example "2 h"; unbounded if left out
    pub total: Option<Time>,
}
