//! `kvmfair report`

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::json::JsonEvent;
use super::{Common, bench, exit::Exit};
use crate::results::{Results, RunDir};

const EXAMPLES: &str = "\
Examples:
  kvmfair report runs/my-lab-20260101T120000Z
  kvmfair report --json runs/my-lab-20260101T120000Z";

/// Redraw tables and charts from a run's raw data.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportCommand {
    /// The run's directory
    #[arg(value_parser = super::inputs::path)]
    run: PathBuf,
}

impl ReportCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None)?;
        if !self.run.exists() {
            let hint = "runs are in `runs/`, or in the directory that --out named";
            bail!("there is no directory {} (hint: {hint})", self.run.display());
        }
        let mut results = Results::rewrite(RunDir::open(&self.run)?)?;
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
