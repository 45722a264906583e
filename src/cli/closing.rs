//! What a command that has the results of a run prints in the end.

use std::path::Path;

use anyhow::Result;

use super::exit::Exit;
use super::json::{self, AnswerEvent, JsonEvent, RunFindingEvent};
use super::output::{print, stdout_width, terminal, wrapped};
use crate::results::Results;

/// The summary of a run for people, and where its files are.
pub(super) fn print_summary(results: &Results) -> Result<Exit> {
    print_table(&results.table(terminal()), results.dir())
}

/// The same where the summary is at hand.
pub(super) fn print_table(summary: &str, dir: &Path) -> Result<Exit> {
    print(&stdout_width().map_or(summary.to_owned(), |width| wrapped(summary, width)))?;
    print(&format!("\nresults: {} (report.html for a browser)\n", dir.display()))
}

/// What a run shows, as lines of JSON: warnings, answers, configurations and figures.
pub(super) fn print_closing(results: &Results) -> Result<Exit> {
    let closing = results.closing();
    json::print(closing.warnings.into_iter().map(JsonEvent::warning))?;
    json::print(closing.answers.iter().map(|answer| JsonEvent::Answer(AnswerEvent::from(answer))))?;
    json::print(
        closing.findings.iter().map(|finding| JsonEvent::RunFinding(RunFindingEvent::from(finding))),
    )?;
    json::print(closing.configurations.into_iter().map(JsonEvent::Configuration))?;
    json::print(closing.summary.into_iter().map(JsonEvent::Summary))
}
