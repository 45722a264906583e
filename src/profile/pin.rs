//! How the guests' vCPUs are pinned to the host's CPUs.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::cpus;

/// Where vCPUs may run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Pin {
    /// On every CPU.
    None,
    /// Each on one CPU; a guest's as far apart as they get.
    Spread,
    /// Each on one CPU; a guest's side by side.
    Compact,
    /// All of them on these CPUs.
    Cpus(BTreeSet<u32>),
}

/// How many guests with how many vCPUs share how many CPUs.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Guests.
    pub guests: u32,
    /// vCPUs of each.
    pub vcpus: u32,
    /// CPUs of the host.
    pub cpus: u32,
}

impl Pin {
    /// The CPUs of one vCPU, counted from 0, of one guest, counted from 1.
    pub fn of(&self, guest: u32, vcpu: u32, crowd: Crowd) -> BTreeSet<u32> {
        let cpus = crowd.cpus.max(1);
        let all = (crowd.guests * crowd.vcpus).max(1);
        let index = (guest - 1) * crowd.vcpus + vcpu;
        let fits = all <= cpus;
        match self {
            Pin::None => (0..cpus).collect(),
            Pin::Spread if fits => BTreeSet::from([index * cpus / all]),
            Pin::Spread => BTreeSet::from([index % cpus]),
            Pin::Compact if fits => BTreeSet::from([index]),
            Pin::Compact => BTreeSet::from([index / all.div_ceil(cpus)]),
            Pin::Cpus(cpus) => cpus.clone(),
        }
    }

    /// The highest CPU that is named.
    pub fn highest(&self) -> Option<u32> {
        if let Pin::Cpus(cpus) = self { cpus.last().copied() } else { None }
    }
}

/// `0-3,8`, as the kernel prints a set of CPUs.
pub fn list(cpus: &BTreeSet<u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let range = |(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pin::None => f.write_str("none"),
            Pin::Spread => f.write_str("spread"),
            Pin::Compact => f.write_str("compact"),
            Pin::Cpus(cpus) => f.write_str(&list(cpus)),
        }
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Pin, String> {
        match text {
            "none" => Ok(Pin::None),
            "spread" => Ok(Pin::Spread),
            "compact" => Ok(Pin::Compact),
            cpus => {
                let cpus = cpus::of_list(cpus).map(Pin::Cpus);
                cpus.ok_or_else(|| format!("\"{text}\" is no way to pin vCPUs"))
            }
        }
    }
}

impl From<Pin> for String {
    fn from(pin: Pin) -> String {
        pin.to_string()
    }
}

impl TryFrom<String> for Pin {
    type Error = String;

    fn try_from(text: String) -> Result<Pin, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The CPU of every vCPU of every guest.
    fn places(pin: &Pin, crowd: Crowd) -> Vec<Vec<String>> {
        let of_guest = |guest| (0..crowd.vcpus).map(|vcpu| list(&pin.of(guest, vcpu, crowd))).collect();
        (1..=crowd.guests).map(of_guest).collect()
    }

    #[test]
    fn guests_that_fit_are_spread_over_all_cpus_or_put_side_by_side() {
        let crowd = Crowd { guests: 2, vcpus: 2, cpus: 8 };
        assert_eq!(places(&Pin::Spread, crowd), [["0", "2"], ["4", "6"]]);
        assert_eq!(places(&Pin::Compact, crowd), [["0", "1"], ["2", "3"]]);
    }

    #[test]
    fn guests_that_do_not_fit_share_cpus_evenly() {
        let crowd = Crowd { guests: 4, vcpus: 2, cpus: 4 };
        assert_eq!(places(&Pin::Spread, crowd), [["0", "1"], ["2", "3"], ["0", "1"], ["2", "3"]]);
        assert_eq!(places(&Pin::Compact, crowd), [["0", "0"], ["1", "1"], ["2", "2"], ["3", "3"]]);
        let odd = places(&Pin::Compact, Crowd { guests: 5, vcpus: 1, cpus: 2 });
        assert_eq!(odd.concat(), ["0", "0", "0", "1", "1"]);
    }

    #[test]
    fn a_list_is_for_every_vcpu_and_written_as_the_kernel_does() {
        let pin: Pin = "3,0-1,2,8".parse().unwrap();
        assert_eq!(pin.to_string(), "0-3,8");
        assert_eq!(places(&pin, Crowd { guests: 1, vcpus: 2, cpus: 16 }), [["0-3,8", "0-3,8"]]);
        assert_eq!(list(&Pin::None.of(1, 0, Crowd { guests: 1, vcpus: 1, cpus: 2 })), "0-1");
        assert!("scattered".parse::<Pin>().is_err() && "".parse::<Pin>().is_err());
    }
}
