//! The id of a configuration: short, and the same wherever the same levels are measured.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::configuration::Configuration;
use super::names::Factor;

/// In the order of the columns' names.
static FACTORS: LazyLock<Vec<Factor>> = LazyLock::new(|| {
    let mut factors = Factor::ALL.to_vec();
    factors.sort_by_key(|factor| factor.column());
    factors
});

impl Configuration {
    /// `c` and eight hexadecimal digits: the beginning of the SHA-256 of the levels of all factors, `column=level` in the order of
    /// the columns' names. Levels that are not set take no part, so the id outlives a new factor and a new order.
    pub fn id(&self) -> String {
        let mut digest = Sha256::new();
        for factor in FACTORS.iter() {
            let level = self.level(*factor);
            if !level.is_empty() {
                [factor.column(), "=", &level, "\n"].iter().for_each(|part| digest.update(part));
            }
        }
        let [a, b, c, d, ..] = digest.finalize().0;
        format!("c{a:02x}{b:02x}{c:02x}{d:02x}") // digits alone would be read as a number: 12345678, 1234e567
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_id_of_a_configuration_follows_from_its_levels_alone() {
        let configuration = Configuration::default();
        assert_eq!(configuration.id(), configuration.clone().id());
        assert_eq!(configuration.id().len(), 9);
        assert!(configuration.id().parse::<f64>().is_err(), "no program takes it for a number");
        let others = [
            Configuration { vms: 2, ..configuration.clone() },
            Configuration { vcpus: 2, ..configuration.clone() },
            Configuration { quota_us: 2, ..configuration.clone() },
        ];
        let ids: BTreeSet<String> = others.iter().chain([&configuration]).map(Configuration::id).collect();
        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn a_level_that_the_test_ignores_does_not_change_the_id() {
        let stream = Configuration { test: crate::factor::Test::TCP_STREAM, ..Configuration::default() };
        assert_eq!(stream.id(), Configuration { request_bytes: 100, ..stream.clone() }.id());
    }
}
