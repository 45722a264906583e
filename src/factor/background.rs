//! What the guests of a group do, and the factor that changes it for all guests that are not measured.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the guests of a group do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// They carry the measured flows.
    #[default]
    Measured,
    /// They burn CPU time: one busy loop for each vCPU.
    CpuBurner,
    /// They receive an unmeasured TCP stream each.
    NetLoad,
    /// They receive an unmeasured TCP stream each, at the group's rate.
    Paced,
    /// They run and do nothing.
    Idle,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Measured => "measured",
            Role::CpuBurner => "cpu-burner",
            Role::NetLoad => "net-load",
            Role::Paced => "paced",
            Role::Idle => "idle",
        })
    }
}

/// What the guests do that are not measured: a factor, so that each level has a baseline in the same block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Background {
    /// What their groups say.
    #[default]
    AsWritten,
    /// Nothing: the baseline.
    None,
    /// They burn CPU time.
    CpuBurner,
    /// They receive a stream each.
    NetLoad,
    /// They receive a stream each, at their group's rate.
    Paced,
}

impl Background {
    /// The levels that a profile can name.
    pub const NAMED: [Background; 4] =
        [Background::None, Background::CpuBurner, Background::NetLoad, Background::Paced];

    /// What an unmeasured guest does, whose group says `written`.
    pub fn role(self, written: Role) -> Role {
        match self {
            _ if written == Role::Measured => Role::Measured,
            Background::AsWritten => written,
            Background::None => Role::Idle,
            Background::CpuBurner => Role::CpuBurner,
            Background::NetLoad => Role::NetLoad,
            Background::Paced => Role::Paced,
        }
    }
}

/// Empty where there is no such factor.
impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Background::AsWritten => "",
            Background::None => "none",
            Background::CpuBurner => "cpu-burner",
            Background::NetLoad => "net-load",
            Background::Paced => "paced",
        })
    }
}
