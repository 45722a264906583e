//! Tables of what probes saw, one row for each value: interrupts, exits, the course of each trial.

use super::{cell, table, trial_cells, trial_header, with_numbers};
use crate::figures::Point;
use crate::report::Model;

/// One row per interrupt line of a NIC under test of every trial that has numbers: `interrupts.csv`. `where` is `host` or
/// `guest N`.
pub fn interrupts(model: &Model) -> ::csv::Result<String> {
    let names = ["where", "nic", "irq", "name", "interrupts_per_s"].map(String::from);
    let rows = with_numbers(model).flat_map(|(trial, numbers)| {
        numbers.seen.nics.iter().map(|irq| {
            let ids = [machine(irq.guest), irq.nic.clone(), irq.irq.to_string(), irq.name.clone()];
            trial_cells(trial).into_iter().chain(ids).chain([cell(Some(irq.per_s))]).collect()
        })
    });
    table(trial_header().into_iter().chain(names).collect(), rows)
}

fn machine(guest: u32) -> String {
    if guest == 0 { "host".into() } else { format!("guest {guest}") }
}

/// One row per guest and reason of every trial in which somebody counted exits: `exits.csv`. The reason `exits` is all of
/// them together; the others need not add up to it, for KVM's statistics give a reason for some only. `source` says who counted.
pub fn exits(model: &Model) -> ::csv::Result<String> {
    let names = ["guest", "source", "reason", "exits_per_s", "exits_per_transaction"].map(String::from);
    let rows = with_numbers(model).flat_map(|(trial, numbers)| {
        numbers.guests.iter().flat_map(move |guest| {
            let source = guest.exits_from.map(|source| source.to_string()).unwrap_or_default();
            guest.exits_per_s.iter().map(move |(reason, per_s)| {
                let rate = guest.unit.transactions(guest.rate).filter(|rate| *rate > 0.0);
                let ids = [guest.guest.to_string(), source.clone(), reason.clone()];
                let values = [cell(Some(*per_s)), cell(rate.map(|rate| per_s / rate))];
                trial_cells(trial).into_iter().chain(ids).chain(values).collect()
            })
        })
    });
    table(trial_header().into_iter().chain(names).collect(), rows)
}

/// One row per point of the trials' timelines, as they are given with the trials' numbers: `timeline.csv`.
pub fn timeline(trials: impl IntoIterator<Item = (u32, Vec<Point>)>) -> ::csv::Result<String> {
    let header = ["trial", "at_s", "source", "name", "metric", "value"].map(String::from);
    let rows = trials.into_iter().flat_map(|(trial, points)| {
        points.into_iter().map(move |point| {
            let Point { at_s, source, name, metric, value } = point;
            vec![trial.to_string(), cell(Some(at_s)), source.into(), name, metric, cell(Some(value))]
        })
    });
    table(header.into(), rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::IrqFigures;
    use crate::raw::ExitSource;
    use crate::report::csv::tests::read;
    use crate::report::fixture;
    use std::collections::BTreeMap;

    #[test]
    fn a_timeline_names_what_each_value_is_of() {
        let point =
            Point { at_s: -0.5, source: "guest", name: "2".into(), metric: "rate_tps".into(), value: 900.25 };
        let text = timeline([(7, vec![point])]).unwrap();
        assert_eq!(text, "trial,at_s,source,name,metric,value\n7,-0.5,guest,2,rate_tps,900.25\n");
    }

    #[test]
    fn interrupts_are_told_apart_by_machine_and_queue() {
        let (experiment, provenance, mut trials) = fixture::run();
        let irq = |guest, name: &str| {
            let (nic, name) = ("52:54:00:74:00:01".into(), name.into());
            IrqFigures { guest, nic, irq: 26, name, per_s: 12.5 }
        };
        trials[0].numbers.as_mut().unwrap().seen.nics = vec![irq(0, "lan-TxRx-0"), irq(1, "virtio1-input.0")];
        let table = read(&interrupts(&Model::new(&experiment, &provenance, &trials)).unwrap());
        let cells: Vec<_> =
            table.iter().map(|row| (row["where"].as_str(), row["interrupts_per_s"].as_str())).collect();
        assert_eq!(cells, [("host", "12.5"), ("guest 1", "12.5")]);
    }

    #[test]
    fn exits_are_told_by_reason_and_for_each_transaction() {
        let (experiment, provenance, mut trials) = fixture::run();
        let guest = &mut trials[0].numbers.as_mut().unwrap().guests[0];
        guest.exits_from = Some(ExitSource::Tracepoint);
        guest.exits_per_s = [("exits", 2.0), ("NPF", 0.5)].map(|(k, n)| (k.into(), n * guest.rate)).into();
        let table = read(&exits(&Model::new(&experiment, &provenance, &trials)).unwrap());
        let of = |row: &BTreeMap<String, String>| {
            ["guest", "source", "reason", "exits_per_transaction"].map(|column| row[column].clone()).join(" ")
        };
        let rows: Vec<_> = table.iter().map(of).collect();
        assert_eq!(rows, ["1 tracepoint NPF 0.5", "1 tracepoint exits 2"]);
    }
}
