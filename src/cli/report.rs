//! `kvmfair report`

use std::path::PathBuf;

use anyhow::Result;

use super::json::JsonEvent;
use super::{Common, closing, exit::Exit, findings, inputs, output};
use crate::report::terminal::summary;
use crate::results::{Results, RunDirError};

const EXAMPLES: &str = "\
Examples:
  kvmfair report runs/my-lab-20260101T120000Z
  kvmfair report --json runs/my-lab-20260101T120000Z";

/// Of a run that `bench` is writing.
const BUSY: &str = "another kvmfair is writing this run: its files are left to that one, and what follows is of the trials so far \
    (hint: repeat `kvmfair report` when that one has ended)";

/// Redraw tables and charts from a run's raw data. Of a run that is being written, only the summary so far is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportCommand {
    /// The run's directory
    #[arg(value_parser = inputs::path)]
    run: PathBuf,
}

impl ReportCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None);
        let dir = inputs::run_dir(&self.run)?;
        let writer = match dir.lock() {
            Err(RunDirError::Busy(_)) => None,
            locked => Some(locked?),
        };
        let mut results = if writer.is_some() { Results::rewrite(dir)? } else { Results::read(dir)? };
        if common.json {
            let name = results.name().to_owned();
            JsonEvent::start_of_run("report", name, results.dir(), results.planned()).print()?;
        }
        let table = match writer {
            Some(_) => results.finish_with(|model| summary(model, output::terminal()))?,
            None => {
                findings::warn(BUSY, common);
                results.table(output::terminal())
            }
        };
        if common.json {
            return closing::print_closing(&results);
        }
        closing::print_table(&table, results.dir())
    }
}
