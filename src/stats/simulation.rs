//! For tests alone: normal numbers from a seed, to see how often an interval holds what it promises.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use statrs::distribution::{ContinuousCDF, Normal};

/// A source of standard normal numbers.
pub(super) struct Source {
    random: StdRng,
    normal: Normal,
}

impl Source {
    pub(super) fn seeded(seed: u64) -> Source {
        Source { random: StdRng::seed_from_u64(seed), normal: Normal::standard() }
    }

    /// The next one, by the inverse of the distribution function.
    pub(super) fn normal(&mut self) -> f64 {
        self.normal.inverse_cdf(self.random.random_range(1e-12..1.0))
    }
}
