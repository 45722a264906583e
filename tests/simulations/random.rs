//! Normal numbers from a seed, and noise with memory.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub struct Random(StdRng);

impl Random {
    pub fn seeded(seed: u64) -> Random {
        Random(StdRng::seed_from_u64(seed))
    }

    pub fn uniform(&mut self) -> f64 {
        self.0.random_range(1e-12..1.0)
    }

    /// Standard normal (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    pub fn sign(&mut self) -> f64 {
        if self.uniform() < 0.5 { -1.0 } else { 1.0 }
    }

    /// Standard normal values, each correlated with the one before by `memory`.
    pub fn course(&mut self, length: usize, memory: f64) -> Vec<f64> {
        let mut value = self.normal();
        let mut next = || {
            let now = value;
            value = memory * value + (1.0 - memory * memory).sqrt() * self.normal();
            now
        };
        (0..length).map(|_| next()).collect()
    }
}

/// The part of `count` cases in which something happens.
pub fn part(count: usize, mut case: impl FnMut() -> bool) -> f64 {
    (0..count).filter(|_| case()).count() as f64 / count as f64
}
