//! Charts: what the tables say, for slides. SVG through plotters, PNG through resvg (better text than plotters' own).
//!
//! - `series`: rows -> lines or bars: what is drawn
//! - `shares`: the same of groups of guests
//! - `scale`: ticks and their labels
//! - `labels`: places for labels that would collide
//! - `text`: the font, measured widths, wrapping
//! - `canvas`: the few shapes that charts are made of
//! - `frame`: title, subtitle, unit, footer: what every chart has
//! - `lines`, `bars`: the two kinds; `palette`: their colours
//! - `raster`: SVG -> PNG

mod bars;
mod canvas;
mod frame;
#[cfg(test)]
mod gallery;
mod labels;
mod lines;
mod palette;
mod raster;
mod scale;
mod series;
mod shares;
mod text;

use super::Model;
use crate::figures::Metric;
use crate::profile::Factor;
use canvas::Canvas;
use series::{Kind, Plot};

pub use raster::{PngError, png};

/// Width and height of every chart, px.
pub const SIZE: (u32, u32) = (1920, 1080);

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
    /// The picture.
    pub svg: String,
}

/// Every chart that has something to show. Metrics without any value are left out.
pub fn charts(model: &Model) -> Result<Vec<Chart>, ChartError> {
    // What background does is in the tail first.
    let longest = model.experiment.factors.contains(&Factor::Background).then_some(Metric::MaxLatency);
    DRAWN
        .into_iter()
        .chain(longest)
        .flat_map(|metric| series::plots(model, metric))
        .chain(shares::plots(model))
        .map(|plot| chart(model, &plot))
        .collect()
}

/// A chart that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("failed to draw a chart: {0}")]
pub struct ChartError(String);

fn chart(model: &Model, plot: &Plot) -> Result<Chart, ChartError> {
    let svg = Canvas::draw(|canvas| {
        let frame = frame::draw(canvas, model, plot);
        match &plot.kind {
            Kind::Lines(lines) => lines::draw(canvas, &frame, plot, lines),
            Kind::Bars(groups) => bars::draw(canvas, &frame, plot, groups),
        }
    })?;
    Ok(Chart { name: plot.name(), title: plot.title(), svg })
}
