//! One configuration's figures by block, and two configurations against each other in the blocks that both have.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{MeasuredValue, Metric};
use crate::stats::{Block, BlockDifference, Observation, means_of_boots};

/// How often something was measured: blocks, and the boots of the guests behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Replication {
    /// Blocks.
    pub blocks: usize,
    /// Boots in these blocks, of the level that had fewer; the unit of intervals and tests where there are several.
    pub boots: usize,
}

impl Replication {
    /// Whether blocks are the units because all share one boot: what is shown may be that boot's luck.
    pub fn is_within_one_boot(self) -> bool {
        self.boots == 1 && self.blocks > 1
    }

    /// What intervals and tests count, and its name: boots where several blocks share one, else blocks.
    pub(super) fn units(self) -> (usize, &'static str) {
        if self.boots > 1 && self.boots < self.blocks { (self.boots, "boot") } else { (self.blocks, "block") }
    }
}

/// The trials of one configuration in each block, on the metric's scale.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Blocks(BTreeMap<u32, Vec<Observation>>);

impl Blocks {
    /// Those of a configuration, by its id.
    pub fn gather(configuration: &str, metric: &Metric, values: &[MeasuredValue]) -> Blocks {
        let mut blocks = Blocks::default();
        let own = |value: &&MeasuredValue| value.configuration == configuration && value.metric == metric.key;
        for value in values.iter().filter(own) {
            let Some(on_scale) = metric.on_scale(value.value) else { continue };
            blocks.0.entry(value.block).or_default().push(Observation { boot: value.boot, value: on_scale });
        }
        blocks
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The same with their boots.
    pub fn replication(&self) -> Replication {
        Replication { blocks: self.count(), boots: means_of_boots(&self.observations()).len() }
    }

    /// All trials.
    pub fn observations(&self) -> Vec<Observation> {
        self.0.values().flatten().copied().collect()
    }

    /// Mean of the boots' means; below everything without trials.
    pub fn mean(&self) -> f64 {
        let boots = means_of_boots(&self.observations());
        if boots.is_empty() { f64::NEG_INFINITY } else { boots.iter().sum::<f64>() / boots.len() as f64 }
    }

    /// `new` against these in the blocks that both have; `None` without any.
    pub fn against(&self, new: &Blocks) -> Option<BlockDifference> {
        let both = |(block, base): (&u32, &Vec<Observation>)| {
            Some(Block { base: base.clone(), new: new.0.get(block)?.clone() })
        };
        BlockDifference::from_blocks(&self.0.iter().filter_map(both).collect::<Vec<_>>())
    }
}
