//! The scheduler of a Xen host and its parameters, as values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A scheduler of Xen's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum XenScheduler {
    /// Credit: priorities and a fixed slice.
    Credit,
    /// Credit2: credits that are burnt, no fixed slice.
    Credit2,
}

impl XenScheduler {
    /// All of them.
    pub const ALL: [XenScheduler; 2] = [XenScheduler::Credit, XenScheduler::Credit2];

    /// Xen's name for it, as `sched=` on its command line and `xl cpupool-list` have it.
    pub fn as_str(self) -> &'static str {
        match self {
            XenScheduler::Credit => "credit",
            XenScheduler::Credit2 => "credit2",
        }
    }
}

impl fmt::Display for XenScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that neither of them has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scheduler `{0}`")]
pub struct UnknownScheduler(String);

impl FromStr for XenScheduler {
    type Err = UnknownScheduler;

    fn from_str(name: &str) -> Result<XenScheduler, UnknownScheduler> {
        let known = XenScheduler::ALL.into_iter().find(|scheduler| scheduler.as_str() == name);
        known.ok_or_else(|| UnknownScheduler(name.to_owned()))
    }
}

/// The scheduler of the guests on Xen; what is `None` is left as it is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct XenSettings {
    /// Which one.
    pub scheduler: Option<XenScheduler>,
    /// Its slice, ms; credit only.
    pub slice_ms: Option<u32>,
    /// The least time that a vCPU runs before another one takes its place, µs.
    pub ratelimit_us: Option<u32>,
}

impl XenSettings {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == XenSettings::default()
    }
}
