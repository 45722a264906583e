//! `[gate]`. Whether a metric exists is known above this module: `kvmfair gate` and `kvmfair check` refuse unknown columns.

use super::{Fault, Validator};
use crate::profile::written;
use crate::profile::{Gate, GatedMetric};

/// Metrics, thresholds and bounds of the gate.
pub(super) fn gate(check: &mut Validator, written: &written::WrittenGate) -> Gate {
    let defaults = Gate::default();
    let gate = Gate {
        metrics: metrics(check, written.metrics.as_deref()),
        threshold_percent: written.threshold_percent.unwrap_or(defaults.threshold_percent),
        threshold_points: written.threshold_points.unwrap_or(defaults.threshold_points),
        max_blocks: written.max_blocks.unwrap_or(defaults.max_blocks),
        max_time: written.max_time.map(|time| time.0),
    };
    above_zero(check, "gate.threshold_percent", gate.threshold_percent, 99.0);
    above_zero(check, "gate.threshold_points", gate.threshold_points, 100.0);
    // A block is a boot, and one boot has no variance.
    check.bounds("gate.max_blocks", gate.max_blocks, 2..=100);
    gate
}

fn metrics(check: &mut Validator, written: Option<&[String]>) -> Vec<GatedMetric> {
    let hint = "for example metrics = [\"total_rate_tps\", \"p99_latency_us 10 %\"]";
    if written.is_some_and(<[String]>::is_empty) {
        check.fault("gate.metrics", Fault::new("`metrics` is empty: the gate would judge nothing", "", hint));
    }
    let mut found: Vec<GatedMetric> = Vec::new();
    for (index, text) in written.unwrap_or_default().iter().enumerate() {
        let path = format!("gate.metrics[{index}]");
        match GatedMetric::parse(text) {
            Err(word) => {
                let message = format!("{word:?} is neither a direction nor a threshold above 0");
                check.fault(&path, Fault::new(message, "COLUMN [higher|lower] [THRESHOLD]", hint));
            }
            Ok(metric) if found.iter().any(|known| known.column == metric.column) => {
                let message = format!("the metric {:?} stands in `metrics` twice", metric.column);
                check.fault(&path, Fault::new(message, "", "leave one of them out"));
            }
            Ok(metric) => found.push(metric),
        }
    }
    found
}

fn above_zero(check: &mut Validator, path: &str, value: f64, most: f64) {
    if !(value > 0.0 && value <= most) {
        let key = path.rsplit('.').next().unwrap_or(path);
        let message = format!("`{key}` must be more than 0 and at most {most}, got {value}");
        check.fault(path, Fault::new(message, "", "leave it out for the default"));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use crate::profile::{Gate, HostFacts, parse};

    const LEAST: &str =
        "schema = 1\nname = \"x\"\nworkload.flows = 1\nnetwork.backend = \"virtio\"\n[gate]\n";

    fn gate(lines: &str) -> Result<Gate, String> {
        let facts = HostFacts { memory_mib: 1024, cpus: 2 };
        let parsed = parse(&format!("{LEAST}{lines}"), Path::new("p.toml"), facts);
        parsed.map(|experiment| experiment.gate).map_err(|error| error.to_string())
    }

    #[test]
    fn a_gate_has_defaults_and_takes_what_is_written() {
        assert_eq!(gate(""), Ok(Gate::default()));
        let own = gate("metrics = [\"p99_latency_us 10 %\"]\nmax_blocks = 5\nmax_time = \"1 h\"").unwrap();
        assert_eq!((own.metrics[0].threshold, own.max_blocks), (Some(10.0), 5));
        assert_eq!(own.max_time, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn what_cannot_be_judged_is_refused_at_its_place() {
        for (line, message) in [
            ("metrics = []", "`metrics` is empty"),
            ("metrics = [\"total_rate_tps much\"]", "\"much\" is neither a direction nor a threshold"),
            ("metrics = [\"jain_rate\", \"jain_rate 2\"]", "stands in `metrics` twice"),
            ("threshold_percent = 0", "`threshold_percent` must be more than 0"),
            ("threshold_points = -1.0", "`threshold_points` must be more than 0"),
            ("max_blocks = 1", "`max_blocks` must be 2 to 100, got 1"),
        ] {
            let error = gate(line).unwrap_err();
            assert!(error.contains(message) && error.contains("p.toml:6"), "{line}: {error}");
        }
    }
}
