//! `kvmfair chart`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use super::exported_files::write_new;
use super::findings::warn;
use super::finished_run::FinishedRun;
use super::json::{self, ChartEvent, ChartMetricEvent, JsonEvent};
use super::output::{print, print_bytes};
use super::{Common, exit::Exit};
use crate::figures::Metric;
use crate::report::chart::{
    ChartStyle, ChartTheme, ChartedRun, ChosenChart, MetricChart, PictureSize, READABLE_PT, chosen_chart,
    conditions, factor_of_name, metric_of_column, metrics_with_values, outlined, pdf, png_of_size,
};

const EXAMPLES: &str = "\
Examples:
  kvmfair chart runs/my-lab-20260101T120000Z list
  kvmfair chart runs/my-lab-20260101T120000Z bias_rate_percent --where backend=virtio --theme dark
  kvmfair chart runs/before runs/after total_rate_tps --out slide.pdf";

/// In place of a metric.
const LIST: &str = "list";
/// In place of a file: standard output.
const STDOUT: &str = "-";

/// Draw one metric of one run or several as PNG, SVG or PDF, or list the metrics.
///
/// Numbers on the axis make lines, words make bars. Series are told apart by every factor with several levels; of several runs, each
/// series has the name of its run. Tables and charts of the run directory are left as they are, and no file is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ChartCommand {
    /// The directories of the runs
    #[arg(required = true, value_name = "RUN", value_parser = super::inputs::path)]
    runs: Vec<PathBuf>,
    /// The metric's column in trials.csv, such as total_rate_tps; `list` prints those that the runs have
    metric: String,
    /// The factor on the axis below; default: vms, or the first factor with several levels
    #[arg(long, value_name = "FACTOR")]
    x: Option<String>,
    /// Factors that tell series apart; default: every other factor with several levels
    #[arg(long, value_name = "FACTOR", value_delimiter = ',')]
    series: Vec<String>,
    /// Show these levels only, such as backend=virtio,vms=2,vms=4; levels of one factor are alternatives
    #[arg(long = "where", value_name = "FACTOR=LEVEL")]
    conditions: Vec<String>,
    /// Title, in place of the metric's name
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Line below the title
    #[arg(long, value_name = "TEXT")]
    subtitle: Option<String>,
    /// A note above the plot
    #[arg(long, value_name = "TEXT")]
    annotate: Option<String>,
    /// Colours and paper
    #[arg(long, value_enum, default_value_t = ChartTheme::Light)]
    theme: ChartTheme,
    /// Scale of the values: linear from zero, or logarithmic
    #[arg(long, value_enum, default_value_t = ValueScaleChoice::Linear)]
    scale: ValueScaleChoice,
    /// Width and height in pixels, such as 1080x1080, or a4; default: 1920x1080, higher where it needs more
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    size: Option<PictureSize>,
    /// Kind of picture; default: by the ending of --out, or png
    #[arg(long, value_enum)]
    format: Option<PictureFormat>,
    /// The file; `-` is standard output; default: METRIC.png, .svg or .pdf in the current directory
    #[arg(long, value_name = "FILE", value_parser = super::inputs::path)]
    out: Option<PathBuf>,
    /// Leave out the line with versions and machine
    #[arg(long)]
    no_provenance: bool,
}

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ValueScaleChoice {
    /// From zero
    Linear,
    /// By powers of ten
    Log,
}

/// The kinds of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum PictureFormat {
    /// Pixels
    Png,
    /// Vectors with text as outlines; each series is a group with an id
    Svg,
    /// Vectors with text as outlines, one page
    Pdf,
}

impl PictureFormat {
    const ALL: [PictureFormat; 3] = [PictureFormat::Png, PictureFormat::Svg, PictureFormat::Pdf];

    /// Ending of its files.
    fn ending(self) -> &'static str {
        match self {
            PictureFormat::Png => "png",
            PictureFormat::Svg => "svg",
            PictureFormat::Pdf => "pdf",
        }
    }

    /// The one of a file's ending.
    fn of_file(path: &Path) -> Option<PictureFormat> {
        let ending = path.extension()?.to_str()?.to_lowercase();
        PictureFormat::ALL.into_iter().find(|format| format.ending() == ending)
    }
}

