//! Findings over the levels of one factor, such as numbers of guests: how far a total rises, and where guests drift apart.

use super::blocks::Blocks;
use super::{LastLevel, MeasuredValue, Metric, Replication, Rise, RunFinding, SeriesLevel};
use crate::stats::{Difference, Estimate, Observation, Scale, means_of_boots};

/// Level of a series.
const LEVEL: f64 = 0.05;
/// Fewest blocks of a series that is judged.
const FEWEST_BLOCKS: usize = 3;
/// Points of rate bias beyond noise that matter to people who share a NIC.
const SPREADS: [f64; 3] = [30.0, 15.0, 10.0];

/// Levels in common blocks: other − one.
fn difference(one: &Blocks, other: &Blocks) -> Option<Difference> {
    one.against(other).filter(|found| found.blocks >= FEWEST_BLOCKS)?.difference
}

/// Arithmetic mean of the boots' means.
fn mean_of_trials(metric: &Metric, level: &SeriesLevel, values: &[MeasuredValue]) -> Option<f64> {
    let own =
        values.iter().filter(|own| own.configuration == level.configuration && own.metric == metric.key);
    let boots =
        means_of_boots(&own.map(|own| Observation { boot: own.boot, value: own.value }).collect::<Vec<_>>());
    (!boots.is_empty()).then(|| boots.iter().sum::<f64>() / boots.len() as f64)
}

/// How far the total of a series rises; `bare_metal` is the mean without guests, and `family` the number of comparisons that the run
/// answers. `None` where no level beside the best can be judged.
///
/// The best level is chosen by the data, and readers hold this against the answers beside it: p is two-sided and corrected for the
/// whole family (Bonferroni), so that no level is below the best here and "no difference shown" there.
pub fn find_rise(
    series: &str,
    levels: &[SeriesLevel],
    metric: &Metric,
    values: &[MeasuredValue],
    bare_metal: Option<f64>,
    family: usize,
) -> Option<RunFinding> {
    let all: Vec<Blocks> =
        levels.iter().map(|level| Blocks::gather(&level.configuration, metric, values)).collect();
    let measured: Vec<usize> = (0..levels.len()).filter(|at| all[*at].count() >= FEWEST_BLOCKS).collect();
    let best = *measured.iter().max_by(|a, b| all[**a].mean().total_cmp(&all[**b].mean()))?;
    let others: Vec<usize> = measured.iter().copied().filter(|at| *at != best).collect();
    if others.is_empty() {
        return None;
    }
    let family = family.max(others.len()) as f64;
    let p = |at: &usize| difference(&all[best], &all[*at]).map_or(1.0, |found| found.p_two_sided());
    let is_equal = |at: &usize| *at == best || family * p(at) >= LEVEL;
    let first = measured.iter().copied().find(is_equal)?;
    let last = measured.last().copied().filter(|last| *last != first);
    let last = last.and_then(|last| {
        let found = difference(&all[first], &all[last])?;
        let (low, high) = found.interval(0.95);
        let ends = (metric.off_scale(low), metric.off_scale(high));
        let falls = found.estimate < 0.0 && family * found.p_two_sided() < LEVEL;
        Some(LastLevel { level: levels[last].clone(), ratio: metric.off_scale(found.estimate), ends, falls })
    });
    let on_scale = metric.off_scale(all[first].mean()); // of ratios, as bare metal's
    let mean = mean_of_trials(metric, &levels[first], values)?;
    Some(RunFinding::Rise(Rise {
        series: series.to_owned(),
        metric: metric.clone(),
        is_first: Some(&first) == measured.first(),
        level: levels[first].clone(),
        mean,
        share_of_bare_metal: bare_metal.filter(|bare| *bare > 0.0).map(|bare| on_scale / bare),
        last,
        replication: all[first].replication(),
    }))
}

/// A level with enough blocks to be judged: its mean over boots with 95 % interval.
#[derive(Clone, Copy)]
struct JudgedLevel<'l> {
    level: &'l SeriesLevel,
    mean: f64,
    interval: (f64, f64),
    replication: Replication,
}

impl JudgedLevel<'_> {
    fn gather<'l>(
        level: &'l SeriesLevel,
        metric: &Metric,
        values: &[MeasuredValue],
    ) -> Option<JudgedLevel<'l>> {
        let own = Blocks::gather(&level.configuration, metric, values);
        let Estimate { mean, low_high, .. } =
            Estimate::from_observations(&own.observations(), Scale::Linear)?;
        let replication = own.replication();
        let interval = low_high.filter(|_| replication.blocks >= FEWEST_BLOCKS)?;
        Some(JudgedLevel { level, mean, interval, replication })
    }
}

