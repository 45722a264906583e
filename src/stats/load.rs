//! What more load brings: more work, or only more waiting.

/// What a load is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zone {
    /// Up to the knee: work grows faster than its latency costs.
    BestService,
    /// Beyond it, while the same machine still does more work.
    LowestCost,
    /// Hardly more work, and more latency.
    OnlyPain,
}

/// Part by which a rate has to be above that of every lighter load to count as more: what a difference between two
/// configurations has to be.
const MORE: f64 = 0.05;
/// Loads from which on a curve has a knee.
const FEWEST: usize = 3;

/// The zone of each load of a curve, given as (rate, latency) from the lightest to the heaviest.
///
/// The knee is the load of the greatest power, rate ÷ latency (Kleinrock, "Power and deterministic rules of thumb for
/// probabilistic problems in computer communications", ICC 1979); a heavier load is at the lowest cost if its rate is
/// 5 % above that of every lighter one. Undefined for fewer than three loads, and where a number is not above zero.
pub fn zones(loads: &[(f64, f64)]) -> Option<Vec<Zone>> {
    let usable = |&(rate, latency): &(f64, f64)| {
        rate.is_finite() && latency.is_finite() && rate > 0.0 && latency > 0.0
    };
    if loads.len() < FEWEST || !loads.iter().all(usable) {
        return None;
    }
    let power = |index: &usize| loads[*index].0 / loads[*index].1;
    let knee = (0..loads.len()).max_by(|a, b| power(a).total_cmp(&power(b)))?;
    let mut most = 0.0_f64;
    let zone = |(index, &(rate, _)): (usize, &(f64, f64))| {
        let more = rate > (1.0 + MORE) * most;
        most = most.max(rate);
        match () {
            () if index <= knee => Zone::BestService,
            () if more => Zone::LowestCost,
            () => Zone::OnlyPain,
        }
    };
    Some(loads.iter().enumerate().map(zone).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Zone::{BestService, LowestCost, OnlyPain};
    use proptest::prelude::*;

    #[test]
    fn latency_that_is_flat_turns_where_it_costs_more_than_it_brings_and_is_pain_where_it_brings_nothing() {
        let loads =
            [(100.0, 10.0), (200.0, 10.0), (390.0, 11.0), (500.0, 16.0), (520.0, 31.0), (515.0, 62.0)];
        let expected = [BestService, BestService, BestService, LowestCost, OnlyPain, OnlyPain];
        assert_eq!(zones(&loads).as_deref(), Some(&expected[..]));
    }

    #[test]
    fn two_loads_have_no_knee_and_what_did_not_run_has_no_zone() {
        assert_eq!(zones(&[(100.0, 10.0), (200.0, 11.0)]), None);
        assert_eq!(zones(&[(100.0, 10.0), (0.0, 11.0), (200.0, 12.0)]), None);
        assert_eq!(zones(&[(100.0, 10.0), (f64::NAN, 11.0), (200.0, 12.0)]), None);
    }

    proptest! {
        /// Little's law: n transactions in flight, of which a single server with a delay serves `most` at once.
        #[test]
        fn a_closed_loop_is_good_until_its_server_is_busy(most in 2_u32..40, service in 1e-6..1.0) {
            let of = |n: u32| {
                let rate = f64::from(n.min(most)) / (f64::from(most) * service);
                (rate, f64::from(n) / rate)
            };
            let loads: Vec<(f64, f64)> = (0..8).map(|power| of(1 << power)).collect();
            let zones = zones(&loads).unwrap();
            for (n, zone) in (0..8).map(|power| 1 << power).zip(zones) {
                prop_assert!(n > most || zone == BestService, "{n} of {most}: {zone:?}");
                prop_assert!(n < 2 * most || zone == OnlyPain, "{n} of {most}: {zone:?}");
            }
        }

        #[test]
        fn units_do_not_matter(loads in prop::collection::vec((1.0..1e6, 1.0..1e6), 3..9), factor in 1e-3..1e3) {
            let scaled: Vec<(f64, f64)> = loads.iter().map(|(rate, latency)| (rate * 4.0, latency * factor)).collect();
            prop_assert_eq!(zones(&loads), zones(&scaled));
        }
    }
}
