//! The difference of two parties that were measured in the same blocks, of which several may share a boot of the guests.
//!
//! Blocks that share a boot share its luck, so that they are no independent repeats: the unit is the boot.

use std::collections::BTreeSet;

use super::Difference;
use super::estimate::{Observation, means_of_boots};
use super::layout::average;

/// What two parties had in one block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Trials of the one that is compared with.
    pub base: Vec<Observation>,
    /// Trials of the one that is described.
    pub new: Vec<Observation>,
}

/// Blocks whose boots are the same, directly or through others.
#[derive(Default)]
struct BootSet {
    boots: BTreeSet<u32>,
    /// (base, new) of each block.
    blocks: Vec<(f64, f64)>,
}

/// How two parties differ, with what is known of its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockDifference {
    /// New − base.
    pub estimate: f64,
    /// The same with its error; `None` for a single unit.
    pub difference: Option<Difference>,
    /// Blocks behind it.
    pub blocks: usize,
    /// Boots of the party that had fewer; with one, blocks are the units, and another boot may differ by more than the error.
    pub boots: usize,
}

impl BlockDifference {
    /// Paired by sets of blocks that have boots of their own. Where no two sets are apart (boots of the one span blocks in which the
    /// other boots), the boots' means are two independent sets (Welch). Where a party had one boot only, blocks are paired. `None`
    /// without blocks.
    pub fn from_blocks(blocks: &[Block]) -> Option<BlockDifference> {
        let sets = boot_sets(blocks);
        let trials = |side: fn(&Block) -> &Vec<Observation>| {
            means_of_boots(&blocks.iter().flat_map(side).copied().collect::<Vec<_>>())
        };
        let (base, new) = (trials(|block| &block.base), trials(|block| &block.new));
        let boots = base.len().min(new.len());
        let pairs: Vec<(f64, f64)> = match (sets.len(), boots) {
            (0, _) | (_, 0) => return None,
            (1, 1) => sets.into_iter().flat_map(|set| set.blocks).collect(),
            _ => sets.iter().map(BootSet::mean).collect(),
        };
        let is_crossed = pairs.len() == 1 && boots > 1;
        let estimate = average(&pairs.iter().map(|(base, new)| new - base).collect::<Vec<_>>());
        Some(BlockDifference {
            estimate: if is_crossed { average(&new) - average(&base) } else { estimate },
            difference: if is_crossed { Difference::welch(&base, &new) } else { Difference::paired(&pairs) },
            blocks: blocks.len(),
            boots,
        })
    }
}

impl BootSet {
    fn of_block(block: &Block) -> BootSet {
        let boots = block.base.iter().chain(&block.new).map(|trial| trial.boot).collect();
        let mean =
            |trials: &[Observation]| average(&trials.iter().map(|trial| trial.value).collect::<Vec<_>>());
        BootSet { boots, blocks: vec![(mean(&block.base), mean(&block.new))] }
    }

    fn join(mut self, other: BootSet) -> BootSet {
        self.boots.extend(other.boots);
        self.blocks.extend(other.blocks);
        self
    }

    fn mean(&self) -> (f64, f64) {
        let (base, new): (Vec<f64>, Vec<f64>) = self.blocks.iter().copied().unzip();
        (average(&base), average(&new))
    }
}

fn boot_sets(blocks: &[Block]) -> Vec<BootSet> {
    blocks.iter().fold(Vec::new(), |sets: Vec<BootSet>, block| {
        let own = BootSet::of_block(block);
        let (mut apart, linked): (Vec<BootSet>, Vec<BootSet>) =
            sets.into_iter().partition(|set| set.boots.is_disjoint(&own.boots));
        apart.push(linked.into_iter().fold(own, BootSet::join));
        apart
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of one trial each: (boot, value) of base and new.
    fn found(blocks: &[[(u32, f64); 2]]) -> BlockDifference {
        let trial = |(boot, value): (u32, f64)| vec![Observation { boot, value }];
        let block = |[base, new]: &[(u32, f64); 2]| Block { base: trial(*base), new: trial(*new) };
        BlockDifference::from_blocks(&blocks.iter().map(block).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn blocks_with_boots_of_their_own_are_paired() {
        let own = found(&[[(1, 10.0), (2, 12.0)], [(3, 20.0), (4, 23.0)], [(5, 30.0), (6, 32.0)]]);
        assert_eq!(own.difference, Difference::paired(&[(10.0, 12.0), (20.0, 23.0), (30.0, 32.0)]));
        assert_eq!(own.boots, 3);
    }

    #[test]
    fn blocks_that_share_a_boot_count_once() {
        let own = found(&[[(1, 10.0), (1, 12.0)], [(1, 20.0), (1, 24.0)], [(2, 30.0), (2, 34.0)]]);
        assert_eq!(own.difference, Difference::paired(&[(15.0, 18.0), (30.0, 34.0)]));
        assert_eq!((own.blocks, own.boots), (3, 2));
    }

    #[test]
    fn boots_that_span_each_others_blocks_are_two_independent_sets() {
        let own = found(&[[(1, 10.0), (2, 12.0)], [(3, 11.0), (2, 14.0)], [(3, 13.0), (4, 15.0)]]);
        assert_eq!(own.difference, Difference::welch(&[10.0, 12.0], &[13.0, 15.0]));
        assert_eq!((own.estimate, own.boots), (3.0, 2));
    }

    #[test]
    fn blocks_of_one_boot_are_paired_and_have_one_boot() {
        let own = found(&[[(1, 10.0), (2, 12.0)], [(1, 20.0), (3, 23.0)], [(1, 30.0), (4, 32.0)]]);
        assert_eq!((own.boots, own.difference.map(|difference| difference.n)), (1, Some(3)));
        assert_eq!(BlockDifference::from_blocks(&[]), None);
    }
}
