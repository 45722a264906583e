//! Two levels of a factor against each other, inside one run: in the same block, so that what a block does to both takes no part.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Measure, Metric, Value};
use crate::stats::{Difference, holm, smallest_visible};

/// Level of the family.
const LEVEL: f64 = 0.05;
/// The difference that people ask for: 10 % or 10 points.
const OF_INTEREST: f64 = 10.0;
/// Chance with which it is to be found.
const POWER: f64 = 0.9;
/// More blocks than anybody would wait for.
const MOST_BLOCKS: usize = 200;

/// Two configurations that differ in one factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LevelPair {
    /// The factor: `backend`.
    pub factor: String,
    /// The level compared with: `e1000`, and the id of its configuration.
    pub base: (String, String),
    /// The level that is described: `vhost-net`, and the id of its configuration.
    pub new: (String, String),
    /// What is the same in both, for people: `4 guests`; empty if nothing else is swept.
    pub context: String,
}

/// What a factor does to one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The levels.
    pub pair: LevelPair,
    /// The figure.
    pub metric: Metric,
    /// Blocks in which both were measured.
    pub blocks: usize,
    /// Boots of the guests in these blocks, of the level that had fewer. Where they are fewer than the blocks, the luck of a boot is
    /// in the difference and not in its interval.
    pub boots: usize,
    /// New ÷ base, or new − base in points.
    pub change: f64,
    /// 95 % interval of `change`; undefined for one block.
    pub interval: Option<(f64, f64)>,
    /// Probability of such a difference, or a larger one, in any answer of the family if there is none: Holm's correction.
    pub p: f64,
    /// Blocks after which a difference of 10 % or 10 points would be found in 90 %; `None`: unknown, or more than 200.
    pub blocks_for_ten: Option<usize>,
}

impl Answer {
    /// Whether the levels differ beyond noise.
    pub fn is_shown(&self) -> bool {
        self.p < LEVEL
    }
}

/// Every pair and metric with common blocks, in the order of `pairs` and then of `metrics`: one family.
pub fn answer(metrics: &[Metric], pairs: &[LevelPair], values: &[Value]) -> Vec<Answer> {
    let all = pairs.iter().flat_map(|pair| metrics.iter().map(move |metric| (pair, metric)));
    let compared: Vec<Compared> =
        all.filter_map(|(pair, metric)| Compared::in_common_blocks(pair, metric, values)).collect();
    let p_values: Vec<f64> = compared
        .iter()
        .map(|one| one.difference.map_or(1.0, |difference| difference.p_two_sided()))
        .collect();
    let answers = compared.iter().zip(holm(&p_values)).map(|(one, p)| one.answer(p, compared.len()));
    answers.collect()
}

/// Two levels, compared in one metric over their common blocks.
struct Compared<'a> {
    pair: &'a LevelPair,
    metric: &'a Metric,
    /// (base, new) of each block, on the metric's scale.
    blocks: Vec<(f64, f64)>,
    boots: usize,
    difference: Option<Difference>,
}

impl<'a> Compared<'a> {
    /// `None` if no block has both.
    fn in_common_blocks(pair: &'a LevelPair, metric: &'a Metric, values: &[Value]) -> Option<Compared<'a>> {
        let (base, new) = (levels(&pair.base.1, metric, values), levels(&pair.new.1, metric, values));
        let common: Vec<(&BlockMean, &BlockMean)> =
            base.iter().filter_map(|(block, base)| Some((base, new.get(block)?))).collect();
        let blocks: Vec<(f64, f64)> = common.iter().map(|(base, new)| (base.mean(), new.mean())).collect();
        let distinct =
            |boots: Vec<&BTreeSet<u32>>| boots.into_iter().flatten().collect::<BTreeSet<_>>().len();
        let boots = distinct(common.iter().map(|(base, _)| &base.boots).collect())
            .min(distinct(common.iter().map(|(_, new)| &new.boots).collect()));
        let difference = Difference::paired(&blocks);
        (!blocks.is_empty()).then_some(Compared { pair, metric, blocks, boots, difference })
    }

    /// The answer, with its p corrected for a family of so many.
    fn answer(&self, p: f64, family: usize) -> Answer {
        let Compared { pair, metric, blocks, boots, difference } = self;
        let mean = blocks.iter().map(|(base, new)| new - base).sum::<f64>() / blocks.len() as f64;
        let interval = difference.map(|difference| difference.interval(0.95));
        Answer {
            pair: (*pair).clone(),
            metric: (*metric).clone(),
            blocks: blocks.len(),
            boots: *boots,
            change: metric.off_scale(mean),
            interval: interval.map(|(low, high)| (metric.off_scale(low), metric.off_scale(high))),
            p,
            blocks_for_ten: difference.and_then(|difference| blocks_for_ten(metric, &difference, family)),
        }
    }
}

