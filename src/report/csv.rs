//! CSV for other programs: flows, guests, trials and the summary. Units are in the column names.
//!
//! Columns named `whole_flow_…` are netperf's own, over a flow from its start, warm-up included; so are the P99 and longest
//! transactions of trials and summaries. All other figures are of the window.
//!
//! What is undefined or unknown is an empty cell. A failed trial is a row of `trials.csv` with its stage and cause and
//! without figures; it has no rows elsewhere. Trials that are not valid keep theirs: look at `outcome`.

use ::csv::Writer;

use super::{Model, model};
use crate::figures::{FlowFigures, GuestFigures, Metric, Numbers, Outcome, SummaryRow, TrialFigures};
use crate::profile::{Configuration, Factor};
use crate::sample::Accel;
use crate::stats::{Fairness, Interval};

/// A column: its name and its value in a record.
type Column<T> = (&'static str, fn(&T) -> Option<f64>);

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
    let header = trial_header().into_iter().chain(["guest".into(), "domain".into()]).chain(names(&GUEST));
    let rows = with_numbers(model).flat_map(|(trial, numbers)| {
        numbers.guests.iter().map(|guest| {
            let ids = [guest.guest.to_string(), guest.domain.clone().unwrap_or_default()];
            trial_cells(trial).into_iter().chain(ids).chain(cells(&GUEST, guest)).collect()
        })
    });
    table(header.collect(), rows)
}

/// One row per trial: `trials.csv`.
pub fn trials(model: &Model) -> ::csv::Result<String> {
    let metrics = Metric::ALL.map(|metric| metric.column().to_string());
    let header = trial_header()
        .into_iter()
        .chain(["attempts", "stage", "cause", "started_s", "ended_s"].map(String::from))
        .chain(metrics)
        .chain(names(&TRIAL));
    let rows = model.trials.iter().map(|trial| {
        let (stage, cause) = why(&trial.outcome);
        let times = [trial.started_s, trial.ended_s].map(|time| cell(Some(time)));
        let metrics = Metric::ALL.map(|metric| cell(metric.value(trial)));
        let others = TRIAL.map(|(_, value)| cell(trial.numbers.as_ref().and_then(value)));
        let cells =
            trial_cells(trial).into_iter().chain([trial.attempt.to_string(), stage, cause]).chain(times);
        cells.chain(metrics).chain(others).collect()
    });
    table(header.collect(), rows)
}

/// One row per configuration: `summary.csv`. Means of the valid repeats under the metric's own name.
pub fn summary(model: &Model) -> ::csv::Result<String> {
    let header = Factor::ALL
        .map(|factor| factor.column().to_string())
        .into_iter()
        .chain(["accel", "measured", "invalid", "failed"].map(String::from))
        .chain(Metric::ALL.into_iter().flat_map(metric_columns));
    let rows = model.rows.iter().map(|row| {
        let counts = [row.measured, row.invalid, row.failed].map(|count| count.to_string());
        let accel = accel(model.provenance.accel);
        let cells = levels(&row.configuration).into_iter().chain([accel]).chain(counts);
        cells.chain(Metric::ALL.into_iter().flat_map(|metric| metric_cells(row, metric))).collect()
    });
    table(header.collect(), rows)
}

const FLOW: [Column<FlowFigures>; 13] = [
    ("rate_tps", |flow| Some(flow.rate_tps)),
    ("transactions", |flow| Some(flow.transactions)),
    ("window_latency_us", |flow| flow.window_latency_us),
    ("whole_flow_min_latency_us", |flow| flow.latency.min_us),
    ("whole_flow_mean_latency_us", |flow| flow.latency.mean_us),
    ("whole_flow_p50_latency_us", |flow| flow.latency.p50_us),
    ("whole_flow_p90_latency_us", |flow| flow.latency.p90_us),
    ("whole_flow_p99_latency_us", |flow| flow.latency.p99_us),
    ("whole_flow_max_latency_us", |flow| flow.latency.max_us),
    ("whole_flow_sd_latency_us", |flow| flow.latency.sd_us),
    ("whole_flow_retransmissions", |flow| flow.retransmissions.map(|count| count as f64)),
    ("longest_silence_s", |flow| Some(flow.longest_silence_s)),
    ("coverage_percent", |flow| Some(flow.coverage_percent)),
];

