//! Ticks from zero or by powers of ten, and numbers as people write them beside an axis.

/// A linear scale from zero, or a logarithmic one, with round ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AxisScale {
    /// Lower end, in the metric's unit: zero, or above it if the scale is logarithmic.
    pub bottom: f64,
    /// Upper end, in the metric's unit; a tick.
    pub top: f64,
    /// Ticks from the bottom to the top, in the metric's unit.
    pub ticks: Vec<f64>,
    /// Unit of the labels: the metric's, as in every table.
    pub unit: &'static str,
    /// Prefix of thousands, its factor.
    prefix: (&'static str, f64),
    decimals: usize,
}

/// Intervals between ticks that the eye divides easily, as multiples of a power of ten.
const STEPS: [f64; 5] = [1.0, 2.0, 2.5, 5.0, 10.0];

impl AxisScale {
    /// A scale whose top is the first tick at or above `largest`, about six ticks.
    pub fn new(largest: f64, unit: &'static str) -> AxisScale {
        let largest = if largest.is_finite() && largest > 0.0 { largest } else { 1.0 };
        let step = step(largest / 5.5);
        let count = (largest / step - 1e-9).ceil().max(1.0);
        let ticks = (0..=count as u32).map(|tick| f64::from(tick) * step).collect();
        let prefix = prefix(count * step, unit);
        let decimals = decimals(step / prefix.1);
        AxisScale { bottom: 0.0, top: count * step, ticks, unit, prefix, decimals }
    }

    /// A logarithmic scale from a tick at or below `smallest` to one at or above `largest`, both above zero: powers of ten, with
    /// twice and five times these where there are few.
    pub fn log(smallest: f64, largest: f64, unit: &'static str) -> AxisScale {
        let decades = (largest / smallest).log10();
        let steps: &[f64] = if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let powers = smallest.log10().floor() as i32..=largest.log10().ceil() as i32;
        let all: Vec<f64> =
            powers.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power))).collect();
        let below = all.iter().rposition(|tick| *tick <= smallest * (1.0 + 1e-9)).unwrap_or(0);
        let above = all.iter().position(|tick| *tick >= largest * (1.0 - 1e-9)).unwrap_or(all.len() - 1);
        let ticks = all[below..=above.max(below + 1)].to_vec();
        let (bottom, top) = (ticks[0], ticks[ticks.len() - 1]);
        AxisScale { bottom, top, ticks, unit, prefix: prefix(top, unit), decimals: 0 }
    }

    /// Whether equal distances are equal ratios.
    pub fn is_log(&self) -> bool {
        self.bottom > 0.0
    }

    /// `0`, `50 k`, `2.5`.
    pub fn label(&self, tick: f64) -> String {
        match self.is_log() {
            _ if tick == 0.0 => "0".into(),
            false => self.write(tick, self.decimals),
            // Neighbours differ in their first digit.
            true => {
                let thousand = if self.is_below_prefix(tick) { 1.0 } else { self.prefix.1 };
                self.write(tick, (-(tick / thousand).log10().floor()).max(0.0) as usize)
            }
        }
    }

    /// A value between ticks, with up to three significant digits.
    pub fn value(&self, value: f64) -> String {
        let shown = value / if self.is_below_prefix(value) { 1.0 } else { self.prefix.1 };
        let digits = if shown >= 100.0 || shown == 0.0 { 0 } else { 2 - shown.log10().floor() as i32 };
        self.write(value, digits.clamp(0, 4) as usize)
    }

    /// `534` reads better than `0.534 k`.
    fn is_below_prefix(&self, value: f64) -> bool {
        value < self.prefix.1
    }

    fn write(&self, value: f64, decimals: usize) -> String {
        let (prefix, thousand) = if self.is_below_prefix(value) { ("", 1.0) } else { self.prefix };
        let shown = value / thousand;
        if prefix.is_empty() { format!("{shown:.decimals$}") } else { format!("{shown:.decimals$} {prefix}") }
    }
}

