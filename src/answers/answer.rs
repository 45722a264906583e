//! Two levels of a factor against each other, inside one run: in the same block, so that what a block does to both takes no part.

use serde::Serialize;

use super::blocks::{Blocks, Replication};
use super::{Measure, MeasuredValue, Metric};
use crate::stats::{BlockDifference, Difference, holm, smallest_visible};

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
    /// Blocks in which both were measured, and their boots.
    pub replication: Replication,
    /// New ÷ base, or new − base in points.
    pub change: f64,
    /// 95 % interval of `change`; undefined for one block.
    pub interval: Option<(f64, f64)>,
    /// Probability of such a difference, or a larger one, in any answer of the family if there is none: Holm's correction.
    pub p: f64,
    /// Blocks, with boots of their own unless it is within one boot, after which a difference of 10 % or 10 points would be found in
    /// 90 %; `None`: unknown, or more than 200.
    pub blocks_for_ten: Option<usize>,
}

impl Answer {
    /// Whether the levels differ beyond noise.
    pub fn is_shown(&self) -> bool {
        self.p < LEVEL
    }
}

/// Every pair and metric with common blocks, in the order of `pairs` and then of `metrics`: one family.
pub fn answer(metrics: &[Metric], pairs: &[LevelPair], values: &[MeasuredValue]) -> Vec<Answer> {
    let all = pairs.iter().flat_map(|pair| metrics.iter().map(move |metric| (pair, metric)));
    let against = |pair: &LevelPair, metric: &Metric| {
        let blocks = |configuration: &str| Blocks::gather(configuration, metric, values);
        blocks(&pair.base.1).against(&blocks(&pair.new.1))
    };
    let compared: Vec<(&LevelPair, &Metric, BlockDifference)> =
        all.filter_map(|(pair, metric)| Some((pair, metric, against(pair, metric)?))).collect();
    let p_value = |found: &BlockDifference| found.difference.map_or(1.0, |known| known.p_two_sided());
    let p_values: Vec<f64> = compared.iter().map(|(.., found)| p_value(found)).collect();
    let family = compared.len();
    let answers = compared.iter().zip(holm(&p_values));
    answers.map(|((pair, metric, found), p)| one_answer(pair, metric, found, p, family)).collect()
}

/// With its p corrected for a family of so many.
fn one_answer(pair: &LevelPair, metric: &Metric, found: &BlockDifference, p: f64, family: usize) -> Answer {
    let interval = found.difference.map(|difference| difference.interval(0.95));
    Answer {
        pair: pair.clone(),
        metric: metric.clone(),
        replication: Replication { blocks: found.blocks, boots: found.boots },
        change: metric.off_scale(found.estimate),
        interval: interval.map(|(low, high)| (metric.off_scale(low), metric.off_scale(high))),
        p,
        blocks_for_ten: found.difference.and_then(|difference| blocks_for_ten(metric, &difference, family)),
    }
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

    fn values(id: &str, factor: f64) -> Vec<MeasuredValue> {
        // Blocks differ by much more than the levels.
        let blocks = [1000.0, 700.0, 1500.0, 900.0, 1200.0];
        let wiggle = [1.0, 1.01, 0.99, 1.005, 0.995];
        let value = |(block, level): (u32, &f64)| MeasuredValue {
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
    fn blocks_of_one_boot_are_compared_and_marked() {
        let one_boot = |value: MeasuredValue| MeasuredValue { boot: 7, ..value };
        let new: Vec<MeasuredValue> = values("b", 1.1).into_iter().map(one_boot).collect();
        let found = &answer(&[rate()], &[pair()], &[values("a", 1.0), new].concat())[0];
        assert_eq!(found.replication, Replication { blocks: 5, boots: 1 });
        assert!(found.to_string().contains("5 blocks within one boot"), "{found}");
    }

    #[test]
    fn levels_are_compared_within_their_block() {
        let values = [values("a", 1.0), values("b", 1.1)].concat();
        let found = &answer(&[rate()], &[pair()], &values)[0];
        assert!(found.is_shown() && (found.change - 1.1).abs() < 0.01, "{found:?}");
        assert_eq!(found.replication, Replication { blocks: 5, boots: 5 });
    }

    #[test]
    fn equal_levels_show_no_difference_and_how_many_blocks_ten_percent_would_need() {
        let values = [values("a", 1.0), values("b", 1.0)].concat();
        let found = &answer(&[rate()], &[pair()], &values)[0];
        assert!(!found.is_shown() && found.blocks_for_ten.is_some_and(|blocks| blocks < 5), "{found:?}");
    }

    #[test]
    fn levels_without_a_common_block_have_no_answer() {
        let later =
            values("b", 1.0).into_iter().map(|value| MeasuredValue { block: value.block + 9, ..value });
        let values: Vec<MeasuredValue> = values("a", 1.0).into_iter().chain(later).collect();
        assert_eq!(answer(&[rate()], &[pair()], &values), []);
    }
}
