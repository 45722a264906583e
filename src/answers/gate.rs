//! A gate: which metrics are judged, by what schedule, and what comes out of it over several analyses.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::baseline::Baseline;
use super::{Analysis, Comparison, Direction, Measure, Metric, Power, Verdict};
use crate::factor::fault::nearest;
use crate::figures::{self, Better};
use crate::profile::{Gate, GatedMetric};
use crate::stats::{Observation, Summary, means_of_boots};

/// Columns that flatter, or grow with the number of guests, with what to use in their place.
const UNFIT: [(&str, &str); 4] = [
    ("jain_rate", "Jain's index of a whole window flatters; use excess_bias_rate_points"),
    ("bias_rate_percent", "it grows with the number of guests; use excess_bias_rate_points"),
    ("bias_latency_percent", "it grows with the number of guests; use excess_bias_rate_points"),
    ("bias_cpu_percent", "it grows with the number of guests; use excess_bias_rate_points"),
];

/// A metric that is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedMetric {
    /// The figure.
    pub metric: Metric,
    /// How it is computed.
    pub figure: figures::Metric,
    /// Smallest worsening that matters: a part such as 0.05 for ratios, else in the metric's unit.
    pub threshold: f64,
}

/// A metric of `[gate]` that cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfitMetric {
    /// The column, as written.
    pub column: String,
    /// Why, and what to write in its place.
    pub hint: String,
}

/// The metrics that a gate judges; those that `compare` compares where the profile names none.
///
/// # Errors
/// [`UnfitMetric`] for the first column that is unknown or cannot be judged.
pub fn judged_metrics(gate: &Gate) -> Result<Vec<JudgedMetric>, UnfitMetric> {
    let threshold = |measure| match measure {
        Measure::Ratio => gate.threshold_percent / 100.0,
        Measure::Points => gate.threshold_points,
    };
    if gate.metrics.is_empty() {
        let all = super::figures::compared().into_iter();
        return Ok(all
            .map(|(figure, metric)| JudgedMetric { threshold: threshold(metric.measure), figure, metric })
            .collect());
    }
    let judged = |written: &GatedMetric| {
        let (figure, metric) = metric(written)?;
        let own =
            written.threshold.map(|own| if metric.measure == Measure::Ratio { own / 100.0 } else { own });
        Ok(JudgedMetric { threshold: own.unwrap_or(threshold(metric.measure)), figure, metric })
    };
    gate.metrics.iter().map(judged).collect()
}

fn metric(written: &GatedMetric) -> Result<(figures::Metric, Metric), UnfitMetric> {
    let unfit = |hint: String| UnfitMetric { column: written.column.clone(), hint };
    if let Some((_, why)) = UNFIT.iter().find(|(column, _)| *column == written.column) {
        return Err(unfit((*why).to_owned()));
    }
    let figure = figures::Metric::ALL.into_iter().find(|metric| metric.column() == written.column);
    let Some(figure) = figure else {
        let hint = match nearest(&written.column, figures::Metric::ALL.iter().map(|metric| metric.column())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "columns.csv of a run lists the columns of trials.csv".to_owned(),
        };
        return Err(unfit(hint));
    };
    let direction = match (written.higher_is_better, figure.better()) {
        (Some(true), _) | (None, Better::Higher) => Direction::Higher,
        (Some(false), _) | (None, Better::Lower) => Direction::Lower,
        (None, Better::Neither) => {
            let column = &written.column;
            return Err(unfit(format!(
                "it has no better side; write \"{column} lower\" or \"{column} higher\""
            )));
        }
    };
    Ok((figure, Metric { direction, ..super::figures::metric(figure, measure(figure)) }))
}

/// Shares, points, stalls and indices are compared as differences: their zero means something.
fn measure(figure: figures::Metric) -> Measure {
    if ["%", "points", "s", ""].contains(&figure.unit()) { Measure::Points } else { Measure::Ratio }
}

/// How a gate ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GateOutcome {
    /// Nothing is worse, and everything was decided.
    Pass,
    /// Something is worse by more than its threshold.
    Worse,
    /// The data allow both for something.
    Inconclusive,
}

/// What has been decided so far. A verdict stays once it is found: α is spent on it.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    comparisons: Vec<Comparison>,
}

