//! Readings of cumulative counters, between two samples.
//!
//! No extrapolation: outside the samples there is no reading.

/// A cumulative counter at time `t`, interpolated linearly between the two samples around it.
///
/// `samples` are (time, reading) in the order of time; `None` outside them.
pub fn at(samples: impl IntoIterator<Item = (f64, f64)>, t: f64) -> Option<f64> {
    let mut before: Option<(f64, f64)> = None;
    for after in samples {
        if after.0 >= t {
            return match before {
                _ if after.0 == t => Some(after.1),
                Some(before) => Some(between(before, after, t)),
                None => None,
            };
        }
        before = Some(after);
    }
    None
}

/// What a counter gained from `a` to `b`; `None` outside the samples or if it ran backwards (a reset).
pub fn difference<I>(samples: I, a: f64, b: f64) -> Option<f64>
where
    I: IntoIterator<Item = (f64, f64)> + Clone,
{
    let gained = at(samples.clone(), b)? - at(samples, a)?;
    (gained >= 0.0).then_some(gained)
}

fn between(before: (f64, f64), after: (f64, f64), t: f64) -> f64 {
    before.1 + (after.1 - before.1) * (t - before.0) / (after.0 - before.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLES: [(f64, f64); 3] = [(10.0, 100.0), (12.0, 200.0), (13.0, 400.0)];

    #[test]
    fn a_reading_between_two_samples_is_interpolated() {
        assert_eq!(at(SAMPLES, 11.0), Some(150.0));
        assert_eq!(at(SAMPLES, 12.5), Some(300.0));
    }

    #[test]
    fn a_reading_at_a_sample_is_the_sample() {
        assert_eq!(at(SAMPLES, 10.0), Some(100.0));
        assert_eq!(at(SAMPLES, 13.0), Some(400.0));
    }

    #[test]
    fn there_is_no_reading_outside_the_samples() {
        assert_eq!(at(SAMPLES, 9.9), None);
        assert_eq!(at(SAMPLES, 13.1), None);
        assert_eq!(at([], 1.0), None);
    }

    #[test]
    fn a_counter_that_ran_backwards_gained_nothing_known() {
        assert_eq!(difference([(0.0, 5.0), (1.0, 3.0)], 0.0, 1.0), None);
    }

    proptest! {
        #[test]
        fn differences_of_adjacent_spans_add_up(steps in prop::collection::vec((0.01..2.0_f64, 0.0..1e3_f64), 3..30)) {
            let samples: Vec<(f64, f64)> = steps.iter().scan((0.0, 0.0), |sum, step| {
                *sum = (sum.0 + step.0, sum.1 + step.1);
                Some(*sum)
            }).collect();
            let (a, b) = (samples[0].0, samples[samples.len() - 1].0);
            let middle = (a + b) / 2.0;
            let of = |a, b| difference(samples.iter().copied(), a, b).unwrap();
            prop_assert!((of(a, middle) + of(middle, b) - of(a, b)).abs() < 1e-6);
        }
    }
}
