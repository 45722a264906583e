//! Places for labels that would cover each other.

/// Moves positions apart to at least `gap`, as little as possible, and keeps them within [low, high].
///
/// Least squares by pooling neighbours (isotonic regression on position − rank·gap). Order is kept; what does not fit
/// at `gap` is set closer together.
pub(super) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let n = wanted.len();
    let gap = gap.min((high - low) / n.saturating_sub(1).max(1) as f64);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let levelled = order.iter().enumerate().map(|(rank, index)| wanted[*index] - rank as f64 * gap);
    let top = high - gap * n.saturating_sub(1) as f64;
    let mut places = vec![0.0; n];
    for (rank, place) in isotonic(levelled).into_iter().enumerate() {
        places[order[rank]] = place.clamp(low, top.max(low)) + rank as f64 * gap;
    }
    places
}

/// The nearest ascending sequence, by pooling adjacent violators.
fn isotonic(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::new(); // (mean, members)
    for value in values {
        let mut pool = (value, 1);
        while let Some(last) = pools.pop_if(|last| last.0 > pool.0) {
            let members = last.1 + pool.1;
            pool = ((last.0 * last.1 as f64 + pool.0 * pool.1 as f64) / members as f64, members);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(mean, members)| std::iter::repeat_n(mean, members)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_that_do_not_collide_stay_where_they_are() {
        assert_eq!(spread(&[300.0, 100.0], 30.0, 0.0, 1000.0), [300.0, 100.0]);
    }

    #[test]
    fn colliding_labels_move_apart_by_the_same_amount() {
        assert_eq!(spread(&[100.0, 110.0], 30.0, 0.0, 1000.0), [90.0, 120.0]);
    }

    #[test]
    fn labels_at_the_edge_stay_inside() {
        assert_eq!(spread(&[1000.0, 999.0, 998.0], 30.0, 0.0, 1000.0), [1000.0, 970.0, 940.0]);
    }

    proptest! {
        #[test]
        fn no_two_labels_are_closer_than_the_gap(wanted in prop::collection::vec(0.0..700.0_f64, 1..20)) {
            let mut places = spread(&wanted, 30.0, 0.0, 700.0);
            places.sort_by(f64::total_cmp);
            prop_assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 30.0 - 1e-6));
            prop_assert!(places[0] >= -1e-6 && places[places.len() - 1] <= 700.0 + 1e-6);
        }
    }
}
