//! The command line: one file for each subcommand, in the order of `--help`.

// They panic where the stream cannot be written, and a panic has an exit code of its own.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod bench;
mod check;
mod clean;
mod completions;
mod doctor;
pub mod exit;
mod image;
mod inputs;
mod logging;
mod man;
mod plan;
mod profile;
mod progress;
mod report;
mod signals;

use clap::{Args, Parser, Subcommand};

use exit::Exit;

/// Measure how many KVM guests share one NIC: who gets what, how fast, at what CPU cost, and is it fair.
#[derive(Debug, Parser)]
#[command(name = "kvmfair", version, max_term_width = 100, after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Common {
    /// Log to standard error; twice for every command that is run
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print JSON for scripts in place of text for people
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a profile's experiment and write tables and charts
    Bench(bench::Bench),
    /// Show the trials, the lab's moves and the time they will take, without doing anything
    Plan(plan::Plan),
    /// Look whether this machine can run a profile; name everything that is missing, with its fix
    Check(check::Check),
    /// Look at a VM host as a whole: what spoils speed, or fairness between guests
    Doctor(doctor::Doctor),
    /// Draw tables and charts again from a run's raw data
    Report(report::Report),
    /// Undo what a killed run left behind
    Clean(clean::Clean),
    /// Build, list or remove the image that guests boot
    Image(image::Image),
    /// Write a commented profile to begin with, or print the format's JSON schema
    Profile(profile::Profile),
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// Print the manual page
    Man(man::Man),
}

/// Does what the arguments say.
pub fn run(cli: Cli) -> Exit {
    inputs::widen_path();
    let common = &cli.common;
    let outcome = match cli.command {
        Command::Bench(command) => command.run(common),
        Command::Plan(command) => command.run(common),
        Command::Check(command) => command.run(common),
        Command::Doctor(command) => command.run(common),
        Command::Report(command) => command.run(common),
        Command::Clean(command) => command.run(common),
        Command::Image(command) => command.run(common),
        Command::Profile(command) => command.run(common),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    outcome.unwrap_or_else(|error| exit::report(&error, common.json))
}
