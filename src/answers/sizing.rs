//! How many repeats an answer needs: from the variance of a run before, or from an assumed noise.

use std::collections::BTreeMap;

use super::{Measure, MeasuredValue, Metric};
use crate::stats::{Components, Observation, Repeats, smallest_visible};

/// Noise between repeats where no run shows it: a part of the mean.
const ASSUMED_NOISE: f64 = 0.05;
/// Differences that repeats must be able to show: a part of the mean. Where they cannot, a plan warns.
const TOO_COARSE: f64 = 0.2;
/// Two-sided level 5 %, and the chance with which a difference is to be found.
const TAIL: f64 = 0.025;
const POWER: f64 = 0.9;

/// What one figure of one configuration needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizing {
    /// Id of the configuration.
    pub configuration: String,
    /// The figure; one that is compared as a ratio.
    pub metric: Metric,
    /// Variance of its logarithm between boots and between trials of a boot.
    pub components: Components,
    /// Whether the run had one boot only: its blocks stand for boots, and what differs from boot to boot is unknown.
    pub is_within_one_boot: bool,
    /// What gives the half-width asked for in the shortest time; `None` where a thousand boots would not do.
    pub needed: Option<Repeats>,
}

/// The figure that needs most, for each metric with enough trials in a run: its values, the half-width asked for (0.05: ± 5 %), and
/// the time of a boot ÷ that of a trial.
pub fn size(
    metrics: &[Metric],
    values: &[MeasuredValue],
    half_width: f64,
    boot_over_trial_cost: f64,
) -> Vec<Sizing> {
    let mut found = Vec::new();
    for metric in metrics.iter().filter(|metric| metric.measure == Measure::Ratio) {
        let mut by_configuration: BTreeMap<&str, Vec<&MeasuredValue>> = BTreeMap::new();
        for value in values.iter().filter(|value| value.metric == metric.key) {
            by_configuration.entry(&value.configuration).or_default().push(value);
        }
        let sized = by_configuration
            .iter()
            .filter_map(|(id, own)| Sizing::from_values(id, metric, own, half_width, boot_over_trial_cost));
        found.extend(sized.max_by_key(|one| one.needed.map_or(usize::MAX, |needed| needed.boots)));
    }
    found
}

impl Sizing {
    fn from_values(
        configuration: &str,
        metric: &Metric,
        values: &[&MeasuredValue],
        half_width: f64,
        boot_over_trial_cost: f64,
    ) -> Option<Sizing> {
        let observed = |unit: fn(&MeasuredValue) -> u32| -> Option<Components> {
            let observation = |value: &&MeasuredValue| {
                Some(Observation { boot: unit(value), value: metric.on_scale(value.value)? })
            };
            Components::from_observations(&values.iter().filter_map(observation).collect::<Vec<_>>())
        };
        let over_boots = observed(|value| value.boot);
        let components = over_boots.or_else(|| observed(|value| value.block))?;
        let most = if components.separate { MOST_TRIALS_PER_BOOT } else { 1 };
        let trials_per_boot = components.trials_per_boot(boot_over_trial_cost, most);
        Some(Sizing {
            configuration: configuration.to_owned(),
            metric: metric.clone(),
            components,
            is_within_one_boot: over_boots.is_none(),
            needed: components.repeats_for(half_width.ln_1p(), trials_per_boot),
        })
    }

    /// Half-width of the 95 % interval after so many blocks of a boot each, as a part of the mean; `None` for one block.
    pub fn half_width_after(&self, blocks: u32) -> Option<f64> {
        let repeats = Repeats { boots: blocks as usize, trials_per_boot: 1 };
        Some(self.components.half_width(repeats)?.exp_m1())
    }
}

/// Trials of a configuration in one boot, at most.
const MOST_TRIALS_PER_BOOT: usize = 10;

/// The smallest difference between two configurations, as a part of the mean, that so many blocks show with a chance of 90 % (paired
/// t test at 5 %, noise of 5 % between repeats); `None` for one block.
pub fn smallest_difference(blocks: u32) -> Option<f64> {
    let blocks = f64::from(blocks);
    smallest_visible(ASSUMED_NOISE * (2.0 / blocks).sqrt(), blocks - 1.0, TAIL, POWER)
}

