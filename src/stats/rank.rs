//! Whether the same party always loses: agreement of ranks over repeats.

use super::distribution::{f_upper_tail, t_upper_tail};

/// Spearman's correlation of the ranks of two figures of the same parties.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankCorrelation {
    /// −1 to 1; equal values have the mean of their ranks.
    pub rho: f64,
    /// Two-sided probability of such a rho, or a larger one, if the figures have nothing to do with each other: exact over all orders
    /// of up to seven parties, else Student's t (Kendall and Gibbons, Rank Correlation Methods, 1990).
    pub p: f64,
}

impl RankCorrelation {
    /// `None` for fewer than three parties, for what is not finite, and where one figure is the same for all.
    pub fn between(one: &[f64], other: &[f64]) -> Option<RankCorrelation> {
        const MOST_EXACT: usize = 7;
        let n = one.len();
        if n < 3 || n != other.len() || one.iter().chain(other).any(|value| !value.is_finite()) {
            return None;
        }
        let (one, other) = (ranks(one).0, ranks(other).0);
        let rho = correlation(&one, &other)?;
        if n <= MOST_EXACT {
            let orders = permutations(&other);
            let is_as_far =
                |order: &&Vec<f64>| correlation(&one, order).is_some_and(|own| own.abs() >= rho.abs() - 1e-9);
            let p = orders.iter().filter(is_as_far).count() as f64 / orders.len() as f64;
            return Some(RankCorrelation { rho, p });
        }
        let degrees = n as f64 - 2.0;
        let t = rho.abs() * (degrees / (1.0 - rho * rho).max(1e-12)).sqrt();
        Some(RankCorrelation { rho, p: (2.0 * t_upper_tail(t, degrees)?).min(1.0) })
    }
}

fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let mean = (one.len() as f64 + 1.0) / 2.0; // of ranks
    let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let size = (sum(one, one) * sum(other, other)).sqrt();
    (size > 0.0).then(|| sum(one, other) / size)
}

/// Kendall's coefficient of concordance W of the parties' ranks, with the correction for ties (Kendall and Babington
/// Smith, 1939): 1 if every repeat ranks them alike, about 1/R if chance does. `repeats` holds one row of shares each.
///
/// Undefined for fewer than two repeats or parties, for rows of different lengths, for what is not finite, and where every
/// repeat leaves all parties equal.
pub fn kendall_w(repeats: &[Vec<f64>]) -> Option<f64> {
    let parties = repeats.first()?.len();
    let usable = |row: &Vec<f64>| row.len() == parties && row.iter().all(|share| share.is_finite());
    if repeats.len() < 2 || parties < 2 || !repeats.iter().all(usable) {
        return None;
    }
    let (m, n) = (repeats.len() as f64, parties as f64);
    let ranked: Vec<(Vec<f64>, f64)> = repeats.iter().map(|row| ranks(row)).collect();
    let sums = (0..parties).map(|party| ranked.iter().map(|(ranks, _)| ranks[party]).sum::<f64>());
    let squares: f64 = sums.map(|sum| (sum - m * (n + 1.0) / 2.0).powi(2)).sum();
    let ties: f64 = ranked.iter().map(|(_, ties)| ties).sum();
    let largest = m * m * (n.powi(3) - n) - m * ties;
    (largest > 0.0).then(|| 12.0 * squares / largest)
}

/// Probability of a W as large as this, or larger, if chance alone ranks the parties in each repeat.
///
/// Exact, over all orders, where these are few; else by the F approximation with n − 1 − 2/R and (R − 1) times as many degrees of
/// freedom (Kendall and Gibbons, Rank Correlation Methods, 1990). Two guests in three repeats reach W = 1 by chance in 25 %.
/// Undefined where [`kendall_w`] is.
pub fn kendall_p(repeats: &[Vec<f64>]) -> Option<f64> {
    const MOST_ORDERS: f64 = 20_000.0;
    let w = kendall_w(repeats)?;
    let (m, n) = (repeats.len() as f64, repeats[0].len());
    let orders = (1..=n).map(|k| k as f64).product::<f64>().powf(m - 1.0);
    if orders <= MOST_ORDERS {
        return Some(exact_p(repeats, w));
    }
    let largest = m * m * (n.pow(3) - n) as f64 / 12.0;
    let w = (w * largest - 1.0) / (largest + 2.0); // the correction for continuity
    let degrees = n as f64 - 1.0 - 2.0 / m;
    f_upper_tail((m - 1.0) * w / (1.0 - w).max(0.0), degrees, degrees * (m - 1.0))
}

