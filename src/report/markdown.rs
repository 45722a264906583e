//! The report: one Markdown file with the charts linked, the tables, and what did not count.
//!
//! Links are relative: charts are expected in `charts/`, tables beside the report.

use super::chart::Chart;
use super::table_line::line;
use super::{Model, answers, demand, fairness, groups, model, number, warnings};
use crate::figures::{Metric, Section, SummaryRow};
use crate::raw::Accel;

/// The tables of the report: what each is about.
const TABLES: [(&str, Section); 3] = [
    ("Speed", Section::Speed),
    ("CPU", Section::Cpu),
    ("Fairness between guests, and trust", Section::Fairness),
];

/// The whole report, `report.md`.
pub fn report(model: &Model, charts: &[Chart]) -> String {
    let sections = [
        heading(model),
        chart_links(charts),
        groups::groups(model),
        groups::interference(model),
        demand::demand(model),
        tables(model),
        fairness::over_time(model),
        problems(model),
        cautions(model),
        provenance(model),
    ];
    let sections: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    sections.join("\n")
}

fn heading(model: &Model) -> String {
    let experiment = model.experiment;
    let mut text = format!("# {}\n\n", experiment.name);
    let answers = answers::list(model);
    if !answers.is_empty() {
        text.push_str(&(answers + "\n"));
    }
    if model.provenance.accel == Accel::Tcg {
        text.push_str(&format!("**{}**\n\n", model.provenance.accel.label()));
    }
    if !experiment.description.is_empty() {
        text.push_str(&format!("{}\n\n", experiment.description));
    }
    if let Some(source) = &experiment.source {
        text.push_str(&format!("Source: {source}\n\n"));
    }
    let window = experiment.timing.window.as_secs_f64();
    let meaning =
        if model.has_intervals() { "; mean ± 95 % interval (Student's t over repeats)" } else { "" };
    text.push_str(&format!("{}; {}, window {window} s{meaning}.\n", model.constants(), model.repeats()));
    let trust = fairness::trust(model);
    if trust.is_empty() { text } else { text + "\nTrust: " + &trust }
}

fn chart_links(charts: &[Chart]) -> String {
    let links: Vec<String> =
        charts.iter().map(|chart| format!("![{}](charts/{}.png)\n", chart.title, chart.name)).collect();
    if links.is_empty() { String::new() } else { format!("## Charts\n\n{}", links.join("\n")) }
}

fn tables(model: &Model) -> String {
    TABLES.map(|(title, section)| table(model, title, section)).join("\n")
}

fn table(model: &Model, title: &str, section: Section) -> String {
    let factors = &model.experiment.factors;
    let of_section = Metric::ALL.into_iter().filter(|metric| metric.section() == section);
    let metrics: Vec<Metric> = of_section.filter(|metric| model.can_have(*metric)).collect();
    let names = factors.iter().map(|factor| factor.column().to_string()).chain(["repeats".into()]);
    let header: Vec<String> = names.chain(metrics.iter().map(|metric| titled(*metric))).collect();
    let left = vec!["---"; factors.len() + 1];
    let right = vec!["---:"; metrics.len()];
    let mut text = format!("## {title}\n\n{}{}", line(header), line([left, right].concat()));
    for row in &model.rows {
        let levels = factors.iter().map(|factor| row.configuration.level(*factor));
        let values = metrics.iter().map(|metric| value(row, *metric));
        text.push_str(&line(levels.chain([model::counts(row)]).chain(values)));
    }
    text.push('\n');
    for metric in metrics {
        text.push_str(&format!("- {}: {}\n", metric.label(), metric.explanation()));
    }
    text
}

fn titled(metric: Metric) -> String {
    if metric.unit().is_empty() {
        metric.label().into()
    } else {
        format!("{}, {}", metric.label(), metric.unit())
    }
}

fn value(row: &SummaryRow, metric: Metric) -> String {
    row.get(metric).map_or("–".into(), number::with_interval)
}

fn problems(model: &Model) -> String {
    let problems = model::problems(model);
    if problems.is_empty() {
        return String::new();
    }
    let items: String = problems.iter().map(|problem| format!("- {problem}\n")).collect();
    format!("## Trials that do not count\n\n{items}")
}

fn cautions(model: &Model) -> String {
    let items: String = warnings(model).iter().map(|warning| format!("- {warning}\n")).collect();
    if items.is_empty() { items } else { format!("## Warnings\n\n{items}") }
}

fn provenance(model: &Model) -> String {
    let rows: String =
        model.provenance.rows().into_iter().map(|(name, value)| line([name.into(), value])).collect();
    format!("## Provenance\n\n{}{}{rows}", line(["what", "value"]), line(["---", "---"]))
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
}