/// What one configuration had in a block.
#[derive(Default)]
struct BlockMean {
    sum: f64,
    n: f64,
    boots: BTreeSet<u32>,
}

impl BlockMean {
    fn mean(&self) -> f64 {
        self.sum / self.n
    }
}

/// One configuration's figure in each block, on the metric's scale.
fn levels(configuration: &str, metric: &Metric, values: &[Value]) -> BTreeMap<u32, BlockMean> {
    let mut blocks: BTreeMap<u32, BlockMean> = BTreeMap::new();
    let own = |value: &&Value| value.configuration == configuration && value.metric == metric.key;
    for value in values.iter().filter(own) {
        let Some(on_scale) = metric.on_scale(value.value) else { continue };
        let block = blocks.entry(value.block).or_default();
        (block.sum, block.n) = (block.sum + on_scale, block.n + 1.0);
        block.boots.insert(value.boot);
    }
    blocks
}

fn blocks_for_ten(metric: &Metric, difference: &Difference, family: usize) -> Option<usize> {
    let wanted = if metric.measure == Measure::Ratio { (OF_INTEREST / 100.0).ln_1p() } else { OF_INTEREST };
    let deviation = difference.error * (difference.n as f64).sqrt();
    let level = LEVEL / 2.0 / family as f64;
    let is_enough = |blocks: &usize| {
        let seen = smallest_visible(deviation / (*blocks as f64).sqrt(), *blocks as f64 - 1.0, level, POWER);
        seen.is_some_and(|seen| seen <= wanted)
    };
    (2..=MOST_BLOCKS).find(is_enough)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::input::rate;

    fn values(id: &str, factor: f64) -> Vec<Value> {
        // Blocks differ by much more than the levels.
        let blocks = [1000.0, 700.0, 1500.0, 900.0, 1200.0];
        let wiggle = [1.0, 1.01, 0.99, 1.005, 0.995];
        let value = |(block, level): (u32, &f64)| Value {
            configuration: id.to_owned(),
            metric: "total_rate_tps".to_owned(),
            block,
            boot: block,
            value: factor * level * if id == "b" { wiggle[block as usize] } else { 1.0 },
        };
        (0..).zip(&blocks).map(value).collect()
    }

    fn pair() -> LevelPair {
        let level = |name: &str, id: &str| (name.to_owned(), id.to_owned());
        LevelPair {
            factor: "backend".to_owned(),
            base: level("e1000", "a"),
            new: level("vhost-net", "b"),
            context: "4 guests".to_owned(),
        }
    }

    #[test]
    fn blocks_that_share_a_boot_are_counted_as_blocks_and_as_one_boot() {
        let one_boot = |value: Value| Value { boot: 7, ..value };
        let new: Vec<Value> = values("b", 1.1).into_iter().map(one_boot).collect();
        let found = &answer(&[rate()], &[pair()], &[values("a", 1.0), new].concat())[0];
        assert_eq!((found.blocks, found.boots), (5, 1));
        assert!(found.to_string().contains("5 blocks of 1 boot"), "{found}");
    }

    #[test]
    fn levels_are_compared_within_their_block() {
        let values = [values("a", 1.0), values("b", 1.1)].concat();
        let found = &answer(&[rate()], &[pair()], &values)[0];
        assert!(found.is_shown() && (found.change - 1.1).abs() < 0.01, "{found:?}");
        assert_eq!(found.blocks, 5);
    }

    #[test]
    fn equal_levels_show_no_difference_and_how_many_blocks_ten_percent_would_need() {
        let values = [values("a", 1.0), values("b", 1.0)].concat();
        let found = &answer(&[rate()], &[pair()], &values)[0];
        assert!(!found.is_shown() && found.blocks_for_ten.is_some_and(|blocks| blocks < 5), "{found:?}");
    }

    #[test]
    fn levels_without_a_common_block_have_no_answer() {
        let later = values("b", 1.0).into_iter().map(|value| Value { block: value.block + 9, ..value });
        let values: Vec<Value> = values("a", 1.0).into_iter().chain(later).collect();
        assert_eq!(answer(&[rate()], &[pair()], &values), []);
    }
}
