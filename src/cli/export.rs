//! `kvmfair export`

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::exported_files::{Destination, ExportedFiles};
use super::json::{self, ExportedTable, JsonEvent};
use super::output::{ignoring_closed_pipe, print};
use super::{Common, exit::Exit, inputs};
use crate::factor::fault::list;
use crate::report::exported;
use crate::results::Export;
use crate::table::{FORMATS, FileFormat, Purpose, Table};

const EXAMPLES: &str = "\
Examples:
  kvmfair export --format parquet runs/my-lab-20260101T120000Z
  kvmfair export --table summary --out - runs/my-lab-20260101T120000Z
  kvmfair export --table report_speed --out speed.tex runs/my-lab-20260101T120000Z
  kvmfair export --format openmetrics --out my-lab.prom runs/my-lab-20260101T120000Z";

/// Standard output as a destination.
const STDOUT: &str = "-";

/// Write a run's tables for other programs: CSV, JSON Lines, Parquet, OpenMetrics, LaTeX or Markdown.
///
/// Tables of single trials are made of the raw data, trial by trial, so runs of any size can be exported. Nothing in the run's
/// directory is changed, and no file is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportCommand {
    /// The run's directory
    #[arg(value_parser = inputs::path)]
    run: PathBuf,
    /// The format of the files (default: the one that the ending of --out names, else csv)
    #[arg(long, value_parser = formats())]
    format: Option<&'static FileFormat>,
    /// A table to export; may be repeated (default: every table of the run's directory; of latex and markdown the report's tables, of
    /// openmetrics `metrics`)
    #[arg(long = "table", value_name = "TABLE", value_parser = PossibleValuesParser::new(exported::names()))]
    tables: Vec<String>,
    /// Directory of the files, or the file of a single table; `-` is standard output (default: RUN-export)
    #[arg(long, value_name = "PATH", value_parser = inputs::path)]
    out: Option<PathBuf>,
}

/// A format by its name.
fn formats() -> impl TypedValueParser<Value = &'static FileFormat> {
    let known = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    let find = |name: String| FORMATS.iter().find(|format| format.name == name).ok_or("unknown format");
    PossibleValuesParser::new(known).try_map(find)
}

impl ExportCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None);
        let to_stdout = self.out.as_ref().is_some_and(|out| out.as_os_str() == STDOUT);
        ensure!(
            !(common.json && to_stdout),
            "--json and --out - both print to standard output (hint: name a file)"
        );
        let export = Export::open(inputs::run_dir(&self.run)?)?;
        let results = export.results();
        if common.json {
            let name = results.name().to_owned();
            JsonEvent::start_of_run("export", name, results.dir(), results.planned()).print()?;
        }
        let written = self.write(export);
        if to_stdout {
            return ignoring_closed_pipe(written.map(drop));
        }
        match common.json {
            true => json::print(written?.into_iter().map(JsonEvent::Exported)),
            false => print(&written?.iter().map(in_words).collect::<String>()),
        }
    }

    /// Writes the files; what is in them.
    fn write(&self, export: Export) -> Result<Vec<ExportedTable>> {
        let format = self.format();
        let wanted = self.wanted(format)?;
        let destination = Destination::new(self.out.as_deref(), export.results().name(), wanted.len());
        let mut files = ExportedFiles::new(format, destination, &wanted)?;
        export.pieces(&wanted, |piece: &Table| files.add(piece))?;
        if let Some(missing) = self.tables.iter().find(|name| !files.has(name)) {
            bail!(
                "the run has no figures for the table `{missing}` (hint: report.md in its directory has the tables that it has)"
            );
        }
        files.finish()
    }

    fn format(&self) -> &'static FileFormat {
        let ending = self.out.as_ref().and_then(|out| out.extension());
        let named = |format: &&FileFormat| ending.is_some_and(|ending| ending == format.extension);
        self.format.or_else(|| FORMATS.iter().find(named)).unwrap_or(&FORMATS[0])
    }

    /// The names of the tables, each once.
    fn wanted(&self, format: &FileFormat) -> Result<Vec<&'static str>> {
        let own = exported::defaults(format.purpose);
        let wanted: Vec<&str> = match self.tables.is_empty() {
            true => own.clone(),
            false => exported::names().filter(|name| self.tables.iter().any(|table| table == name)).collect(),
        };
        let foreign = wanted.iter().find(|name| format.purpose == Purpose::Monitoring && !own.contains(name));
        if let Some(foreign) = foreign {
            bail!("not supported: `{foreign}` as {} (hint: it has the table {})", format.name, list(&own));
        }
        Ok(wanted)
    }
}

fn in_words(table: &ExportedTable) -> String {
    let rows = if table.rows == 1 { "row" } else { "rows" };
    format!("{}: {} {rows}\n", table.path.display(), table.rows)
}
