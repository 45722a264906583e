//! Charts: the tables as pictures for slides. SVG, and PNG from it through resvg.
//!
//! - `plot`: what a chart shows: titles, series of points with intervals; `axis`: what an axis shows
//! - `group`: rows by the levels of factors
//! - `chosen`, `chosen_rows`, `single`: one metric by factors that somebody chose, of one run or several: what was asked for, its
//!   configurations, its plot
//! - `metrics`, `load`, `guests`, `background`, `exits`, `shares`: the figures that are drawn, as plots
//! - `lines`, `bars`, `scatter`, `heat`: the four kinds of chart, from plots to shapes; `hint`: what a pointer is shown
//! - `lab`: the machines and what connects them, as a picture; `lab_picture`: what it shows
//! - `frame`: title, captions, axes and keys, which they share; `scale`: ticks; `labels`: places for names that would collide
//! - `style`: size, type and theme of a picture; `theme`: colours on other paper
//! - `palette`: colour, dash and marker of each level; `dark`: their colours in a page with a dark theme
//! - `plane`: plotters' chart on a plot's area: coordinates, mesh, elements by their values
//! - `svg`: the picture: texts, single shapes, groups; `sheet`: plotters' backend that writes it as SVG
//! - `font`, `png`, `pdf`: measured text, SVG as PNG and PDF

mod axis;
mod background;
mod bars;
mod chosen;
mod chosen_rows;
#[cfg(test)]
mod chosen_tests;
mod dark;
mod exits;
mod font;
mod frame;
#[cfg(test)]
mod gallery;
mod group;
mod guests;
mod heat;
mod hint;
mod lab;
mod lab_picture;
mod labels;
mod lines;
mod load;
mod metrics;
mod palette;
mod pdf;
mod plane;
mod plot;
mod png;
mod scale;
mod scatter;
mod shares;
mod sheet;
mod single;

#[cfg(test)]
mod sources;
mod style;
mod svg;
mod theme;

use super::Model;
use crate::figures::Metric;
use crate::profile::Factor;
use frame::Frame;
use plot::{Body, Plot};
use style::{PAGE, points_per_px};
use svg::Canvas;

pub use chosen::{MetricChart, MetricChartError, ShownLevels, conditions, factor_of_name, metric_of_column};
pub use chosen_rows::{ChartedRun, metrics_with_values};
pub use dark::dark_style;
pub use lab::LAB;
pub use pdf::pdf;
pub use png::{PngError, outlined, png, png_of_size};
pub use style::{ChartStyle, PictureSize, READABLE_PT};
pub use svg::DrawError;
pub use theme::ChartTheme;

/// The metrics that are drawn.
const DRAWN: [Metric; 13] = [
    Metric::RatePerFlow,
    Metric::TotalRate,
    Metric::ThroughputPerFlow,
    Metric::Throughput,
    Metric::Loss,
    Metric::MeanLatency,
    Metric::P99Latency,
    Metric::HostCpu,
    Metric::CpuPerTransaction,
    Metric::CpuPerMegabit,
    Metric::BiasRate,
    Metric::BiasLatency,
    Metric::BiasCpu,
];

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// File name without extension: `rate_per_flow_tps`, or `rate_per_flow_tps-virtio` where one picture is not enough.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it shows, for readers who do not see it.
    pub description: String,
    /// The picture: 1440 × 810 px, or higher where bars need it. Each series is a group, `series-virtio`.
    pub svg: String,
}

/// Every chart that has something to show. Metrics without any value are left out.
///
/// # Errors
/// If plotters cannot draw one.
pub fn charts(model: &Model) -> Result<Vec<Chart>, DrawError> {
    plots(model).iter().map(|plot| chart(model, plot)).collect()
}

/// The picture of the lab; `None` for an experiment without configurations.
///
/// # Errors
/// If plotters cannot draw it.
pub fn lab(model: &Model) -> Result<Option<Chart>, DrawError> {
    lab::plot(model).map(|plot| chart(model, &plot)).transpose()
}

/// A picture that somebody asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenChart {
    /// The picture.
    pub chart: Chart,
    /// Width and height of the PNG, pixels.
    pub pixels: (u32, u32),
    /// Points for each px of the SVG where the picture fills a slide, or a sheet of A4.
    pub points_per_px: f64,
    /// Whether it is for a sheet of A4, which is read from nearby.
    pub is_of_paper: bool,
}

