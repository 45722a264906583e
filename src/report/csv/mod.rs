//! CSV for other programs: flows, guests, CPUs, interrupts, exits, groups, trials, proofs, the summary, and the course of each trial.
//! Units are in the column names, or in the name of the metric.
//!
//! Columns named `whole_flow_…` are netperf's own, over a flow from its start, warm-up included; so are the P99 and longest
//! transactions of trials and summaries. All other figures are of the window. It begins where the warm-up ends, or
//! `window_advanced_s` later where the rate had not settled by then; `settled_after_s` says when it had, after that end, whether
//! or not the window could wait for it.
//!
//! Rates of requests and responses are in transactions/s (`…_tps`), those of streams in 10^6 bits/s of payload that arrived
//! (`…_mbps`). With several transactions in flight, latencies are of each of them: `window_latency_us` by Little's law, and
//! netperf's own mean and percentiles agree with it (measured: mean within 0.1 % at eight in flight, TCP and UDP), since it
//! keeps the start of each. UDP_RR puts no lost transaction back in flight before all are lost: then Little's law says too
//! much, and netperf's mean is the better one. Streams have no latency: netperf would say how long send() and recv() took.
//!
//! Share errors (`…_share_error`) and indices by weight (`…jain_weighted_…`) are claims about weights. They are empty where
//! nobody contended, and where a group that takes part is limited by a quota, a cap on its NIC or the pace of its streams.
//!
//! What is undefined or unknown is an empty cell. A failed trial is a row of `trials.csv` with its stage and cause and
//! without figures; it has no rows elsewhere. Trials that are not valid keep theirs: look at `outcome`.

mod columns;
mod probes;

use ::csv::Writer;

use super::{Model, model};
use crate::figures::{Metric, Numbers, Outcome, SummaryRow, TrialFigures};
use crate::profile::{Configuration, Factor};
use crate::raw::Accel;
use crate::stats::{Interval, Outlier};
use columns::{CPU, Column, FLOW, GROUP, GUEST, SUMMARY, TRIAL};
pub use probes::{exits, interrupts, timeline};

/// One row per flow of every trial that has numbers: `flows.csv`.
pub fn flows(model: &Model) -> ::csv::Result<String> {
    let header = trial_header().into_iter().chain(["flow".into(), "guest".into()]).chain(names(&FLOW));
    let rows = with_numbers(model).flat_map(|(trial, numbers)| {
        numbers.flows.iter().map(|flow| {
            let ids = [flow.flow.to_string(), flow.guest.to_string()];
            trial_cells(trial).into_iter().chain(ids).chain(cells(&FLOW, flow)).collect()
        })
    });
    table(header.collect(), rows)
}

/// One row per guest of every trial that has numbers: `guests.csv`. Bare metal is guest 0.
pub fn guests(model: &Model) -> ::csv::Result<String> {
    let ids = ["guest", "domain", "group", "role"].map(String::from);
    let header = trial_header().into_iter().chain(ids).chain(names(&GUEST));
    let rows = with_numbers(model).flat_map(|(trial, numbers)| {
        numbers.guests.iter().map(|guest| {
            let known = |name: &Option<String>| name.clone().unwrap_or_default();
            let (domain, group) = (known(&guest.domain), known(&guest.group));
            let ids = [guest.guest.to_string(), domain, group, guest.role.to_string()];
            trial_cells(trial).into_iter().chain(ids).chain(cells(&GUEST, guest)).collect()
        })
    });
    table(header.collect(), rows)
}

/// One row per CPU of the host of every trial that has numbers: `cpus.csv`.
pub fn cpus(model: &Model) -> ::csv::Result<String> {
    let header = trial_header().into_iter().chain(["cpu".into()]).chain(names(&CPU));
    let rows = with_numbers(model).flat_map(|(trial, numbers)| {
        numbers.seen.cpus.iter().map(|cpu| {
            trial_cells(trial).into_iter().chain([cpu.cpu.to_string()]).chain(cells(&CPU, cpu)).collect()
        })
    });
    table(header.collect(), rows)
}

/// One row per group of every trial that has numbers: `groups.csv`. Empty where all guests are alike.
pub fn groups(model: &Model) -> ::csv::Result<String> {
    let header = trial_header().into_iter().chain(["group".into(), "role".into()]).chain(names(&GROUP));
    let rows = with_numbers(model).flat_map(|(trial, numbers)| {
        numbers.sharing.groups.iter().map(|group| {
            let ids = [group.name.clone(), group.role.to_string()];
            trial_cells(trial).into_iter().chain(ids).chain(cells(&GROUP, group)).collect()
        })
    });
    table(header.collect(), rows)
}