impl Judgement {
    /// Takes in the comparisons of one more analysis.
    pub fn update(&mut self, compared: Vec<Comparison>) {
        let is_same = |one: &Comparison, other: &Comparison| {
            one.configuration == other.configuration && one.metric.key == other.metric.key
        };
        let settled = |new: Comparison| {
            let known = self.comparisons.iter().find(|known| is_same(known, &new));
            known.filter(|known| known.verdict != Verdict::Inconclusive).cloned().unwrap_or(new)
        };
        self.comparisons = compared.into_iter().map(settled).collect();
    }

    /// Every comparison with its verdict.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }

    /// Ids of the configurations in which something is undecided.
    pub fn undecided(&self) -> BTreeSet<String> {
        let all = self.comparisons.iter().filter(|one| one.verdict == Verdict::Inconclusive);
        all.map(|one| one.configuration.clone()).collect()
    }

    /// How the gate ends if nothing more is measured. Nothing compared is nothing decided.
    pub fn outcome(&self) -> GateOutcome {
        let has = |verdict| self.comparisons.iter().any(|one| one.verdict == verdict);
        match () {
            () if has(Verdict::Worse) => GateOutcome::Worse,
            () if has(Verdict::Inconclusive) || self.comparisons.is_empty() => GateOutcome::Inconclusive,
            () => GateOutcome::Pass,
        }
    }
}

/// What a gate can see of one metric: the configuration in which it sees least.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VisibleChange {
    /// The metric.
    pub metric: Metric,
    /// Id of the configuration with the largest smallest change.
    pub configuration: String,
    /// Smallest worsening that is found in 90 %: per cent of the baseline, or in the metric's unit.
    pub smallest: f64,
    /// Smallest worsening that matters, in the same unit.
    pub threshold: f64,
    /// Whether noise hides changes of the threshold's size.
    pub is_blind_to_threshold: bool,
    /// Blocks on each side that would see it; `None`: more than 200.
    pub blocks_for_threshold: Option<usize>,
}

