//! `kvmfair completions`

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, exit::Exit};

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "kvmfair", &mut script);
        super::progress::print(&String::from_utf8_lossy(&script))
    }
}