/// The smallest step of [`STEPS`] that is at least `rough`.
fn step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let step = STEPS.into_iter().find(|step| step * power >= rough * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

/// Thousands are written short; not of µs, which have a prefix already.
fn prefix(top: f64, unit: &str) -> (&'static str, f64) {
    match top {
        _ if unit == "µs" => ("", 1.0),
        top if top >= 1e7 => ("M", 1e6),
        top if top >= 1e4 => ("k", 1e3),
        _ => ("", 1.0),
    }
}

/// Decimals that tell two neighbouring ticks apart.
fn decimals(step: f64) -> usize {
    (0..6).find(|decimals| is_whole(step * 10_f64.powi(*decimals))).unwrap_or(6) as usize
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6 && value.round() >= 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(largest: f64, unit: &'static str) -> Vec<String> {
        let scale = AxisScale::new(largest, unit);
        scale.ticks.iter().map(|tick| scale.label(*tick)).collect()
    }

    #[test]
    fn thousands_are_written_short() {
        assert_eq!(labels(285_000.0, "transactions/s"), ["0", "100 k", "200 k", "300 k"]);
        assert_eq!(labels(5_500.0, "transactions/s"), ["0", "1000", "2000", "3000", "4000", "5000", "6000"]);
    }

    #[test]
    fn small_values_get_as_many_decimals_as_the_step_needs() {
        assert_eq!(labels(1.0, "%"), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(
            labels(12.0, "%"),
            ["0.0", "2.5", "5.0", "7.5", "10.0", "12.5"].map(|t| if t == "0.0" { "0" } else { t })
        );
    }

    #[test]
    fn long_latencies_are_shown_in_microseconds_as_in_the_tables() {
        let scale = AxisScale::new(23_000.0, "µs");
        assert_eq!((scale.unit, scale.label(5_000.0)), ("µs", "5000".into()));
        assert_eq!([1_234.0, 12_345.0].map(|value| scale.value(value)), ["1234", "12345"]);
    }

    #[test]
    fn values_below_a_thousand_are_written_in_full() {
        let scale = AxisScale::new(15_000.0, "Mbit/s");
        assert_eq!([534.2, 1_900.0, 14_100.0].map(|value| scale.value(value)), ["534", "1.90 k", "14.1 k"]);
        assert_eq!(AxisScale::new(285_000.0, "").label(50_000.0), "50 k");
    }

    #[test]
    fn a_logarithmic_scale_has_round_ticks_around_its_values() {
        let labels = |smallest, largest| {
            let scale = AxisScale::log(smallest, largest, "");
            scale.ticks.iter().map(|tick| scale.label(*tick)).collect::<Vec<_>>()
        };
        assert_eq!(labels(30.0, 400.0), ["20", "50", "100", "200", "500"]);
        assert_eq!(labels(0.3, 0.9), ["0.2", "0.5", "1"]);
        assert_eq!(labels(7.0, 90_000.0), ["1", "10", "100", "1 k", "10 k", "100 k"]);
        assert_eq!(labels(5.0, 5.0), ["5", "10"], "equal values have a scale too");
    }

    #[test]
    fn nothing_but_zero_still_has_a_scale() {
        assert_eq!(AxisScale::new(0.0, "%").top, 1.0);
    }

    proptest! {
        #[test]
        fn the_top_is_above_everything_and_not_far_away(largest in 1e-3..1e9_f64) {
            let scale = AxisScale::new(largest, "");
            prop_assert!(scale.top >= largest * (1.0 - 1e-6) && scale.top <= largest * 1.5);
            prop_assert!((3..=7).contains(&scale.ticks.len()), "{:?}", scale.ticks);
        }

        #[test]
        fn a_logarithmic_scale_holds_its_values(smallest in 1e-3..1e6_f64, ratio in 1.0..1e6_f64) {
            let scale = AxisScale::log(smallest, smallest * ratio, "");
            prop_assert!(scale.bottom <= smallest * (1.0 + 1e-6) && scale.top >= smallest * ratio * (1.0 - 1e-6));
            let labels: Vec<String> = scale.ticks.iter().map(|tick| scale.label(*tick)).collect();
            let distinct: std::collections::BTreeSet<&String> = labels.iter().collect();
            prop_assert_eq!(distinct.len(), labels.len(), "{:?}", labels);
        }

        #[test]
        fn no_two_ticks_have_the_same_label(largest in 1e-3..1e9_f64) {
            let mut labels = labels(largest, "µs");
            labels.dedup();
            prop_assert_eq!(labels.len(), AxisScale::new(largest, "µs").ticks.len());
        }
    }
}
