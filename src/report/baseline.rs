//! A baseline for a terminal: what it is of, its configurations, and the changes that are accepted.

use jiff::civil::Date;

use super::terminal::Terminal;
use crate::answers::{Baseline, Reference};
use crate::table::{Table, plain};

const COLUMNS: [&str; 6] = ["configuration", "id", "metric", "mean", "trials", "accepted"];

/// The baseline as it is on a day.
pub fn to_terminal(baseline: &Baseline, today: Date, terminal: Terminal) -> String {
    let header = &baseline.header;
    let mut text = format!("profile: {}\nruns: {}\n", header.profile, header.runs.join(", "));
    for name in ["cpu_model", "kernel", "qemu", "accel"] {
        if let Some(value) = baseline.fingerprint.facts.get(name) {
            text += &format!("{name}: {}\n", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    }
    let rows = baseline.configurations.iter().flat_map(|own| rows(baseline, own, today));
    text += &Table::from_words("baseline", &COLUMNS, rows).to_terminal(terminal);
    for accepted in &baseline.accepted {
        let until = accepted.expires.map_or(String::new(), |date| match date < today {
            true => format!(", expired on {date}"),
            false => format!(", until {date}"),
        });
        text += &format!(
            "accepted: {} of {}{until}: {}\n",
            accepted.metric, accepted.configuration, accepted.reason
        );
    }
    text
}

fn rows(baseline: &Baseline, own: &Reference, today: Date) -> Vec<[String; COLUMNS.len()]> {
    let row = |metric: &String| {
        let values = &own.metrics[metric];
        let trials = baseline.trials(&own.configuration, metric, today).unwrap_or_default();
        let mean = trials.iter().map(|(_, value)| value).sum::<f64>() / trials.len() as f64;
        let is_accepted = baseline.acceptance(&own.configuration, metric, today).is_some();
        [
            own.label.clone(),
            own.configuration.clone(),
            metric.clone(),
            format!("{} {}", plain(mean), values.unit).trim_end().to_owned(),
            trials.len().to_string(),
            if is_accepted { "yes" } else { "" }.to_owned(),
        ]
    };
    own.metrics.keys().map(row).collect()
}
