//! Fairness to parties that are entitled to different shares, or that want different amounts.

use super::Fairness;

/// Jain's index of what each party got per unit of its weight: 1 if shares follow the weights.
///
/// Undefined where [`Fairness::from_shares`] is, and where a weight is not positive.
pub fn weighted_jain(shares: &[f64], weights: &[f64]) -> Option<f64> {
    let positive = weights.iter().all(|weight| weight.is_finite() && *weight > 0.0);
    let each: Vec<f64> = shares.iter().zip(weights).map(|(share, weight)| share / weight).collect();
    let usable = positive && shares.len() == weights.len();
    usable.then(|| Fairness::from_shares(&each)).flatten().map(|fairness| fairness.jain)
}

/// Of each party, its part of the whole ÷ its part of the weights − 1: 0 is its due, −0.5 half of it.
///
/// Undefined for fewer than two parties: one always has all of what it is due.
pub fn share_errors(shares: &[f64], weights: &[f64]) -> Option<Vec<f64>> {
    let (whole, weight): (f64, f64) = (shares.iter().sum(), weights.iter().sum());
    let parties = shares.len() == weights.len() && shares.len() > 1;
    let usable = parties && whole > 0.0 && weights.iter().all(|weight| *weight > 0.0);
    usable.then(|| shares.iter().zip(weights).map(|(share, w)| share / whole / (w / weight) - 1.0).collect())
}

/// Weighted max-min allocation of a capacity to parties that want no more than their demand: water-filling.
///
/// Each step offers `weight·capacity left/weights left`; who wants less is given that and takes no further part.
pub fn max_min(capacity: f64, demands: &[f64], weights: &[f64]) -> Vec<f64> {
    let mut given = vec![0.0; demands.len()];
    let mut open: Vec<usize> = (0..demands.len().min(weights.len())).collect();
    let mut left = capacity;
    while !open.is_empty() {
        let weight: f64 = open.iter().map(|party| weights[*party]).sum();
        let offer = |party: usize| left * weights[party] / weight;
        let (content, wanting): (Vec<usize>, Vec<usize>) =
            open.iter().partition(|party| demands[**party] <= offer(**party));
        if content.is_empty() {
            wanting.iter().for_each(|party| given[*party] = offer(*party));
            break;
        }
        content.iter().for_each(|party| given[*party] = demands[*party]);
        left = (left - content.iter().map(|party| demands[*party]).sum::<f64>()).max(0.0);
        open = wanting;
    }
    given
}

/// Jain's index of what each party got ÷ its max-min allocation of the same whole (relative allocation, ATM Forum
/// 99-0045): 1 if nobody has less than its due because of another. `demands` is what each gets alone.
pub fn demand_aware_jain(shares: &[f64], demands: &[f64], weights: &[f64]) -> Option<f64> {
    let due = max_min(shares.iter().sum(), demands, weights);
    weighted_jain(shares, &due)
}

/// What is left of the parties' variation after that of their own members is taken off: √max(0, CV² − c²/k), for parties of
/// k members whose shares vary by c within a party. Below it, unevenness is noise.
///
/// Each entry holds the shares of one party's members; a party has their mean. Both variations are those of samples, with
/// divisors n − 1 and k − 1, else pure noise would pass for more than it is. Undefined where [`Fairness::from_shares`] is, for the
/// parties or within one of them.
pub fn excess_cv(parties: &[Vec<f64>]) -> Option<f64> {
    let means: Vec<f64> = parties.iter().map(|own| own.iter().sum::<f64>() / own.len() as f64).collect();
    let noise: Vec<f64> =
        parties.iter().map(|own| Some(sample_cv_squared(own)? / own.len() as f64)).collect::<Option<_>>()?;
    let noise = noise.iter().sum::<f64>() / noise.len() as f64;
    Some((sample_cv_squared(&means)? - noise).max(0.0).sqrt())
}