/// One row per trial: `trials.csv`.
pub fn trials(model: &Model) -> ::csv::Result<String> {
    let metrics = Metric::ALL.map(|metric| metric.column().to_string());
    let header = trial_header()
        .into_iter()
        .chain(["attempts", "outlier", "stage", "cause", "started_s", "ended_s"].map(String::from))
        .chain(metrics)
        .chain(names(&TRIAL));
    let rows = model.trials.iter().map(|trial| {
        let (stage, cause) = why(&trial.outcome);
        let times = [trial.started_s, trial.ended_s].map(|time| cell(Some(time)));
        let metrics = Metric::ALL.map(|metric| cell(metric.value(trial)));
        let others = TRIAL.map(|(_, value)| cell(trial.numbers.as_ref().and_then(value)));
        let cells = trial_cells(trial)
            .into_iter()
            .chain([trial.attempt.to_string(), outlier(model, trial), stage, cause])
            .chain(times);
        cells.chain(metrics).chain(others).collect()
    });
    table(header.collect(), rows)
}

/// One row per fact that was looked at in a trial to prove its backend: `proofs.csv`.
pub fn proofs(model: &Model) -> ::csv::Result<String> {
    let header = trial_header().into_iter().chain(["what", "expected", "found", "holds"].map(String::from));
    let rows = model.trials.iter().flat_map(|trial| {
        trial.checks.iter().map(|check| {
            let fact = [check.what.clone(), check.expected.clone(), check.found.clone()];
            let holds = if check.holds() { "yes" } else { "no" };
            trial_cells(trial).into_iter().chain(fact).chain([holds.into()]).collect()
        })
    });
    table(header.collect(), rows)
}

/// One row per configuration: `summary.csv`. Means of the valid repeats under the metric's own name.
pub fn summary(model: &Model) -> ::csv::Result<String> {
    let header = Factor::ALL
        .map(|factor| factor.column().to_string())
        .into_iter()
        .chain(["accel", "measured", "invalid", "failed"].map(String::from))
        .chain(Metric::ALL.into_iter().flat_map(metric_columns))
        .chain(names(&SUMMARY));
    let rows = model.rows.iter().map(|row| {
        let counts = [row.measured, row.invalid, row.failed].map(|count| count.to_string());
        let accel = accel(model.provenance.accel);
        let cells = levels(&row.configuration).into_iter().chain([accel]).chain(counts);
        let metrics = Metric::ALL.into_iter().flat_map(|metric| metric_cells(row, metric));
        cells.chain(metrics).chain(self::cells(&SUMMARY, row)).collect()
    });
    table(header.collect(), rows)
}

/// What stands behind the metrics in a row of `summary.csv`: the name of each column and its value.
pub fn beyond_metrics(row: &SummaryRow) -> impl Iterator<Item = (&'static str, Option<f64>)> + '_ {
    SUMMARY.iter().map(|(name, value)| (*name, value(row)))
}

fn trial_header() -> Vec<String> {
    let factors = Factor::ALL.map(|factor| factor.column().to_string());
    let ids = ["trial", "repeat"].map(String::from).into_iter();
    ids.chain(factors).chain(["accel", "outcome"].map(String::from)).collect()
}

fn trial_cells(trial: &TrialFigures) -> Vec<String> {
    let ids = [trial.trial, trial.repeat].map(|id| id.to_string());
    let outcome = trial.outcome.word().to_string();
    ids.into_iter().chain(levels(&trial.configuration)).chain([accel(trial.accel), outcome]).collect()
}

fn accel(accel: Accel) -> String {
    match accel {
        Accel::Kvm => "kvm".into(),
        Accel::Tcg => "tcg".into(),
    }
}

fn levels(configuration: &Configuration) -> [String; Factor::ALL.len()] {
    Factor::ALL.map(|factor| configuration.level(factor))
}

fn outlier(model: &Model, trial: &TrialFigures) -> String {
    match model.outliers.get(&trial.trial) {
        None => String::new(),
        Some(Outlier::Mild) => "mild".into(),
        Some(Outlier::Severe) => "severe".into(),
    }
}

/// Stage and cause of a failure; of an invalid trial, all reasons as the cause.
fn why(outcome: &Outcome) -> (String, String) {
    match outcome {
        Outcome::Measured => Default::default(),
        Outcome::Invalid(reasons) => {
            (String::new(), reasons.iter().map(|reason| reason.to_string()).collect::<Vec<_>>().join("; "))
        }
        Outcome::Failed { stage, cause } => (model::stage(*stage).into(), cause.clone()),
    }
}

fn metric_columns(metric: Metric) -> [String; 4] {
    ["", "_half_width", "_min", "_max"].map(|suffix| format!("{}{suffix}", metric.column()))
}

fn metric_cells(row: &SummaryRow, metric: Metric) -> [String; 4] {
    let value = row.get(metric);
    let of = |part: fn(&Interval) -> Option<f64>| cell(value.and_then(part));
    [of(|v| Some(v.mean)), of(|v| v.half_width), of(|v| Some(v.min)), of(|v| Some(v.max))]
}

fn with_numbers<'a>(model: &'a Model) -> impl Iterator<Item = (&'a TrialFigures, &'a Numbers)> {
    model.trials.iter().filter_map(|trial| Some((trial, trial.numbers.as_ref()?)))
}

