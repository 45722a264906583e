//! Charts: the tables as pictures for slides. SVG, and PNG from it through resvg.
//!
//! - `plot`: what a chart shows: titles, axes, series of points with intervals
//! - `group`: rows by the levels of factors
//! - `metrics`, `load`, `guests`, `background`, `exits`, `shares`: the figures that are drawn, as plots
//! - `lines`, `bars`, `scatter`, `heat`: the four kinds of chart, from plots to shapes; `hint`: what a pointer is shown
//! - `lab`: the machines and what connects them, as a picture; `lab_picture`: what it shows
//! - `frame`: title, captions, axes and keys, which they share; `scale`: ticks; `labels`: places for names that would collide
//! - `palette`: colour, dash and marker of each level; `dark`: their colours in a page with a dark theme
//! - `plane`: plotters' chart on a plot's area: coordinates, mesh, elements by their values
//! - `svg`: the picture: texts, single shapes, groups; `sheet`: plotters' backend that writes it as SVG
//! - `font`, `png`: measured text, SVG as PNG

mod background;
mod bars;
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
mod plane;
mod plot;
mod png;
mod scale;
mod scatter;
mod shares;
mod sheet;
#[cfg(test)]
mod sources;
mod svg;

use super::Model;
use crate::figures::Metric;
use crate::profile::Factor;
use frame::Frame;
use plot::{Body, Plot};
use svg::Canvas;

pub use dark::dark_style;
pub use lab::LAB;
pub use png::{PngError, png};
pub use svg::DrawError;

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

fn plots(model: &Model) -> Vec<Plot> {
    // What background does is in the tail first.
    let longest = model.experiment.factors.contains(&Factor::Background).then_some(Metric::MaxLatency);
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
    let frame = Frame::new(model, plot);
    let height = match &plot.body {
        Body::Bars(bars) => frame.height(bars::least_height(bars)),
        Body::Lab(lab) => frame.fitted(lab::least_height(lab)),
        _ => frame.height(0.0),
    };
    let description = plot.description();
    let svg = Canvas::draw((&plot.title, &description), height, |canvas| {
        frame.draw(canvas, height);
        let area = frame.plot(height);
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
