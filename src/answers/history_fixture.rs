//! Histories for tests.

use std::collections::BTreeMap;

use super::{Fingerprint, HistoryEntry, HistoryFigures};

/// A history of one configuration with these rates; the kernel changes before the run at `newer_kernel`.
pub(super) fn history(rates: &[f64], newer_kernel: usize) -> Vec<HistoryEntry> {
    let entry = |(run, rate): (usize, &f64)| {
        let kernel = if run < newer_kernel { "6.1" } else { "6.12" };
        let environment = Fingerprint { facts: BTreeMap::from([("kernel".into(), kernel.into())]) };
        let figures = HistoryFigures {
            configuration: "a".into(),
            label: "virtio".into(),
            metrics: BTreeMap::from([("total_rate_tps".into(), *rate)]),
        };
        HistoryEntry::new(format!("run-{run}"), "2026-11-29T12:00:00Z".into(), environment, vec![figures])
    };
    rates.iter().enumerate().map(entry).collect()
}

/// So many runs at each level, with noise of half a per cent.
pub(super) fn rates(levels: &[(usize, f64)]) -> Vec<f64> {
    let wiggle = [0.3, -0.5, 0.1, 0.6, -0.2, -0.4, 0.5, -0.1];
    let levels = levels.iter().flat_map(|(n, level)| vec![*level; *n]);
    levels.zip(wiggle.iter().cycle()).map(|(level, noise)| level * (1.0 + 0.01 * noise)).collect()
}

/// A history of one configuration with so many runs at each rate.
pub(crate) fn history_of_levels(levels: &[(usize, f64)], newer_kernel: usize) -> Vec<HistoryEntry> {
    history(&rates(levels), newer_kernel)
}
