//! What the report has, in its order: the answer first, how to repeat it last. Markdown and HTML are two renderings of this value.

use super::overview::overview;
use super::{Model, answers, caption, findings, groups, model, warnings};
use crate::answers::Answer;
use crate::figures::Section;
use crate::foreign_text::visible;
use crate::raw::Accel;
use crate::table::Table;

/// The report.
pub struct Document {
    pub(super) title: String,
    /// What stands before the first section.
    pub(super) lead: Vec<ReportPart>,
    /// The sections that have something to show.
    pub(super) sections: Vec<ReportSection>,
}

/// A section.
pub(super) struct ReportSection {
    pub title: &'static str,
    pub blocks: Vec<ReportPart>,
}

/// A piece of a section.
pub(super) enum ReportPart {
    Text(String),
    /// A text that nobody may miss.
    Alert(String),
    List(Vec<String>),
    /// A table of figures with what each of them is.
    Figures(Table),
    /// A table of words.
    Words(Table),
    /// All charts.
    Charts,
    /// The machines and what connects them, as a picture.
    Lab,
    /// Shell commands, each with what it does in a comment.
    Commands(Vec<String>),
    /// Files of the run's directory, each with what is in it.
    Files(&'static [[&'static str; 2]]),
}

/// The files that are too large to be shown.
const FILES: &[[&str; 2]] = &[
    ["summary.csv", "every figure of each configuration, with its interval"],
    ["trials.csv", "every figure of each trial"],
    ["guests.csv", "the same of each guest"],
    ["flows.csv", "the same of each flow"],
    ["timeline.csv", "the course of each trial"],
    ["proofs.csv", "what proves that each backend was the one that ran"],
    ["columns.csv", "what each column is: the data dictionary"],
];

impl Document {
    /// The report of a run, complete or not.
    pub fn new(model: &Model) -> Document {
        let figures = |title, section| part(title, figures(&overview(model, &[section])));
        let answers = answers::answers(model);
        let mut sections = vec![
            figures("Fairness between guests, and trust", Section::Fairness),
            figures("Fairness over repeats and over time", Section::OverTime),
            groups(model),
            figures("Groups and their weights", Section::Groups),
            figures("Interference by background load", Section::Interference),
            figures("Speed", Section::Speed),
            figures("CPU", Section::Cpu),
            part("Charts", vec![ReportPart::Charts]),
            part("Every comparison", comparisons(answers)),
            part("Excluded trials", list(model::problems(model))),
            part("Warnings", list(warnings(model).iter().map(ToString::to_string).collect())),
            part(
                "Lab and provenance",
                vec![ReportPart::Lab, ReportPart::Words(model.provenance.table(model.experiment))],
            ),
            part("How to rerun", vec![ReportPart::Commands(commands(model))]),
            part("Data", vec![ReportPart::Files(FILES)]),
        ];
        sections.retain(|part| !part.blocks.is_empty());
        Document { title: model.experiment.name.clone(), lead: lead(model, answers), sections }
    }
}

fn part(title: &'static str, blocks: Vec<ReportPart>) -> ReportSection {
    ReportSection { title, blocks }
}

fn list(items: Vec<String>) -> Vec<ReportPart> {
    let items: Vec<String> = items.iter().map(|item| visible(item).into_owned()).collect();
    if items.is_empty() { Vec::new() } else { vec![ReportPart::List(items)] }
}

/// A table; nothing without rows or figures.
fn figures(table: &Table) -> Vec<ReportPart> {
    table.has_figures().then(|| ReportPart::Figures(table.clone())).into_iter().collect()
}

fn groups(model: &Model) -> ReportSection {
    let mut blocks = figures(&groups::groups(model, usize::MAX).0);
    if !blocks.is_empty() {
        blocks.extend(list(groups::contention(model)));
    }
    part("Groups", blocks)
}

/// Each comparison with its interval, where the lead has less.
fn comparisons(answers: &[Answer]) -> Vec<ReportPart> {
    let all = answers::sentences(answers);
    if all == answers::in_short(answers, usize::MAX) { Vec::new() } else { list(all) }
}

fn lead(model: &Model, answers: &[Answer]) -> Vec<ReportPart> {
    let experiment = model.experiment;
    let text = |text: String| (!text.is_empty()).then(|| ReportPart::Text(visible(&text).into_owned()));
    let accel = model.provenance.accel;
    let mut blocks = list([answers::in_short(answers, usize::MAX), findings::sentences(model)].concat());
    blocks.extend((accel == Accel::Tcg).then(|| ReportPart::Alert(accel.label().into())));
    blocks.extend(text(experiment.description.clone()));
    blocks.extend(experiment.source.as_ref().and_then(|source| text(format!("Source: {source}"))));
    blocks.extend(text(caption::lines(model).join("; ") + "."));
    blocks.extend(caption::trust(model).map(|sentence| ReportPart::Text(format!("Trust: {sentence}."))));
    blocks
}

/// The commands that measure again, go on, or redraw; each is run in the directory above that of the run.
fn commands(model: &Model) -> Vec<String> {
    let run = shell_words::quote(&model.provenance.run).into_owned();
    let again = [format!("kvmfair bench {run}/profile.toml"), "measures the same experiment again".into()];
    let resume =
        [format!("kvmfair bench --resume {run}"), "measures the trials that are missing or failed".into()];
    let compare = [format!("kvmfair compare {run} OTHER_RUN"), "compares it with another run".into()];
    let redraw = [format!("kvmfair report {run}"), "redraws tables, charts and this report".into()];
    let resume = Some(resume).filter(|_| !model.has_all_trials());
    let all: Vec<[String; 2]> =
        [Some(again), resume, Some(compare), Some(redraw)].into_iter().flatten().collect();
    let width = all.iter().map(|[command, _]| command.chars().count()).max().unwrap_or(0);
    all.iter().map(|[command, what]| format!("{command:width$}  # {what}")).collect()
}
