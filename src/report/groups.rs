//! What each group of guests got: CPU time against weights, and the rate.

use super::Model;
use super::model::describe;
use super::overview::{cells_of_levels, levels};
use crate::figures::GroupRow;
use crate::profile::Unit;
use crate::stats::Estimate;
use crate::table::Display::{Always, Rank};
use crate::table::{Cell, Field, Rounding, Table, estimate, integer, text};

static GROUP: [Field<GroupRow>; 14] = [
    text("group", "its name", |row: &GroupRow| Some(row.name.clone())).display(Always),
    text("role", "what its guests do", |row: &GroupRow| Some(row.role.to_string())).display(Rank(8)),
    integer("guests", "how many it has", |row: &GroupRow| Some(row.guests.into())).display(Always),
    integer("shares", "weight as written", |row: &GroupRow| row.shares.map(i64::from)).display(Rank(7)),
    estimate("cpu_percent", "% of a CPU", "vCPU, emulator and vhost threads in the window", |row: &GroupRow| {
        row.cpu_percent
    })
    .label("CPU time")
    .display(Rank(6)),
    estimate("cpu_share_percent", "%", "part of all guests' CPU time", |row: &GroupRow| row.cpu_share_percent)
        .label("Share of CPU time")
        .display(Rank(1)),
    estimate(
        "expected_share_percent",
        "%",
        "the share that its weight would give it if every guest wanted all; idle groups want nothing",
        |row: &GroupRow| row.expected_share_percent.map(Estimate::exact),
    )
    .label("Share by weight")
    .rounding(Rounding::Decimals(1))
    .display(Rank(4)),
    estimate(
        "cpu_share_error",
        "",
        "share ÷ share by weight − 1; 0 is its due. Empty where a group is limited by more than its weight: by a quota, a cap on \
         the NIC or the pace of its streams; and for a group alone",
        |row: &GroupRow| row.cpu_share_error,
    )
    .label("Error of share")
    .display(Rank(5)),
    estimate("rate_per_guest", "trans/s", "mean rate of its guests", |row: &GroupRow| {
        row.rate_per_guest.filter(|_| row.unit == Unit::Transactions)
    })
    .label("Rate per guest")
    .display(Rank(2)),
    estimate("throughput_per_guest", "Mbit/s", "mean throughput of its guests", |row: &GroupRow| {
        row.rate_per_guest.filter(|_| row.unit == Unit::Megabits)
    })
    .label("Throughput per guest")
    .display(Rank(3)),
    estimate("rate_share_percent", "%", "part of the measured rate", |row: &GroupRow| row.rate_share_percent)
        .label("Share of rate"),
    estimate(
        "rate_share_error",
        "",
        "the same error of the share of rate; shares govern CPU time, and the rate only through it",
        |row: &GroupRow| row.rate_share_error,
    )
    .label("Error of share of rate"),
    estimate("background_mbps", "Mbit/s", "what its background streams moved", |row: &GroupRow| {
        row.background_mbps
    })
    .label("Background"),
    estimate(
        "throttled_s",
        "s",
        "time that quotas kept its threads from CPUs, summed over control groups and CPUs",
        |row: &GroupRow| row.throttled_s,
    )
    .label("Throttled"),
];

/// The rows of the first configurations, as many as together have at most `most` rows, at least one; and how many configurations
/// are left out. No rows where all guests are alike.
pub(super) fn groups(model: &Model, most: usize) -> (Table, usize) {
    let all = model.group_rows();
    let by_configuration: Vec<&[GroupRow]> = by_configuration(&all).collect();
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut shown = 0;
    for own in &by_configuration {
        if shown > 0 && rows.len() + own.len() > most {
            break;
        }
        shown += 1;
        rows.extend(own.iter().map(|row| {
            let cells = GROUP.iter().map(|field| field.cell(row));
            cells_of_levels(model, &row.configuration).into_iter().chain(cells).collect()
        }));
    }
    let columns = levels(model).into_iter().chain(GROUP.iter().map(Field::column)).collect();
    let table = Table { name: "groups", columns, rows };
    (table.without_empty_columns(), by_configuration.len() - shown)
}

fn by_configuration(rows: &[GroupRow]) -> impl Iterator<Item = &[GroupRow]> {
    rows.chunk_by(|a, b| a.configuration == b.configuration)
}

/// A sentence for each configuration in which nobody waited for a CPU, in some repeats or in all.
pub(super) fn contention(model: &Model) -> Vec<String> {
    let rows = model.group_rows();
    let sentence = |own: &[GroupRow]| {
        let row = own.iter().find(|row| row.shares.is_some())?;
        let levels = describe(&row.configuration, &model.experiment.factors);
        let which = if levels.is_empty() { levels } else { format!(" ({levels})") };
        match row.contended {
            (0, _) => Some(format!("not contended{which}: shares decide nothing here")),
            (contended, trials) if contended < trials => {
                Some(format!("contended in {contended} of {trials} repeats only{which}: errors are of those"))
            }
            _ => None,
        }
    };
    by_configuration(&rows).filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::TrialFigures;
    use crate::report::fixture;
    use crate::table::Terminal;

    fn table(change: impl Fn(&mut Vec<TrialFigures>), most: usize) -> (Table, usize, Vec<String>) {
        let (experiment, provenance, mut trials) = fixture::grouped_run();
        change(&mut trials);
        let model = Model::new(&experiment, &provenance, &trials);
        let (table, left_out) = groups(&model, most);
        (table, left_out, contention(&model))
    }

    #[test]
    fn each_group_has_its_cpu_time_its_due_and_its_rate() {
        let (table, ..) = table(|_| (), usize::MAX);
        insta::assert_snapshot!(
            table.to_terminal(Terminal { width: 120, colour: false }) + &table.to_markdown()
        );
    }

    #[test]
    fn a_narrow_terminal_keeps_share_and_rate_and_names_what_it_leaves_out() {
        let text = table(|_| (), usize::MAX).0.to_terminal(Terminal { width: 64, colour: false });
        let drawn = text.lines().take_while(|line| !line.starts_with("too narrow"));
        assert!(drawn.clone().all(|line| line.chars().count() <= 64), "{text}");
        assert!(drawn.clone().any(|line| line.contains("Share of") && line.contains("Rate per")), "{text}");
        assert!(text.contains("too narrow for: ") && text.contains("CPU time"), "{text}");
    }

    #[test]
    fn whole_configurations_are_shown_and_the_others_counted() {
        let (table, left_out, _) = table(|_| (), 3);
        assert_eq!((table.rows.len(), left_out), (2, 1));
    }

    #[test]
    fn a_run_whose_cpus_nobody_wanted_has_a_sentence_for_it() {
        let idle = |trials: &mut Vec<TrialFigures>| {
            for numbers in trials.iter_mut().filter_map(|trial| trial.numbers.as_mut()) {
                numbers.sharing.contended = Some(false);
            }
        };
        let (.., sentences) = table(idle, 9);
        assert_eq!(sentences[0], "not contended (no background): shares decide nothing here");
        assert!(table(|_| (), 9).2.is_empty());
    }

    #[test]
    fn a_run_without_groups_has_no_rows() {
        let (experiment, provenance, trials) = fixture::run();
        assert!(groups(&Model::new(&experiment, &provenance, &trials), 9).0.rows.is_empty());
    }
}