impl ChosenChart {
    /// Its smallest type where the picture fills a slide, or a sheet of A4, pt.
    pub fn smallest_type_pt(&self) -> f64 {
        style::TEXT.size * self.points_per_px
    }
}

/// One metric of one run or several, as somebody chose. A picture of a given size that is too small for what it shows gets smaller
/// type, down to half; without a size it is higher.
///
/// # Errors
/// If the choice has nothing to show or does not separate the configurations; if the size has no room for it.
pub fn chosen_chart(
    runs: &[ChartedRun],
    request: &MetricChart,
    style: ChartStyle,
) -> Result<ChosenChart, MetricChartError> {
    /// How much larger the page is drawn, and so how much smaller its type.
    const ZOOMS: [f64; 8] = [1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2.0];
    let plot = single::plot(runs, request)?;
    let models: Vec<&Model> = runs.iter().map(|run| &run.model).collect();
    for zoom in ZOOMS {
        let (width, height) = style.size.map_or(PAGE, PictureSize::page);
        let (width, height) = (zoom * width, zoom * height);
        let frame = Frame::new(&models, &plot, style, width);
        let least = frame.fitted(least_height(&frame, &plot));
        let (page, pixels) = match style.size {
            Some(size) if least <= height => ((width, height), size.pixels),
            Some(_) => continue,
            None => {
                let height = whole_pixels(least.max(height));
                ((width, height), [width, height].map(|px| (px * 4.0 / 3.0).round() as u32).into())
            }
        };
        let chart = draw(&plot, &frame, style, page)?;
        let is_of_paper = style.size.is_some_and(|size| size.is_a4);
        return Ok(ChosenChart {
            chart,
            pixels,
            points_per_px: points_per_px(page, style.size),
            is_of_paper,
        });
    }
    Err(MetricChartError::NoRoom(style.size.map(|size| size.to_string()).unwrap_or_default()))
}

fn plots(model: &Model) -> Vec<Plot> {
    // What background does is in the tail first, and a ping is there for its tail.
    let has_tail = model.experiment.factors.contains(&Factor::Background)
        || model.experiment.configurations.iter().any(|one| one.test.is_ping());
    let longest = has_tail.then_some(Metric::MaxLatency);
    let metrics = DRAWN.into_iter().chain(longest).flat_map(|metric| metrics::plots(model, metric));
    [
        load::curves(model),
        load::waiting(model).into_iter().collect(),
        background::plots(model),
        metrics.collect(),
        metrics::to_bare_metal(model),
        exits::plots(model),
        guests::rates(model).into_iter().collect(),
        guests::over_time(model).into_iter().collect(),
        guests::flows(model),
        shares::plots(model),
    ]
    .concat()
}

fn chart(model: &Model, plot: &Plot) -> Result<Chart, DrawError> {
    let style = ChartStyle::default();
    let frame = Frame::new(&[model], plot, style, PAGE.0);
    let least = frame.fitted(least_height(&frame, plot));
    let height = if matches!(plot.body, Body::Lab(_)) { least } else { least.max(PAGE.1) };
    draw(plot, &frame, style, (PAGE.0, whole_pixels(height)))
}

/// A height that is a whole number of the PNG's pixels, of which 4 are 3 px.
fn whole_pixels(height: f64) -> f64 {
    3.0 * (height / 3.0).ceil()
}

/// What a plot needs to be read in a frame, px.
fn least_height(frame: &Frame, plot: &Plot) -> f64 {
    match &plot.body {
        Body::Lines(curves) => lines::least_height(curves, frame.plot(0.0).width()),
        Body::Bars(bars) => bars::least_height(bars),
        Body::Lab(lab) => lab::least_height(lab),
        Body::Scatter(_) | Body::Heat(_) => 0.0,
    }
}

fn draw(plot: &Plot, frame: &Frame, style: ChartStyle, page: (f64, f64)) -> Result<Chart, DrawError> {
    let description = plot.description();
    let svg = Canvas::draw((&plot.title, &description), page, style.theme, |canvas| {
        frame.draw(canvas, page.1);
        let area = frame.plot(page.1);
        match &plot.body {
            Body::Lines(curves) => lines::draw(canvas, &area, curves),
            Body::Scatter(curves) => scatter::draw(canvas, &area, curves),
            Body::Bars(bars) => bars::draw(canvas, &area, bars),
            Body::Heat(heat) => heat::draw(canvas, &area, heat),
            Body::Lab(lab) => lab::draw(canvas, &area, lab),
        }
    })?;
    Ok(Chart { name: plot.name.clone(), title: plot.title.clone(), description, svg })
}
