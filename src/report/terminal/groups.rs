//! What each group of guests got, as a second table: CPU time against weights, and the rate.

use comfy_table::{Cell, CellAlignment, Table};

use super::{Terminal, table};
use crate::figures::GroupRow;
use crate::profile::{Configuration, Role, Unit};
use crate::report::Model;
use crate::stats::Interval;

/// Rows after which no further configuration begins; the files have all.
const ROWS: usize = 16;
const CAPTION: &str = "groups of guests; part: of all guests' CPU time; error: part ÷ part by weight − 1\n";
const FILE: &str = "groups.csv";

/// The columns of numbers, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum GroupColumn {
    Cpu,
    Part,
    ByWeight,
    Error,
    Rate,
    Throughput,
}

impl GroupColumn {
    /// From the one that must be seen to the one that may be left out first.
    const BY_IMPORTANCE: [GroupColumn; 6] = [
        GroupColumn::Part,
        GroupColumn::Rate,
        GroupColumn::Throughput,
        GroupColumn::ByWeight,
        GroupColumn::Error,
        GroupColumn::Cpu,
    ];

    fn label(self) -> &'static str {
        match self {
            GroupColumn::Cpu => "CPU time",
            GroupColumn::Part => "Part of CPU time",
            GroupColumn::ByWeight => "Part by weight",
            GroupColumn::Error => "Error of part",
            GroupColumn::Rate => "Rate per guest",
            GroupColumn::Throughput => "Throughput per guest",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            GroupColumn::Cpu => "% of a CPU",
            GroupColumn::Part | GroupColumn::ByWeight => "%",
            GroupColumn::Error => "",
            GroupColumn::Rate => "trans/s",
            GroupColumn::Throughput => "Mbit/s",
        }
    }

    fn value(self, row: &GroupRow) -> Option<Interval> {
        match self {
            GroupColumn::Cpu => row.cpu_percent,
            GroupColumn::Part => row.cpu_share_percent,
            GroupColumn::ByWeight => row.expected_share_percent.map(exact),
            GroupColumn::Error => row.cpu_share_error,
            GroupColumn::Rate => row.rate_per_guest.filter(|_| row.unit == Unit::Transactions),
            GroupColumn::Throughput => row.rate_per_guest.filter(|_| row.unit == Unit::Megabits),
        }
    }
}

/// What follows from the profile, and from no trial.
fn exact(value: f64) -> Interval {
    Interval { n: 1, mean: value, half_width: None, min: value, max: value }
}

/// The table with its caption and notes; empty where no group of guests was measured.
pub(super) fn groups(model: &Model, terminal: Terminal) -> String {
    let rows = model.group_rows();
    if !rows.iter().any(|row| row.role == Role::Measured) {
        return String::new();
    }
    let (shown, more) = first(&rows);
    let defined = |column: &GroupColumn| shown.iter().any(|row| column.value(row).is_some());
    let defined: Vec<GroupColumn> = GroupColumn::BY_IMPORTANCE.into_iter().filter(defined).collect();
    let draw = |columns: &[GroupColumn], terminal| draw(model, shown, columns, terminal);
    let columns = table::fitting(&defined, terminal, draw);
    let left_out = defined.iter().filter(|column| !columns.contains(column)).map(|column| column.label());
    let left_out = table::too_narrow(&left_out.collect::<Vec<&str>>(), FILE);
    let more =
        if more == 0 { String::new() } else { format!("and {more} more configurations (see {FILE})\n") };
    let drawn = draw(&columns, terminal).trim_fmt();
    format!("{CAPTION}{drawn}\n{more}{left_out}{}", contention(&rows))
}

/// The rows of the first configurations, and how many configurations follow.
fn first(rows: &[GroupRow]) -> (&[GroupRow], usize) {
    let by_configuration: Vec<&[GroupRow]> = of_each_configuration(rows).collect();
    let mut end = 0;
    for (index, own) in by_configuration.iter().enumerate() {
        if index > 0 && end + own.len() > ROWS {
            return (&rows[..end], by_configuration.len() - index);
        }
        end += own.len();
    }
    (rows, 0)
}

fn of_each_configuration(rows: &[GroupRow]) -> impl Iterator<Item = &[GroupRow]> {
    let same = |a: &Configuration, b: &Configuration| a == b;
    rows.chunk_by(move |a, b| same(&a.configuration, &b.configuration))
}

