//! A profile as written: what may stand in the file, key by key, before anybody asks whether it makes sense.
//!
//! The whole schema of version 1 is here, with the keys that only a later version will run: those carry `x-planned` and
//! the advice that goes with it. The doc comments are what users read, in the JSON schema and as help on a wrong value.

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "[sweep] is a section of the profile, and users read it so"
)]

mod gate;
mod load;
mod machines;
mod tuning;

pub use gate::WrittenGate;
pub use load::{Burst, Group, Limits, Plan, Share, Sweep, Workload};
pub use machines::{Guest, Host, Network, Ssh, Tester, Wire};
pub use tuning::{GuestTuning, HostTuning, Probe, Tuning};

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
    pub host: Host,
    /// the machine that runs netperf; the embedded lab makes its own
    pub tester: Tester,
    /// how kvmfair logs in to the machines of a hardware lab
    pub ssh: Ssh,
    /// the link between tester and host
    pub wire: Wire,
    /// the guests
    pub guest: Guest,
    /// the guests' test NIC
    pub network: Network,
    /// what netperf does, for how long, how often
    pub workload: Workload,
    /// settings of the host and inside the guests, each applied, read back in every trial and put back at the end
    pub tuning: Tuning,
    /// guests that differ from one another: shares, quotas, roles
    pub group: Vec<Group>,
    /// what is observed beside flows and CPU time
    #[schemars(extend("x-planned" = "leave the section out: this version always takes the same samples"))]
    pub probe: Probe,
    /// order of the trials
    pub plan: Plan,
    /// factors with more than one level; the first one written varies slowest
    pub sweep: Sweep,
    /// bounds after which kvmfair gives up rather than wait
    pub limits: Limits,
    /// what `kvmfair gate` judges against a baseline
    pub gate: WrittenGate,
}
