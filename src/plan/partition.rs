//! One run split over several machines: which blocks each part measures.
//!
//! Every machine decides alone and must come to the same answer, so the split follows from the profile only: blocks are weighed on a
//! host that is the same for all.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::{Plan, plan_blocks};
use crate::profile::{AccelChoice, Experiment};
use crate::raw::Accel;

/// CPUs of the host on which blocks are weighed.
const CPUS: u32 = 8;

/// A part of a run, such as `2/5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// From 1.
    part: u32,
    /// How many there are.
    parts: u32,
}

/// Why a run cannot be split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartitionError {
    /// Not `N/M`.
    #[error("a partition must be N/M with N from 1 to M, such as 2/5, got `{0}`")]
    Syntax(String),
    /// A part would have nothing to measure.
    #[error(
        "{parts} partitions need at least {parts} repeats, because each one takes whole repeats (blocks); the profile has \
         {repeats} (hint: `repeats` in [workload], or fewer partitions)"
    )]
    TooFewBlocks {
        /// Partitions.
        parts: u32,
        /// Blocks.
        repeats: u32,
    },
    /// How many blocks there are is decided while the run goes on.
    #[error(
        "--partition is not supported with `half_width_percent`: further repeats depend on all results (hint: set `repeats` in \
         [workload] instead; `kvmfair plan --like RUN` prints how many are needed)"
    )]
    Precision,
}

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Partition, PartitionError> {
        let numbers =
            text.split_once('/').and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)));
        match numbers {
            Some((part, parts)) if part >= 1 && part <= parts => Ok(Partition { part, parts }),
            _ => Err(PartitionError::Syntax(text.to_owned())),
        }
    }
}

impl Partition {
    /// The blocks of this part, numbered from 1. The parts have equal numbers of blocks, or differ by one, and the longest blocks are
    /// spread over them.
    ///
    /// # Errors
    /// [`PartitionError`] if the experiment cannot be split so.
    pub fn blocks(self, experiment: &Experiment) -> Result<BTreeSet<u32>, PartitionError> {
        let repeats = experiment.timing.repeats;
        if experiment.timing.precision.is_some() {
            return Err(PartitionError::Precision);
        }
        if repeats < self.parts {
            return Err(PartitionError::TooFewBlocks { parts: self.parts, repeats });
        }
        let mut weighed = weigh(experiment);
        weighed.sort_by(|(a, a_s), (b, b_s)| b_s.total_cmp(a_s).then(a.cmp(b)));
        let mut parts: Vec<(BTreeSet<u32>, f64)> = vec![(BTreeSet::new(), 0.0); self.parts as usize];
        for (block, cost_s) in weighed {
            let lightest =
                parts.iter_mut().min_by(|(a, a_s), (b, b_s)| a.len().cmp(&b.len()).then(a_s.total_cmp(b_s)));
            if let Some((blocks, total_s)) = lightest {
                blocks.insert(block);
                *total_s += cost_s;
            }
        }
        Ok(parts.swap_remove(self.part as usize - 1).0)
    }
}

/// Every block with its expected time, s.
fn weigh(experiment: &Experiment) -> Vec<(u32, f64)> {
    let accel = if experiment.host.accel == AccelChoice::Tcg { Accel::Tcg } else { Accel::Kvm };
    let Plan { trials, .. } = plan_blocks(experiment, accel, CPUS, |_| true);
    let per_block = trials.chunks(experiment.configurations.len().max(1));
    per_block
        .map(|block| (block[0].repeat, block.iter().map(|trial| trial.estimate.total_s()).sum()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::plan::fixture::{configuration, experiment};
    use crate::profile::{Idle, Order, Precision, Reprovision};

    fn part(text: &str) -> Partition {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_not_a_part_of_a_whole_is_refused_and_named() {
        for text in ["0/5", "6/5", "2", "2/", "/5", "a/b", "-1/5", "1/0"] {
            let error = text.parse::<Partition>().unwrap_err().to_string();
            assert!(error.contains(&format!("got `{text}`")), "{error}");
        }
    }

    #[test]
    fn more_parts_than_blocks_are_refused_with_both_numbers() {
        let wanted = experiment(vec![configuration("virtio", 1)], Order::Random, Idle::Pause, 3);
        let error = part("1/4").blocks(&wanted).unwrap_err().to_string();
        assert!(error.contains("4 partitions need at least 4 repeats") && error.contains("has 3"), "{error}");
        let mut precise = wanted;
        precise.timing.precision = Some(Precision { half_width_percent: 3.0, max_repeats: 9 });
        assert_eq!(part("1/2").blocks(&precise), Err(PartitionError::Precision));
    }

    #[test]
    fn the_trials_of_a_part_keep_their_numbers_and_start_without_guests() {
        let configurations = vec![configuration("virtio", 2), configuration("virtio", 1)];
        let wanted = experiment(configurations, Order::Random, Idle::Pause, 4);
        let whole = plan_blocks(&wanted, Accel::Kvm, 2, |_| true);
        let own = plan_blocks(&wanted, Accel::Kvm, 2, |block| block == 3);
        let names = |plan: &Plan| {
            plan.trials.iter().map(|t| (t.trial, t.repeat, t.configuration.id())).collect::<Vec<_>>()
        };
        assert_eq!(names(&own), names(&whole)[4..6]);
        assert!(!own.trials[0].transition.boot.is_empty());
    }

    fn reprovision() -> impl Strategy<Value = Reprovision> {
        prop_oneof![Just(Reprovision::Never), Just(Reprovision::Block), Just(Reprovision::Trial)]
    }

    proptest! {
        #[test]
        fn every_block_is_in_one_part_and_parts_of_equal_numbers_take_equal_times(
            seed: u64, parts in 1u32..8, each in 1u32..5, beyond in 0u32..8, reprovision in reprovision(),
        ) {
            let all: Vec<_> = ["virtio", "e1000"].iter().flat_map(|b| [1, 2, 4].map(|n| configuration(b, n))).collect();
            let repeats = parts * each + beyond % parts;
            let wanted = experiment(all, Order::Random, Idle::Pause, repeats);
            let mut wanted = Experiment { seed, reprovision, ..wanted };
            // A profile's defaults: what booting in another order costs is little beside the load.
            (wanted.timing.warmup, wanted.timing.window) = (Duration::from_secs(5), Duration::from_secs(30));
            let blocks: Vec<BTreeSet<u32>> =
                (1..=parts).map(|n| part(&format!("{n}/{parts}")).blocks(&wanted).unwrap()).collect();
            let mut union: Vec<u32> = blocks.iter().flatten().copied().collect();
            union.sort_unstable();
            prop_assert_eq!(union, (1..=repeats).collect::<Vec<_>>());
            let sizes: Vec<usize> = blocks.iter().map(BTreeSet::len).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            if repeats % parts == 0 {
                let time = |own: &BTreeSet<u32>| plan_blocks(&wanted, Accel::Kvm, 8, |block| own.contains(&block)).total_s;
                let times: Vec<f64> = blocks.iter().map(time).collect();
                let mean = times.iter().sum::<f64>() / f64::from(parts);
                let longest = times.iter().copied().fold(0.0, f64::max);
                prop_assert!(longest <= 1.05 * mean, "{longest} s against {mean} s");
            }
        }
    }
}