/// The part of all orders of the later repeats, the first one as it is, that agree as much.
fn exact_p(repeats: &[Vec<f64>], w: f64) -> f64 {
    let mut orders = vec![vec![repeats[0].clone()]];
    for row in &repeats[1..] {
        let all = permutations(row);
        let extended = |before: &Vec<Vec<f64>>| {
            all.iter()
                .map(|order| [before.as_slice(), std::slice::from_ref(order)].concat())
                .collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(extended).collect();
    }
    let agrees = |rows: &&Vec<Vec<f64>>| kendall_w(rows).is_none_or(|other| other >= w - 1e-9);
    orders.iter().filter(agrees).count() as f64 / orders.len() as f64
}

fn permutations(values: &[f64]) -> Vec<Vec<f64>> {
    if values.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |first: usize| {
        let mut rest = values.to_vec();
        let value = rest.remove(first);
        permutations(&rest).into_iter().map(move |order| [&[value], order.as_slice()].concat())
    };
    (0..values.len()).flat_map(with_first).collect()
}

/// Ranks from 1, equal shares at the mean of their places; and Σ(t³−t) over the groups of t equal shares.
fn ranks(shares: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|a, b| shares[*a].total_cmp(&shares[*b]));
    let (mut ranks, mut ties, mut before) = (vec![0.0; shares.len()], 0.0, 0.0);
    for group in order.chunk_by(|a, b| shares[*a] == shares[*b]) {
        let size = group.len() as f64;
        group.iter().for_each(|party| ranks[*party] = before + (size + 1.0) / 2.0);
        ties += size.powi(3) - size;
        before += size;
    }
    (ranks, ties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_that_agree_or_oppose_have_the_chance_of_one_order_in_all() {
        let of = |other: &[f64]| RankCorrelation::between(&[1.0, 2.0, 3.0, 4.0, 9.0], other).unwrap();
        let (same, opposite) = (of(&[1.0, 2.0, 8.0, 9.0, 10.0]), of(&[5.0, 4.0, 3.0, 2.0, 1.0]));
        assert!((same.rho - 1.0).abs() < 1e-12 && (opposite.rho + 1.0).abs() < 1e-12);
        assert!((same.p - 2.0 / 120.0).abs() < 1e-12 && same.p == opposite.p);
        assert_eq!(RankCorrelation::between(&[1.0, 2.0, 3.0], &[5.0; 3]), None);
    }

    #[test]
    fn unrelated_figures_of_many_parties_are_called_related_as_often_as_p_says() {
        let mut source = crate::stats::simulation::Source::seeded(1904);
        let mut is_related = || {
            let mut figures = || (0..12).map(|_| source.normal()).collect::<Vec<f64>>();
            let (one, other) = (figures(), figures());
            RankCorrelation::between(&one, &other).unwrap().p < 0.05
        };
        let related = (0..4000).filter(|_| is_related()).count() as f64 / 4000.0;
        assert!((related - 0.05).abs() < 0.015, "{related}");
    }

    #[test]
    fn the_same_order_in_every_repeat_is_full_agreement() {
        let repeats = vec![vec![1.0, 2.0, 3.0], vec![10.0, 20.0, 30.0], vec![1.0, 5.0, 6.0]];
        assert!((kendall_w(&repeats).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn opposite_orders_cancel() {
        assert!(kendall_w(&[vec![1.0, 2.0, 3.0], vec![3.0, 2.0, 1.0]]).unwrap().abs() < 1e-12);
    }

    /// Three judges, six candidates, no ties: the rank sums 12, 7, 10, 8, 15, 11 give S = 41.5 and W = 0.2635.
    #[test]
    fn a_textbook_case() {
        let judges =
            [[1.0, 6.0, 3.0, 2.0, 5.0, 4.0], [1.0, 5.0, 6.0, 4.0, 2.0, 3.0], [6.0, 3.0, 2.0, 5.0, 4.0, 1.0]];
        let sums: Vec<f64> = (0..6).map(|i| judges.iter().map(|judge| judge[i]).sum()).collect();
        let s: f64 = sums.iter().map(|sum| (sum - 10.5).powi(2)).sum();
        let w = kendall_w(&judges.map(Vec::from)).unwrap();
        assert!((w - 12.0 * s / (9.0 * 210.0)).abs() < 1e-12);
    }

    #[test]
    fn two_parties_in_three_repeats_agree_by_chance_in_a_quarter() {
        assert_eq!(kendall_p(&[vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0, 6.0]]), Some(0.25));
    }

    #[test]
    fn full_agreement_of_many_is_no_chance() {
        let rows: Vec<Vec<f64>> = (0..5).map(|_| (0..16).map(f64::from).collect()).collect();
        assert!(kendall_p(&rows).unwrap() < 1e-6);
    }

    #[test]
    fn agreement_of_nothing_is_undefined() {
        for undefined in [vec![], vec![vec![1.0, 2.0]], vec![vec![1.0], vec![2.0]], vec![vec![3.0; 4]; 3]] {
            assert_eq!(kendall_w(&undefined), None, "{undefined:?}");
        }
        assert_eq!(kendall_w(&[vec![1.0, 2.0], vec![1.0]]), None);
    }

    proptest! {
        #[test]
        fn it_lies_between_none_and_full(rows in prop::collection::vec(prop::collection::vec(0u8..6, 5), 2..8)) {
            let rows: Vec<Vec<f64>> = rows.into_iter().map(|row| row.into_iter().map(f64::from).collect()).collect();
            if let Some(w) = kendall_w(&rows) {
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&w), "{w}");
            }
        }

        #[test]
        fn scaling_a_repeat_changes_nothing(row in prop::collection::vec(0.0..1e3_f64, 2..9), other in prop::collection::vec(0.0..1e3_f64, 9), k in 0.1..10.0_f64) {
            let other = other[..row.len()].to_vec();
            let scaled: Vec<f64> = row.iter().map(|share| share * k).collect();
            let (a, b) = (kendall_w(&[row, other.clone()]), kendall_w(&[scaled, other]));
            prop_assert!(a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 1e-9));
        }
    }
}
