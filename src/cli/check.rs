//! `kvmfair check`

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::progress::print;
use super::{Common, exit::Exit, inputs};
use crate::preflight::{self, Finding};

/// Look whether this machine can run a profile; name everything that is missing, with its fix. Changes nothing.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// The profile
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
            print(&format!("{}\n", json!({ "passed": passed, "findings": findings })))?;
        } else {
            print(&findings.iter().map(line).collect::<String>())?;
        }
        Ok(if passed { Exit::Success } else { Exit::Preflight })
    }
}

/// One finding for people, with its fix on a line of its own.
pub(super) fn line(finding: &Finding) -> String {
    match &finding.fix {
        None => format!("ok       {}: {}\n", finding.what, finding.found),
        Some(fix) => format!("missing  {}: {}\n         fix: {fix}\n", finding.what, finding.found),
    }
}
