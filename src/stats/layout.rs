//! A two-way layout of parties × occasions: what belongs to the parties, what to the occasions, and the noise that is left.

use super::distribution::f_upper_tail;

/// Sums of squares of a complete layout without replication (Fisher's two-way analysis of variance).
///
/// What hits all parties of an occasion alike (a slow second, a slow repeat) is taken out, so that it passes neither for noise nor
/// for unfairness.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// Mean of each party over the occasions.
    pub(super) means: Vec<f64>,
    /// Mean of everything.
    pub(super) mean: f64,
    /// What neither party nor occasion explains: one row per party.
    pub(super) residuals: Vec<Vec<f64>>,
    /// Occasions.
    pub(super) occasions: usize,
}

impl Layout {
    /// `None` for fewer than two parties or occasions, rows of different lengths, and what is not finite.
    pub(super) fn from_rows(rows: &[Vec<f64>]) -> Option<Layout> {
        let occasions = rows.first()?.len();
        let usable = |row: &Vec<f64>| row.len() == occasions && row.iter().all(|value| value.is_finite());
        if rows.len() < 2 || occasions < 2 || !rows.iter().all(usable) {
            return None;
        }
        let means: Vec<f64> = rows.iter().map(|row| average(row)).collect();
        let mean = average(&means);
        let columns: Vec<f64> =
            (0..occasions).map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64).collect();
        let residual = |(row, own): (&Vec<f64>, &f64)| {
            row.iter().zip(&columns).map(|(value, column)| value - own - column + mean).collect()
        };
        let residuals = rows.iter().zip(&means).map(residual).collect();
        Some(Layout { means, mean, residuals, occasions })
    }

    /// Degrees of freedom of the parties, g − 1.
    pub(super) fn party_degrees(&self) -> f64 {
        self.means.len() as f64 - 1.0
    }

    /// Degrees of freedom of the noise, (g − 1)(R − 1).
    pub(super) fn noise_degrees(&self) -> f64 {
        self.party_degrees() * (self.occasions as f64 - 1.0)
    }

    /// Mean square between the parties.
    pub(super) fn party_square(&self) -> f64 {
        let squares: f64 = self.means.iter().map(|own| (own - self.mean).powi(2)).sum();
        self.occasions as f64 * squares / self.party_degrees()
    }

    /// Each party's share of the noise: its mean square of residuals, unbiased for parties of equal noise.
    pub(super) fn noise_squares(&self) -> Vec<f64> {
        let each = self.noise_degrees() / self.means.len() as f64;
        self.residuals.iter().map(|row| row.iter().map(|r| r * r).sum::<f64>() / each).collect()
    }

    /// Mean square of the noise.
    pub(super) fn noise_square(&self) -> f64 {
        average(&self.noise_squares())
    }
}

/// p of an F test; equal parties without any noise are equal (1), unequal ones without noise are not (0).
pub(super) fn p_of_squares(between: (f64, f64), noise: (f64, f64)) -> Option<f64> {
    match (between.0 > 0.0, noise.0 > 0.0) {
        (false, _) => Some(1.0),
        (true, false) => Some(0.0),
        (true, true) => f_upper_tail(between.0 / noise.0, between.1, noise.1),
    }
}

pub(super) fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn squares_of_parties_occasions_and_noise_add_up(rows in prop::collection::vec(prop::collection::vec(-1e3..1e3_f64, 5), 2..9)) {
            let layout = Layout::from_rows(&rows).unwrap();
            let all: f64 = rows.iter().flatten().map(|x| (x - layout.mean).powi(2)).sum();
            let columns: f64 = (0..5).map(|i| {
                let column = rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64;
                rows.len() as f64 * (column - layout.mean).powi(2)
            }).sum();
            let parties = layout.party_square() * layout.party_degrees();
            let noise = layout.noise_square() * layout.noise_degrees();
            prop_assert!((all - columns - parties - noise).abs() < 1e-6 * (1.0 + all));
        }
    }

    #[test]
    fn what_hits_all_parties_alike_is_no_noise() {
        let layout = Layout::from_rows(&[vec![1.0, 5.0, 3.0], vec![2.0, 6.0, 4.0]]).unwrap();
        assert!(layout.noise_square() < 1e-20);
        assert!((layout.party_square() - 1.5).abs() < 1e-12);
    }
}