/// The squared coefficient of variation of a sample.
fn sample_cv_squared(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    Some(Fairness::from_shares(values)?.cv.powi(2) * n / (n - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
    }

    #[test]
    fn shares_that_follow_the_weights_are_fair() {
        assert!(close(weighted_jain(&[200.0, 100.0], &[1024.0, 512.0]).unwrap(), 1.0));
        assert_eq!(share_errors(&[200.0, 100.0], &[1024.0, 512.0]).unwrap(), [0.0, 0.0]);
        assert!(weighted_jain(&[100.0, 100.0], &[1024.0, 512.0]).unwrap() < 0.95);
        let errors = share_errors(&[100.0, 100.0], &[1024.0, 512.0]).unwrap();
        assert!(close(errors[0], -0.25) && close(errors[1], 0.5));
    }

    #[test]
    fn without_weights_or_shares_nothing_is_said() {
        assert_eq!(weighted_jain(&[1.0, 2.0], &[1.0, 0.0]), None);
        assert_eq!(weighted_jain(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(share_errors(&[0.0, 0.0], &[1.0, 1.0]), None);
    }

    #[test]
    fn a_party_alone_has_no_share_error() {
        assert_eq!(share_errors(&[7.0], &[1024.0]), None);
        assert_eq!(share_errors(&[], &[]), None);
    }

    #[test]
    fn who_wants_less_leaves_the_rest_to_the_others() {
        assert_eq!(max_min(10.0, &[2.0, 8.0, 10.0], &[1.0; 3]), [2.0, 4.0, 4.0]);
        assert_eq!(max_min(9.0, &[100.0, 100.0], &[2.0, 1.0]), [6.0, 3.0]);
        assert_eq!(max_min(100.0, &[2.0, 8.0], &[1.0; 2]), [2.0, 8.0]);
    }

    #[test]
    fn a_party_that_wants_little_is_no_victim() {
        assert!(close(demand_aware_jain(&[2.0, 4.0, 4.0], &[2.0, 8.0, 8.0], &[1.0; 3]).unwrap(), 1.0));
    }

    #[test]
    fn variation_within_the_noise_of_the_flows_is_none() {
        assert_eq!(excess_cv(&[vec![60.0, 150.0], vec![40.0, 140.0]]), Some(0.0));
        // 100 and 300 vary by √2·100 ÷ 200 as a sample.
        let apart = excess_cv(&[vec![100.0; 4], vec![300.0; 4]]).unwrap();
        assert!(close(apart, 0.5_f64.sqrt()), "{apart}");
    }

    #[test]
    fn without_members_to_compare_the_noise_is_unknown() {
        assert_eq!(excess_cv(&[vec![100.0], vec![300.0]]), None);
        assert_eq!(excess_cv(&[vec![100.0, 300.0]]), None);
        assert_eq!(excess_cv(&[vec![0.0, 0.0], vec![100.0, 300.0]]), None);
    }

    /// The excess of many trials of eight parties of four members that vary by 20 %; the last party has so much of a share.
    fn simulated(last: f64) -> Vec<f64> {
        let mut source = crate::stats::simulation::Source::seeded(1984);
        let mut party = |share: f64| [(); 4].map(|()| share * (100.0 + 20.0 * source.normal())).to_vec();
        let mut trial = || [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, last].map(&mut party);
        (0..2000).map(|_| excess_cv(&trial()).unwrap()).collect()
    }

    #[test]
    fn pure_noise_has_no_excess_in_half_of_all_trials_and_little_in_the_others() {
        let found = simulated(1.0);
        let none = found.iter().filter(|excess| **excess == 0.0).count() as f64 / found.len() as f64;
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        // The noise itself, a standard error of the parties' means, is 10 %.
        assert!((0.45..0.65).contains(&none), "{none}");
        assert!(mean < 0.03, "{mean}");
    }

    #[test]
    fn a_party_with_half_a_share_stands_out_of_the_noise() {
        let found = simulated(0.5);
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        // Seven whole shares and a half one vary by 18.9 % as a sample.
        assert!((mean - 0.189).abs() < 0.02, "{mean}");
        assert!(found.iter().filter(|excess| **excess > 0.05).count() > 1900);
    }

    proptest! {
        #[test]
        fn water_filling_gives_nobody_more_than_it_wants_and_no_more_than_there_is(
            parties in prop::collection::vec((0.1..100.0_f64, 0.1..10.0_f64), 1..12), capacity in 0.0..500.0_f64
        ) {
            let (demands, weights): (Vec<f64>, Vec<f64>) = parties.into_iter().unzip();
            let given = max_min(capacity, &demands, &weights);
            let all: f64 = given.iter().sum();
            let wanted: f64 = demands.iter().sum();
            prop_assert!(given.iter().zip(&demands).all(|(given, demand)| *given <= demand + 1e-9));
            prop_assert!((all - capacity.min(wanted)).abs() < 1e-6 * (1.0 + capacity), "work conserving");
        }

        #[test]
        fn weights_alone_decide_where_everybody_wants_all(weights in prop::collection::vec(0.1..10.0_f64, 2..10)) {
            let given = max_min(100.0, &vec![1e9; weights.len()], &weights);
            prop_assert!(close(weighted_jain(&given, &weights).unwrap(), 1.0));
        }
    }
}
