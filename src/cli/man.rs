//! `kvmfair man`

use anyhow::Result;
use clap::CommandFactory;

use super::{Cli, Common, exit::Exit};

const EXAMPLES: &str = "\
Examples:
  kvmfair man | man -l -
  kvmfair man > /usr/local/share/man/man1/kvmfair.1";

/// Print the manual page, in roff.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ManCommand {}

impl ManCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        common.print(&String::from_utf8_lossy(&page))
    }
}
