//! The report: one Markdown file with the charts linked, the tables, and what did not count.
//!
//! Links are relative: charts are expected in `charts/`, tables beside the report.

use super::chart::Chart;
use super::overview::overview;
use super::{Model, answers, caption, findings, groups, model, warnings};
use crate::figures::Section;
use crate::raw::Accel;
use crate::table::Table;

/// The tables of the report: what each is about.
const TABLES: [(&str, Section); 6] = [
    ("Fairness between guests, and trust", Section::Fairness),
    ("Fairness over repeats and over time", Section::OverTime),
    ("Speed", Section::Speed),
    ("CPU", Section::Cpu),
    ("Interference by background load", Section::Interference),
    ("Groups and their weights", Section::Groups),
];

/// The whole report, `report.md`.
pub fn report(model: &Model, charts: &[Chart]) -> String {
    let links = charts.iter().map(|chart| format!("![{}](charts/{}.png)\n", chart.title, chart.name));
    let mut sections = vec![heading(model), section("Charts", &links.collect::<Vec<_>>().join("\n"))];
    sections.push(groups(model));
    sections.extend(TABLES.map(|(title, one)| with_legend(title, &overview(model, &[one]))));
    let warnings: Vec<String> = warnings(model).iter().map(ToString::to_string).collect();
    sections.push(section("Excluded trials", &list(&model::problems(model))));
    sections.push(section("Warnings", &list(&warnings)));
    sections.push(section("Provenance", &model.provenance.table().to_markdown()));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// A section with its title; empty without a text.
fn section(title: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("## {title}\n\n{text}") }
}

/// A table with what its figures are; empty without rows or figures.
fn with_legend(title: &str, table: &Table) -> String {
    let (table, legend) = (table.to_markdown(), table.to_legend());
    if table.lines().count() < 3 || legend.is_empty() {
        return String::new();
    }
    section(title, &format!("{table}\n{legend}"))
}

fn list(items: &[String]) -> String {
    items.iter().map(|item| format!("- {item}\n")).collect()
}

fn groups(model: &Model) -> String {
    let text = with_legend("Groups", &groups::groups(model, usize::MAX).0);
    if text.is_empty() { text } else { text + &list(&groups::contention(model)) }
}

fn heading(model: &Model) -> String {
    let experiment = model.experiment;
    let emulated =
        (model.provenance.accel == Accel::Tcg).then(|| format!("**{}**", model.provenance.accel.label()));
    let conclusions = answers::list(model) + &findings::list(model);
    let answers = Some(conclusions.trim_end().to_owned()).filter(|answers| !answers.is_empty());
    let description = Some(experiment.description.clone()).filter(|text| !text.is_empty());
    let source = experiment.source.as_ref().map(|source| format!("Source: {source}"));
    let caption = Some(caption::lines(model).join("; ") + ".");
    let trust = caption::trust(model).map(|sentence| format!("Trust: {sentence}."));
    let title = Some(format!("# {}", experiment.name));
    let parts = [title, answers, emulated, description, source, caption, trust];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_report() {
        let (experiment, provenance, trials) = fixture::run();
        let chart = Chart { name: "total_rate_tps".into(), title: "Total rate".into(), svg: String::new() };
        insta::assert_snapshot!(report(&Model::new(&experiment, &provenance, &trials), &[chart]));
    }

    #[test]
    fn the_report_of_groups_beside_background() {
        let (experiment, provenance, trials) = fixture::grouped_run();
        insta::assert_snapshot!(report(&Model::new(&experiment, &provenance, &trials), &[]));
    }
}