/// A sentence where so many repeats cannot show much.
pub fn too_few(repeats: u32) -> Option<String> {
    let hint = "hint: `repeats` in [workload]; `kvmfair plan --like RUN` uses the noise of a run";
    match smallest_difference(repeats) {
        None => Some(format!("{repeats} repeat: no difference can be told from noise ({hint})")),
        Some(smallest) if smallest > TOO_COARSE => Some(format!(
            "{repeats} repeats: differences below about {:.0} % will not be seen, at a noise of {:.0} % between repeats ({hint})",
            100.0 * smallest,
            100.0 * ASSUMED_NOISE
        )),
        Some(_) => None,
    }
}

/// Interim intervals of a window from which on its borders move a rate by 2.5 % at most.
const FINE_WINDOW: f64 = 40.0;

/// A sentence where a window has so few interim intervals that those at its borders matter.
pub fn coarse_window(intervals: f64) -> Option<String> {
    (intervals < FINE_WINDOW - 1e-9).then(|| {
        format!(
            "{intervals:.0} intervals in a window: a change of pace at its borders may move a guest's rate by up to {:.1} % \
             (hint: a longer `window` or a shorter `interval` in [workload])",
            100.0 / intervals
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::input::rate;

    fn value(block: u32, boot: u32, value: f64) -> MeasuredValue {
        MeasuredValue { configuration: "a".into(), metric: "total_rate_tps".into(), block, boot, value }
    }

    #[test]
    fn three_repeats_do_not_show_a_quarter_and_five_are_not_warned_of() {
        let text = too_few(3).unwrap();
        assert!(text.starts_with("3 repeats: differences below about 25 % will not be seen"), "{text}");
        assert!(too_few(1).unwrap().starts_with("1 repeat: no difference"));
        assert_eq!((too_few(4), too_few(5)), (None, None));
    }

    #[test]
    fn a_run_with_noise_between_boots_needs_more_boots_and_one_with_noise_between_trials_more_trials() {
        let noise = [0.95, 1.02, 1.0, 1.06, 0.97];
        let boots = (0..5).flat_map(|n| [0.999, 1.001].map(|w| value(n, n, 1000.0 * noise[n as usize] * w)));
        let between_boots = &size(&[rate()], &boots.collect::<Vec<_>>(), 0.02, 4.0)[0];
        let needed = between_boots.needed.unwrap();
        assert!(needed.trials_per_boot == 1 && needed.boots > 10, "{needed:?}");
        let trials = (0..5).flat_map(|n| [0, 3].map(|w| value(n, n, 1000.0 * noise[(n as usize + w) % 5])));
        let between_trials = &size(&[rate()], &trials.collect::<Vec<_>>(), 0.02, 4.0)[0];
        assert!(between_trials.needed.unwrap().trials_per_boot > 1, "{between_trials:?}");
        assert!(between_boots.half_width_after(5) < between_boots.half_width_after(3));
        assert_eq!(between_boots.half_width_after(1), None);
    }

    #[test]
    fn a_run_of_one_boot_is_sized_by_its_blocks_and_marked() {
        let noise = [0.99, 1.02, 1.0];
        let values: Vec<MeasuredValue> = (0..3).map(|n| value(n, 1, 1000.0 * noise[n as usize])).collect();
        let sized = size(&[rate()], &values, 0.05, 4.0);
        assert!(sized[0].is_within_one_boot && sized[0].needed.is_some(), "{sized:?}");
        assert_eq!(size(&[rate()], &values[..1], 0.05, 4.0), Vec::new());
    }

    #[test]
    fn a_window_of_fewer_than_forty_intervals_is_coarse() {
        let found = coarse_window(20.0).unwrap();
        assert!(found.starts_with("20 intervals in a window: ") && found.contains("up to 5.0 %"), "{found}");
        assert_eq!(coarse_window(40.0), None);
    }
}
