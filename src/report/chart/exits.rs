//! Why KVM left the guests: stacked bars by reason, for each transaction, or each second of a stream.

use super::estimate::Estimate;
use super::parts::{Part, distinct, headings, load_first, varying, words};
use super::series::MAX_BARS;
use super::stacks::{Stack, StackGroup, Stacks};
use crate::figures::{Numbers, SummaryRow, exit_reasons, exit_sources, exit_words};
use crate::profile::{Configuration, Factor};
use crate::raw::ExitSource;
use crate::report::Model;
use crate::stats::Interval;

/// Pictures of tests that count transactions, then of streams. None where guests are emulated.
pub(super) fn plots(report: &Model) -> Vec<Stacks> {
    let numbers = || report.trials.iter().filter_map(|trial| trial.valid());
    let reasons = exit_reasons(numbers());
    let counted = counted_by(&exit_sources(numbers()));
    let per_transaction = Stacks {
        name: "exits_per_transaction_by_reason",
        title: "KVM exits per transaction by reason",
        part: Vec::new(),
        drawn: Vec::new(),
        unit: "exits per transaction",
        explanation: format!("exits of all vCPUs ÷ transactions, both each second{counted}"),
        parts: reasons.iter().map(|reason| exit_words(reason)).chain(["other"]).map(String::from).collect(),
        groups: Vec::new(),
    };
    let per_second = Stacks {
        name: "exits_per_s_by_reason",
        title: "KVM exits of streams by reason",
        unit: "exits/s",
        explanation: format!("exits of all vCPUs{counted}"),
        ..per_transaction.clone()
    };
    let drawn = |frame: Stacks, streams: bool| {
        let groups = stacks(report, &reasons, streams).into_iter();
        groups.map(move |(part, drawn, groups)| Stacks { part, drawn, groups, ..frame.clone() })
    };
    drawn(per_transaction, false).chain(drawn(per_second, true)).collect()
}

/// Who counted, as a part of a sentence; nothing where that was not noted.
fn counted_by(sources: &[ExitSource]) -> String {
    let names: Vec<String> = sources.iter().map(ExitSource::to_string).collect();
    if names.is_empty() { String::new() } else { format!(", counted by {}", names.join(" and ")) }
}

/// The levels that all of a picture has in common, what is drawn, and its groups of bars.
type Drawn = (Vec<String>, Vec<Configuration>, Vec<StackGroup>);

/// What makes each picture.
fn stacks(report: &Model, reasons: &[String], streams: bool) -> Vec<Drawn> {
    let of_kind = |row: &&SummaryRow| {
        row.configuration.test.is_stream() == streams && !trials(report, row, reasons).is_empty()
    };
    let rows: Vec<&SummaryRow> = report.rows.iter().filter(of_kind).collect();
    let factors = load_first(varying(&rows, &report.experiment.factors, &[]));
    let only = |row: &SummaryRow| words(&row.configuration, &[Factor::Test]);
    // A test that is the only one of its kind, and not of the run.
    let untold = report.experiment.factors.contains(&Factor::Test) && !factors.contains(&Factor::Test);
    let common = rows.first().filter(|_| untold).map(|row| only(row));
    let parts = Part::whole(rows, factors).split(MAX_BARS).into_iter().map(|part| {
        let levels = common.iter().cloned().chain(part.levels.iter().cloned()).collect();
        (levels, part.configurations(), groups(report, &part, reasons))
    });
    parts.filter(|(_, _, groups)| !groups.is_empty()).collect()
}

fn groups(report: &Model, part: &Part, reasons: &[String]) -> Vec<StackGroup> {
    let (outer, inner) = headings(&part.factors);
    let inside = Part::whole(Vec::new(), inner);
    let title = |row: &SummaryRow| words(&row.configuration, &outer);
    let group = |own: String| {
        let rows = part.rows.iter().filter(|row| title(row) == own);
        let stacks = rows.filter_map(|row| stack(inside.name(row), &trials(report, row, reasons))).collect();
        (own, stacks)
    };
    distinct(part.rows.iter().map(|row| title(row))).into_iter().map(group).collect()
}

/// Each valid trial of a configuration: exits by reason for each unit of its work.
fn trials(report: &Model, row: &SummaryRow, reasons: &[String]) -> Vec<Vec<f64>> {
    let of = |numbers: &Numbers| {
        let exits = numbers.exits_by(reasons)?;
        let rate = numbers.total.unit.transactions(numbers.total.rate);
        match (row.configuration.test.is_stream(), rate) {
            (true, _) => Some(exits),
            (false, Some(rate)) if rate > 0.0 => Some(exits.iter().map(|exits| exits / rate).collect()),
            _ => None,
        }
    };
    let own = report.trials.iter().filter(|trial| trial.configuration == row.configuration);
    own.filter_map(|trial| of(trial.valid()?)).collect()
}

fn stack(label: String, trials: &[Vec<f64>]) -> Option<Stack> {
    let totals: Vec<f64> = trials.iter().map(|reasons| reasons.iter().sum()).collect();
    let total = Interval::of(&totals)?;
    let mean =
        |reason: usize| trials.iter().map(|reasons| reasons[reason]).sum::<f64>() / trials.len() as f64;
    let parts = (0..trials.first()?.len()).map(mean).collect();
    Some(Stack { label, parts, total: Estimate::from(total) })
}
