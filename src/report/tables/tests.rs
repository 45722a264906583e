//! Tests of the tables' contract.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::figures::IrqFigures;
use crate::raw::ExitSource;
use crate::report::fixture;

type Rows = Vec<BTreeMap<String, String>>;

/// Each row by the names of its columns, as text.
fn rows(table: &Table) -> Rows {
    let text = table.to_csv();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn all(model: &Model) -> Vec<Table> {
    let tables = per_trial(model.experiment, model.provenance, model.trials);
    tables
        .into_iter()
        .chain(of_all_trials(model))
        .chain([timeline(model.experiment, model.provenance, None), columns(model)])
        .collect()
}

fn named(model: &Model, name: &str) -> Rows {
    rows(all(model).iter().find(|table| table.name == name).unwrap())
}

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_ref()).collect()
}

#[test]
fn the_columns_of_every_table() {
    let (experiment, provenance, trials) = fixture::grouped_run();
    let text: String = all(&Model::new(&experiment, &provenance, &trials))
        .iter()
        .map(|table| format!("{}:\n  {}\n", table.name, names(table).join("\n  ")))
        .collect();
    insta::assert_snapshot!("columns_of_every_table", text);
}

#[test]
fn the_data_dictionary() {
    let (experiment, provenance, trials) = fixture::run();
    insta::assert_snapshot!(
        "data_dictionary",
        columns(&Model::new(&experiment, &provenance, &trials)).to_csv()
    );
}

#[test]
fn names_are_distinct_without_dots_and_every_row_has_a_cell_of_its_type_for_each() {
    for (experiment, provenance, trials) in [fixture::run(), fixture::grouped_run()] {
        for table in all(&Model::new(&experiment, &provenance, &trials)) {
            let distinct: BTreeSet<&str> = names(&table).into_iter().collect();
            assert_eq!(distinct.len(), table.columns.len(), "{}", table.name);
            let plain =
                |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            assert!(distinct.iter().all(|name| plain(name)), "{distinct:?}");
            assert!(table.columns.iter().all(|column| !column.meaning.is_empty()));
            for row in &table.rows {
                assert_eq!(row.len(), table.columns.len(), "{}", table.name);
                for (cell, column) in row.iter().zip(&table.columns) {
                    let fits = match cell {
                        Cell::Empty => true,
                        Cell::Text(_) => column.kind == ColumnType::Text,
                        Cell::Integer(_) => column.kind == ColumnType::Integer,
                        Cell::Real(_) => column.kind == ColumnType::Real,
                        Cell::Boolean(_) => column.kind == ColumnType::Boolean,
                        Cell::Estimate(_) | Cell::Trials { .. } => false,
                    };
                    assert!(fits, "{}: {} is {cell:?}", table.name, column.name);
                }
            }
        }
    }
}

#[test]
fn the_same_profile_gives_the_same_columns_whatever_was_measured() {
    for (experiment, provenance, trials) in [fixture::run(), fixture::grouped_run()] {
        let of = |trials: &[TrialFigures]| {
            let tables = all(&Model::new(&experiment, &provenance, trials));
            tables.into_iter().map(|table| (table.name, table.columns)).collect::<Vec<_>>()
        };
        assert_eq!(of(&trials), of(&[]));
    }
}

#[test]
fn every_row_has_a_run_and_a_configuration_whose_levels_are_in_configurations() {
    let (experiment, provenance, trials) = fixture::run();
    let model = Model::new(&experiment, &provenance, &trials);
    let known: BTreeSet<String> =
        named(&model, "configurations").into_iter().map(|row| row["configuration"].clone()).collect();
    assert_eq!(known.len(), 3);
    for table in all(&model).iter().filter(|table| table.name != "columns") {
        assert!(rows(table).iter().all(|row| known.contains(&row["configuration"])), "{}", table.name);
        assert!(rows(table).iter().all(|row| row["run"] == provenance.run), "{}", table.name);
    }
}

#[test]
fn figures_of_groups_kvm_and_streams_are_no_columns_where_the_profile_has_none() {
    let (mut experiment, provenance, trials) = fixture::run();
    experiment.host.accel = crate::profile::AccelChoice::Tcg;
    let model = Model::new(&experiment, &provenance, &trials);
    let table = trials_of(&model);
    for absent in
        ["total_throughput_mbps", "loss_percent", "exits_per_transaction", "contended", "groups_jain_rate"]
    {
        assert!(!table.contains(absent), "{absent}");
    }
    assert!(table.contains("total_rate_tps") && table.contains("bias_rate_percent"));
}

fn trials_of(model: &Model) -> BTreeSet<String> {
    trials(model).columns.into_iter().map(|column| column.name.into_owned()).collect()
}

#[test]
fn a_failed_trial_is_a_row_with_its_cause_and_without_figures() {
    let (experiment, provenance, trials) = fixture::run();
    let table = named(&Model::new(&experiment, &provenance, &trials), "trials");
    assert_eq!(table.len(), 9);
    let failed = table.iter().find(|row| row["outcome"] == "failed").unwrap();
    assert_eq!((failed["stage"].as_str(), failed["accel"].as_str()), ("provision", "tcg"));
    assert_eq!(failed["cause"], "guest 2 did not answer within 120 s");
    for column in ["total_rate_tps", "window_s", "transactions", "jain_cpu"] {
        assert_eq!(failed[column], "", "{column}");
    }
}

#[test]
fn an_invalid_trial_keeps_its_figures_and_has_its_reason() {
    let (experiment, provenance, trials) = fixture::run();
    let table = named(&Model::new(&experiment, &provenance, &trials), "trials");
    let invalid = table.iter().find(|row| row["outcome"] == "invalid").unwrap();
    assert_eq!(invalid["cause"], "guest 1: driver of the test NIC: expected virtio_net, found e1000");
    assert_eq!(invalid["total_rate_tps"], "2000.0");
}

