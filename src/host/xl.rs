//! What `xl`, Xen's tool in dom0, prints: text -> pools, weights, affinities. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use crate::profile::cpus;

/// The names of the facts that `gather.sh` gathers in a dom0: the commands.
pub const INFO: &str = "xl info";
/// The pools, with their schedulers.
pub const POOLS: &str = "xl cpupool-list";
/// The pools, with their CPUs.
pub const POOL_CPUS: &str = "xl cpupool-list -c";
/// Every vCPU, with its affinity.
pub const VCPUS: &str = "xl vcpu-list";

/// The pool that the hypervisor makes, in which dom0 is.
pub const POOL_0: &str = "Pool-0";

/// `xl cpupool-list` -> the scheduler of each pool.
pub fn schedulers(printed: &str) -> BTreeMap<String, String> {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [name, count, scheduler, "y" | "n", _] if count.parse::<u32>().is_ok() => {
                Some(((*name).to_owned(), (*scheduler).to_owned()))
            }
            _ => None,
        }
    };
    printed.lines().filter_map(row).collect()
}

/// `xl cpupool-list -c` -> the CPUs of each pool.
pub fn pool_cpus(printed: &str) -> BTreeMap<String, BTreeSet<u32>> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, list) = (words.next()?, words.next()?);
        Some((name.to_owned(), cpus::of_list(list)?))
    };
    printed.lines().filter_map(row).collect()
}

/// Weight and cap of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Weight against others.
    pub weight: u32,
    /// Most CPU time, % of one CPU; 0: no cap.
    pub cap: u32,
}

/// What `xl sched-credit -p POOL` or `xl sched-credit2 -p POOL` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolSchedule {
    /// Slice, ms; credit only.
    pub slice_ms: Option<u32>,
    /// Least time that a vCPU runs, µs.
    pub ratelimit_us: Option<u32>,
    /// The guests in the pool.
    pub guests: BTreeMap<String, Credit>,
}

impl PoolSchedule {
    /// Reads it; a pool without guests has parameters alone.
    pub fn parse(printed: &str) -> PoolSchedule {
        let parameter = |name: &str| {
            let word =
                printed.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
            word.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
        };
        let guest = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, id, weight, cap] = words.as_slice() else { return None };
            id.parse::<u32>().ok()?;
            Some(((*name).to_owned(), Credit { weight: weight.parse().ok()?, cap: cap.parse().ok()? }))
        };
        PoolSchedule {
            slice_ms: parameter("tslice"),
            ratelimit_us: parameter("ratelimit"),
            guests: printed.lines().filter_map(guest).collect(),
        }
    }
}

/// `xl vcpu-list` -> the hard affinity of each vCPU of each guest, as Xen prints it: `1`, `0-3`, `all`.
pub fn affinities(printed: &str) -> BTreeMap<String, BTreeMap<u32, String>> {
    let mut all: BTreeMap<String, BTreeMap<u32, String>> = BTreeMap::new();
    for line in printed.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, id, vcpu, _, _, _, hard, ..] = words.as_slice() else { continue };
        if let (Ok(_), Ok(vcpu)) = (id.parse::<u32>(), vcpu.parse()) {
            all.entry((*name).to_owned()).or_default().insert(vcpu, (*hard).to_owned());
        }
    }
    all
}

/// A value of `xl info`, which prints `name : value`.
pub fn info<'t>(printed: &'t str, name: &str) -> Option<&'t str> {
    let pairs = printed.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The hypervisor's version: `4.17.5`.
pub fn version(printed: &str) -> Option<String> {
    Some(format!(
        "{}.{}{}",
        info(printed, "xen_major")?,
        info(printed, "xen_minor")?,
        info(printed, "xen_extra")?
    ))
}

/// The CPUs of a Xen host, of which dom0 sees its own; `None` on others.
pub fn cpus(facts: &Facts) -> Option<u32> {
    info(facts.text(INFO)?, "nr_cpus")?.parse().ok()
}

/// Whether the facts are those of a Xen dom0.
pub fn is_dom0(facts: &Facts) -> bool {
    facts.text("/proc/xen/capabilities").is_some_and(|text| text.contains("control_d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOLS: &str = "Name               CPUs   Sched     Active   Domain count\n\
                         Pool-0               1  credit2       y          1\n\
                         kf-abc234            1   credit       y          2\n";
    const CREDIT: &str = "Cpupool kf-abc234: tslice=30ms ratelimit=1000us migration-delay=0us\n\
                          Name                                ID Weight  Cap\n\
                          kf-abc234-g1                         1    256    0\n\
                          kf-abc234-g2                         2    512   25\n";
    const VCPUS: &str = "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\n\
                         Domain-0                             0     0    0   r--      24.2  0 / all\n\
                         kf-abc234-g1                         1     0    1   -b-       3.3  all / all\n\
                         kf-abc234-g1                         1     1    -   --p       0.0  0-3 / all\n";

    #[test]
    fn pools_have_their_scheduler_and_their_cpus() {
        let pools = schedulers(POOLS);
        assert_eq!((pools[POOL_0].as_str(), pools["kf-abc234"].as_str()), ("credit2", "credit"));
        let cpus = pool_cpus("Name               CPU list\nPool-0             0\nkf-abc234          1,3\n");
        assert_eq!(cpus["kf-abc234"], BTreeSet::from([1, 3]));
    }

    #[test]
    fn a_pool_has_parameters_and_the_weights_of_its_guests() {
        let credit = PoolSchedule::parse(CREDIT);
        assert_eq!((credit.slice_ms, credit.ratelimit_us), (Some(30), Some(1000)));
        assert_eq!(credit.guests["kf-abc234-g2"], Credit { weight: 512, cap: 25 });
        assert_eq!(credit.guests.len(), 2);
        let credit2 = PoolSchedule::parse("Cpupool Pool-0: ratelimit=1000us\nDomain-0 0 256 0\n");
        assert_eq!((credit2.slice_ms, credit2.ratelimit_us), (None, Some(1000)));
        assert_eq!(
            PoolSchedule::parse("sched_credit_params_get failed: Invalid argument\n"),
            PoolSchedule::default()
        );
    }

    #[test]
    fn each_vcpu_has_its_hard_affinity() {
        let all = affinities(VCPUS);
        assert_eq!(all["Domain-0"], BTreeMap::from([(0, "0".to_owned())]));
        assert_eq!(all["kf-abc234-g1"], BTreeMap::from([(0, "all".to_owned()), (1, "0-3".to_owned())]));
    }

    #[test]
    fn the_version_has_three_parts() {
        let printed =
            "xen_major              : 4\nxen_minor              : 17\nxen_extra              : .5\n";
        assert_eq!(version(printed).as_deref(), Some("4.17.5"));
        assert_eq!(info(printed, "nr_cpus"), None);
    }
}
