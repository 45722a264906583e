//! What each guest got, a bar with its interval for each: of the configuration in which they differ most.

use super::estimate::reach;
use super::series::{Bar, Group, Kind, Plot, Subject};
use crate::figures::{GuestFigures, Metric, SummaryRow};
use crate::profile::Unit;
use crate::report::{Model, model};
use crate::stats::Interval;

/// The configuration with the largest mean bias of the guests' rates; `None` where no two guests were compared.
pub(super) fn most_biased<'r>(report: &'r Model) -> Option<&'r SummaryRow> {
    let biased = report.rows.iter().filter_map(|row| Some((row, row.get(Metric::BiasRate)?.mean)));
    biased.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row)
}

/// Its guests' rates over the valid repeats.
pub(super) fn plot(report: &Model) -> Option<Plot> {
    let row = most_biased(report)?;
    let valid = report.trials.iter().filter(|trial| trial.configuration == row.configuration);
    let valid: Vec<_> = valid.filter_map(|trial| trial.valid()).collect();
    let guests = valid.first()?.guests.iter().filter(|guest| guest.is_measured());
    let rates = |number: u32| {
        let own = valid.iter().flat_map(|numbers| &numbers.guests).filter(move |guest| guest.guest == number);
        own.map(|guest| guest.rate).collect::<Vec<f64>>()
    };
    let bar = |guest: &GuestFigures| {
        let group = guest.group.as_ref().map(|group| format!(" ({group})")).unwrap_or_default();
        Some(Bar {
            label: format!("guest {}{group}", guest.guest),
            value: Interval::of(&rates(guest.guest))?.into(),
            baseline: false,
        })
    };
    let bars: Vec<Bar> = guests.filter_map(bar).collect();
    let levels = model::describe(&row.configuration, &report.experiment.factors);
    Some(Plot {
        subject: subject(row.configuration.test.unit()),
        part: Some(levels).filter(|levels| !levels.is_empty()).into_iter().collect(),
        drawn: vec![row.configuration.clone()],
        largest: reach(bars.iter().map(|bar| &bar.value)),
        kind: Kind::Bars(vec![Group { title: String::new(), bars }]),
    })
}

fn subject(unit: Unit) -> Subject {
    let (name, unit) = match unit {
        Unit::Transactions => ("rate_by_guest", "transactions/s"),
        Unit::Megabits => ("throughput_by_guest", "Mbit/s"),
    };
    Subject {
        name,
        label: "Rate of each guest where they differ most",
        unit,
        explanation: "sum over a guest's flows in the common window; the configuration with the largest mean bias",
        ends_at_100: false,
    }
}