impl ChartCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        super::logging::start(common.verbose, None);
        let finished = self.runs.iter().map(|path| FinishedRun::read(path)).collect::<Result<Vec<_>>>()?;
        let names = names(&finished, &self.runs);
        let runs: Vec<ChartedRun> = finished
            .iter()
            .zip(&names)
            .map(|(run, name)| ChartedRun { name, model: run.results.model() })
            .collect();
        if self.metric == LIST {
            return list(&runs, common);
        }
        let format = self.format()?;
        let is_stdout = self.out.as_deref() == Some(Path::new(STDOUT));
        ensure!(
            !(is_stdout && common.json),
            "--json and --out - both write to standard output (hint: name a file with --out)"
        );
        let request = self.request()?;
        let drawn = chosen_chart(&runs, &request, self.style())?;
        warn_of_small_type(&drawn, common);
        let bytes = bytes(&drawn, format)?;
        if is_stdout {
            return print_bytes(&bytes);
        }
        let usual = || PathBuf::from(format!("{}.{}", request.metric.column(), format.ending()));
        let path = self.out.clone().unwrap_or_else(usual);
        write_new(&path, &bytes)?;
        if common.json {
            return JsonEvent::Chart(event(&drawn, path, format, request.metric, names)).print();
        }
        print(&format!("wrote {}\n", path.display()))
    }

    fn format(&self) -> Result<PictureFormat> {
        let named = self.out.as_deref().filter(|path| *path != Path::new(STDOUT));
        match (self.format, named, named.and_then(PictureFormat::of_file)) {
            (Some(format), Some(path), Some(other)) if format != other => {
                bail!(
                    "{} does not end in .{} (hint: change --out or --format)",
                    path.display(),
                    format.ending()
                )
            }
            (None, Some(path), None) => {
                bail!(
                    "{} must end in .png, .svg or .pdf (hint: or name the kind with --format)",
                    path.display()
                )
            }
            (format, _, of_file) => Ok(format.or(of_file).unwrap_or(PictureFormat::Png)),
        }
    }

    fn request(&self) -> Result<MetricChart> {
        let series = self.series.iter().map(|name| factor_of_name(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(MetricChart {
            metric: metric_of_column(&self.metric)?,
            x: self.x.as_deref().map(factor_of_name).transpose()?,
            series: (!series.is_empty()).then_some(series),
            only: conditions(&self.conditions)?,
            title: self.title.clone(),
            subtitle: self.subtitle.clone(),
            note: self.annotate.clone(),
            is_log: self.scale == ValueScaleChoice::Log,
        })
    }

    fn style(&self) -> ChartStyle {
        ChartStyle { theme: self.theme, size: self.size, has_provenance: !self.no_provenance }
    }
}

/// The names of the runs' directories; the paths where two directories have the same name.
fn names(runs: &[FinishedRun], paths: &[PathBuf]) -> Vec<String> {
    let is_distinct = |run: &FinishedRun| runs.iter().filter(|other| other.name == run.name).count() == 1;
    if runs.iter().all(is_distinct) {
        return runs.iter().map(|run| run.name.clone()).collect();
    }
    paths.iter().map(|path| path.display().to_string()).collect()
}

/// Prints the metrics that have values.
fn list(runs: &[ChartedRun], common: &Common) -> Result<Exit> {
    let metrics = metrics_with_values(runs);
    if common.json {
        let event = |metric: Metric| {
            let (metric, unit, label) = (metric.column(), metric.unit(), metric.label());
            JsonEvent::ChartMetric(ChartMetricEvent { metric, unit, label })
        };
        return json::print(metrics.into_iter().map(event));
    }
    let wide =
        |text: fn(Metric) -> &'static str| metrics.iter().map(|one| text(*one).len()).max().unwrap_or(0);
    let (columns, units) = (wide(Metric::column), wide(Metric::unit));
    let line = |one: &Metric| format!("{:columns$}  {:units$}  {}\n", one.column(), one.unit(), one.label());
    print(&metrics.iter().map(line).collect::<String>())
}

fn bytes(drawn: &ChosenChart, format: PictureFormat) -> Result<Vec<u8>> {
    let svg = &drawn.chart.svg;
    Ok(match format {
        PictureFormat::Png => png_of_size(svg, drawn.pixels)?,
        PictureFormat::Svg => outlined(svg)?.into_bytes(),
        PictureFormat::Pdf => pdf(svg, &drawn.chart.title, drawn.points_per_px)?,
    })
}

fn warn_of_small_type(drawn: &ChosenChart, common: &Common) {
    let points = drawn.smallest_type_pt();
    if !drawn.is_of_paper && points < READABLE_PT - 0.05 {
        let message = format!(
            "the smallest type has {points:.0} pt on a slide, not {READABLE_PT:.0} (hint: fewer series or bars, or --no-provenance)"
        );
        warn(&message, common);
    }
}

fn event(
    drawn: &ChosenChart,
    path: PathBuf,
    format: PictureFormat,
    metric: Metric,
    runs: Vec<String>,
) -> ChartEvent {
    ChartEvent {
        path: std::path::absolute(&path).unwrap_or(path),
        format: format.ending(),
        metric: metric.column(),
        runs,
        width: drawn.pixels.0,
        height: drawn.pixels.1,
        smallest_type_pt: drawn.smallest_type_pt(),
    }
}
