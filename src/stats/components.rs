//! How many blocks and boots: variance components at the levels boot and trial, and what they say of a run to come.
//!
//! Kalibera and Jones, "Rigorous benchmarking in reasonable time", ISMM 2013, with two levels.

use super::Observation;
use super::distribution::t_quantile;
use super::layout::average;

/// Variance between boots, and between trials of one boot; of logarithms where the figure is a rate or a latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Components {
    /// Between boots.
    pub boot: f64,
    /// Between trials within a boot.
    pub trial: f64,
    /// Boots that these were estimated from.
    pub boots: usize,
    /// Whether both could be told apart; if not (each boot had one trial), `boot` holds the sum.
    pub separate: bool,
}

/// What a run needs for the wanted precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// Boots, each of which runs every configuration.
    pub boots: usize,
    /// Trials of each configuration in a boot.
    pub trials_per_boot: usize,
}

/// More boots than anybody would wait for.
const MOST_BOOTS: usize = 1000;

impl Components {
    /// By analysis of variance with unequal numbers (Searle, 1971): n₀ in place of the number of trials in a boot.
    ///
    /// `None` for fewer than two boots and for what is not finite.
    pub fn from_observations(observations: &[Observation]) -> Option<Components> {
        let mut groups: Vec<(u32, Vec<f64>)> = Vec::new();
        for Observation { boot, value } in observations {
            match groups.iter_mut().find(|(own, _)| own == boot) {
                Some((_, values)) => values.push(*value),
                None => groups.push((*boot, vec![*value])),
            }
        }
        if groups.len() < 2 || observations.iter().any(|observation| !observation.value.is_finite()) {
            return None;
        }
        let (boots, trials) = (groups.len() as f64, observations.len() as f64);
        let mean = average(&observations.iter().map(|o| o.value).collect::<Vec<_>>());
        let sizes = groups.iter().map(|(_, values)| values.len() as f64);
        let typical = (trials - sizes.map(|n| n * n).sum::<f64>() / trials) / (boots - 1.0);
        let between = |(_, own): &(u32, Vec<f64>)| own.len() as f64 * (average(own) - mean).powi(2);
        let inside = |(_, own): &(u32, Vec<f64>)| super::summary::squared_deviations(own, average(own));
        let between = groups.iter().map(between).sum::<f64>() / (boots - 1.0);
        let separate = trials > boots;
        let trial = if separate { groups.iter().map(inside).sum::<f64>() / (trials - boots) } else { 0.0 };
        Some(Components {
            boot: ((between - trial) / typical).max(0.0),
            trial,
            boots: groups.len(),
            separate,
        })
    }

    /// Variance of the mean of so many boots with so many trials each.
    pub fn variance_of_mean(&self, repeats: Repeats) -> f64 {
        (self.boot + self.trial / repeats.trials_per_boot as f64) / repeats.boots as f64
    }

    /// Trials in a boot that give most for the time: ⌈√(cost of a boot ÷ cost of a trial × trial variance ÷ boot variance)⌉, at most
    /// `most`, which is also the answer where boots do not differ.
    pub fn trials_per_boot(&self, boot_over_trial_cost: f64, most: usize) -> usize {
        let best = (boot_over_trial_cost * self.trial / self.boot).sqrt().ceil();
        if best.is_nan() { 1 } else { (best as usize).clamp(1, most.max(1)) }
    }

    /// Fewest boots whose 95 % interval has this half-width or less; `None` where a thousand would not do.
    pub fn repeats_for(&self, half_width: f64, trials_per_boot: usize) -> Option<Repeats> {
        let repeats = |boots| Repeats { boots, trials_per_boot };
        let is_enough =
            |boots: &usize| self.half_width(repeats(*boots)).is_some_and(|reached| reached <= half_width);
        (2..=MOST_BOOTS).find(is_enough).map(repeats)
    }

    /// Half-width of the 95 % interval of the mean; `None` for fewer than two boots.
    pub fn half_width(&self, repeats: Repeats) -> Option<f64> {
        Some(t_quantile(0.975, repeats.boots as f64 - 1.0)? * self.variance_of_mean(repeats).sqrt())
    }

    /// The smallest true difference between two configurations that a two-sided test at 5 % finds with this power, such as 0.9;
    /// `None` for fewer than two boots.
    pub fn smallest_difference(&self, repeats: Repeats, power: f64) -> Option<f64> {
        let error = (2.0 * self.variance_of_mean(repeats)).sqrt();
        smallest_visible(error, 2.0 * (repeats.boots as f64 - 1.0), 0.025, power)
    }
}

/// The smallest true difference that a one-sided test at `level` finds with this `power`: (t(1 − level) + t(power)) × its standard
/// error. `None` without degrees of freedom.
pub fn smallest_visible(error: f64, degrees: f64, level: f64, power: f64) -> Option<f64> {
    Some((t_quantile(1.0 - level, degrees)? + t_quantile(power, degrees)?) * error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observations(boots: &[&[f64]]) -> Vec<Observation> {
        let rows = (0..).zip(boots);
        rows.flat_map(|(boot, values)| values.iter().map(move |value| Observation { boot, value: *value }))
            .collect()
    }

    #[test]
    fn components_of_a_balanced_layout_are_those_of_the_textbook() {
        let found = Components::from_observations(&observations(&[&[1.0, 3.0], &[5.0, 7.0]])).unwrap();
        assert_eq!((found.trial, found.boot, found.separate), (2.0, 7.0, true));
    }

    #[test]
    fn one_trial_in_each_boot_cannot_tell_boot_from_trial() {
        let found = Components::from_observations(&observations(&[&[1.0], &[3.0]])).unwrap();
        assert_eq!((found.boot, found.trial, found.separate), (2.0, 0.0, false));
        assert_eq!(Components::from_observations(&observations(&[&[1.0, 2.0]])), None);
    }

    #[test]
    fn trials_are_repeated_in_a_boot_where_boots_are_dear_and_alike() {
        let components = Components { boot: 1.0, trial: 4.0, boots: 5, separate: true };
        assert_eq!(components.trials_per_boot(4.0, 10), 4);
        assert_eq!(Components { boot: 0.0, ..components }.trials_per_boot(4.0, 10), 10);
        assert_eq!(Components { trial: 0.0, ..components }.trials_per_boot(4.0, 10), 1);
    }

    #[test]
    fn the_boots_for_a_half_width_are_the_fewest_that_reach_it() {
        let components = Components { boot: 0.0004, trial: 0.0004, boots: 5, separate: true };
        let found = components.repeats_for(0.03, 1).unwrap();
        assert_eq!(found, Repeats { boots: 6, trials_per_boot: 1 });
        assert_eq!(components.repeats_for(1e-9, 1), None);
    }

    #[test]
    fn three_repeats_at_five_percent_noise_cannot_see_fifteen() {
        let components = Components { boot: 0.0025, trial: 0.0, boots: 3, separate: false };
        let seen = components.smallest_difference(Repeats { boots: 3, trials_per_boot: 1 }, 0.9).unwrap();
        assert!((0.15..0.25).contains(&seen), "{seen}");
    }
}