fn names<T>(columns: &[Column<T>]) -> impl Iterator<Item = String> {
    columns.iter().map(|(name, _)| name.to_string())
}

fn cells<T>(columns: &[Column<T>], record: &T) -> impl Iterator<Item = String> {
    columns.iter().map(|(_, value)| cell(value(record)))
}

/// Six decimals at most, without trailing zeros; empty if there is no value.
fn cell(value: Option<f64>) -> String {
    let text = value.map_or(String::new(), |value| format!("{value:.6}"));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

fn table(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> ::csv::Result<String> {
    let mut text = Vec::new();
    let mut writer = Writer::from_writer(&mut text);
    writer.write_record(header)?;
    rows.into_iter().try_for_each(|row| writer.write_record(row))?;
    writer.flush()?;
    drop(writer);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use std::collections::BTreeMap;

    pub(super) type Table = Vec<BTreeMap<String, String>>;

    /// Each row by the names of its columns.
    pub(super) fn read(text: &str) -> Table {
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        reader.deserialize().map(Result::unwrap).collect()
    }

    fn render(of: fn(&Model) -> ::csv::Result<String>) -> String {
        let (experiment, provenance, trials) = fixture::run();
        of(&Model::new(&experiment, &provenance, &trials)).unwrap()
    }

    fn header(of: fn(&Model) -> ::csv::Result<String>) -> String {
        render(of).lines().next().unwrap().replace(',', "\n")
    }

    #[test]
    fn columns_say_their_units() {
        insta::assert_snapshot!("flows_csv_columns", header(flows));
        insta::assert_snapshot!("guests_csv_columns", header(guests));
        insta::assert_snapshot!("groups_csv_columns", header(groups));
        insta::assert_snapshot!("trials_csv_columns", header(trials));
        insta::assert_snapshot!("summary_csv_columns", header(summary));
    }

    #[test]
    fn no_table_has_the_same_column_twice() {
        for of in [flows, guests, groups, trials, summary] {
            let text = header(of);
            let distinct: std::collections::BTreeSet<&str> = text.lines().collect();
            assert_eq!(distinct.len(), text.lines().count(), "{text}");
        }
    }

    #[test]
    fn a_failed_trial_is_a_row_with_its_cause_and_without_figures() {
        let table = read(&render(trials));
        assert_eq!(table.len(), 9);
        let failed = table.iter().find(|row| row["outcome"] == "failed").unwrap();
        assert_eq!((failed["stage"].as_str(), failed["accel"].as_str()), ("provision", "tcg"));
        assert_eq!(failed["cause"], "guest 2 did not answer within 120 s");
        for column in
            Metric::ALL.map(Metric::column).into_iter().chain(["window_s", "transactions", "jain_cpu"])
        {
            assert_eq!(failed[column], "", "{column}");
        }
    }

    #[test]
    fn an_invalid_trial_keeps_its_figures_and_says_why() {
        let table = read(&render(trials));
        let invalid = table.iter().find(|row| row["outcome"] == "invalid").unwrap();
        assert_eq!(invalid["cause"], "guest 1: driver of the test NIC: expected virtio_net, found e1000");
        assert_eq!(invalid["total_rate_tps"], "2000");
    }

    #[test]
    fn what_stands_behind_the_metrics_is_told_by_the_names_of_its_columns() {
        let (experiment, provenance, trials) = fixture::grouped_run();
        let model = Model::new(&experiment, &provenance, &trials);
        let columns = read(&summary(&model).unwrap());
        let values: BTreeMap<&str, Option<f64>> = beyond_metrics(&model.rows[1]).collect();
        assert!(values["jain_weighted_cpu"].is_some() && values["rate_lost_to_background"].is_some());
        for (name, value) in values {
            assert_eq!(columns[1][name], cell(value), "{name}");
        }
    }

    #[test]
    fn bare_metal_is_one_guest_number_zero_without_fairness() {
        let table = read(&render(guests));
        let bare: Table = table.into_iter().filter(|row| row["backend"] == "baremetal").collect();
        assert_eq!(bare.len(), 3);
        assert!(bare.iter().all(|row| row["guest"] == "0" && row["total_cpu_percent"].is_empty()));
        let summary = read(&render(summary));
        let bare = summary.iter().find(|row| row["vms"] == "0").unwrap();
        assert_eq!((bare["total_rate_tps"].as_str(), bare["bias_rate_percent"].as_str()), ("8000", ""));
    }

    #[test]
    fn every_flow_of_every_trial_with_numbers_is_a_row() {
        assert_eq!(read(&render(flows)).len(), 8 * 8);
    }

    #[test]
    fn cells_have_no_trailing_zeros_and_no_value_is_an_empty_cell() {
        let cells = [Some(2000.0), Some(0.25), Some(1.0 / 3.0), Some(0.0), None].map(cell);
        assert_eq!(cells, ["2000", "0.25", "0.333333", "0", ""]);
    }
}