fn draw(model: &Model, rows: &[GroupRow], columns: &[GroupColumn], terminal: Terminal) -> Table {
    let factors = &model.experiment.factors;
    let names = factors.iter().map(|factor| factor.column().replace('_', " "));
    let words = names.chain(["group".into(), "guests".into()]).map(|name| table::heading(&name));
    let numbers = columns.iter().map(|column| table::heading_of_numbers(column.label(), column.unit()));
    let mut table = table::empty(words.chain(numbers).collect(), terminal);
    table.add_rows(rows.iter().map(|row| {
        let levels = factors.iter().map(|factor| Cell::new(row.configuration.level(*factor)));
        let words = levels.chain([Cell::new(&row.name), Cell::new(row.guests)]);
        words.chain(columns.iter().map(|column| cell(*column, row))).collect::<Vec<Cell>>()
    }));
    table
}

fn cell(column: GroupColumn, row: &GroupRow) -> Cell {
    match (column, row.expected_share_percent) {
        (GroupColumn::ByWeight, Some(percent)) => {
            Cell::new(format!("{percent:.1}")).set_alignment(CellAlignment::Right)
        }
        _ => table::value(column.value(row).as_ref()),
    }
}

/// Where nobody had to wait for a CPU the weights decided nothing.
fn contention(rows: &[GroupRow]) -> String {
    if rows.iter().all(|row| row.shares.is_none()) {
        return String::new();
    }
    let each = of_each_configuration(rows).map(|own| own[0].contended);
    match each.fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1)) {
        (0, _) => "not contended: weights mean nothing here\n".into(),
        (contended, trials) if contended < trials => {
            format!("contended in {contended} of {trials} trials only: weights mean nothing in the others\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::TrialFigures;
    use crate::report::fixture;

    fn render(width: u16, change: impl Fn(&mut Vec<TrialFigures>)) -> String {
        let (experiment, provenance, mut trials) = fixture::grouped_run();
        change(&mut trials);
        groups(&Model::new(&experiment, &provenance, &trials), Terminal { width, colour: false })
    }

    #[test]
    fn each_group_has_its_cpu_time_its_due_and_its_rate() {
        insta::assert_snapshot!(render(120, |_| ()));
    }

    #[test]
    fn a_narrow_terminal_keeps_part_and_rate_and_names_what_it_leaves_out() {
        let text = render(60, |_| ());
        let table = text.lines().skip(1).take_while(|line| !line.starts_with("too narrow"));
        assert!(table.clone().all(|line| line.chars().count() <= 60), "{text}");
        assert!(table.clone().any(|line| line.contains("Part of") && line.contains("Rate per")), "{text}");
        assert!(text.contains("too narrow for: ") && text.contains("CPU time (see groups.csv)"), "{text}");
    }

    #[test]
    fn of_many_configurations_the_first_are_shown_and_the_others_counted() {
        let (experiment, _, trials) = fixture::grouped_run();
        let [mut row, _] = [0, 1].map(|_| {
            let provenance = fixture::provenance(crate::raw::Accel::Tcg);
            Model::new(&experiment, &provenance, &trials).group_rows().remove(0)
        });
        let rows: Vec<GroupRow> = (1..=20)
            .flat_map(|flows| {
                row.configuration.flows = flows;
                [row.clone(), row.clone(), row.clone()]
            })
            .collect();
        let (shown, more) = first(&rows);
        assert_eq!((shown.len(), more), (15, 15), "whole configurations");
        assert_eq!(first(&rows[..15]), (&rows[..15], 0));
    }

    #[test]
    fn a_run_whose_cpus_nobody_wanted_says_that_weights_mean_nothing() {
        let idle = |trials: &mut Vec<TrialFigures>| {
            for numbers in trials.iter_mut().filter_map(|trial| trial.numbers.as_mut()) {
                numbers.sharing.contended = Some(false);
            }
        };
        assert!(render(120, idle).ends_with("not contended: weights mean nothing here\n"));
        assert!(!render(120, |_| ()).contains("contended"));
    }

    #[test]
    fn a_run_without_groups_has_no_second_table() {
        let (experiment, provenance, trials) = fixture::run();
        let model = Model::new(&experiment, &provenance, &trials);
        assert_eq!(groups(&model, Terminal { width: 120, colour: false }), "");
    }
}
