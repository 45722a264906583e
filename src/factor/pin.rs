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
    /// On every CPU that is online.
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
pub struct Crowd<'c> {
    /// Guests.
    pub guests: u32,
    /// vCPUs of each.
    pub vcpus: u32,
    /// CPUs of the host that are online.
    pub cpus: &'c BTreeSet<u32>,
}

impl Pin {
    /// The CPUs of one vCPU, counted from 0, of one guest, counted from 1.
    pub fn cpus(&self, guest: u32, vcpu: u32, crowd: Crowd) -> BTreeSet<u32> {
        let cpus = crowd.cpus.len().max(1) as u32;
        let all = (crowd.guests * crowd.vcpus).max(1);
        let index = (guest - 1) * crowd.vcpus + vcpu;
        let fits = all <= cpus;
        let nth = |place: u32| crowd.cpus.iter().nth(place as usize).copied().into_iter().collect();
        match self {
            Pin::None => crowd.cpus.clone(),
            Pin::Spread if fits => nth(index * cpus / all),
            Pin::Spread => nth(index % cpus),
            Pin::Compact if fits => nth(index),
            Pin::Compact => nth(index / all.div_ceil(cpus)),
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
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::cpus::{first, of_list};
    use super::*;

    /// The CPU of every vCPU of every guest.
    fn places(pin: &Pin, crowd: Crowd) -> Vec<Vec<String>> {
        let of_guest = |guest| (0..crowd.vcpus).map(|vcpu| list(&pin.cpus(guest, vcpu, crowd))).collect();
        (1..=crowd.guests).map(of_guest).collect()
    }

    #[test]
    fn guests_that_fit_are_spread_over_all_cpus_or_put_side_by_side() {
        let crowd = Crowd { guests: 2, vcpus: 2, cpus: &first(8) };
        assert_eq!(places(&Pin::Spread, crowd), [["0", "2"], ["4", "6"]]);
        assert_eq!(places(&Pin::Compact, crowd), [["0", "1"], ["2", "3"]]);
    }

    #[test]
    fn guests_that_do_not_fit_share_cpus_evenly() {
        let crowd = Crowd { guests: 4, vcpus: 2, cpus: &first(4) };
        assert_eq!(places(&Pin::Spread, crowd), [["0", "1"], ["2", "3"], ["0", "1"], ["2", "3"]]);
        assert_eq!(places(&Pin::Compact, crowd), [["0", "0"], ["1", "1"], ["2", "2"], ["3", "3"]]);
        let odd = places(&Pin::Compact, Crowd { guests: 5, vcpus: 1, cpus: &first(2) });
        assert_eq!(odd.concat(), ["0", "0", "0", "1", "1"]);
    }

    #[test]
    fn a_list_is_for_every_vcpu_and_written_as_the_kernel_does() {
        let pin: Pin = "3,0-1,2,8".parse().unwrap();
        assert_eq!(pin.to_string(), "0-3,8");
        assert_eq!(places(&pin, Crowd { guests: 1, vcpus: 2, cpus: &first(16) }), [["0-3,8", "0-3,8"]]);
        assert_eq!(list(&Pin::None.cpus(1, 0, Crowd { guests: 1, vcpus: 1, cpus: &first(2) })), "0-1");
        assert!("scattered".parse::<Pin>().is_err() && "".parse::<Pin>().is_err());
    }

    #[test]
    fn cpus_that_are_offline_are_passed_over() {
        let online = of_list("0,2,4,6").unwrap();
        let crowd = Crowd { guests: 2, vcpus: 1, cpus: &online };
        assert_eq!(places(&Pin::Spread, crowd), [["0"], ["4"]]);
        assert_eq!(places(&Pin::Compact, crowd), [["0"], ["2"]]);
        assert_eq!(places(&Pin::None, crowd), [["0,2,4,6"], ["0,2,4,6"]]);
    }

    proptest! {
        #[test]
        fn every_vcpu_has_one_cpu_that_is_online_and_none_has_more_than_its_share(
            online in proptest::collection::btree_set(0_u32..200, 1..40),
            guests in 1_u32..20,
            vcpus in 1_u32..6,
            spread: bool,
        ) {
            let pin = if spread { Pin::Spread } else { Pin::Compact };
            let crowd = Crowd { guests, vcpus, cpus: &online };
            let mut load: BTreeMap<u32, u32> = BTreeMap::new();
            for (guest, vcpu) in (1..=guests).flat_map(|guest| (0..vcpus).map(move |vcpu| (guest, vcpu))) {
                let place = pin.cpus(guest, vcpu, crowd);
                prop_assert!(place.len() == 1 && place.is_subset(&online), "{:?}", place);
                *load.entry(*place.first().unwrap()).or_default() += 1;
            }
            let share = (guests * vcpus).div_ceil(online.len() as u32);
            prop_assert!(load.values().all(|vcpus| *vcpus <= share), "{:?}", load);
        }

        #[test]
        fn gaps_in_the_numbers_change_the_names_of_places_only(
            online in proptest::collection::btree_set(0_u32..200, 1..40),
            guests in 1_u32..20,
            spread: bool,
        ) {
            let pin = if spread { Pin::Spread } else { Pin::Compact };
            let (names, dense) = (Vec::from_iter(&online), first(online.len() as u32));
            for guest in 1..=guests {
                let at = |cpus| pin.cpus(guest, 0, Crowd { guests, vcpus: 1, cpus });
                let renamed = at(&dense).into_iter().map(|place| *names[place as usize]).collect();
                prop_assert_eq!(at(&online), renamed);
            }
        }
    }
}
