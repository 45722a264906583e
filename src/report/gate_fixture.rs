//! A gate's report for tests.

use super::gate::{GateReport, Judged};
use crate::answers::{Analysis, GateOutcome, MeasuredValue, compare, metrics};

fn values(configuration: &str, level: f64, wiggle: f64) -> Vec<MeasuredValue> {
    let value = |boot: u32| MeasuredValue {
        configuration: configuration.to_owned(),
        metric: "total_rate_tps".to_owned(),
        block: boot,
        boot,
        value: level * (1.0 + wiggle * (f64::from(boot % 3) - 1.0)),
    };
    (0..6).map(value).collect()
}

/// So many configurations that are worse, one that is the same, one that is inconclusive.
pub(super) fn report(worse: usize) -> GateReport {
    let ids: Vec<String> = (0..worse).map(|n| format!("worse-{n}")).collect();
    let mut base: Vec<MeasuredValue> = ids.iter().flat_map(|id| values(id, 1000.0, 0.001)).collect();
    let mut new: Vec<MeasuredValue> = ids.iter().flat_map(|id| values(id, 800.0, 0.001)).collect();
    for (id, wiggle) in [("same", 0.001), ("noisy", 0.5)] {
        base.extend(values(id, 1000.0, wiggle));
        new.extend(values(id, 1000.0, wiggle));
    }
    let compared = compare(&metrics(), &base, &new, |_| 0.05, Analysis::ONCE);
    let judged = compared.into_iter().map(|comparison| Judged {
        label: format!("<{}> & \"co\"", comparison.configuration),
        comparison,
        accepted: None,
    });
    GateReport {
        profile: "lab, my.toml".into(),
        baseline: "lab.baseline".into(),
        runs: vec!["lab-1".into()],
        blocks: 6,
        power: Vec::new(),
        allowed: Vec::new(),
        judged: judged.collect(),
        problems: Vec::new(),
        outcome: if worse > 0 { GateOutcome::Worse } else { GateOutcome::Inconclusive },
    }
}
