//! `kvmfair man`

use anyhow::Result;
use clap::CommandFactory;

use super::{Cli, exit::Exit};

/// Print the manual page, in roff: `kvmfair man | man -l -`.
#[derive(Debug, clap::Args)]
pub struct Man {}

impl Man {
    pub(super) fn run(self) -> Result<Exit> {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        super::progress::print(&String::from_utf8_lossy(&page))
    }
}
