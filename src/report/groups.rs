//! The sections of the report about groups of guests and about background load.

use super::table_line::line;
use super::{Model, model, number};
use crate::figures::{GroupRow, Numbers, SummaryRow};
use crate::stats::{Interval, Ratio};

const HEADER: [&str; 11] = [
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
    "throttled, s",
];

const NOTES: &str = "
- CPU time: part of all guests' CPU time (vCPU, emulator and vhost threads) in the window
- by weight: the part that the group's weight would give it if every guest wanted all; idle groups want nothing
- error: part ÷ part by weight − 1; 0 is its due. Shares govern CPU time, and the rate only through it. Not told where a group that
  takes part is limited by more than its weight: by a quota, a cap on the NIC or the pace of its streams; nor for a group alone
- throttled: time that quotas kept its threads from CPUs, summed over control groups and CPUs
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
    text + NOTES + &contention(model, &rows) + &by_weight(model) + &between(model) + &idle(model)
}

fn cells(row: &GroupRow) -> Vec<String> {
    let interval = |value: &Option<Interval>| value.as_ref().map_or("–".into(), number::with_interval);
    let error = |value: &Option<Interval>| value.as_ref().map_or("–".into(), number::around_zero);
    vec![
        row.name.clone(),
        row.role.to_string(),
        row.guests.to_string(),
        row.shares.map_or("–".into(), |shares| shares.to_string()),
        interval(&row.cpu_share_percent),
        row.expected_share_percent.map_or("–".into(), |percent| format!("{percent:.1}")),
        error(&row.cpu_share_error),
        interval(&row.rate_share_percent),
        error(&row.rate_share_error),
        interval(&row.background_mbps),
        interval(&row.throttled_s),
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

/// The mean over a configuration's valid trials.
fn mean(model: &Model, row: &SummaryRow, of: impl Fn(&Numbers) -> Option<f64>) -> Option<Interval> {
    let own = model.trials.iter().filter(|trial| trial.configuration == row.configuration);
    Interval::from_repeats(&own.filter_map(|trial| of(trial.valid()?)).collect::<Vec<f64>>())
}

/// The levels of a configuration in brackets, if any are swept.
fn which(model: &Model, row: &SummaryRow) -> String {
    let levels = model::describe(&row.configuration, &model.experiment.factors);
    if levels.is_empty() { levels } else { format!(" ({levels})") }
}

/// How well the weights were kept, by guests and by groups.
fn by_weight(model: &Model) -> String {
    let lines = |row: &SummaryRow| {
        let which = which(model, row);
        let line = |parties: &str, cpu: Option<Interval>, rate: Option<Interval>| {
            let told = |of: &str, index: Interval| format!("of {of} {}", number::with_interval(&index));
            let indices = [cpu.map(|index| told("CPU time", index)), rate.map(|index| told("rate", index))];
            let indices = indices.into_iter().flatten().collect::<Vec<String>>().join(", ");
            let line = format!("- {parties} by weight{which}: Jain's index {indices}\n");
            if indices.is_empty() { indices } else { line }
        };
        let of = &row.weighted;
        line("guests", of.cpu, of.rate) + &line("groups", of.groups_cpu, of.groups_rate)
    };
    model.rows.iter().map(lines).collect()
}

/// The measured groups against each other.
fn between(model: &Model) -> String {
    let line = |row: &SummaryRow| {
        let bias = mean(model, row, |numbers| Some(numbers.sharing.between.rate?.bias_percent))?;
        let jain = mean(model, row, |numbers| Some(numbers.sharing.between.rate?.jain))?;
        let (bias, jain) = (number::with_interval(&bias), number::with_interval(&jain));
        Some(format!(
            "- between groups{}: bias of the rate per guest {bias} %, Jain's index {jain}\n",
            which(model, row)
        ))
    };
    model.rows.iter().filter_map(line).collect()
}

/// What a cap leaves unused.
fn idle(model: &Model) -> String {
    let line = |row: &SummaryRow| {
        let idle = mean(model, row, |numbers| Some(numbers.host?.modes.idle_percent))?;
        let unused = mean(model, row, |numbers| numbers.sharing.unused_cpu_percent);
        let unused = unused.map_or(String::new(), |unused| {
            format!(", at most {} % while a quota kept somebody from them", number::with_interval(&unused))
        });
        let idle = number::with_interval(&idle);
        Some(format!(
            "- work conservation{}: {idle} % of the host's CPUs were idle{unused}\n",
            which(model, row)
        ))
    };
    model.rows.iter().filter_map(line).collect()
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
    let indexed = rows.iter().any(|row| row.interference.isolation.is_some());
    let index = indexed.then(|| "isolation index".to_owned());
    let header = line(names.chain(columns).chain(index));
    let width = factors.len() + 4 + usize::from(indexed);
    let mut text = format!("## Interference\n\n{header}{}", line(vec!["---"; width]));
    for row in rows {
        let levels = factors.iter().map(|factor| row.configuration.level(*factor));
        let of = &row.interference;
        let told = |ratio: Option<Ratio>, of: fn(f64) -> f64| {
            ratio.map_or("–".into(), |ratio| number::with_ends(&ratio, of))
        };
        let lost = told(of.rate, |part| 100.0 * (1.0 - part));
        let latencies =
            [of.mean_latency, of.p99_latency, of.max_latency].map(|ratio| told(ratio, |times| times));
        let cells = [lost].into_iter().chain(latencies);
        let index = of.isolation.as_ref().map_or("–".into(), number::with_interval);
        text.push_str(&line(levels.chain(cells).chain(indexed.then_some(index))));
    }
    let index = "Isolation index: mean over the measured guests of the relative rise of their latency ÷ relative rise of their \
                 neighbours' load each second, both against the smallest quota in the same block; 0: none.\n";
    let index = if indexed { index } else { "" };
    text + "\nThe measured guests against the same block without background; in brackets the 95 % interval of the mean log \
            ratio over blocks.\n"
        + index
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
