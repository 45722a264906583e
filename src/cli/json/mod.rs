//! `--json`: every line of standard output is one object with a `type`. `docs/json.md` is its manual, `kvmfair schema events` its
//! schema.
//!
//! - [`JsonEvent`]: a line
//! - `records`, `pictures`: what lines hold that the tables and other modules have no struct for

mod pictures;
mod records;

use std::path::Path;

use anyhow::Result;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use super::exit::Exit;
use super::output;
use crate::preflight;
use crate::report::comparison::{ComparedRuns, ComparisonRow};
use crate::report::gate::GateSummary;
use crate::report::history::HistoryRow;
use crate::table::Row;
pub use pictures::{ChartEvent, ChartMetricEvent};
pub use records::{
    AnswerEvent, CachedImage, CleanedRun, EndEvent, ErrorEvent, Estimated, ExportedTable, MachineSubject,
    Message, PlainText, PlannedTrialEvent, ProfileMistake, RunFindingEvent, ShippedProfile, SizingEvent,
    Start,
};

/// Version of the lines: a reader of another version must not guess. New types and new keys do not change it.
const SCHEMA: u32 = 1;

/// One line of standard output.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JsonEvent {
    /// The first line of every command whose arguments are accepted; of `bench`, once its profile is.
    Start(Start),
    /// How much there is to do: when the trials begin, and again whenever the plan grows.
    Estimate(Estimated),
    /// A trial is over: its row of `trials.csv`. `outlier` is always null here; the last repeat decides it.
    Trial(Row),
    /// An attempt at a trial failed or is invalid, and the trial is tried again: the row that it would have had.
    Retry(Row),
    /// Something that a reader of the figures must know.
    Warning(Message),
    /// What a swept factor does to one figure.
    Answer(AnswerEvent),
    /// What the numbers of guests show.
    RunFinding(RunFindingEvent),
    /// A row of `configurations.csv`.
    Configuration(Row),
    /// A row of `summary.csv`.
    Summary(Row),
    /// How many repeats a figure needs (`plan --like`).
    Sizing(SizingEvent),
    /// A trial to come (`plan`).
    PlannedTrial(PlannedTrialEvent),
    /// A subject of the preflight (`check`, and what is missing where `bench` is refused).
    Finding(preflight::CheckResult),
    /// A setting of a VM host (`doctor`).
    Subject(MachineSubject),
    /// A table that was written to a file (`export`).
    Exported(ExportedTable),
    /// A picture that was written (`chart`).
    Chart(ChartEvent),
    /// A metric that a run has (`chart RUN list`).
    ChartMetric(ChartMetricEvent),
    /// Two runs (`compare`); their comparisons follow.
    Runs(ComparedRuns),
    /// One figure of one configuration in two runs (`compare`).
    Comparison(ComparisonRow),
    /// How a gate ended (`gate`); its comparisons follow.
    Gate(GateSummary),
    /// One figure of one configuration over the runs of a history (`history show` and `check`).
    History(HistoryRow),
    /// What a killed run had left behind (`clean`).
    Cleaned(CleanedRun),
    /// An image in the cache (`image`).
    Image(CachedImage),
    /// A shipped profile (`profile list`).
    Profile(ShippedProfile),
    /// What the command prints where it has nothing but text: a manual page, a script, XML, a schema.
    Text(PlainText),
    /// The last line of a command that was refused or failed.
    Error(ErrorEvent),
    /// The last line of any other command. Without `end` or `error` as the last line, the process was killed.
    End(EndEvent),
}

impl JsonEvent {
    /// The start of a command that neither writes nor reads a run.
    pub fn start(command: &'static str) -> JsonEvent {
        let version = env!("CARGO_PKG_VERSION");
        JsonEvent::Start(Start { schema: SCHEMA, command, version, run: None, directory: None, trials: None })
    }

    /// The start of a command on a run's directory.
    pub fn start_of_run(command: &'static str, run: String, directory: &Path, trials: usize) -> JsonEvent {
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        JsonEvent::Start(Start {
            schema: SCHEMA,
            command,
            version: env!("CARGO_PKG_VERSION"),
            run: Some(run),
            directory: Some(directory),
            trials: Some(trials),
        })
    }

    /// A warning.
    pub fn warning(message: impl Into<String>) -> JsonEvent {
        JsonEvent::Warning(Message { message: message.into() })
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> JsonEvent {
        JsonEvent::Text(PlainText { text: text.into() })
    }

    /// Prints the line. A reader that has gone away is not an error.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn print(self) -> Result<Exit> {
        print([self])
    }
}

/// Prints lines.
///
/// # Errors
/// If standard output cannot be written.
pub fn print(events: impl IntoIterator<Item = JsonEvent>) -> Result<Exit> {
    output::print(&lines(events)?)
}

/// The text of lines.
///
/// # Errors
/// None that is known: every event has a JSON text.
pub fn lines(events: impl IntoIterator<Item = JsonEvent>) -> Result<String> {
    let line = |event: JsonEvent| Ok(format!("{}\n", serde_json::to_string(&event)?));
    events.into_iter().map(line).collect()
}

/// The JSON schema (draft 2020-12) of a line.
pub fn schema() -> Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<JsonEvent>()
        .to_value()
}
