//! The report as one HTML file that needs nothing else: charts are inline, the style sheet and the script are in it. maud escapes every
//! text; only what was escaped or drawn before is marked `PreEscaped`.
//!
//! Its size is bounded: what is too much to be shown is linked.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::{Chart, LAB, dark_style};
use super::document::{Document, ReportPart, ReportSection};
use crate::table::Table;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Bytes of all charts, and of all tables.
const CHARTS: usize = 420_000;
const TABLES: usize = 420_000;
/// Items of a list.
const ITEMS: usize = 250;
/// How often a browser reads the report of a run that is going on, s.
const RELOAD_S: u32 = 10;

/// How far a run is that is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Underway {
    /// Trials that are there.
    pub done: usize,
    /// All trials of the plan.
    pub planned: usize,
}

/// The whole report, `report.html`. While the run is `underway`, a browser that shows it reads it again and again.
pub fn report(document: &Document, charts: &[Chart], underway: Option<Underway>) -> String {
    let mut page = HtmlPage { charts, table_bytes: TABLES };
    let shown = |part: &&ReportSection| part.blocks.iter().any(|block| page_shows(charts, block));
    let parts: Vec<&ReportSection> = document.sections.iter().filter(shown).collect();
    let title = &document.title;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if underway.is_some() { meta http-equiv="refresh" content=(RELOAD_S); }
                title { (title) ": kvmfair" }
                style { (PreEscaped(STYLE)) (PreEscaped(dark_charts())) }
            }
            body {
                header.lead {
                    h1 { (title) }
                    @if let Some(Underway { done, planned }) = underway {
                        p.running role="status" { "Running: " (done) " of " (planned) " trials are done" }
                    }
                    @for block in &document.lead { (page.block(document.title.as_str(), block)) }
                }
                nav aria-label="Sections" {
                    ul { @for part in &parts { li { a href={ "#" (anchor(part.title)) } { (part.title) } } } }
                }
                main {
                    @for part in &parts {
                        section aria-labelledby=(anchor(part.title)) {
                            h2 id=(anchor(part.title)) { (part.title) }
                            @for block in &part.blocks { (page.block(part.title, block)) }
                        }
                    }
                }
                footer {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// Whether a block of a run with these charts has anything to show.
fn page_shows(charts: &[Chart], block: &ReportPart) -> bool {
    match block {
        ReportPart::Charts => charts.iter().any(|chart| chart.name != LAB),
        ReportPart::Lab => charts.iter().any(|chart| chart.name == LAB),
        _ => true,
    }
}

/// The id of a section.
fn anchor(title: &str) -> String {
    title.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

fn dark_charts() -> String {
    format!("@media screen and (prefers-color-scheme:dark){{\n{}}}\n", dark_style())
}

/// The page as far as its bounds go.
struct HtmlPage<'p> {
    charts: &'p [Chart],
    /// What is left for tables.
    table_bytes: usize,
}

impl HtmlPage<'_> {
    fn block(&mut self, title: &str, block: &ReportPart) -> Markup {
        match block {
            ReportPart::Text(text) => html! { p { (text) } },
            ReportPart::Alert(text) => html! { p.alert { (text) } },
            ReportPart::List(items) => list(items),
            ReportPart::Figures(table) => self.figures(title, table),
            ReportPart::Words(table) => self.table(title, "words", table),
            ReportPart::Charts => self.charts(),
            ReportPart::Lab => {
                html! { @for lab in self.charts.iter().filter(|chart| chart.name == LAB) { (figure(lab)) } }
            }
            ReportPart::Commands(lines) => html! { pre { (lines.join("\n")) } },
            ReportPart::Files(files) => html! {
                ul { @for [file, what] in *files { li { a href=(file) { (file) } ": " (what) } } }
            },
        }
    }

    fn figures(&mut self, title: &str, table: &Table) -> Markup {
        let legend: Vec<[String; 2]> = table.legend().collect();
        html! {
            (self.table(title, "figures", table))
            details {
                summary { "What these figures are" }
                ul { @for [heading, meaning] in &legend { li { b { (heading) } ": " (meaning) } } }
            }
        }
    }

    fn table(&mut self, title: &str, kind: &str, table: &Table) -> Markup {
        let drawn = table.to_html(title, self.table_bytes);
        self.table_bytes = self.table_bytes.saturating_sub(drawn.html.len());
        let file = table.file_name();
        html! {
            div class={ "scroll " (kind) } tabindex="0" role="region" aria-label=(title) { (PreEscaped(drawn.html)) }
            @if drawn.left_out > 0 {
                p.note { "and " (drawn.left_out) " more rows (see " a href=(file) { (file) } ")" }
            }
        }
    }

    /// The first charts that there is room for; links to the others. One with thousands of marks takes no other's room.
    fn charts(&self) -> Markup {
        let mut room = CHARTS;
        let fits = |chart: &&Chart| {
            let left = room.checked_sub(chart.svg.len());
            room = left.unwrap_or(room);
            left.is_some()
        };
        let charts = self.charts.iter().filter(|chart| chart.name != LAB);
        let (shown, linked): (Vec<&Chart>, Vec<&Chart>) = charts.partition(fits);
        html! {
            div.charts { @for chart in &shown { (figure(chart)) } }
            @if !linked.is_empty() {
                p { "Further charts, each a file of its own:" }
                ul { @for chart in linked.iter().take(ITEMS) { li { a href={ "charts/" (chart.name) ".svg" } { (chart.title) } } } }
                @if linked.len() > ITEMS { p.note { "and " (linked.len() - ITEMS) " more in " a href="charts/" { "charts/" } } }
            }
        }
    }
}

fn list(items: &[String]) -> Markup {
    html! {
        ul { @for item in items.iter().take(ITEMS) { li { (item) } } }
        @if items.len() > ITEMS {
            p.note { "and " (items.len() - ITEMS) " more (see " a href="report.md" { "report.md" } ")" }
        }
    }
}

/// A chart with ids that no other chart of the page has.
fn figure(chart: &Chart) -> Markup {
    let own = |kind: &str| format!("{kind}{}-", chart.name);
    let kinds = ["<g id=\"", "<clipPath id=\"", "clip-path=\"url(#"];
    let svg = kinds.iter().fold(chart.svg.clone(), |svg, kind| svg.replace(kind, &own(kind)));
    html! { figure { (PreEscaped(svg)) } }
}

#[cfg(test)]
mod tests;
