//! The sections of the report about groups of guests and about background load.

use super::markdown::line;
use super::{Model, model, number};
use crate::figures::{GroupRow, SummaryRow};
use crate::stats::{Interval, Ratio};

const HEADER: [&str; 10] = [
    "group",
    "role",
    "guests",
    "shares",
    "CPU time, %",
    "by weight, %",
    "error",
    "rate, %",
    "error of rate",
    "background, Mbit/s",
];

const NOTES: &str = "
- CPU time: part of all guests' CPU time (vCPU, emulator and vhost threads) in the window
- by weight: the part that the group's weight would give it if every guest wanted all; idle groups want nothing
- error: part ÷ part by weight − 1; 0 is its due. Shares govern CPU time, and the rate only through it
";

/// What each group got, `## Groups`; empty where all guests are alike.
pub(super) fn groups(model: &Model) -> String {
    let rows = model.group_rows();
    if rows.is_empty() {
        return String::new();
    }
    let factors = &model.experiment.factors;
    let names = factors.iter().map(|factor| factor.column().to_owned());
    let columns = factors.len() + HEADER.len();
    let header = line(names.chain(HEADER.map(String::from)));
    let mut text = format!("## Groups\n\n{header}{}", line(vec!["---"; columns]));
    for row in &rows {
        let levels = factors.iter().map(|factor| row.configuration.level(*factor));
        text.push_str(&line(levels.chain(cells(row))));
    }
    text + NOTES + &contention(model, &rows) + &idle(model)
}

fn cells(row: &GroupRow) -> Vec<String> {
    let interval = |value: &Option<Interval>| value.as_ref().map_or("–".into(), number::with_interval);
    vec![
        row.name.clone(),
        row.role.to_string(),
        row.guests.to_string(),
        row.shares.map_or("–".into(), |shares| shares.to_string()),
        interval(&row.cpu_share_percent),
        row.expected_share_percent.map_or("–".into(), |percent| format!("{percent:.1}")),
        interval(&row.cpu_share_error),
        interval(&row.rate_share_percent),
        interval(&row.rate_share_error),
        interval(&row.background_mbps),
    ]
}

/// Names the configurations in which nobody waited for a CPU.
fn contention(model: &Model, rows: &[GroupRow]) -> String {
    let mut idle: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| row.contended.0 < row.contended.1) {
        let levels = model::describe(&row.configuration, &model.experiment.factors);
        let (contended, of) = row.contended;
        let which = if levels.is_empty() { String::new() } else { format!(" ({levels})") };
        let said = match contended {
            0 => format!("- not contended{which}: shares mean nothing here\n"),
            _ => format!("- contended in {contended} of {of} repeats only{which}: errors are of those\n"),
        };
        if !idle.contains(&said) {
            idle.push(said);
        }
    }
    idle.concat()
}

/// What a cap leaves unused.
fn idle(model: &Model) -> String {
    let row = |row: &SummaryRow| {
        let own = model.trials.iter().filter(|trial| trial.configuration == row.configuration);
        let hosts = own.filter_map(|trial| trial.valid()?.host);
        let idle = Interval::of(&hosts.map(|host| host.modes.idle_percent).collect::<Vec<_>>())?;
        let levels = model::describe(&row.configuration, &model.experiment.factors);
        let which = if levels.is_empty() { String::new() } else { format!(" ({levels})") };
        Some(format!(
            "- work conservation{which}: {} % of the host's CPUs were idle\n",
            number::with_interval(&idle)
        ))
    };
    model.rows.iter().filter_map(row).collect()
}

/// With background against without, `## Interference`; empty where it was not swept.
pub(super) fn interference(model: &Model) -> String {
    let rows: Vec<&SummaryRow> = model.rows.iter().filter(|row| row.interference.is_known()).collect();
    if rows.is_empty() {
        return String::new();
    }
    let factors = &model.experiment.factors;
    let names = factors.iter().map(|factor| factor.column().to_owned());
    let columns = ["rate lost, %", "mean latency, times", "P99, times", "longest, times"].map(String::from);
    let header = line(names.chain(columns));
    let mut text = format!("## Interference\n\n{header}{}", line(vec!["---"; factors.len() + 4]));
    for row in rows {
        let levels = factors.iter().map(|factor| row.configuration.level(*factor));
        let of = &row.interference;
        let lost = of.rate.map(|ratio| Ratio {
            ratio: 100.0 * (1.0 - ratio.ratio),
            low: ratio.high.map(|high| 100.0 * (1.0 - high)),
            high: ratio.low.map(|low| 100.0 * (1.0 - low)),
            ..ratio
        });
        let cells = [lost, of.mean_latency, of.p99_latency, of.max_latency].map(with_ends);
        text.push_str(&line(levels.chain(cells)));
    }
    text + "\nThe measured guests against the same block without background; in brackets the 95 % interval of the mean log \
            ratio over blocks.\n"
}

fn with_ends(ratio: Option<Ratio>) -> String {
    let Some(ratio) = ratio else { return "–".into() };
    match (ratio.low, ratio.high) {
        (Some(low), Some(high)) => format!("{:.2} ({low:.2} to {high:.2})", ratio.ratio),
        _ => format!("{:.2}", ratio.ratio),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn groups_and_interference_are_told() {
        let (experiment, provenance, trials) = fixture::grouped_run();
        let model = Model::new(&experiment, &provenance, &trials);
        insta::assert_snapshot!(groups(&model) + &interference(&model));
    }

    #[test]
    fn a_run_without_groups_says_nothing_of_them() {
        let (experiment, provenance, trials) = fixture::run();
        let model = Model::new(&experiment, &provenance, &trials);
        assert_eq!(groups(&model) + &interference(&model), "");
    }
}