#[test]
fn the_summary_is_long_with_the_ends_of_each_interval() {
    let (experiment, provenance, trials) = fixture::run();
    let model = Model::new(&experiment, &provenance, &trials);
    let table = named(&model, "summary");
    let row = |metric: &str, backend: &str| {
        let row = table.iter().find(|row| row["metric"] == metric && row["backend"] == backend).unwrap();
        row.clone()
    };
    let rate = row("total_rate_tps", "virtio");
    let number = |name: &str| rate[name].parse::<f64>().unwrap();
    assert_eq!((rate["n"].as_str(), rate["unit"].as_str()), ("3", "transactions/s"));
    assert!(number("low") < number("mean") && number("mean") < number("high"));
    assert!(number("min") <= number("mean") && number("mean") <= number("max"));
    assert_eq!(row("kendall_w_rate", "virtio")["mean"], "1.0");
    let bare = row("bias_rate_percent", "baremetal");
    assert_eq!((bare["n"].as_str(), bare["mean"].as_str(), bare["boots"].as_str()), ("0", "", "0"));
}

#[test]
fn the_summary_counts_the_boots_that_the_trials_come_from() {
    let (experiment, provenance, mut trials) = fixture::run();
    for trial in &mut trials {
        trial.processes = vec![if trial.repeat == 1 { 100 } else { 200 }; trial.configuration.vms as usize];
    }
    let table = named(&Model::new(&experiment, &provenance, &trials), "summary");
    let boots = |backend: &str| {
        let mut rows =
            table.iter().filter(|row| row["metric"] == "total_rate_tps" && row["backend"] == backend);
        rows.next().map(|row| row["boots"].clone()).unwrap()
    };
    assert_eq!([boots("virtio"), boots("e1000"), boots("baremetal")], ["2", "1", "0"]);
}

#[test]
fn json_has_the_names_of_the_columns_as_keys_and_null_where_a_cell_is_empty() {
    let (experiment, provenance, trials) = fixture::run();
    let table = summary(&Model::new(&experiment, &provenance, &trials));
    let rows = table.to_objects();
    let keys: BTreeSet<&str> = rows[0].0.keys().map(String::as_str).collect();
    assert_eq!(keys, names(&table).into_iter().collect());
    assert!(rows[0].0["mean"].is_f64() && rows[0].0["n"].is_i64());
    assert!(rows.iter().any(|row| row.0["mean"].is_null()));
}

#[test]
fn bare_metal_is_one_guest_number_zero_without_fairness() {
    let (experiment, provenance, trials) = fixture::run();
    let table = named(&Model::new(&experiment, &provenance, &trials), "guests");
    let bare: Rows = table.into_iter().filter(|row| row["backend"] == "baremetal").collect();
    assert_eq!(bare.len(), 3);
    assert!(bare.iter().all(|row| row["guest"] == "0" && row["total_cpu_percent"].is_empty()));
}

#[test]
fn every_flow_of_every_trial_with_numbers_is_a_row() {
    let (experiment, provenance, trials) = fixture::run();
    assert_eq!(named(&Model::new(&experiment, &provenance, &trials), "flows").len(), 8 * 8);
}

#[test]
fn a_timeline_names_the_source_of_each_value() {
    let (experiment, provenance, trials) = fixture::run();
    let model = Model::new(&experiment, &provenance, &trials);
    let point =
        Point { at_s: -0.5, source: "guest", name: "2".into(), metric: "rate_tps".into(), value: 900.25 };
    let configuration = &experiment.configurations[0];
    let text =
        timeline(model.experiment, model.provenance, Some((7, configuration, vec![point]))).to_csv_rows();
    let id = configuration.id();
    assert_eq!(text, format!("{},{id},7,-0.5,guest,guest 2,rate_tps,900.25\n", provenance.run));
}

#[test]
fn interrupts_are_listed_by_machine_and_queue() {
    let (experiment, provenance, mut trials) = fixture::run();
    let irq = |guest, name: &str| {
        let (nic, name) = ("52:54:00:74:00:01".into(), name.into());
        IrqFigures { guest, nic, irq: 26, name, per_s: 12.5 }
    };
    trials[0].numbers.as_mut().unwrap().seen.nics = vec![irq(0, "lan-TxRx-0"), irq(1, "virtio1-input.0")];
    let table = named(&Model::new(&experiment, &provenance, &trials), "interrupts");
    let cells: Vec<_> =
        table.iter().map(|row| (row["where"].as_str(), row["interrupts_per_s"].as_str())).collect();
    assert_eq!(cells, [("host", "12.5"), ("guest 1", "12.5")]);
}

#[test]
fn exits_are_listed_by_reason_and_per_transaction() {
    let (experiment, provenance, mut trials) = fixture::run();
    let guest = &mut trials[0].numbers.as_mut().unwrap().guests[0];
    guest.exits_from = Some(ExitSource::Tracepoint);
    guest.exits_per_s = [("exits", 2.0), ("NPF", 0.5)].map(|(k, n)| (k.into(), n * guest.rate)).into();
    let table = named(&Model::new(&experiment, &provenance, &trials), "exits");
    let line = |row: &BTreeMap<String, String>| {
        ["guest", "source", "reason", "exits_per_transaction"].map(|column| row[column].clone()).join(" ")
    };
    let lines: Vec<_> = table.iter().map(line).collect();
    assert_eq!(lines, ["1 tracepoint NPF 0.5", "1 tracepoint exits 2.0"]);
}