/// From which of several levels on the spread beyond noise is above 10, 15 and 30 points; a level is named once, with the largest
/// bound.
pub fn find_spread(
    series: &str,
    levels: &[SeriesLevel],
    metric: &Metric,
    values: &[MeasuredValue],
) -> Vec<RunFinding> {
    let known: Vec<JudgedLevel> =
        levels.iter().filter_map(|level| JudgedLevel::gather(level, metric, values)).collect();
    if known.len() < 2 {
        return Vec::new();
    }
    let mut found: Vec<RunFinding> = Vec::new();
    let mut named = known.len();
    for bound in SPREADS {
        let from = known.iter().rposition(|known| known.interval.0 <= bound).map_or(0, |last| last + 1);
        if from >= named {
            continue;
        }
        named = from;
        let JudgedLevel { level, mean, interval, replication } = known[from];
        found.push(RunFinding::Spread {
            series: series.to_owned(),
            bound,
            level: level.clone(),
            mean,
            interval,
            replication,
        });
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::input::rate;
    use crate::answers::{Direction, Measure};

    fn levels(names: &[&str]) -> Vec<SeriesLevel> {
        let level =
            |name: &&str| SeriesLevel { label: format!("{name} guests"), configuration: (*name).to_owned() };
        names.iter().map(level).collect()
    }

    fn values(metric: &Metric, means: &[(&str, f64)], wiggle: f64) -> Vec<MeasuredValue> {
        let of_level = |(id, mean): &(&str, f64)| {
            let (id, mean, key) = ((*id).to_owned(), *mean, metric.key.clone());
            let value = move |block: u32| MeasuredValue {
                configuration: id.clone(),
                metric: key.clone(),
                block,
                boot: block,
                value: mean * (1.0 + wiggle * f64::from((block * 7 + mean as u32) % 5) - 2.0 * wiggle),
            };
            (1..=5).map(value).collect::<Vec<_>>()
        };
        means.iter().flat_map(of_level).collect()
    }

    #[test]
    fn a_total_rises_up_to_the_first_level_that_is_not_shown_below_the_best() {
        let all = values(&rate(), &[("1", 100.0), ("2", 180.0), ("4", 300.0), ("8", 301.0)], 0.02);
        let found =
            find_rise("virtio", &levels(&["1", "2", "4", "8"]), &rate(), &all, Some(400.0), 3).unwrap();
        let RunFinding::Rise(Rise { level, share_of_bare_metal, last, replication, .. }) = &found else {
            panic!("{found:?}")
        };
        assert_eq!((level.label.as_str(), replication.blocks), ("4 guests", 5));
        assert!((share_of_bare_metal.unwrap() - 0.75).abs() < 0.02);
        assert_eq!(last.as_ref().unwrap().level.label, "8 guests");
        assert!(found.to_string().starts_with("virtio: total rate rises up to 4 guests: 300"), "{found}");
        assert!(
            found.to_string().contains("75 % of bare metal; no further rise shown up to 8 guests"),
            "{found}"
        );
    }

    #[test]
    fn a_total_that_falls_afterwards_is_described_so_and_one_that_rises_to_the_end_too() {
        let falling = values(&rate(), &[("1", 100.0), ("2", 300.0), ("4", 200.0)], 0.01);
        let found = find_rise("", &levels(&["1", "2", "4"]), &rate(), &falling, None, 2).unwrap().to_string();
        assert!(
            found.starts_with("total rate rises up to 2 guests: 300") && found.contains("falls to 0.6"),
            "{found}"
        );
        let rising = values(&rate(), &[("1", 100.0), ("2", 200.0)], 0.01);
        let found = find_rise("", &levels(&["1", "2"]), &rate(), &rising, None, 1).unwrap().to_string();
        assert!(found.contains("rises up to 2 guests, the last level"), "{found}");
    }

    #[test]
    fn a_rise_or_a_fall_that_the_answers_beside_it_do_not_show_is_not_stated() {
        let noisy = values(&rate(), &[("1", 100.0), ("2", 128.0)], 0.06);
        let found = |family| find_rise("", &levels(&["1", "2"]), &rate(), &noisy, None, family).unwrap();
        assert!(found(1).to_string().contains("rises up to 2 guests"), "{}", found(1));
        let text = found(1000).to_string();
        assert!(text.starts_with("no rise of total rate shown from 1 guests (100"), "{text}");

        let peak = values(&rate(), &[("1", 100.0), ("2", 300.0), ("4", 228.0)], 0.06);
        let found = |family| find_rise("", &levels(&["1", "2", "4"]), &rate(), &peak, None, family).unwrap();
        assert!(found(2).to_string().contains("falls to 0.76"), "{}", found(2));
        assert!(found(200).to_string().contains("no further rise shown up to 4 guests"), "{}", found(200));
    }

    #[test]
    fn single_blocks_find_nothing() {
        let all: Vec<MeasuredValue> = values(&rate(), &[("1", 100.0), ("2", 200.0)], 0.0);
        let first: Vec<MeasuredValue> = all.into_iter().filter(|value| value.block == 1).collect();
        assert_eq!(find_rise("", &levels(&["1", "2"]), &rate(), &first, None, 1), None);
        assert_eq!(find_spread("", &levels(&["1", "2"]), &rate(), &first), []);
    }

    #[test]
    fn the_spread_is_named_from_the_level_on_that_stays_above_a_bound() {
        let points = Metric { measure: Measure::Points, direction: Direction::Lower, ..rate() };
        let all = values(&points, &[("2", 1.0), ("4", 12.0), ("8", 13.0), ("16", 40.0)], 0.01);
        let found = find_spread("virtio", &levels(&["2", "4", "8", "16"]), &points, &all);
        let text: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(text.len(), 2, "{text:?}");
        assert!(
            text[0].starts_with("virtio: spread beyond noise exceeds 10 points from 4 guests on (12, "),
            "{text:?}"
        );
        assert!(
            text[1].starts_with("virtio: spread beyond noise exceeds 30 points from 16 guests on (40, "),
            "{text:?}"
        );
        let single = values(&points, &[("2", 40.0), ("4", 1.0)], 0.01);
        assert_eq!(find_spread("", &levels(&["2", "4"]), &points, &single), [], "it does not stay there");
    }
}
