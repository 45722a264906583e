//! Charts: the tables as pictures for slides. SVG, and PNG from it through resvg.
//!
//! - `plot`: what a chart shows: titles, axes, series of points with intervals
//! - `group`: rows by the levels of factors
//! - `metrics`, `load`, `guests`, `background`, `exits`, `shares`: the figures that are drawn, as plots
//! - `lines`, `bars`, `scatter`, `heat`: the four kinds of chart, from plots to shapes
//! - `frame`: title, captions, axes and keys, which they share; `scale`: ticks; `labels`: places for names that would collide
//! - `palette`: colour, dash and marker of each level
//! - `plane`: plotters' chart on a plot's area: coordinates, mesh, elements by their values
//! - `svg`: the picture: texts, single shapes, groups; `sheet`: plotters' backend that writes it as SVG
//! - `font`, `png`: measured text, SVG as PNG

mod background;
mod bars;
mod exits;
mod font;
mod frame;
#[cfg(test)]
mod gallery;
mod group;
mod guests;
mod heat;
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
    let least = if let Body::Bars(bars) = &plot.body { bars::least_height(bars) } else { 0.0 };
    let height = frame.height(least);
    let svg = Canvas::draw(height, |canvas| {
        frame.draw(canvas, height);
        let area = frame.plot(height);
        match &plot.body {
            Body::Lines(curves) => lines::draw(canvas, &area, curves),
            Body::Scatter(curves) => scatter::draw(canvas, &area, curves),
            Body::Bars(bars) => bars::draw(canvas, &area, bars),
            Body::Heat(heat) => heat::draw(canvas, &area, heat),
        }
    })?;
    Ok(Chart { name: plot.name.clone(), title: plot.title.clone(), svg })
}
