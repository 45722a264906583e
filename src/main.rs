//! Arguments -> exit code, nothing else.

use std::process::ExitCode;

use kvmfair::cli;

fn main() -> ExitCode {
    cli::run(std::env::args_os()).into()
}
