//! Whether the same party always loses: agreement of ranks over repeats.

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
