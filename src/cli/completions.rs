//! `kvmfair completions`

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Common, exit::Exit};

const EXAMPLES: &str = "\
Examples:
  kvmfair completions bash > /etc/bash_completion.d/kvmfair
  kvmfair completions fish > ~/.config/fish/completions/kvmfair.fish";

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsCommand {
    /// The shell
    shell: Shell,
}

impl CompletionsCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "kvmfair", &mut script);
        common.print(&String::from_utf8_lossy(&script))
    }
}
