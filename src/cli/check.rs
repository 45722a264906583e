//! `kvmfair check`

use std::path::PathBuf;

use super::json::{self, JsonEvent};
use super::output::print;
use super::{Common, exit::Exit, inputs};
use crate::preflight::{self, Finding};
use anyhow::Result;

const EXAMPLES: &str = "\
Examples:
  kvmfair check my-lab.toml
  kvmfair check --json my-lab.toml";

/// Check whether the machines can run a profile; list everything that is missing, with its fix. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// The profile; `-` reads standard input
    #[arg(value_parser = inputs::path)]
    profile: PathBuf,
}

impl Check {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        inputs::quiet_libvirt();
        super::logging::start(common.verbose, None)?;
        let (_, experiment) = inputs::load(&self.profile)?;
        let findings = preflight::look(&experiment);
        let passed = preflight::passed(&findings);
        if common.json {
            json::print(findings.into_iter().map(JsonEvent::Finding))?;
        } else {
            print(&findings.iter().map(line).collect::<String>())?;
        }
        Ok(if passed { Exit::Success } else { Exit::Preflight })
    }
}

/// One finding as text, with its fix on a line of its own.
pub(super) fn line(finding: &Finding) -> String {
    match &finding.fix {
        None if finding.warning => format!("warning  {}: {}\n", finding.what, finding.found),
        None => format!("ok       {}: {}\n", finding.what, finding.found),
        Some(fix) => format!("missing  {}: {}\n         fix: {fix}\n", finding.what, finding.found),
    }
}
