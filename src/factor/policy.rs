//! Which of the kernel's schedulers runs the guests' vCPUs.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scheduling policy. The real-time ones have priority 1, the lowest: above every normal thread, below the kernel's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SchedulingPolicy {
    /// The normal one (`SCHED_OTHER`).
    Other,
    /// Real-time, in turns (`SCHED_RR`).
    Rr,
    /// Real-time, until the thread waits (`SCHED_FIFO`).
    Fifo,
}

impl SchedulingPolicy {
    /// Every policy that a profile can ask for.
    pub const ALL: [SchedulingPolicy; 3] =
        [SchedulingPolicy::Other, SchedulingPolicy::Rr, SchedulingPolicy::Fifo];

    /// Whether it goes before every normal thread.
    pub fn is_real_time(self) -> bool {
        self != SchedulingPolicy::Other
    }

    /// Its priority: 1, or 0 where there is none.
    pub fn priority(self) -> u32 {
        self.is_real_time().into()
    }

    /// The kernel's number of it, from `sched(7)`.
    pub fn number(self) -> u32 {
        match self {
            SchedulingPolicy::Other => 0,
            SchedulingPolicy::Fifo => 1,
            SchedulingPolicy::Rr => 2,
        }
    }

    /// The policy of a number; the others are none that a profile can ask for.
    pub fn of_number(number: u32) -> Option<SchedulingPolicy> {
        SchedulingPolicy::ALL.into_iter().find(|policy| policy.number() == number)
    }
}

impl fmt::Display for SchedulingPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SchedulingPolicy::Other => "other",
            SchedulingPolicy::Rr => "rr",
            SchedulingPolicy::Fifo => "fifo",
        })
    }
}

impl FromStr for SchedulingPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<SchedulingPolicy, String> {
        let found = SchedulingPolicy::ALL.into_iter().find(|policy| policy.to_string() == text);
        found.ok_or_else(|| format!("\"{text}\" is not a scheduling policy of vCPUs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_found_by_its_name_and_by_the_kernels_number() {
        for policy in SchedulingPolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
            assert_eq!(SchedulingPolicy::of_number(policy.number()), Some(policy));
        }
        assert!("SCHED_RR".parse::<SchedulingPolicy>().is_err());
        assert_eq!(SchedulingPolicy::of_number(3), None, "SCHED_BATCH");
    }
}
