//! Arguments -> exit code, nothing else.

use std::process::ExitCode;

use clap::Parser;
use kvmfair::cli::{self, Cli};

fn main() -> ExitCode {
    cli::run(Cli::parse()).into()
}
