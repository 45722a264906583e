//! What kvmfair itself costs, and how far its figures can be trusted: `cargo run --release --example benchmark`.
//!
//! Ratios are taken within one run wherever that is possible, so that they hold on slow and on shared machines. A figure
//! that misses its goal is told, not punished: only a measurement that cannot be made is an error.
//!
//! - [`latency`]: how long the commands that measure nothing take
//! - [`bench`]: runs of profiles with the real binary; [`trials`]: what they say of time, CPU, window and witness
//! - [`moves`]: a plan whose guests stay up against one that boots them for each trial
//! - [`lab`]: this process in namespaces of its own, with kvmfair's lab in it
//! - [`boot`]: guests through kvmfair against the same QEMU processes started by hand ([`bare`])
//! - [`data`]: size of raw files, cost of reports, of [`simulated`] trials
//! - [`memory`]: what an idle guest takes
//! - [`table`]: the rows, and the Markdown that comes of them
//! - [`interrupt`]: a signal ends the benchmark in order

mod bare;
mod bench;
mod binary;
mod boot;
mod data;
mod interrupt;
mod lab;
mod latency;
mod memory;
mod moves;
mod numbers;
mod simulated;
mod table;
mod trials;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};

use table::{Row, Table};

/// Measure what kvmfair itself costs, and write a table.
#[derive(Debug, Parser)]
#[command(name = "benchmark", max_term_width = 100)]
struct Arguments {
    /// What to measure; everything if nothing is named
    items: Vec<Item>,
    /// Pairs of boots, kvmfair's and bare ones
    #[arg(long, default_value_t = 3, value_name = "N")]
    pairs: u32,
    /// Trials of the plan with live moves, and as many with fresh boots
    #[arg(long, default_value_t = 30, value_name = "N")]
    trials: u32,
    /// Trials of the run that is reported
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    reported: u32,
    /// Cloud image whose guests are moved and booted too; their boots take long
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Directory that receives the table
    #[arg(long, default_value = "runs", value_name = "DIR")]
    out: PathBuf,
}

/// What can be measured, in the order in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Item {
    /// `--help` and `plan`, also of very many configurations
    Latency,
    /// Size of raw data; time and memory of reports
    Data,
    /// Seconds outside the window
    Trial,
    /// Moves with the same guests against fresh boots
    Moves,
    /// CPU of kvmfair and the witness, by backend
    Witness,
    /// The naive sum of 128 flows against the window
    Window,
    /// Guests that answer, against bare QEMU
    Boot,
    /// Memory of idle guests
    Memory,
}

impl Arguments {
    fn wants(&self, item: Item) -> bool {
        self.items.is_empty() || self.items.contains(&item)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything could be measured.
fn measure(arguments: &Arguments) -> Result<bool> {
    interrupt::listen()?;
    let binary = binary::up_to_date()?;
    let mut table = Table::new();
    outside(arguments, &binary, &mut table)?;
    // Now into the namespaces, for good; no thread has started yet.
    let inside: Vec<Item> = [Item::Boot, Item::Memory].into_iter().filter(|i| arguments.wants(*i)).collect();
    if !inside.is_empty() {
        lab::with(|lab, runtime| {
            if inside.contains(&Item::Boot) {
                take(
                    &mut table,
                    "boots",
                    runtime.block_on(interrupt::or(boot::measure(lab, arguments.pairs))),
                )?;
            }
            if inside.contains(&Item::Memory) {
                take(&mut table, "memory", runtime.block_on(interrupt::or(memory::measure(lab))))?;
            }
            Ok(())
        })?;
    }
    let text = table.markdown();
    let path = write(&arguments.out, &table.stamp(), &text)?;
    println!("{text}\nwritten to {}", path.display());
    Ok(table.complete())
}

/// Everything for which kvmfair is run as users run it.
fn outside(arguments: &Arguments, binary: &Path, table: &mut Table) -> Result<()> {
    type Measure<'m> = &'m dyn Fn(&Path) -> Result<Vec<Row>>;
    let moves = |binary: &Path| moves::measure(binary, arguments.trials, arguments.image.as_deref());
    let files = |_: &Path| data::raw_files();
    let reports = |binary: &Path| data::reports(binary, arguments.reported);
    let items: [(Item, &str, Measure); 7] = [
        (Item::Latency, "latency of commands", &latency::measure),
        (Item::Data, "raw files", &files),
        (Item::Data, "reports", &reports),
        (Item::Trial, "time around the window", &trials::around_the_window),
        (Item::Moves, "live moves against fresh boots", &moves),
        (Item::Witness, "CPU and witness", &trials::cpu_and_witness),
        (Item::Window, "window against naive sum", &trials::naive_sum),
    ];
    for (item, what, measure) in items {
        if arguments.wants(item) {
            eprintln!("measuring: {what}");
            take(table, what, measure(binary))?;
        }
    }
    Ok(())
}

/// Adds rows, or a row that says why there are none; only an interruption ends everything.
fn take(table: &mut Table, what: &str, rows: Result<Vec<Row>>) -> Result<()> {
    interrupt::check()?;
    match rows {
        Ok(rows) => table.add(rows),
        Err(error) => table.impossible(what, &error),
    }
    Ok(())
}

fn write(directory: &Path, stamp: &str, text: &str) -> Result<PathBuf> {
    let path = directory.join(format!("benchmark-{stamp}.md"));
    std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(&path, text))
        .with_context(|| format!("failed to write {}", path.display()))?;
    Ok(path)
}
