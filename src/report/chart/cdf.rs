//! How the rates of single flows are distributed: a cumulative line for each combination of levels.

use super::estimate::Estimate;
use super::parts::{Part, varying};
use super::scatter::{Axis, Mark, Scatter, Style, Trace};
use super::series::MAX_LINES;
use crate::figures::SummaryRow;
use crate::profile::{Factor, Unit};
use crate::report::{Model, model};

/// Flows of a configuration from which on a distribution says something.
const FEWEST: usize = 8;

/// The flows of each configuration with the most guests, its valid repeats together; one picture for each unit and part.
pub(super) fn plots(report: &Model) -> Vec<Scatter> {
    let most = report.rows.iter().map(|row| row.configuration.vms).max().unwrap_or(0);
    let of = |unit: Unit| {
        let rows: Vec<&SummaryRow> = report
            .rows
            .iter()
            .filter(|row| row.configuration.vms == most && row.configuration.test.unit() == unit)
            .collect();
        let guests = rows.first().map(|row| model::phrase(&row.configuration, Factor::Vms));
        let guests = guests.filter(|_| report.experiment.factors.contains(&Factor::Vms));
        let factors = varying(&rows, &report.experiment.factors, &[Factor::Vms]);
        Part::whole(rows, factors).split(MAX_LINES).into_iter().filter_map(move |mut part| {
            part.levels.extend(guests.clone());
            plot(report, &part, unit)
        })
    };
    [Unit::Transactions, Unit::Megabits].into_iter().flat_map(of).collect()
}

fn plot(report: &Model, part: &Part, unit: Unit) -> Option<Scatter> {
    let (name, axis) = match unit {
        Unit::Transactions => ("flow_rates_cdf", "transactions/s"),
        _ => ("flow_throughput_cdf", "Mbit/s"),
    };
    let traces = part.rows.iter().filter_map(|row| {
        let marks = steps(&rates(report, row))?;
        Some(Trace { label: part.name(row), marks })
    });
    let traces: Vec<Trace> = traces.collect();
    (!traces.is_empty()).then_some(Scatter {
        name,
        title: "Rates of single flows",
        part: part.levels.clone(),
        drawn: part.configurations(),
        explanation: "part of the flows that are as slow or slower, all repeats together; steep is fair"
            .into(),
        x: Axis { name: "rate of a flow", unit: axis, ends_at_100: false },
        y: Axis { name: "flows", unit: "%", ends_at_100: true },
        style: Style::Line,
        traces,
    })
}

fn rates(report: &Model, row: &SummaryRow) -> Vec<f64> {
    let own = report.trials.iter().filter(|trial| trial.configuration == row.configuration);
    let flows = own.filter_map(|trial| trial.valid()).flat_map(|numbers| &numbers.flows);
    flows.map(|flow| flow.rate).collect()
}

/// The staircase of a distribution.
fn steps(rates: &[f64]) -> Option<Vec<Mark>> {
    if rates.len() < FEWEST {
        return None;
    }
    let mut rates = rates.to_vec();
    rates.sort_by(f64::total_cmp);
    let percent = |below: usize| 100.0 * below as f64 / rates.len() as f64;
    let mark = |rate: f64, below: usize| Mark {
        x: Estimate::exact(rate),
        y: Estimate::exact(percent(below)),
        label: String::new(),
        zone: None,
    };
    let corners =
        rates.iter().enumerate().flat_map(|(below, rate)| [mark(*rate, below), mark(*rate, below + 1)]);
    Some(corners.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staircase_rises_from_nobody_to_everybody() {
        let marks = steps(&[3.0, 1.0, 2.0, 2.0, 5.0, 4.0, 7.0, 6.0]).unwrap();
        let y: Vec<f64> = marks.iter().map(|mark| mark.y.mean).collect();
        assert_eq!((y[0], y[15]), (0.0, 100.0));
        assert!(y.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(marks.windows(2).all(|pair| pair[0].x.mean <= pair[1].x.mean));
        assert_eq!(steps(&[1.0; 7]), None);
    }
}