const GUEST: [Column<GuestFigures>; 17] = [
    ("flows_of_guest", |guest| Some(f64::from(guest.flows))),
    ("rate_tps", |guest| Some(guest.rate_tps)),
    ("transactions", |guest| Some(guest.transactions)),
    ("mean_latency_us", |guest| guest.mean_latency_us),
    ("whole_flow_p99_latency_us", |guest| guest.p99_latency_us),
    ("whole_flow_max_latency_us", |guest| guest.max_latency_us),
    ("vcpu_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.vcpu_percent)),
    ("emulator_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.emulator_percent)),
    ("vhost_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.vhost_percent)),
    ("total_cpu_percent", |guest| guest.cpu.map(|cpu| cpu.total_percent)),
    ("run_delay_percent", |guest| guest.cpu.map(|cpu| cpu.run_delay_percent)),
    ("inside_busy_percent", |guest| guest.inside_busy_percent),
    ("inside_steal_percent", |guest| guest.inside_steal_percent),
    ("from_target_packets", |guest| guest.from_target_packets),
    ("to_target_packets", |guest| guest.to_target_packets),
    ("witness_from_ratio", |guest| guest.witness_from_ratio),
    ("witness_to_ratio", |guest| guest.witness_to_ratio),
];

const TRIAL: [Column<Numbers>; 25] = [
    ("window_s", |n| Some(n.window.length_s())),
    ("window_start_s", |n| Some(n.window.start_s)),
    ("start_spread_s", |n| Some(n.total.start_spread_s)),
    ("transactions", |n| Some(n.total.transactions)),
    ("retransmissions", |n| n.total.retransmissions.map(|count| count as f64)),
    ("min_p99_latency_us", |n| n.total.min_p99_latency_us),
    ("host_user_percent", |n| n.host.map(|host| host.modes.user_percent)),
    ("host_system_percent", |n| n.host.map(|host| host.modes.system_percent)),
    ("host_irq_percent", |n| n.host.map(|host| host.modes.irq_percent)),
    ("host_softirq_percent", |n| n.host.map(|host| host.modes.softirq_percent)),
    ("host_steal_percent", |n| n.host.map(|host| host.modes.steal_percent)),
    ("host_idle_percent", |n| n.host.map(|host| host.modes.idle_percent)),
    ("min_guest_rate_tps", |n| rate(n, |f| f.min)),
    ("max_guest_rate_tps", |n| rate(n, |f| f.max)),
    ("gini_rate", |n| rate(n, |f| f.gini)),
    ("cv_latency_percent", |n| latency(n, |f| 100.0 * f.cv)),
    ("jain_latency", |n| latency(n, |f| f.jain)),
    ("min_guest_latency_us", |n| latency(n, |f| f.min)),
    ("max_guest_latency_us", |n| latency(n, |f| f.max)),
    ("gini_latency", |n| latency(n, |f| f.gini)),
    ("cv_cpu_percent", |n| cpu(n, |f| 100.0 * f.cv)),
    ("jain_cpu", |n| cpu(n, |f| f.jain)),
    ("min_guest_cpu_percent", |n| cpu(n, |f| f.min)),
    ("max_guest_cpu_percent", |n| cpu(n, |f| f.max)),
    ("gini_cpu", |n| cpu(n, |f| f.gini)),
];

fn rate(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.rate_fairness.map(index)
}

fn latency(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.latency_fairness.map(index)
}

fn cpu(numbers: &Numbers, index: fn(Fairness) -> f64) -> Option<f64> {
    numbers.total.cpu_fairness.map(index)
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

    type Table = Vec<BTreeMap<String, String>>;

    fn read(text: &str) -> Table {
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
        insta::assert_snapshot!("trials_csv_columns", header(trials));
        insta::assert_snapshot!("summary_csv_columns", header(summary));
    }

    #[test]
    fn no_table_has_the_same_column_twice() {
        for of in [flows, guests, trials, summary] {
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
