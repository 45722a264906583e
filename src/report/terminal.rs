//! The summary of a run for a terminal: answers, the table, a second one of groups of guests, and what to know beside them.

use super::{Model, answers, caption, findings, groups, model, overview, provenance, warnings};
use crate::figures::Section;
use crate::foreign_text::visible;
use crate::profile::Role;
use crate::raw::Accel;
pub use crate::table::Terminal;

/// Excluded trials and other sentences shown below the table; the report has all.
const SENTENCES: usize = 10;
/// Rows of groups after which no further configuration begins.
const GROUP_ROWS: usize = 16;

/// The summary of a run with its caption, the trials that do not count, and a final newline.
pub fn summary(model: &Model, terminal: Terminal) -> String {
    let sections = [Section::Fairness, Section::Speed, Section::Cpu, Section::OverTime];
    let table = overview::overview(model, &sections);
    let mut text = answers::first(model) + &findings::first(model);
    if model.provenance.accel == Accel::Tcg {
        push(&mut text, model.provenance.accel.label());
    }
    caption::lines(model).iter().for_each(|line| push(&mut text, line));
    text.push_str(&table.to_terminal(terminal));
    text.push_str(&of_groups(model, terminal));
    caption::trust(model).iter().for_each(|line| push(&mut text, line));
    push_first(&mut text, &model::problems(model), "trials.csv");
    warnings(model).iter().for_each(|warning| push(&mut text, &format!("warning: {warning}")));
    let (wire, tester) = (provenance::wire(model.experiment), provenance::tester(model.experiment));
    push(&mut text, &format!("wire: {wire}; tester: {tester}"));
    text
}

/// The table of groups with its notes; empty where no group of guests was measured.
fn of_groups(model: &Model, terminal: Terminal) -> String {
    if !model.group_rows().iter().any(|row| row.role == Role::Measured) {
        return String::new();
    }
    let (table, left_out) = groups::groups(model, GROUP_ROWS);
    let mut text = format!("groups of guests\n{}", table.to_terminal(terminal));
    if left_out > 0 {
        push(&mut text, &format!("and {left_out} more configurations (see groups.csv)"));
    }
    push_first(&mut text, &groups::contention(model), "report.md");
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(&visible(line));
    text.push('\n');
}

/// The first of some sentences, and where the others are.
fn push_first(text: &mut String, sentences: &[String], file: &str) {
    sentences.iter().take(SENTENCES).for_each(|sentence| push(text, sentence));
    if sentences.len() > SENTENCES {
        push(text, &format!("and {} more (see {file})", sentences.len() - SENTENCES));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn render(width: u16, colour: bool) -> String {
        let (experiment, provenance, trials) = fixture::run();
        summary(&Model::new(&experiment, &provenance, &trials), Terminal { width, colour })
    }

    #[test]
    fn the_table_for_a_wide_terminal() {
        insta::assert_snapshot!(render(200, false));
    }

    #[test]
    fn the_table_for_a_narrow_terminal_names_what_it_leaves_out() {
        insta::assert_snapshot!(render(80, false));
    }

    #[test]
    fn no_line_of_the_table_is_wider_than_the_terminal() {
        for width in [60, 80, 100, 132, 200] {
            let text = render(width, false);
            let table = text.lines().filter(|line| line.contains("   ") || line.contains('─'));
            for line in table {
                assert!(line.chars().count() <= usize::from(width), "{width}: {line}");
            }
        }
    }

    #[test]
    fn colours_appear_only_when_asked_for() {
        assert!(!render(120, false).contains('\u{1b}'));
        assert!(render(120, true).contains('\u{1b}'));
    }

    #[test]
    fn the_first_line_of_an_emulated_run_names_the_emulation() {
        assert_eq!(
            render(120, false).lines().next(),
            Some("no KVM: emulated guests (TCG); compare shapes, do not quote absolute numbers")
        );
    }
}
