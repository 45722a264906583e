//! The command line: one file for each subcommand, in the order of `--help`.

// These macros panic where the stream cannot be written, and a panic has an exit code of its own.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod baseline;
mod bench;
mod chart;
mod check;
mod clean;
mod closing;
mod compare;
mod completions;
mod doctor;
pub mod exit;
mod export;
mod exported_files;
mod failure;
mod findings;
mod finished_run;
#[cfg(test)]
mod fixture;
mod gate;
mod gate_course;
mod history;
mod image;
mod inputs;
mod json;
mod lab_permit;
mod logging;
mod man;
mod merge;
mod output;
mod plan;
mod probe;
mod profile;
mod progress;
mod report;
mod resume;
mod schema;
mod signals;
mod sizing;
mod survey;

use std::ffi::OsString;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use exit::Exit;
use json::JsonEvent;

const EXAMPLES: &str = "\
Examples:
  kvmfair profile new my-lab.toml
  kvmfair check my-lab.toml
  kvmfair bench my-lab.toml";

/// Measure how many KVM guests share one NIC: who gets what, how fast, at what CPU cost, and is it fair.
#[derive(Debug, Parser)]
#[command(name = "kvmfair", version, max_term_width = 100, after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Common {
    /// Log to standard error; -vv also logs every command that kvmfair runs
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print JSON instead of text: one object with a `type` on each line, errors too
    #[arg(long, global = true)]
    json: bool,
}

impl Common {
    /// Prints what the command has as text only.
    fn print(&self, text: &str) -> Result<Exit> {
        if self.json { JsonEvent::text(text).print() } else { output::print(text) }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a profile's experiment and write tables and charts
    Bench(bench::BenchCommand),
    /// Show the trials in order, the set-up steps before each and a time estimate; changes nothing
    Plan(plan::PlanCommand),
    /// Check whether the machines can run a profile; list everything that is missing, with its fix
    Check(check::CheckCommand),
    /// Examine a VM host: which settings harm speed, or fairness between guests
    Doctor(doctor::DoctorCommand),
    /// Redraw tables and charts from a run's raw data
    Report(report::ReportCommand),
    /// Write a run's tables for other programs: CSV, JSON Lines, Parquet, OpenMetrics, LaTeX, Markdown
    Export(export::ExportCommand),
    /// Draw one metric of one run or several as PNG, SVG or PDF, or list the metrics
    Chart(chart::ChartCommand),
    /// Compare finished runs with a base run: better, same, worse or inconclusive
    Compare(compare::CompareCommand),
    /// Make, show or edit a baseline for `gate`
    Baseline(baseline::BaselineCommand),
    /// Run a profile and judge it against a baseline: pass, worse or inconclusive
    Gate(gate::GateCommand),
    /// Keep the figures of runs over months: where a level moved, and what changed there
    History(history::HistoryCommand),
    /// Join the parts of a run that was split over several machines
    Merge(merge::MergeCommand),
    /// Undo what killed runs left behind
    Clean(clean::CleanCommand),
    /// Build, list or remove the image that guests boot
    Image(image::ImageCommand),
    /// Write a profile to start from, or list the shipped ones
    Profile(profile::ProfileCommand),
    /// Print the JSON schema of profiles or of the lines that --json prints
    Schema(schema::SchemaCommand),
    /// Print a completion script for a shell
    Completions(completions::CompletionsCommand),
    /// Print the manual page
    Man(man::ManCommand),
}

impl Command {
    /// Its name where it neither writes nor reads a run: the others name the run in their first line of JSON.
    fn name_without_run(&self) -> Option<&'static str> {
        match self {
            Command::Bench(_) | Command::Report(_) | Command::Export(_) | Command::Merge(_) => None,
            Command::Plan(_) => Some("plan"),
            Command::Check(_) => Some("check"),
            Command::Doctor(_) => Some("doctor"),
            Command::Chart(_) => Some("chart"),
            Command::Compare(_) => Some("compare"),
            Command::Gate(gate) if gate.makes_run() => None,
            Command::Gate(_) => Some("gate"),
            Command::Baseline(_) => Some("baseline"),
            Command::History(_) => Some("history"),
            Command::Clean(_) => Some("clean"),
            Command::Image(_) => Some("image"),
            Command::Profile(_) => Some("profile"),
            Command::Schema(_) => Some("schema"),
            Command::Completions(_) => Some("completions"),
            Command::Man(_) => Some("man"),
        }
    }
}

/// Runs the subcommand that the arguments name.
pub fn run(arguments: impl Iterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    match Cli::try_parse_from(arguments) {
        Ok(cli) => {
            let outcome = dispatch(cli);
            outcome.unwrap_or_else(|error| failure::report(&error, json))
        }
        Err(error) => failure::report_arguments(&error, json),
    }
}

fn dispatch(cli: Cli) -> Result<Exit> {
    inputs::widen_path();
    let common = &cli.common;
    if let Some(name) = cli.command.name_without_run().filter(|_| common.json) {
        JsonEvent::start(name).print()?;
    }
    let exit = match cli.command {
        Command::Bench(command) => command.run(common),
        Command::Plan(command) => command.run(common),
        Command::Check(command) => command.run(common),
        Command::Doctor(command) => command.run(common),
        Command::Report(command) => command.run(common),
        Command::Export(command) => command.run(common),
        Command::Chart(command) => command.run(common),
        Command::Compare(command) => command.run(common),
        Command::Baseline(command) => command.run(common),
        Command::Gate(command) => command.run(common),
        Command::History(command) => command.run(common),
        Command::Merge(command) => command.run(common),
        Command::Clean(command) => command.run(common),
        Command::Image(command) => command.run(common),
        Command::Profile(command) => command.run(common),
        Command::Schema(command) => command.run(common),
        Command::Completions(command) => command.run(common),
        Command::Man(command) => command.run(common),
    }?;
    if common.json {
        JsonEvent::End(json::EndEvent { exit_code: exit as u8 }).print()?;
    }
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The lines of the examples in a command's help.
    fn examples(command: &mut clap::Command) -> Vec<String> {
        let help = command.render_long_help().to_string();
        let after = help.split_once("Examples:\n").map(|(_, after)| after.to_owned()).unwrap_or_default();
        let lines = after.lines().take_while(|line| line.starts_with("  kvmfair "));
        lines.map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn the_help_of_every_command_has_two_examples_that_are_accepted() {
        let mut root = Cli::command();
        root.build();
        let names: Vec<String> =
            root.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let mut helps = vec![("kvmfair".to_owned(), examples(&mut root))];
        for name in names.iter().filter(|name| *name != "help") {
            let command = root.find_subcommand_mut(name).expect("a subcommand");
            helps.push((name.clone(), examples(command)));
        }
        for (name, examples) in helps {
            assert!(examples.len() >= 2, "{name}: {examples:?}");
            for example in examples {
                let arguments = example.split(" > ").next().and_then(|line| line.split(" | ").next());
                let parsed = Cli::try_parse_from(arguments.unwrap_or_default().split_whitespace());
                assert!(parsed.is_ok(), "{example}: {parsed:?}");
            }
        }
    }
}
