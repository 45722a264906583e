//! Why KVM left the guests: stacked bars by reason, for each transaction, or each second of a stream.

use super::axis::Axis;
use super::group::{GroupedRows, Part, group_by, headings, load_first, varying, words};
use super::metrics::MAX_BARS;
use super::palette::{Pen, Pens};
use super::plot::{Bar, BarGroup, Bars, Body, Plot, reach};
use super::svg::GREY;
use crate::figures::{SummaryRow, TrialFigures, ValidTrials, exit_reasons, exit_sources, exit_words};
use crate::profile::Factor;
use crate::raw::ExitSource;
use crate::report::Model;
use crate::stats::Scale;

/// The two kinds of picture: file name, title, unit and explanation.
const PER_TRANSACTION: [&str; 4] = [
    "exits_per_transaction_by_reason",
    "KVM exits per transaction by reason",
    "exits per transaction",
    "exits of all vCPUs ÷ transactions, both each second",
];
const PER_SECOND: [&str; 4] =
    ["exits_per_s_by_reason", "KVM exits of streams by reason", "exits/s", "exits of all vCPUs"];

/// Pictures of tests that count transactions, then of streams. None where guests are emulated.
pub(super) fn plots(report: &Model) -> Vec<Plot> {
    let reasons = exit_reasons(report.trials.iter().filter_map(|trial| trial.valid()));
    let of_kind = |streams: bool| {
        parts(report, &reasons, streams)
            .into_iter()
            .filter_map(|part| plot(report, &reasons, streams, &part))
            .collect()
    };
    let both: [Vec<Plot>; 2] = [false, true].map(of_kind);
    both.concat()
}

/// The rows of each picture.
fn parts<'r>(report: &'r Model, reasons: &[String], streams: bool) -> Vec<Part<'r>> {
    let of_kind = |row: &&SummaryRow| {
        row.configuration.test.is_stream() == streams
            && report
                .trials
                .iter()
                .any(|t| t.configuration == row.configuration && by_reason(t, reasons).is_some())
    };
    let rows: Vec<&SummaryRow> = report.rows.iter().filter(of_kind).collect();
    let factors = load_first(varying(&rows, &report.experiment.factors, &[]));
    // A test that is the only one of its kind, and not of the run.
    let only = report.experiment.factors.contains(&Factor::Test) && !factors.contains(&Factor::Test);
    let test = rows.first().filter(|_| only).map(|row| words(&row.configuration, &[Factor::Test]));
    let mut whole = Part::whole(rows, factors);
    whole.levels.extend(test);
    whole.split(MAX_BARS)
}

fn plot(report: &Model, reasons: &[String], streams: bool, part: &Part) -> Option<Plot> {
    let [name, title, unit, explanation] = if streams { PER_SECOND } else { PER_TRANSACTION };
    let names: Vec<String> = reasons.iter().map(|reason| exit_words(reason).to_owned()).collect();
    let pens = Pens::assign(names.iter().cloned());
    let other = ("other".to_owned(), Pen { colour: GREY, ..pens.get("other") });
    let segments = names.into_iter().map(|name| (name.clone(), pens.get(&name))).chain([other]).collect();
    let (outer, inner) = headings(&part.factors);
    let group = |group: GroupedRows| {
        let lines = Part::whole(group.rows, inner.clone()).lines();
        let bars = lines.into_iter().flat_map(|line| {
            line.rows.into_iter().filter_map(move |row| bar(report, line.words.clone(), row, reasons))
        });
        BarGroup { title: group.words, bars: bars.collect() }
    };
    let groups: Vec<BarGroup> = group_by(part.rows.iter().copied(), &outer).into_iter().map(group).collect();
    let largest = reach(groups.iter().flat_map(|group| &group.bars).filter_map(|bar| bar.values[0].as_ref()));
    let any = !groups.is_empty();
    let body = Body::Bars(Bars { panels: vec![Axis::numbers("", unit, largest)], segments, groups });
    let explanation = format!("{explanation}{}", counted_by(report));
    let plot = Plot::new((name, title), &part.levels, explanation, body);
    any.then(|| plot.of_configurations(part.configurations()))
}

/// Who counted, as a part of a sentence; nothing where that was not noted.
fn counted_by(report: &Model) -> String {
    let sources = exit_sources(report.trials.iter().filter_map(|trial| trial.valid()));
    let names: Vec<String> = sources.iter().map(ExitSource::to_string).collect();
    if names.is_empty() { String::new() } else { format!(", counted by {}", names.join(" and ")) }
}

/// Exits of a trial by reason for each unit of its work.
fn by_reason(trial: &TrialFigures, reasons: &[String]) -> Option<Vec<f64>> {
    let numbers = trial.valid()?;
    let exits = numbers.exits_by(reasons)?;
    let rate = numbers.total.unit.transactions(numbers.total.rate);
    match (trial.configuration.test.is_stream(), rate) {
        (true, _) => Some(exits),
        (false, Some(rate)) if rate > 0.0 => Some(exits.iter().map(|exits| exits / rate).collect()),
        _ => None,
    }
}

fn bar(report: &Model, label: String, row: &SummaryRow, reasons: &[String]) -> Option<Bar> {
    let trials = ValidTrials::new(&row.configuration, report.trials);
    let mean = |value: &dyn Fn(&[f64]) -> f64| {
        trials.estimate(Scale::Log, |trial| by_reason(trial, reasons).map(|exits| value(&exits)))
    };
    let total = mean(&|exits| exits.iter().sum())?;
    let parts = trials.trials().find_map(|trial| by_reason(trial, reasons))?.len();
    let segments = (0..parts).filter_map(|part| Some(mean(&|exits| exits[part])?.mean)).collect();
    let trials = row.trials.clone();
    Some(Bar { label, pen: None, values: vec![Some(total)], segments, floor: None, trials })
}
