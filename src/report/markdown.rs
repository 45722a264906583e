//! The report as one Markdown file. Links are relative: charts are expected in `charts/`, tables beside the report.

use super::chart::{Chart, LAB};
use super::document::{Document, ReportPart, ReportSection};
use crate::table::{Table, markdown_text};

/// The whole report, `report.md`.
pub fn report(document: &Document, charts: &[Chart]) -> String {
    let mut paragraphs = vec![format!("# {}\n", document.title)];
    paragraphs.extend(document.lead.iter().map(|block| markdown(block, charts)));
    paragraphs.extend(document.sections.iter().map(|part| section(part, charts)));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}

/// A section with its title; empty without a text.
fn section(part: &ReportSection, charts: &[Chart]) -> String {
    let blocks = part.blocks.iter().map(|block| markdown(block, charts)).filter(|text| !text.is_empty());
    let text = blocks.collect::<Vec<_>>().join("\n");
    if text.is_empty() { text } else { format!("## {}\n\n{text}", part.title) }
}

/// One piece with a final newline; empty if there is nothing to show.
fn markdown(block: &ReportPart, charts: &[Chart]) -> String {
    match block {
        ReportPart::Text(text) => markdown_text(text) + "\n",
        ReportPart::Alert(text) => format!("**{text}**\n"),
        ReportPart::List(items) => items.iter().map(|item| format!("- {}\n", markdown_text(item))).collect(),
        ReportPart::Figures(table) => format!("{}\n{}", table.to_markdown(), table.to_legend()),
        ReportPart::Words(table) => Table::to_markdown(table),
        ReportPart::Charts => {
            let charts = charts.iter().filter(|chart| chart.name != LAB);
            charts.map(link).collect::<Vec<_>>().join("\n")
        }
        ReportPart::Lab => charts.iter().filter(|chart| chart.name == LAB).map(link).collect(),
        ReportPart::Commands(lines) => format!("```sh\n{}\n```\n", lines.join("\n")),
        ReportPart::Files(files) => {
            files.iter().map(|[file, what]| format!("- [{file}]({file}): {what}\n")).collect()
        }
    }
}

fn link(chart: &Chart) -> String {
    format!("![{}](charts/{}.png)\n", chart.title, chart.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Model, fixture};

    fn chart() -> Chart {
        let [name, title, description] = ["total_rate_tps", "Total rate", "sum"].map(str::to_owned);
        Chart { name, title, description, svg: String::new() }
    }

    #[test]
    fn the_report() {
        let (experiment, provenance, trials) = fixture::run();
        insta::assert_snapshot!(report(
            &Document::new(&Model::new(&experiment, &provenance, &trials)),
            &[chart()]
        ));
    }

    #[test]
    fn the_report_of_groups_beside_background() {
        let (experiment, provenance, trials) = fixture::grouped_run();
        insta::assert_snapshot!(report(&Document::new(&Model::new(&experiment, &provenance, &trials)), &[]));
    }

    #[test]
    fn answers_come_first_then_fairness_and_the_way_to_repeat_them_last() {
        let (experiment, provenance, trials) = fixture::run();
        let text = report(&Document::new(&Model::new(&experiment, &provenance, &trials)), &[chart()]);
        let titles: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let places = ["Fairness between guests, and trust", "Speed", "CPU", "Charts", "Excluded trials"]
            .into_iter()
            .chain(["Lab and provenance", "How to rerun"])
            .map(|title| titles.iter().position(|one| *one == title).unwrap());
        assert!(places.collect::<Vec<_>>().is_sorted(), "{titles:?}");
    }
}
