//! What background load does to the guests beside it: mean, P99 and longest transaction by what the neighbours do, and by
//! how the scheduler is set while they do it.

use super::columns::{Columns, Level, Panel};
use super::estimate::Estimate;
use super::parts::{Part, distinct, varying, words};
use crate::figures::{Metric, SummaryRow};
use crate::profile::Factor;
use crate::report::{Model, model};

/// What each panel shows.
const PANELS: [(Metric, &str); 3] =
    [(Metric::MeanLatency, "mean"), (Metric::P99Latency, "P99"), (Metric::MaxLatency, "longest transaction")];
/// Levels that one picture can hold.
const MAX_LEVELS: usize = 10;

/// One picture for each combination of the other levels, with the background below; and where others are swept, one for each
/// background with those below. None where background is not swept.
pub(super) fn plots(report: &Model) -> Vec<Columns> {
    let rows: Vec<&SummaryRow> = report
        .rows
        .iter()
        .filter(|row| row.configuration.vms > 0 && row.get(PANELS[0].0).is_some())
        .collect();
    if varying(&rows, &[Factor::Background], &[]).is_empty() {
        return Vec::new();
    }
    let others = varying(&rows, &report.experiment.factors, &[Factor::Background]);
    let by_background = Part::whole(rows.clone(), others.clone()).split_all();
    let by_background = by_background.iter().map(|part| {
        columns(
            part,
            "latency_by_background",
            "Latency by background load",
            "what the neighbours do",
            |row| model::phrase(&row.configuration, Factor::Background),
        )
    });
    let by_others = Part::whole(rows, vec![Factor::Background]).split_all();
    let by_others = by_others.iter().filter(|_| !others.is_empty()).map(|part| {
        columns(part, "latency_by_setting", "Latency by setting", "", |row| {
            words(&row.configuration, &others)
        })
    });
    // What the neighbours do in one setting is compared with what they do in another; settings are compared within a picture.
    let by_background = with_one_scale(drawable(by_background));
    by_background.into_iter().chain(drawable(by_others).into_iter().map(with_own_scale)).collect()
}

/// Those with something to compare.
fn drawable(plots: impl Iterator<Item = Columns>) -> Vec<Columns> {
    plots.filter(|plot| plot.levels.len() > 1).collect()
}

/// The same panel of all pictures on the same scale.
fn with_one_scale(mut plots: Vec<Columns>) -> Vec<Columns> {
    for panel in 0..PANELS.len() {
        let largest = plots.iter().map(|plot| plot.reach(panel)).fold(0.0, f64::max);
        plots.iter_mut().for_each(|plot| plot.panels[panel].largest = largest);
    }
    plots
}

/// Each panel as high as its own values.
fn with_own_scale(plot: Columns) -> Columns {
    with_one_scale(vec![plot]).remove(0)
}

fn columns(
    part: &Part,
    name: &'static str,
    title: &'static str,
    axis: &'static str,
    label: impl Fn(&SummaryRow) -> String,
) -> Columns {
    let values =
        |row: &SummaryRow| PANELS.map(|(metric, _)| row.get(metric).copied().map(Estimate::from)).to_vec();
    let level = |label_of: String| {
        let row = part.rows.iter().find(|row| label(row) == label_of)?;
        Some(Level { label: label_of, values: values(row) })
    };
    let labels = distinct(part.rows.iter().map(|row| label(row))).into_iter().take(MAX_LEVELS);
    Columns {
        name,
        title,
        part: part.levels.clone(),
        drawn: part.configurations(),
        explanation: "of the measured guests, scales differ; P99: median over their flows; P99 and longest with the warm-up",
        unit: "µs",
        axis,
        panels: PANELS.map(|(_, name)| Panel { name, largest: 0.0 }).to_vec(),
        levels: labels.filter_map(level).collect(),
    }
}
