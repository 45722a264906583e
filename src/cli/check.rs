//! `kvmfair check`

use std::path::PathBuf;

use anyhow::Result;

use super::exit::Exit;
use super::findings::line;
use super::json::{self, JsonEvent};
use super::output::print;
use super::probe::probe;
use super::survey::Survey;
use super::{Common, inputs, sizing};
use crate::preflight::{self, CheckResult};

const EXAMPLES: &str = "\
Examples:
  kvmfair check my-lab.toml
  kvmfair check --probe my-lab.toml";

/// Check whether the machines can run a profile; list everything that is missing, with its fix. Changes nothing without --probe.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckCommand {
    /// The profile; `-` reads standard input
    #[arg(value_parser = inputs::path)]
    profile: PathBuf,
    /// If nothing is missing, also make the lab, boot one guest and run netperf for a second, as each run does before its first
    /// trial; then take everything down
    #[arg(long)]
    probe: bool,
}

impl CheckCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        inputs::quiet_libvirt();
        super::logging::start(common.verbose, None);
        let (text, experiment) = inputs::load(&self.profile)?;
        let mut examination = preflight::examine(&experiment);
        if self.probe && examination.passed() {
            let survey = Survey::summarise(&experiment, &examination, &text)?;
            examination.findings.push(probe(&experiment, &survey, common)?);
        }
        let passed = examination.passed();
        let mut findings = examination.findings;
        findings.extend(sizing::limits(&experiment).into_iter().map(limit));
        if common.json {
            json::print(findings.into_iter().map(JsonEvent::Finding))?;
        } else {
            print(&findings.iter().map(line).collect::<String>())?;
        }
        Ok(if passed { Exit::Success } else { Exit::Preflight })
    }
}

/// Repeats or a window that cannot show much: nothing is missing.
fn limit((what, found): (&str, String)) -> CheckResult {
    CheckResult { what: what.into(), found, fix: None, warning: true }
}
