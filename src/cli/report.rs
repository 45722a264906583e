//! `kvmfair report`

use std::path::PathBuf;

use anyhow::Result;

use super::json::JsonEvent;
use super::{Common, bench, exit::Exit, inputs};
use crate::results::Results;

const EXAMPLES: &str = "\
Examples:
  kvmfair report runs/my-lab-20260101T120000Z
  kvmfair report --json runs/my-lab-20260101T120000Z";

/// Redraw tables and charts from a run's raw data.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportCommand {
    /// The run's directory
    #[arg(value_parser = inputs::path)]
    run: PathBuf,
}

impl ReportCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None)?;
        let mut results = Results::rewrite(inputs::run_dir(&self.run)?)?;
        if common.json {
            let name = results.name().to_owned();
            JsonEvent::start_of_run("report", name, results.dir(), results.planned()).print()?;
        }
        results.finish()?;
        if common.json {
            return bench::print_closing(&results);
        }
        bench::print_summary(&results)
    }
}