/// The power of a gate, by metric, before it measures: from the baseline's own variance between boots.
pub fn visible_changes(
    baseline: &Baseline,
    judged: &[JudgedMetric],
    today: jiff::civil::Date,
    last: Analysis,
) -> Vec<VisibleChange> {
    let of_pair = |metric: &JudgedMetric, id: &str| {
        let values = baseline.values(std::slice::from_ref(&metric.metric), today);
        let own = values.iter().filter(|value| value.configuration == id);
        let on_scale = |value: &super::MeasuredValue| {
            let on_scale = metric.metric.on_scale(value.value)?;
            Some(Observation { boot: value.boot, value: on_scale })
        };
        let boots = means_of_boots(&own.filter_map(on_scale).collect::<Vec<_>>());
        let deviation = Summary::from_values(&boots)?.sd?;
        Some((boots.len(), deviation.powi(2)))
    };
    let ids: Vec<&str> = baseline.configurations.iter().map(|own| own.configuration.as_str()).collect();
    let pairs: Vec<(&JudgedMetric, &str, usize, f64)> = judged
        .iter()
        .flat_map(|metric| ids.iter().map(move |id| (metric, *id)))
        .filter_map(|(metric, id)| of_pair(metric, id).map(|(boots, variance)| (metric, id, boots, variance)))
        .collect();
    let visible = |(metric, id, boots, variance): &(&JudgedMetric, &str, usize, f64)| {
        let threshold = metric.metric.worsening(metric.threshold);
        let power = Power::before_run(*variance, *boots, pairs.len(), threshold, last)?;
        Some(VisibleChange {
            configuration: (*id).to_owned(),
            smallest: metric.metric.in_percent_or_unit(power.smallest),
            threshold: metric.metric.in_percent_or_unit(threshold),
            is_blind_to_threshold: power.is_limited_by_noise,
            blocks_for_threshold: power.blocks_for_threshold,
            metric: metric.metric.clone(),
        })
    };
    let all: Vec<VisibleChange> = pairs.iter().filter_map(visible).collect();
    let least = |metric: &JudgedMetric| {
        let own = all.iter().filter(|one| one.metric.key == metric.metric.key);
        own.max_by(|a, b| a.smallest.total_cmp(&b.smallest)).cloned()
    };
    judged.iter().filter_map(least).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::baseline::baseline_of_rates;
    use crate::answers::input::rate;
    use crate::answers::{MeasuredValue, compare};

    fn gate(metrics: &[&str]) -> Gate {
        let metrics = metrics.iter().map(|text| GatedMetric::parse(text).unwrap()).collect();
        Gate { metrics, ..Gate::default() }
    }

    fn judged(metrics: &[&str]) -> Result<Vec<(Direction, Measure, f64)>, String> {
        let found = judged_metrics(&gate(metrics)).map_err(|unfit| unfit.hint)?;
        Ok(found.into_iter().map(|one| (one.metric.direction, one.metric.measure, one.threshold)).collect())
    }

    #[test]
    fn metrics_have_their_own_direction_and_threshold_or_the_gates() {
        use Direction::{Higher, Lower};
        let found = judged(&["total_rate_tps", "p99_latency_us 10 %", "longest_stall_s 0.5 s"]);
        let expected =
            vec![(Higher, Measure::Ratio, 0.05), (Lower, Measure::Ratio, 0.1), (Lower, Measure::Points, 0.5)];
        assert_eq!(found, Ok(expected));
        assert_eq!(judged(&["packet_check_ratio lower 0.1"]), Ok(vec![(Lower, Measure::Points, 0.1)]));
        assert_eq!(judged(&[]).map(|all| all.len()), Ok(6));
    }

    #[test]
    fn a_metric_that_cannot_be_judged_leads_to_one_that_can() {
        for (written, hint) in [
            ("total_rate_tp", "did you mean `total_rate_tps`?"),
            ("jain_rate", "use excess_bias_rate_points"),
            ("packet_check_ratio", "write \"packet_check_ratio lower\""),
        ] {
            let found = judged(&[written]).unwrap_err();
            assert!(found.contains(hint), "{written}: {found}");
        }
    }

    fn trials(rates: &[f64]) -> Vec<MeasuredValue> {
        let value = |(boot, rate): (u32, &f64)| MeasuredValue {
            configuration: "a".into(),
            metric: "total_rate_tps".into(),
            block: boot,
            boot,
            value: *rate,
        };
        (0..).zip(rates).map(value).collect()
    }

    #[test]
    fn a_verdict_stays_once_it_is_found_and_undecided_ones_follow_the_data() {
        let base = trials(&[100.0, 101.0, 99.0, 100.5, 99.5]);
        let noisy = trials(&[70.0, 130.0, 90.0, 110.0, 100.0]);
        let schedule = Analysis::schedule(15);
        let at = |new: &[MeasuredValue], analysis| compare(&[rate()], &base, new, |_| 0.05, analysis);
        let mut judgement = Judgement::default();
        assert_eq!(judgement.outcome(), GateOutcome::Inconclusive, "nothing was compared");
        judgement.update(at(&noisy, schedule[0]));
        assert_eq!((judgement.outcome(), judgement.undecided().len()), (GateOutcome::Inconclusive, 1));
        judgement.update(at(&trials(&[80.0, 81.0, 79.0, 80.5, 79.5]), schedule[1]));
        assert_eq!((judgement.outcome(), judgement.undecided().len()), (GateOutcome::Worse, 0));
        judgement.update(at(&base, schedule[2]));
        assert_eq!(judgement.outcome(), GateOutcome::Worse);
    }

    #[test]
    fn a_quiet_baseline_sees_small_changes_and_a_noisy_one_names_the_blocks_that_it_would_take() {
        let judged = judged_metrics(&gate(&["total_rate_tps"])).unwrap();
        let day = "2026-11-29".parse().unwrap();
        let last = Analysis::schedule(15)[2];
        let quiet = &visible_changes(&baseline_of_rates(&[100.0, 100.1, 99.9, 100.0]), &judged, day, last)[0];
        assert!(quiet.smallest < 5.5 && !quiet.is_blind_to_threshold, "{quiet:?}");
        let noisy = &visible_changes(&baseline_of_rates(&[80.0, 120.0, 95.0, 110.0]), &judged, day, last)[0];
        assert!(noisy.smallest > 10.0 && noisy.is_blind_to_threshold, "{noisy:?}");
        assert!((noisy.threshold - 5.0).abs() < 1e-9 && noisy.blocks_for_threshold.is_none_or(|n| n > 15));
        assert!(visible_changes(&baseline_of_rates(&[100.0]), &judged, day, last).is_empty());
    }
}
