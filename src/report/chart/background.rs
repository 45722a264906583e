//! What background load does to the guests beside it: mean, P99 and longest latency by what the neighbours do, and by
//! how the scheduler is set while they do it.

use super::axis::Axis;
use super::group::{GroupedRows, Part, varying};
use super::palette::Pen;
use super::plot::{Bar, BarGroup, Bars, Body, Plot, reach};
use crate::figures::{Metric, SummaryRow};
use crate::profile::Factor;
use crate::report::Model;
use crate::stats::Estimate;

/// What each panel shows.
const PANELS: [(Metric, &str); 3] =
    [(Metric::MeanLatency, "mean"), (Metric::P99Latency, "P99"), (Metric::MaxLatency, "longest")];
const EXPLANATION: &str = "of the measured guests, scales differ; P99: median over their flows; P99 and longest: whole flow, \
                           closed loop, with the warm-up";
const EXPLANATION_OF_PINGS: &str = "of the measured guests, scales differ; pings that were sent in the window, open loop; P99: median \
                                    over their flows";
/// Levels that one picture can hold.
const MAX_LEVELS: usize = 10;

/// One picture for each combination of the other levels, with the background below; and where others are swept, one for each
/// background with those below. None where background is not swept.
pub(super) fn plots(report: &Model) -> Vec<Plot> {
    let measured = |row: &&SummaryRow| row.configuration.vms > 0 && row.get(PANELS[0].0).is_some();
    let rows: Vec<&SummaryRow> = report.rows.iter().filter(measured).collect();
    if varying(&rows, &[Factor::Background], &[]).is_empty() {
        return Vec::new();
    }
    let others = varying(&rows, &report.experiment.factors, &[Factor::Background]);
    let pictures = |across: &[Factor], inside: &[Factor]| -> Vec<(Vec<String>, Part)> {
        let parts = Part::whole(rows.clone(), across.to_vec()).split_all().into_iter();
        let inner = parts.map(|part| (part.levels, Part::whole(part.rows, inside.to_vec())));
        // With something to compare.
        inner.filter(|(_, part)| !inside.is_empty() && part.lines().len() > 1).collect()
    };
    // What the neighbours do in one setting is compared with what they do in another; settings are compared within a picture.
    let by_background = pictures(&others, &[Factor::Background]);
    let all: Vec<&SummaryRow> =
        by_background.iter().flat_map(|(_, part)| part.rows.iter().copied()).collect();
    let by_background = by_background.iter().map(|(levels, part)| {
        plot(report, part, levels, ("latency_by_background", "Latency by background load", &all))
    });
    let by_others = pictures(&[Factor::Background], &others);
    let by_others = by_others.iter().map(|(levels, part)| {
        plot(report, part, levels, ("latency_by_setting", "Latency by setting", &part.rows))
    });
    by_background.chain(by_others).collect()
}

/// One bar with a value in each panel for each of the part's lines, on a scale for all of `compared`.
fn plot(
    report: &Model,
    part: &Part,
    levels: &[String],
    (name, title, compared): (&str, &str, &[&SummaryRow]),
) -> Plot {
    let value = |row: &SummaryRow, metric: Metric| row.get(metric).copied();
    let panels: Vec<(Metric, Axis)> = PANELS
        .into_iter()
        .filter(|(metric, _)| part.rows.iter().any(|row| value(row, *metric).is_some()))
        .map(|(metric, name)| {
            let estimates: Vec<Estimate> = compared.iter().filter_map(|row| value(row, metric)).collect();
            (metric, Axis::numbers(name, "µs", reach(&estimates)))
        })
        .collect();
    let bar = |(line, pen): (GroupedRows, Pen)| {
        let row = line.rows.first()?;
        let values = panels.iter().map(|(metric, _)| value(row, *metric)).collect();
        let trials = row.trials.clone();
        Some(Bar { label: line.words, pen: Some(pen), values, segments: Vec::new(), floor: None, trials })
    };
    let bars = part.pens(report).into_iter().take(MAX_LEVELS).filter_map(bar).collect();
    let body = Body::Bars(Bars {
        groups: vec![BarGroup { title: String::new(), bars }],
        panels: panels.into_iter().map(|(_, axis)| axis).collect(),
        segments: Vec::new(),
    });
    // Where both are swept, each has pictures of its own.
    let pings = part.rows.iter().all(|row| row.configuration.test.is_ping());
    let explanation = if pings { EXPLANATION_OF_PINGS } else { EXPLANATION };
    Plot::new((name, title), levels, explanation.into(), body).of_configurations(part.configurations())
}
