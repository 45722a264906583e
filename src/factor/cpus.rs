//! Sets of CPUs as people and sysfs write them: `all`, `none`, a hex mask, a list of ranges.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// CPUs of a machine that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Cpus {
    /// Every CPU of the machine that is online.
    All,
    /// These; none if it is empty.
    Some(BTreeSet<u32>),
}

/// More than this many CPUs Linux is not built for.
const MOST: u32 = 8192;

impl Cpus {
    /// No CPU at all: a switch that is off.
    pub fn none() -> Cpus {
        Cpus::Some(BTreeSet::new())
    }

    /// Whether no CPU is in it.
    pub fn is_none(&self) -> bool {
        *self == Cpus::none()
    }

    /// The highest CPU that is named.
    pub fn highest(&self) -> Option<u32> {
        match self {
            Cpus::All => None,
            Cpus::Some(cpus) => cpus.last().copied(),
        }
    }

    /// The CPUs on a machine where these are online.
    pub fn on(&self, online: &BTreeSet<u32>) -> BTreeSet<u32> {
        match self {
            Cpus::All => online.clone(),
            Cpus::Some(cpus) => cpus.clone(),
        }
    }

    /// The mask of sysfs for a machine where these CPUs are online: groups of 32 in hex, the highest first.
    pub fn mask(&self, online: &BTreeSet<u32>) -> String {
        mask(&self.on(online))
    }
}

/// Where Linux lists the CPUs that are online. Their numbers may have gaps: siblings where SMT is switched off, CPUs that
/// somebody took away.
pub const ONLINE: &str = "/sys/devices/system/cpu/online";

/// So many CPUs without a gap, as a guest has them.
pub fn first(count: u32) -> BTreeSet<u32> {
    (0..count).collect()
}

/// The mask that sysfs takes.
pub fn mask(cpus: &BTreeSet<u32>) -> String {
    let words = cpus.last().map_or(1, |highest| highest / 32 + 1);
    let word = |index: u32| {
        let bits = cpus.range(32 * index..32 * (index + 1)).fold(0_u32, |word, cpu| word | 1 << (cpu % 32));
        if index + 1 == words { format!("{bits:x}") } else { format!("{bits:08x}") }
    };
    (0..words).rev().map(word).collect::<Vec<_>>().join(",")
}

/// As in a profile: a mask, or a word.
impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cpus::All => f.write_str("all"),
            none if none.is_none() => f.write_str("none"),
            Cpus::Some(cpus) => f.write_str(&mask(cpus)),
        }
    }
}

impl From<Cpus> for String {
    fn from(cpus: Cpus) -> String {
        cpus.to_string()
    }
}

impl TryFrom<String> for Cpus {
    type Error = String;

    fn try_from(text: String) -> Result<Cpus, String> {
        text.parse()
    }
}

/// A bare run of hex digits is a mask, as in sysfs: `2` is CPU 1. A `-` makes a list, and so does a comma, except between
/// groups as the kernel writes them.
impl FromStr for Cpus {
    type Err = String;

    fn from_str(text: &str) -> Result<Cpus, String> {
        let cpus = match text {
            "all" => return Ok(Cpus::All),
            "none" => return Ok(Cpus::none()),
            list if list.contains('-') => of_list(list),
            list if list.contains(',') && !is_grouped(list) => of_list(list),
            mask => of_mask(mask),
        };
        cpus.map(Cpus::Some).ok_or_else(|| format!("\"{text}\" is not a CPU mask"))
    }
}

/// `0-3,8-11,14`.
pub fn of_list(list: &str) -> Option<BTreeSet<u32>> {
    let mut cpus = BTreeSet::new();
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// Whether groups follow each other as in a mask of more than 32 CPUs: all but the first have exactly eight digits.
fn is_grouped(text: &str) -> bool {
    let digits = |group: &str| group.chars().all(|c| c.is_ascii_hexdigit());
    let mut groups = text.trim().trim_start_matches("0x").split(',');
    let first = groups.next().is_some_and(|group| (1..=8).contains(&group.len()) && digits(group));
    first && groups.all(|group| group.len() == 8 && digits(group))
}

/// `f`, `0xff`, `ff,ffffffff` (groups of 32 CPUs, the highest first).
fn of_mask(mask: &str) -> Option<BTreeSet<u32>> {
    let digits: Vec<u32> = mask
        .trim()
        .trim_start_matches("0x")
        .chars()
        .filter(|c| *c != ',')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    if digits.is_empty() || digits.len() as u32 > MOST / 4 {
        return None;
    }
    let of_digit = |(place, digit): (usize, &u32)| {
        let digit = *digit;
        (0..4).filter(move |bit| digit >> bit & 1 == 1).map(move |bit| 4 * place as u32 + bit)
    };
    Some(digits.iter().rev().enumerate().flat_map(of_digit).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cpus(text: &str) -> Vec<u32> {
        text.parse::<Cpus>().expect(text).on(&first(4)).into_iter().collect()
    }

    #[test]
    fn masks_lists_and_words_name_the_same_cpus() {
        assert_eq!(cpus("f"), cpus("0-3"));
        assert_eq!(cpus("f"), cpus("all"));
        assert_eq!(cpus("0x10"), [4]);
        assert_eq!(cpus("1,00000000"), [32]);
        assert_eq!(cpus("0-1,8-9,14"), [0, 1, 8, 9, 14]);
        assert_eq!(cpus("0"), cpus("none"));
    }

    #[test]
    fn a_comma_separates_cpus_unless_eight_digits_follow_each_as_in_a_mask_of_the_kernel() {
        assert_eq!(cpus("0,2"), [0, 2]);
        assert_eq!(cpus("0, 2"), [0, 2]);
        assert_eq!(cpus("0-1,4"), [0, 1, 4]);
        assert_eq!(cpus("0,00000002"), [1]);
        assert_eq!(cpus("1,00000000,00000001"), [0, 64]);
        assert_eq!(cpus("2"), [1], "a number alone is a mask, as in sysfs");
    }

    #[test]
    fn all_are_those_that_are_online_and_a_list_is_what_it_names() {
        let online = of_list("0,2,4,6\n").unwrap();
        assert_eq!(Cpus::All.mask(&online), "55");
        assert_eq!("0-3".parse::<Cpus>().unwrap().mask(&online), "f");
        assert_eq!(Cpus::All.mask(&BTreeSet::from([1, 40])), "100,00000002");
    }

    #[test]
    fn what_is_neither_a_mask_nor_a_list_is_refused() {
        for text in ["fast", "", "3-1", "0-99999", "1-", "-", "f,f", "0,", ",1", "0,2,", "123456789,00000000"]
        {
            assert!(text.parse::<Cpus>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_mask_that_was_written_is_read_as_the_same_cpus(set: BTreeSet<u8>) {
            let set: BTreeSet<u32> = set.into_iter().map(u32::from).collect();
            let written = mask(&set);
            prop_assert_eq!(&Cpus::All.mask(&set), &written);
            prop_assert_eq!(written.parse::<Cpus>(), Ok(Cpus::Some(set)));
        }

        #[test]
        fn a_list_and_a_mask_of_the_same_cpus_are_read_as_the_same(
            set in proptest::collection::btree_set(0..MOST, 2..20),
        ) {
            let one_by_one = set.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            for text in [one_by_one, crate::profile::pin::list(&set), mask(&set)] {
                prop_assert_eq!(text.parse::<Cpus>(), Ok(Cpus::Some(set.clone())), "{}", text);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-9a-fx,all-]{0,20}") {
            drop(text.parse::<Cpus>());
        }
    }
}
