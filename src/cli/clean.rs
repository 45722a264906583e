//! `kvmfair clean`

use anyhow::Result;

use super::json::{self, CleanedRun, JsonEvent};
use super::output::print;
use super::{Common, exit::Exit};
use crate::lab::clean::{Cleaned, clean_all};
use crate::lab::{LabError, state};

const EXAMPLES: &str = "\
Examples:
  kvmfair clean
  kvmfair clean --json";

/// Undo what killed runs left behind: guests, interfaces, settings, files. Runs in progress are not touched.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CleanCommand {}

impl CleanCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::inputs::quiet_libvirt();
        super::logging::start(common.verbose, None);
        let cleaned = clean_all(&state::roots());
        let failed =
            |run: &&Cleaned| run.error.as_ref().is_some_and(|error| !matches!(error, LabError::Busy(..)));
        let exit = if cleaned.iter().any(|run| failed(&run)) { Exit::Internal } else { Exit::Success };
        if common.json {
            json::print(cleaned.iter().map(as_json))?;
        } else if cleaned.is_empty() {
            print("nothing to clean\n")?;
        } else {
            print(&cleaned.iter().map(in_words).collect::<String>())?;
        }
        Ok(exit)
    }
}

fn as_json(run: &Cleaned) -> JsonEvent {
    let error = run.error.as_ref().map(ToString::to_string);
    JsonEvent::Cleaned(CleanedRun { run: run.id.clone(), done: run.done.clone(), error })
}

fn in_words(run: &Cleaned) -> String {
    let mut text: String = run.done.iter().map(|done| format!("  {done}\n")).collect();
    match &run.error {
        Some(error @ LabError::Busy(..)) => text.push_str(&format!("  left alone: {error}\n")),
        Some(error) => text.push_str(&format!("  error: {error}\n")),
        None if run.done.is_empty() => text.push_str("  there was nothing left to undo\n"),
        None => text.push_str("  nothing of it is left\n"),
    }
    format!("run {}\n{text}", run.id)
}
