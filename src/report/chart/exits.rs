//! Why KVM left the guests: stacked bars by reason, for each transaction, or each second of a stream.

use super::estimate::Estimate;
use super::parts::{Part, distinct, varying, words};
use super::series::{MAX_BARS, headings};
use super::stacks::{Stack, Stacks};
use crate::figures::{EXIT_REASONS, Numbers, SummaryRow};
use crate::profile::Factor;
use crate::report::Model;
use crate::stats::Interval;

/// Exits of one trial by reason, 1/s.
type Reasons = [f64; EXIT_REASONS.len()];

/// At most two pictures: of tests that count transactions and of streams. None where guests are emulated.
pub(super) fn plots(report: &Model) -> Vec<Stacks> {
    let per_transaction = stacks(report, false).map(|groups| Stacks {
        name: "exits_per_transaction_by_reason",
        title: "KVM exits per transaction by reason",
        unit: "exits per transaction",
        explanation: "exits of all vCPUs ÷ transactions, both each second",
        parts: EXIT_REASONS.map(|(_, reason)| reason).to_vec(),
        groups,
    });
    let per_second = stacks(report, true).map(|groups| Stacks {
        name: "exits_per_s_by_reason",
        title: "KVM exits of streams by reason",
        unit: "exits/s",
        explanation: "exits of all vCPUs",
        parts: EXIT_REASONS.map(|(_, reason)| reason).to_vec(),
        groups,
    });
    per_transaction.into_iter().chain(per_second).collect()
}

fn stacks(report: &Model, streams: bool) -> Option<Vec<(String, Vec<Stack>)>> {
    let of_kind = |row: &&SummaryRow| row.configuration.test.is_stream() == streams;
    let rows: Vec<&SummaryRow> = report.rows.iter().filter(of_kind).collect();
    let (mut outer, inner) = headings(&varying(&rows, &report.experiment.factors, &[]));
    if report.experiment.factors.contains(&Factor::Test) && !outer.contains(&Factor::Test) {
        outer.insert(0, Factor::Test); // the only one of its kind, and not of the run
    }
    let inside = Part::whole(Vec::new(), inner);
    let title = |row: &SummaryRow| words(&row.configuration, &outer);
    let stack = |row: &SummaryRow| stack(inside.name(row), &trials(report, row));
    let group = |own: String| {
        let stacks = rows.iter().filter(|row| title(row) == own).filter_map(|row| stack(row)).collect();
        (own, stacks)
    };
    let groups = distinct(rows.iter().map(|row| title(row))).into_iter().map(group);
    let mut groups: Vec<(String, Vec<Stack>)> =
        groups.filter(|(_, stacks): &(_, Vec<_>)| !stacks.is_empty()).collect();
    cut(&mut groups);
    (!groups.is_empty()).then_some(groups)
}

/// As much as one picture holds; the rest is in `guests.csv`.
fn cut(groups: &mut Vec<(String, Vec<Stack>)>) {
    let mut left = MAX_BARS;
    for (_, stacks) in groups.iter_mut() {
        stacks.truncate(left);
        left -= stacks.len();
    }
    groups.retain(|(_, stacks)| !stacks.is_empty());
}

/// Each valid trial of a configuration: exits by reason for each unit of its work.
fn trials(report: &Model, row: &SummaryRow) -> Vec<Reasons> {
    let of = |numbers: &Numbers| {
        let reasons = numbers.exits_by_reason()?;
        let rate = numbers.total.unit.transactions(numbers.total.rate);
        match (row.configuration.test.is_stream(), rate) {
            (true, _) => Some(reasons),
            (false, Some(rate)) if rate > 0.0 => Some(reasons.map(|exits| exits / rate)),
            _ => None,
        }
    };
    let own = report.trials.iter().filter(|trial| trial.configuration == row.configuration);
    own.filter_map(|trial| of(trial.valid()?)).collect()
}

fn stack(label: String, trials: &[Reasons]) -> Option<Stack> {
    let totals: Vec<f64> = trials.iter().map(|reasons| reasons.iter().sum()).collect();
    let total = Interval::of(&totals)?;
    let mean =
        |reason: usize| trials.iter().map(|reasons| reasons[reason]).sum::<f64>() / trials.len() as f64;
    let parts = (0..EXIT_REASONS.len()).map(mean).collect();
    Some(Stack { label, parts, total: Estimate::from(total) })
}
