//! A profile as written, but for the factors: what may stand in the file, key by key, before anybody asks whether it makes sense.
//!
//! The doc comments are what users read, in the JSON schema and as help on a wrong value. The keys of factors, in these sections,
//! in `[network]`, in `[tuning]` and in `[sweep]`, are those of [`crate::factor::descriptor`].

mod gate;
mod load;
mod machines;

pub use gate::WrittenGate;
pub use load::{GroupSection, LimitsSection, PlanSection, Share, WorkloadSection};
pub use machines::{GuestSection, HostSection, SshSection, TesterSection, WireSection};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kvmfair profile: one experiment that somebody else can rerun.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "profile", extend("required" = ["schema", "name"]))]
pub struct Written {
    /// version of the profile format: 1
    #[schemars(range(min = 1, max = 1))]
    pub schema: Option<u32>,
    /// short name, lower-case letters, digits and hyphens: it becomes a part of file names
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9-]*$"), length(max = 64))]
    pub name: Option<String>,
    /// one sentence for the report's header
    pub description: String,
    /// publication or person that the experiment reproduces
    pub source: Option<String>,
    /// the VM host
    pub host: HostSection,
    /// the machine that runs netperf; the embedded lab makes its own
    pub tester: TesterSection,
    /// how kvmfair logs in to the machines of a hardware lab
    pub ssh: SshSection,
    /// the link between tester and host
    pub wire: WireSection,
    /// the guests
    pub guest: GuestSection,
    /// what netperf does, for how long, how often
    pub workload: WorkloadSection,
    /// guests that differ from one another: shares, quotas, roles
    pub group: Vec<GroupSection>,
    /// order of the trials
    pub plan: PlanSection,
    /// bounds after which kvmfair gives up rather than wait
    pub limits: LimitsSection,
    /// what `kvmfair gate` judges against a baseline
    pub gate: WrittenGate,
}
