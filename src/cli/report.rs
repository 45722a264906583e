//! `kvmfair report`

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::progress::print;
use super::{Common, bench, exit::Exit};
use crate::results::{Results, RunDir};

/// Draw tables and charts again from a run's raw data.
#[derive(Debug, clap::Args)]
pub struct Report {
    /// The run's directory
    run: PathBuf,
}

impl Report {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None)?;
        if !self.run.exists() {
            let hint = "runs are below `runs/`, or where --out said";
            bail!("there is no directory {} (hint: {hint})", self.run.display());
        }
        let mut results = Results::read(RunDir::open(&self.run)?)?;
        results.finish()?;
        if common.json {
            return print(&format!("{}\n", results.json()));
        }
        print(&results.table(bench::terminal()))?;
        print(&format!("\nresults: {}\n", results.dir().display()))
    }
}
