//! Which of the kernel's schedulers runs the guests' vCPUs.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scheduling policy. The real-time ones have priority 1, the lowest: above every normal thread, below the kernel's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The normal one (`SCHED_OTHER`).
    Other,
    /// Real-time, in turns (`SCHED_RR`).
    Rr,
    /// Real-time, until the thread waits (`SCHED_FIFO`).
    Fifo,
}

impl Policy {
    const ALL: [Policy; 3] = [Policy::Other, Policy::Rr, Policy::Fifo];

    /// Whether it goes before every normal thread.
    pub fn is_real_time(self) -> bool {
        self != Policy::Other
    }

    /// Its priority: 1, or 0 where there is none.
    pub fn priority(self) -> u32 {
        self.is_real_time().into()
    }

    /// The kernel's number of it, from `sched(7)`.
    pub fn number(self) -> u32 {
        match self {
            Policy::Other => 0,
            Policy::Fifo => 1,
            Policy::Rr => 2,
        }
    }

    /// The policy of a number; the others are none that a profile can ask for.
    pub fn of_number(number: u32) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| policy.number() == number)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Policy::Other => "other",
            Policy::Rr => "rr",
            Policy::Fifo => "fifo",
        })
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Policy, String> {
        let found = Policy::ALL.into_iter().find(|policy| policy.to_string() == text);
        found.ok_or_else(|| format!("\"{text}\" is no scheduling policy of vCPUs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_found_by_its_name_and_by_the_kernels_number() {
        for policy in Policy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
            assert_eq!(Policy::of_number(policy.number()), Some(policy));
        }
        assert!("SCHED_RR".parse::<Policy>().is_err());
        assert_eq!(Policy::of_number(3), None, "SCHED_BATCH");
    }
}
